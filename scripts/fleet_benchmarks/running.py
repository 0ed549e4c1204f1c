"""Runs of `perfmod fleet` as a process of its own, watched from outside."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import psutil

PROGRAMS = Path(sys.executable).parent
EVERY = 0.2  # seconds between two looks
IDENTITY = {
    f"GIT_{role}_{what}": "fleet-bench@localhost" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}


@dataclass
class Run:
    """What a run came to."""

    code: int
    said: str
    wall: float  #: seconds
    cpu: float  #: seconds, user and system, of all processes that were seen
    memory: int  #: bytes, the peak of all processes together (what several share counts once: PSS)
    killed: int = 0


def fleet(command: str, repos: Path | str, work: Path, *options: str, watch: Watcher | None = None) -> Run:
    """Run it to its end. Raises SystemExit where it does not end with 0 or 1."""
    arguments = [PROGRAMS / "perfmod", "fleet", command, str(repos), f"--work={work}", *options]
    environment = {**os.environ, **IDENTITY}
    started = time.monotonic()
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    with Watched(process.pid, watch) as watched:
        said, _ = process.communicate()
    run = Run(process.returncode, said, time.monotonic() - started, watched.cpu, watched.memory, watched.killed)
    if run.code not in (0, 1):
        raise SystemExit(f"fleet-bench: {command} ended with {run.code}:\n{said}")
    return run


Watcher = Callable[[psutil.Process], int]  # looks at the process of a run, and says how many of its workers it killed


class Watched:
    """A thread that looks at a process and all that it started, until the block ends."""

    def __init__(self, pid: int, watch: Watcher | None) -> None:
        self._process = psutil.Process(pid)
        self._watch = watch
        self._end = Event()
        self._times: dict[tuple[int, float], float] = {}
        self._thread = Thread(target=self._look)
        self.memory = self.killed = 0

    @property
    def cpu(self) -> float:
        return sum(self._times.values())

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(EVERY):
            with suppress(psutil.Error):
                total = 0
                for process in (self._process, *self._process.children(recursive=True)):
                    with suppress(psutil.Error):
                        times = process.cpu_times()
                        # Those of children that have ended: git.
                        self._times[process.pid, process.create_time()] = sum(times[:4])
                        total += process.memory_full_info().pss
                self.memory = max(self.memory, total)
                if self._watch is not None:
                    self.killed += self._watch(self._process)


def workers_of(process: psutil.Process) -> list[psutil.Process]:
    """The Dask workers below a process: those that hold a child that works."""
    found = []
    for child in process.children(recursive=True):
        with suppress(psutil.Error):
            if "perfmod.fleet.child" in child.cmdline():
                parent = child.parent()
                if parent is not None and parent.pid != process.pid:
                    found.append(parent)
    return found


def killer(every: float, seed: int = 1) -> Watcher:
    """Kills a worker at random moments, about once in `every` seconds."""
    chance = random.Random(seed)
    due = time.monotonic() + chance.uniform(0.5, 1.5) * every

    def watch(process: psutil.Process) -> int:
        nonlocal due
        workers = workers_of(process)
        if time.monotonic() < due or not workers:
            return 0
        due = time.monotonic() + chance.uniform(0.5, 1.5) * every
        with suppress(psutil.Error):
            chance.choice(workers).send_signal(signal.SIGKILL)
            return 1
        return 0

    return watch


@contextmanager
def cluster(workers: int, port: int = 18786) -> Iterator[str]:
    """A scheduler and workers as processes of their own, on the loopback interface."""
    address = f"tcp://127.0.0.1:{port}"
    started = []
    try:
        for arguments in (
            ("scheduler", "--host", "127.0.0.1", "--port", str(port), "--dashboard-address", "127.0.0.1:0"),
            ("worker", address, "--nworkers", str(workers), "--nthreads", "1", "--host", "127.0.0.1", "--no-dashboard"),
        ):
            command = [str(PROGRAMS / "dask"), *arguments]
            started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        yield address
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait()
