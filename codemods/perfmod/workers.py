"""Worker processes of the scan.

Forked by hand where the system forks: multiprocessing costs 30 ms, a tenth of a run over a thousand files.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import IO, Any, TypeVar

Given = TypeVar("Given")
Found = TypeVar("Found")
Work = Callable[[Sequence[Given]], Iterable[Found]]  # can be pickled

TICKET = struct.Struct("=H")
MOST = 2_000  # batches: their numbers wait in a pipe, which may be as small as 4096 bytes


def in_processes(work: Work[Given, Found], batches: Sequence[Sequence[Given]], workers: int) -> Iterator[Found]:
    """What `work` finds in each batch, in their order: with this process and `workers - 1` others.

    Each takes the next batch when it is done with one. There are `MOST` of them at the most. Raises what `work` raises.
    """
    yield from (forked if hasattr(os, "fork") else spawned)(work, batches, workers)


def forked(work: Work[Given, Found], batches: Sequence[Sequence[Given]], workers: int) -> Iterator[Found]:
    tickets = hand_out(len(batches))
    helpers: list[Helper] = []
    try:
        for _ in range(workers - 1):
            with suppress(BlockingIOError):  # there may be no more processes: the others do it all
                helpers.append(Helper(work, batches, tickets, helpers))
        yield from gather(work, batches, tickets, helpers)
    finally:
        os.close(tickets)
        for helper in helpers:
            helper.end()


def spawned(work: Work[Given, Found], batches: Sequence[Sequence[Given]], workers: int) -> Iterator[Found]:
    """The same on Windows, where a process begins with nothing."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with safe_path():
        pool = ProcessPoolExecutor(workers, get_context("spawn"))
        answers = pool.map(partial(found_by, work), batches)
    with pool:
        for answer in answers:
            yield from answer


def found_by(work: Work[Given, Found], batch: Sequence[Given]) -> list[Found]:
    return list(work(batch))


@contextmanager
def safe_path() -> Iterator[None]:
    """Processes that begin here look for no module in the working directory, which may be the checkout."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


def hand_out(number: int) -> int:
    """A descriptor from which any process reads the number of the next batch, as make's jobserver hands out tokens."""
    reader, writer = os.pipe()
    os.write(writer, b"".join(TICKET.pack(each) for each in range(number)))
    os.close(writer)
    return reader


def take(tickets: int) -> int | None:
    """The number of the next batch; None where all are taken."""
    ticket = os.read(tickets, TICKET.size)
    return int(TICKET.unpack(ticket)[0]) if ticket else None


class Helper:
    """A forked process that works until all batches are taken."""

    def __init__(self, work: Work[Any, Any], batches: Sequence[Any], tickets: int, others: list[Helper]) -> None:
        reader, writer = os.pipe()
        self.answers = os.fdopen(reader, "rb")
        try:
            self.pid = os.fork()
        except OSError:
            os.close(writer)
            self.answers.close()
            raise
        if self.pid == 0:
            try:
                for each in (self, *others):
                    each.answers.close()
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                with os.fdopen(writer, "wb") as answers, suppress(BrokenPipeError):
                    help_out(work, batches, tickets, answers)
            finally:
                os._exit(0)  # nothing of the parent is flushed or cleaned up here
        os.close(writer)

    def is_ready(self) -> bool:
        """Whether an answer has begun to arrive."""
        return not self.answers.closed and bool(select.select([self.answers], [], [], 0)[0])

    def receive(self, found: dict[int, Any]) -> bool:
        """Take one answer; False where there are no more. Raises what `work` raised."""
        if self.answers.closed:
            return False
        try:
            number, answer = pickle.load(self.answers)
        except (EOFError, OSError, pickle.UnpicklingError):  # its end, or its death in the middle of an answer
            self.answers.close()
            return False
        if isinstance(answer, BaseException):
            raise answer
        found[number] = answer
        return True

    def end(self) -> None:
        self.answers.close()
        with suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)
        with suppress(OSError):
            os.waitpid(self.pid, 0)


def help_out(work: Work[Any, Any], batches: Sequence[Any], tickets: int, answers: IO[bytes]) -> None:
    """Batch after batch, each answer with its number."""
    while (number := take(tickets)) is not None:
        try:
            answer: Any = list(work(batches[number]))
        except Exception as error:
            from multiprocessing.pool import ExceptionWithTraceback  # type: ignore[attr-defined]

            answer = ExceptionWithTraceback(error, error.__traceback__)
        answers.write(pickle.dumps((number, answer), pickle.HIGHEST_PROTOCOL))
        answers.flush()


def gather(
    work: Work[Given, Found], batches: Sequence[Sequence[Given]], tickets: int, helpers: list[Helper]
) -> Iterator[Found]:
    """What all processes found, in the order of the batches."""
    found: dict[int, list[Found]] = {}
    given = 0
    while (number := take(tickets)) is not None:
        found[number] = list(work(batches[number]))
        for helper in helpers:  # one waits while its pipe is full
            while helper.is_ready() and helper.receive(found):
                pass
        while given in found:
            yield from found.pop(given)
            given += 1
    for helper in helpers:
        while helper.receive(found):
            pass
    for number in range(given, len(batches)):
        # a batch is missing where its helper was killed
        yield from found[number] if number in found else work(batches[number])
