"""--history: one line of JSON for each run, and what they come to over time."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from perfmod import __version__
from perfmod.errors import PerfmodError
from perfmod.fleet.job import Record
from perfmod.fleet.summary import by_rule, totals
from perfmod.values import dataclass

COUNTS = ("repositories", "failed", "findings", "fixable", "applied")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a fleet."""

    date: str  #: of its end, UTC, ISO 8601
    version: str
    command: str
    seconds: float
    unchanged: int  #: repositories whose outcome was known
    repositories: int
    failed: int
    findings: int
    fixable: int
    applied: int
    rules: Mapping[str, int]  #: findings by rule


def run_of(command: str, records: Sequence[Record], *, date: str, seconds: float, unchanged: int) -> Run:
    numbers = totals(records)
    rules = {rule: counts.total() for rule, counts in by_rule(records).items()}
    counts = {name: numbers[name] for name in COUNTS}
    return Run(date, __version__, command, round(seconds, 1), unchanged, **counts, rules=rules)


def read_history(path: Path) -> list[Run]:
    """The runs that a file tells of, oldest first; none where there is no file. Raises PerfmodError for what is no run.

    A last line without an end was cut off when its run was killed, and is left out.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        if not path.absolute().parent.is_dir():
            raise PerfmodError(f"--history {path}: there is no folder {path.parent}") from None
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise PerfmodError(f"--history {path}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None
    *lines, torn = text.split("\n")
    runs = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            run = read_run(line)
            if run is None:
                raise PerfmodError(f"--history {path}: line {number} tells of no run of a fleet")
            runs.append(run)
    if torn and (run := read_run(torn)) is not None:
        runs.append(run)
    return runs


def read_run(line: str) -> Run | None:
    try:
        run = Run(**json.loads(line))
    except (ValueError, TypeError, RecursionError):
        return None
    numbers = (run.seconds, run.unchanged, *(getattr(run, name) for name in COUNTS))
    rules = run.rules.values() if isinstance(run.rules, dict) else [None]
    words = (run.date, run.version, run.command)
    fits = all(type(n) in (int, float) for n in (*numbers, *rules)) and all(isinstance(word, str) for word in words)
    return run if fits else None


def add_to_history(path: Path, run: Run) -> None:
    """Add a line. Raises PerfmodError where that can't be done."""
    line = json.dumps(asdict(run), ensure_ascii=False).encode() + b"\n"
    try:
        with open(path, "a+b") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                line = line if file.read(1) == b"\n" else b"\n" + line
            file.write(line)
    except OSError as error:
        raise PerfmodError(f"--history {path}: {error.strerror}") from None
