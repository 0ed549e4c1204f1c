"""Plain command lines mean the same whether perfmod reads them itself or click does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfmod import commands
from perfmod.arguments import read_plain, spellings
from perfmod.errors import PerfmodError
from perfmod.options import OPTIONS, Option, Typed

VALUES = (
    "a",
    "a,b",
    " a , ",
    "a=b",
    "=",
    "",
    "-",
    "--",
    "-q",
    "1",
    "0",
    "-1",
    "٣",
    "1" * 12,
    "text",
    "auto",
    "é",
    "x.py",
    "1.5",
)
WORDS = (
    "check",
    "src",
    "-",
    "--",
    "",
    "-h",
    "--help",
    "-qv",
    "-j4",
    "-ofile",
    "--nonsense",
    "--qui",
    "x y",
    "--quiet=1",
    "-q=1",
)


def written(option: Option) -> st.SearchStrategy[list[str]]:
    names = st.sampled_from(spellings(option))
    if option.takes in ("nothing", "switch"):
        return names.map(lambda name: [name])
    values = st.sampled_from((*VALUES, *option.choices))
    return st.tuples(names, values, st.booleans()).map(
        lambda drawn: [f"{drawn[0]}={drawn[1]}"] if drawn[2] else [drawn[0], drawn[1]]
    )


def lines() -> st.SearchStrategy[list[str]]:
    return st.sampled_from(sorted(OPTIONS)).flatmap(
        lambda command: st.lists(
            st.one_of(*map(written, OPTIONS[command]), st.sampled_from(WORDS).map(lambda word: [word])), max_size=6
        ).map(lambda parts: [command, *(word for part in parts for word in part)])
    )


@settings(max_examples=400, deadline=None)
@given(lines())
def test_a_plain_command_line_means_what_click_says(line: list[str]) -> None:
    plain = read_plain(line)
    if plain is not None:
        assert plain == read_by_click(line)


@pytest.mark.parametrize(
    "line",
    [
        ["check"],
        ["check", "--isolated", "--no-cache", "--select", "supervise-tasks,load-once", "--select=retry-requests", "."],
        ["diff", "-q", "a", "-o", "json=out.json", "-o", "b.sarif", "b", "--unsafe-fixes", "-j", "4"],
        ["apply", "--dry-run", "--no-unsafe-fixes", "--exclude", "a", "--exclude=b", "--color", "never"],
    ],
)
def test_what_people_write_is_plain(line: list[str]) -> None:
    plain = read_plain(line)
    assert plain is not None and plain == read_by_click(line)


@pytest.mark.parametrize(
    "line", [[], ["rules"], ["check", "--help"], ["check", "-j", "0"], ["check", "--color", "red"]]
)
def test_click_reads_the_rest(line: list[str]) -> None:
    assert read_plain(line) is None


def test_completion_is_for_click(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_PERFMOD_COMPLETE", "bash_complete")
    assert read_plain(["check"]) is None


def read_by_click(line: list[str]) -> Typed | str:
    read: list[Typed] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commands, "run", lambda typed: read.append(typed) or 0)
        try:
            commands.invoke(line)
        except PerfmodError as error:
            return str(error)
    return read[0] if read else "nothing was run"
