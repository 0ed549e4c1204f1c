"""The process that works on repositories, one after the other, for one worker. It ends at once when the worker does.

Jobs come in on standard input and outcomes go out on standard output, pickled. Nothing else can use the two:
what this process or its git would read is empty, and what they would print goes to standard error.
"""

from __future__ import annotations

import os
import pickle
import signal
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any


def main() -> None:
    jobs, outcomes = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    be_killed_first()
    from perfmod.fleet.checkouts import harden
    from perfmod.fleet.work import carry_out

    harden()
    given: SimpleQueue[Any] = SimpleQueue()
    Thread(target=take, args=(jobs, given), daemon=True).start()
    while True:
        pickle.dump(carry_out(given.get()), outcomes)
        outcomes.flush()


def take(jobs: IO[bytes], given: SimpleQueue[Any]) -> None:
    """Read jobs. The end of the input is the end of the worker: nobody wants the outcome any more."""
    with suppress(EOFError, OSError):
        while True:
            given.put(pickle.load(jobs))
    end()


def end() -> None:
    """End this process, with the git that it may be waiting for."""
    if os.name == "posix" and os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def be_killed_first() -> None:
    """Where memory runs out, let Linux end this process rather than the worker, which can say what happened."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("500")


if __name__ == "__main__":
    main()
