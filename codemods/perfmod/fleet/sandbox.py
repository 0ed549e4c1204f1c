"""The side of a worker: a job is done by a child process, and ends with it where it takes too long or too much."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from queue import Empty, SimpleQueue
from tempfile import TemporaryFile
from threading import Thread
from time import monotonic
from typing import Any

import psutil
from distributed import get_worker

from perfmod.fleet.job import Effort, Job, Outcome, failed

POLL = 0.2  # seconds between two looks at the memory of a child
FAMILY = 2.0  # seconds between two looks at what it has started: each goes through all processes of the machine
#: Children that wait for the next job of this worker. A worker with several threads has one for each.
idle: list[Child] = []
#: Children at work, and for which run.
busy: dict[Child, str] = {}


def carry_out(job: Job, run: str) -> Outcome:
    """Do a job in a child process: what Dask calls on a worker."""
    outcome = in_child(job, run)
    return replace(outcome, effort=replace(outcome.effort, worker=get_worker().address))


def stop(run: str) -> None:
    """End the children that work for a run: nobody waits for their outcomes any more."""
    for child, owner in list(busy.items()):
        if owner == run:
            child.end()


def in_child(job: Job, run: str = "") -> Outcome:
    child = idle.pop() if idle else Child()
    busy[child] = run
    try:
        outcome = child.carry_out(job)
    finally:
        del busy[child]
    if child.is_alive() and outcome.effort.memory < job.limits.memory // 4:
        idle.append(child)
    else:
        child.end()
    return outcome


class Child:
    """A process of child.py."""

    def __init__(self) -> None:
        self._said = TemporaryFile()  # noqa: SIM115  end() closes it
        # -P: nothing is imported from the folder that this happens to run in.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "perfmod.fleet.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            start_new_session=True,
        )
        self._outcomes: SimpleQueue[Outcome | None] = SimpleQueue()
        Thread(target=self._receive, daemon=True).start()
        self._seen = psutil.Process(self._process.pid)
        self._family: list[psutil.Process] = []
        self._family_seen = monotonic()

    def carry_out(self, job: Job) -> Outcome:
        started = monotonic()
        most = 0
        outcome: Outcome | None = None
        try:
            self._send(job)
            while outcome is None:
                try:
                    outcome = self._outcomes.get(timeout=POLL) or failed(job, self._why_it_ended())
                    most = max(most, memory_of(self._seen))
                except Empty:
                    most = max(most, self.memory())
                    reason = self._beyond(job, monotonic() - started, most)
                    if reason is not None:
                        self.end()
                        outcome = failed(job, reason)
        except BaseException:  # the worker is told to stop
            self.end()
            raise
        return replace(outcome, effort=Effort(monotonic() - started, most))

    def memory(self) -> int:
        """What the child and what it started hold, in bytes; 0 once it has ended."""
        if monotonic() - self._family_seen > FAMILY:
            with suppress(psutil.Error):
                self._family = self._seen.children(recursive=True)
            self._family_seen = monotonic()
        return sum(map(memory_of, (self._seen, *self._family)))

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        """End the child with all that it started."""
        with suppress(OSError):
            if os.name == "posix":
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._said):
            with suppress(OSError, AttributeError):
                stream.close()  # type: ignore[union-attr]

    def _send(self, job: Job) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):  # it has ended: its outcome is why
            pickle.dump(job, self._process.stdin)
            self._process.stdin.flush()

    def _receive(self) -> None:
        """Hand on outcomes, and None when the child has ended."""
        with suppress(EOFError, OSError, ValueError, pickle.UnpicklingError):
            while True:
                self._outcomes.put(pickle.load(self._process.stdout))  # type: ignore[arg-type]
        self._outcomes.put(None)

    def _beyond(self, job: Job, seconds: float, memory: int) -> str | None:
        """Which limit a job has reached."""
        if seconds > job.limits.seconds:
            return f"not done after {job.limits.seconds:g} s: see --time-limit"
        if memory > job.limits.memory:
            return f"took more than {job.limits.memory // 1_000_000:,} MB of memory: see --memory"
        return None

    def _why_it_ended(self) -> str:
        code = self._process.wait()
        with suppress(ValueError, OSError):
            self._said.seek(0)
            lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
            last = f": {lines[-1]}" if lines else ""
        return f"its process {in_words(code)}{last}"


def memory_of(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def in_words(code: int) -> str:
    """How a process ended."""
    if code >= 0:
        return f"ended with {code}"
    names: dict[int, Any] = {each.value: each.name for each in signal.Signals}
    return f"was killed by {names.get(-code, -code)}"
