"""Judging shared out to processes: the same answers in the same order, and every file that was read is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from growing import GROWING

from perfmod.config import Settings
from perfmod.model import Facts
from perfmod.pipeline import Request, run
from perfmod.project import ITEMS_PER_PROCESS, Project


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_who_watches_is_told_of_every_file(tmp_path: Path, jobs: int) -> None:
    files = [f"m{number:03}.py" for number in range(3 * ITEMS_PER_PROCESS)]
    for file in files:
        (tmp_path / file).write_text(f"# {file}\n")
    watched: list[str] = []
    project = Project(tmp_path, files, Facts(), watch=watched.append, jobs=jobs)

    def read(paths: Sequence[str]) -> Iterator[bytes | None]:
        return map(project.raw, paths)

    found = list(project.spread(read, files))
    assert found == [f"# {file}\n".encode() for file in files]
    assert sorted(set(watched)) == files
    assert len(watched) <= 2 * len(files)


@pytest.mark.parametrize("name", ["reads in a file", "reads in files", "requests in a class", "clients in files"])
def test_findings_are_the_same_with_any_number_of_processes(tmp_path: Path, name: str) -> None:
    rule, checkout = GROWING[name]
    for path, text in checkout(3 * ITEMS_PER_PROCESS).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    settings = Settings(select=(rule,), unsafe_fixes=True)
    alone, shared = (run(Request("check", tmp_path, (tmp_path,), settings, jobs=jobs)) for jobs in (1, 3))
    assert alone.results
    assert (shared.results, shared.notes) == (alone.results, alone.notes)
