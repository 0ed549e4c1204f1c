"""Running programs in turns, and what each run cost."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

SINGLE = 60.0  # seconds; a program that takes longer runs once


@dataclass(frozen=True)
class Lap:
    wall: float
    cpu: float  #: user and system seconds of the program and all processes that it waited for
    memory: int  #: bytes, the peak of its largest process


@dataclass
class Program:
    """One command line of a race. Its exit codes below 2 are fine: findings are no error."""

    name: str
    command: tuple[str | Path, ...]
    writes: bool = False  #: it gets a fresh copy of the tree for each run
    environment: dict[str, str] = field(default_factory=dict)
    laps: list[Lap] = field(default_factory=list)

    @property
    def wall(self) -> float:
        return statistics.median(lap.wall for lap in self.laps)

    @property
    def cpu(self) -> float:
        return statistics.median(lap.cpu for lap in self.laps)

    @property
    def memory(self) -> int:
        return max(lap.memory for lap in self.laps)


@dataclass
class Race:
    """Programs that do the same work on one tree. The first one is what the others are compared with."""

    name: str
    folder: Path
    files: int
    programs: list[Program]

    def program(self, name: str) -> Program | None:
        return next((program for program in self.programs if program.name == name and program.laps), None)


def run_race(race: Race, laps: int) -> Race:
    """Every program once to warm file and own caches, then all of them in turns."""
    for program in race.programs:
        say(f"{race.name}: {program.name}")
        first = run(program, race.folder)
        if first.wall > SINGLE:
            program.laps.append(first)
    for _ in range(laps):
        for program in race.programs:
            if not program.laps or program.laps[0].wall <= SINGLE:
                program.laps.append(run(program, race.folder))
    return race


def run(program: Program, folder: Path) -> Lap:
    """One run. Raises RuntimeError where the program fails, since a program that stops early is fast."""
    with tree_for(program, folder) as place, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            [os.fspath(word) for word in program.command],
            cwd=place,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env={**os.environ, **program.environment},
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 1):
            errors.seek(0)
            said = errors.read().decode("utf-8", "replace").strip().splitlines()[-3:]
            raise RuntimeError(f"{program.name} ended with {process.returncode} in {folder}: {' / '.join(said)}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Lap(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * unit)


@contextmanager
def tree_for(program: Program, folder: Path) -> Iterator[Path]:
    if not program.writes:
        yield folder
        return
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        copy = Path(temporary, folder.name)
        shutil.copytree(folder, copy, symlinks=True)
        yield copy


def ratio(program: Program, others: list[Program], what: str = "wall") -> float:
    """The ratio of medians; several others count together."""
    return float(getattr(program, what) / sum(getattr(other, what) for other in others))


def spread(program: Program) -> tuple[float, float]:
    """The quartiles of the wall seconds."""
    walls = sorted(lap.wall for lap in program.laps)
    if len(walls) < 2:
        return walls[0], walls[0]
    low, _, high = statistics.quantiles(walls, n=4, method="inclusive")
    return low, high


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
