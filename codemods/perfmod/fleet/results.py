"""The work folder: what is known of each repository, so that nothing is done again, and the reports over all of them.

results/<name>/record.json      the repository in numbers; what a run goes on from
results/<name>/findings.json    its findings, as `perfmod check --output-format json` says them
results/<name>/left.txt         what is not fixed, and why
results/<name>/changes.patch    with diff: what `git apply` takes
results/<name>/pull-request.md  with apply: the text of a pull request
results/<name>/page.html        the report on one page
clones/<name>/                  clones of what is listed by its address
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from perfmod.errors import PerfmodError
from perfmod.fleet.job import Branch, Outcome, Record
from perfmod.reports import to_bytes
from perfmod.reports.json import dumps
from perfmod.store import lock, write_file

RESULTS = "results"
RECORD = "record.json"
LOCK = "fleet.lock"


class WorkFolder:
    """A folder that a fleet keeps between runs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._results = path / RESULTS

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder and keep other runs out of it. Raises PerfmodError where another one is at work."""
        mark = self.path / LOCK
        try:
            if self.path.is_dir() and os.listdir(self.path) and not mark.exists():
                raise PerfmodError(f"{self.path} holds other files: name a folder for the fleet alone with --work")
            self._results.mkdir(parents=True, exist_ok=True)
            (self.path / ".gitignore").write_text("*\n")
            descriptor = os.open(mark, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        except OSError as error:
            raise PerfmodError(
                f"cannot work in {self.path}: {error.strerror}; name another folder with --work"
            ) from None
        try:
            if not lock(descriptor):
                raise PerfmodError(f"another perfmod fleet is at work in {self.path}")
            for left in self._results.glob(".*"):
                shutil.rmtree(left, ignore_errors=True)
            yield
        finally:
            os.close(descriptor)

    def record(self, name: str) -> Record | None:
        """What an earlier run found out about a repository."""
        with suppress(OSError, ValueError, TypeError, RecursionError):
            found = json.loads((self._results / name / RECORD).read_bytes())
            branch = found.pop("branch", None)
            return Record(**found, branch=Branch(**branch) if branch else None)
        return None

    def save(self, outcome: Outcome) -> Record:
        """Keep an outcome, whole or not at all: what is there counts as done."""
        record = outcome.record
        assert record is not None
        new, place = self._results / f".{record.name}", self._results / record.name
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        for name, data in (*outcome.files.items(), (RECORD, to_bytes(dumps(asdict(record))))):
            (new / name).write_bytes(data)
        shutil.rmtree(place, ignore_errors=True)
        new.rename(place)
        return record

    def write(self, name: str, text: str) -> Path:
        """Write a report over the whole fleet."""
        place = self.path / name
        new = self.path / f".{name}"
        new.unlink(missing_ok=True)
        write_file(new, to_bytes(text))
        new.replace(place)
        return place


def files_of(folder: Path) -> Mapping[str, bytes]:
    """Every file that a fleet leaves for its user, by path: what two runs can be compared by."""
    names = ("summary.json", "repositories.csv", "index.html")
    paths = [folder / name for name in names] + sorted((folder / RESULTS).rglob("*"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths if path.is_file()}
