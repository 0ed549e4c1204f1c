"""User errors: one clear line and exit code 2, never a traceback. And what perfmod's own faults say."""

from __future__ import annotations


class PerfmodError(Exception):
    """Something that the user can mend. The message says what, where, and what to do next."""


def internal_error(error: Exception, *, verbose: bool) -> str:
    """What a fault in perfmod itself says: the exception's type and place; with `verbose` the traceback before it."""
    import re
    import sys
    import traceback

    cause = error.__cause__
    # An exception of a worker process carries its traceback as text.
    remote = type(cause).__name__ == "RemoteTraceback"
    trace = str(cause) if remote else "".join(traceback.format_exception(error))
    if verbose:
        print(trace, file=sys.stderr)
    places = re.findall(r'([^/\\"\n]{1,200}[/\\][^/\\"\n]{1,200}\.py)", line (\d+)', trace)
    place = ":".join(places[-1]) if places else "unknown place"
    advice = "" if verbose else "; -v shows the traceback"
    return f"internal error, please report it: {type(error).__name__} at {place}: {error}{advice}"


class TooMuch(Exception):
    """A file that would take too long. The message says why, in words for the user."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.path = path
