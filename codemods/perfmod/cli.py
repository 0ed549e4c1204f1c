"""The program: words in, exit code out. Plain command lines are read here, all others by click in commands.py."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import perfmod.putting_off  # noqa: F401  before all that imports dataclasses and pathlib
from perfmod.arguments import read_plain
from perfmod.errors import PerfmodError, internal_error
from perfmod.options import Typed


def main(arguments: Sequence[str] | None = None) -> None:
    """The program. Whatever goes wrong is one line on standard error and an exit code."""
    is_program = arguments is None
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was started with this one closed
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    code = exit_code_of(arguments)
    if is_program and arguments[:1] in (["check"], ["diff"], ["apply"]):
        end_at_once(code)
    sys.exit(code)


def end_at_once(code: int) -> None:
    """Leave without taking everything apart: 25 ms. Returns where a pipe is closed, which Python deals with."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def exit_code_of(arguments: Sequence[str]) -> int:
    try:
        typed = read_plain(arguments)
        if typed is not None:
            return run(typed)
        from perfmod.commands import invoke

        return invoke(arguments)
    except PerfmodError as error:
        return fail(str(error))
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        return fail(internal_error(error, verbose=not {"-v", "--verbose"}.isdisjoint(arguments)))


def run(typed: Typed) -> int:
    """One run of check, diff or apply."""
    import gc

    from perfmod.request import carry_out

    gc.freeze()  # a tenth of a run goes into looking for garbage among what was imported
    gc.set_threshold(200_000, 20, 20)
    return carry_out(typed)


def fail(message: str) -> int:
    """One line on standard error; the exit code of errors."""
    line = " ".join(message.split("\n")).strip()
    print("perfmod: error: " + line.encode("utf-8", "backslashreplace").decode(), file=sys.stderr)
    return 2
