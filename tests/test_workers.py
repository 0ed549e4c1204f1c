"""Worker processes: every batch once, in order, whatever becomes of a process."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence

import pytest

from perfmod import workers
from perfmod.workers import MOST, in_processes

PARENT = os.getpid()


def doubled(numbers: Sequence[int]) -> Iterator[int]:
    yield from (2 * number for number in numbers)


def in_parent_alone(numbers: Sequence[int]) -> Iterator[int]:
    if os.getpid() != PARENT:
        os.kill(os.getpid(), signal.SIGKILL)
    yield from numbers


def failing(numbers: Sequence[int]) -> Iterator[int]:
    if numbers[0] == 7:
        raise KeyError("seven")
    yield from numbers


def long_answers(numbers: Sequence[int]) -> Iterator[bytes]:
    yield from (b"x" * 300_000 for _ in numbers)


def batches(count: int, size: int = 1) -> list[list[int]]:
    return [list(range(start, start + size)) for start in range(0, count * size, size)]


@pytest.mark.parametrize("count", [0, 1, 5, MOST])
@pytest.mark.parametrize("processes", [1, 2, 5])
def test_every_batch_once_and_in_order(count: int, processes: int) -> None:
    assert list(in_processes(doubled, batches(count, 3), processes)) == [2 * n for n in range(3 * count)]


def test_answers_larger_than_a_pipe() -> None:
    assert sum(map(len, in_processes(long_answers, batches(40), 3))) == 40 * 300_000


def test_processes_that_are_killed_lose_nothing() -> None:
    assert list(in_processes(in_parent_alone, batches(50), 4)) == list(range(50))


@pytest.mark.parametrize("processes", [1, 3])
def test_what_the_work_raises(processes: int) -> None:
    with pytest.raises(KeyError, match="seven"):
        list(in_processes(failing, batches(20), processes))


def test_no_process_is_left_when_the_reader_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    fork = os.fork

    def noted() -> int:
        made.append(fork())
        return made[-1]

    monkeypatch.setattr(workers.os, "fork", noted)
    reading = in_processes(long_answers, batches(40), 3)
    next(reading)
    reading.close()  # type: ignore[attr-defined]
    assert len(made) == 2
    for process in made:
        with pytest.raises(ChildProcessError):
            os.waitpid(process, os.WNOHANG)


def test_no_more_processes_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(workers.os, "fork", refused)
    assert list(in_processes(doubled, batches(20), 3)) == [2 * n for n in range(20)]
