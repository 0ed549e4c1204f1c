"""Worker processes of the scan: each takes the next batch when it is done with one."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

Answer = TypeVar("Answer")
Batch = Sequence[str]
Work = Callable[[Batch], list[Answer]]  # can be pickled


def in_processes(work: Work[Answer], files: Batch, workers: int) -> Iterator[Answer]:
    """What `work` says of the files, in their order: with this process and `workers - 1` others."""
    from multiprocessing import get_all_start_methods, get_context

    context: Any = get_context("fork" if "fork" in get_all_start_methods() else "spawn")
    size = max(1, min(200, len(files) // (workers * 8)))
    batches = [files[start : start + size] for start in range(0, len(files), size)]
    readers, processes = [], []
    try:
        with safe_path():
            turn = context.Value("i", 0)
            for _ in range(workers - 1):
                reader, writer = context.Pipe(duplex=False)
                process = context.Process(target=answer_all, args=(writer, turn, batches, work), daemon=True)
                process.start()
                writer.close()
                readers.append(reader)
                processes.append(process)
        yield from gather(batches, turn, readers, work)
    finally:
        for process in processes:
            process.terminate()


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


def gather(batches: Sequence[Batch], turn: Any, readers: list[Any], work: Work[Answer]) -> Iterator[Answer]:
    """What all processes found, in the order of the batches."""
    found: dict[int, list[Answer]] = {}
    given = 0
    while (number := take(turn)) < len(batches):
        found[number] = work(batches[number])
        for reader in readers:  # a worker waits while its pipe is full
            while not reader.closed and reader.poll() and receive(reader, found):
                pass
        while given in found:
            yield from found.pop(given)
            given += 1
    for reader in readers:
        while receive(reader, found):
            pass
    for number in range(given, len(batches)):
        # a batch is missing where its worker was killed
        yield from found[number] if number in found else work(batches[number])


def take(turn: Any) -> int:
    """The number of the next batch."""
    with turn.get_lock():
        number = int(turn.value)
        turn.value = number + 1
    return number


def receive(reader: Any, found: dict[int, list[Answer]]) -> bool:
    """Take one answer of a worker; False where there are no more. Raises what it raised."""
    if reader.closed:
        return False
    try:
        number, answer = reader.recv()
    except (EOFError, OSError):  # its end, or its death in the middle of an answer
        reader.close()
        return False
    if isinstance(answer, BaseException):
        raise answer
    found[number] = answer
    return True


def answer_all(writer: Any, turn: Any, batches: Sequence[Batch], work: Work[Answer]) -> None:
    """A worker process: batch after batch, each answer with its number."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while (number := take(turn)) < len(batches):
        try:
            writer.send((number, work(batches[number])))
        except Exception as error:
            from multiprocessing.pool import ExceptionWithTraceback  # type: ignore[attr-defined]

            writer.send((number, ExceptionWithTraceback(error, error.__traceback__)))
            return
