"""Rules judged side by side say what they say one after the other."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from perfmod import judging
from perfmod.errors import PerfmodError, TooMuch
from perfmod.judging import judge, processes_for
from perfmod.model import Facts, Finding, Safety, Span
from perfmod.pipeline import Report, Request, run
from perfmod.project import Project
from perfmod.rule import Rule, load_rule, rule_ids
from perfmod.source.tree import LATER_WORK

DEALDESK = Path(__file__).parent.parent / "fixtures" / "dealdesk" / "before"
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="rules are judged in forked processes")


@dataclass(frozen=True)
class Said:
    """What a scanner of this module found."""

    path: str


class Judging:
    """A stand-in rule: its findings say in which process they were made, and which files count as too large."""

    judged = __name__
    spreads = False

    def __init__(self, name: str, path: str = "", error: Exception | None = None) -> None:
        self.name = name
        self._path = path
        self._error = error

    def judge(self, _facts: Facts, project: Project) -> Iterator[Finding]:
        if self._path:
            project.raw(self._path)
        if self._error is not None and not project.too_much:
            raise self._error
        yield Finding(self.name, Span("a.py", 0, 1), f"{os.getpid()} {sorted(project.too_much)}", Safety.MANUAL)


def project_in(root: Path, **options: Any) -> Project:
    return Project(root, ["a.py", "b.py"], Facts([Said("a.py")]), **options)


def said(project: Project, *rules: Judging, processes: int = 2) -> list[tuple[str, int, str]]:
    findings, notes = judge(rules, project, processes)  # type: ignore[arg-type]
    assert notes == []
    return [(each.rule, *each.message.split(" ", 1)) for each in findings]  # type: ignore[misc]


@needs_fork
def test_what_rules_say_comes_in_their_order(tmp_path: Path) -> None:
    rules = [Judging(name) for name in "abcdefgh"]
    found = said(project_in(tmp_path), *rules, processes=3)
    assert [rule for rule, _, _ in found] == list("abcdefgh")


@needs_fork
def test_another_process_helps(tmp_path: Path) -> None:
    class Slow(Judging):
        def judge(self, facts: Facts, project: Project) -> Iterator[Finding]:
            import time

            time.sleep(0.2)
            yield from super().judge(facts, project)

    found = said(project_in(tmp_path), Slow("a"), Slow("b"))
    assert len({process for _, process, _ in found}) == 2
    assert {process for _, process, _ in said(project_in(tmp_path), Slow("a"), Slow("b"), processes=1)} == {
        str(os.getpid())
    }


def test_what_shares_its_work_itself_is_judged_here(tmp_path: Path) -> None:
    rules = [Judging("a"), Judging("b"), Judging("c")]
    rules[1].spreads = True
    found = said(project_in(tmp_path), *rules)
    assert [rule for rule, _, _ in found] == ["a", "b", "c"]
    assert found[1][1] == str(os.getpid())


@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_file_that_takes_too_long_is_left_out_from_then_on(tmp_path: Path, processes: int, place: int) -> None:
    rules = [Judging(name) for name in "abc"]
    rules[place] = Judging("abc"[place], error=TooMuch("it is large", "b.py"))
    project = project_in(tmp_path)
    found = said(project, *rules, processes=processes)
    assert [left for _, _, left in found] == ["[]"] * place + ["['b.py']"] * (3 - place)
    assert project.too_much == {"b.py": "it is large"}


@pytest.mark.parametrize("processes", [1, 2])
def test_what_was_looked_at_before_such_a_file_was_found_does_not_count(tmp_path: Path, processes: int) -> None:
    class Costly(Judging):
        spreads = True

        def judge(self, facts: Facts, project: Project) -> Iterator[Finding]:
            source = project.source("a.py")
            if source is not None:
                source.spend(LATER_WORK * 2 // 3)
            yield from super().judge(facts, project)

    (tmp_path / "a.py").write_text("x = 1\n")
    project = project_in(tmp_path)
    said(project, Costly("a"), Judging("b"), Judging("c", error=TooMuch("it is large", "b.py")), processes=processes)
    assert project.too_much == {"b.py": "it is large"}


@pytest.mark.parametrize("processes", [1, 2])
def test_errors_come_out(tmp_path: Path, processes: int) -> None:
    with pytest.raises(PerfmodError, match="no server"):
        said(project_in(tmp_path), Judging("a"), Judging("b", error=PerfmodError("no server")), processes=processes)


@pytest.mark.parametrize("processes", [1, 2])
def test_who_watches_hears_of_every_file(tmp_path: Path, processes: int) -> None:
    watched: set[str] = set()
    project = project_in(tmp_path, watch=watched.add)
    said(project, Judging("a", "a.py"), Judging("b", "b.py"), processes=processes)
    assert watched == {"a.py", "b.py"}


def test_what_asks_outside_is_judged_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "asks_outside", lambda rule: rule.name != "a")
    found = said(project_in(tmp_path), Judging("a"), Judging("b"), Judging("c"))
    assert {process for _, process, _ in found} == {str(os.getpid())}


@pytest.mark.parametrize("processes", [1, 2])
def test_without_a_fact_of_its_own_a_rule_is_not_asked(tmp_path: Path, processes: int) -> None:
    rules = [Judging("a"), Judging("b"), Judging("c", error=AssertionError("it was asked"))]
    rules[2].judged = "perfmod.nowhere"
    assert [rule for rule, _, _ in said(project_in(tmp_path), *rules, processes=processes)] == ["a", "b"]


@needs_fork
def test_small_checkouts_are_judged_in_one_process() -> None:
    assert processes_for(100, 8) == 1
    assert processes_for(100_000, 8) == 8
    assert processes_for(100_000, 1) == 1


@needs_fork
@pytest.mark.parametrize("cache", [False, True])
def test_all_rules_say_the_same_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: bool) -> None:
    shutil.copytree(DEALDESK, tmp_path / "dealdesk")
    used: list[int] = []

    def checked(processes: int) -> Report:
        monkeypatch.setattr("perfmod.pipeline.processes_for", lambda files, jobs: used.append(processes) or processes)
        folder = tmp_path / f"cache{processes}" if cache else None
        return run(Request("check", tmp_path / "dealdesk", (tmp_path / "dealdesk",), cache=cache, cache_folder=folder))

    alone, *together = [checked(processes) for processes in (1, 2, 3)]
    assert len({result.finding.rule for result in alone.results}) > 3
    for each in together:
        assert (each.results, each.notes, each.skipped) == (alone.results, alone.notes, alone.skipped)
    assert used == [1, 2, 3]


def test_every_rule_names_the_module_of_its_facts() -> None:
    for name in rule_ids():
        rule = load_rule(name)
        assert find_spec(rule.judged) is not None, name


def test_every_rule_says_whether_it_spreads() -> None:
    spreading: set[type[Rule]] = {load_rule(name) for name in rule_ids() if load_rule(name).spreads}
    assert {each.__name__ for each in spreading} == {"LoadOnce", "RetryRequests"}
