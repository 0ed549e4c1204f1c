"""Reports: one module for each format, imported when it is asked for. Each has `render(report, view) -> str`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, cast

from perfmod.config import suggestion
from perfmod.errors import PerfmodError
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.pipeline import Report

#: Format -> the suffixes that mean it in `-o PATH`. The format is the module's name.
FORMATS: dict[str, tuple[str, ...]] = {
    "text": (".txt",),
    "concise": (),
    "sarif": (".sarif", ".sarif.json"),
    "json": (".json",),
    "patch": (".patch", ".diff"),
    "github": (),
    "gitlab": (),
    "junit": (".xml",),
    "markdown": (".md",),
    "html": (".html",),
}
#: Formats that leave standard output to machines: what a person reads beside them goes to standard error.
FOR_MACHINES = frozenset(FORMATS) - {"text", "concise"}


@dataclass(frozen=True, slots=True)
class View:
    """How a report is to look."""

    color: bool = False
    width: int = 100
    quiet: bool = False
    verbose: bool = False
    statistics: bool = False

    def on(self, stream: IO[str], color: str | None = None) -> View:
        """The view that fits a stream: a terminal gets its own width, and colours unless something objects."""
        width = self.width
        if stream.isatty():
            # A terminal without a size says 0.
            width = max(40, min(os.get_terminal_size(stream.fileno()).columns or width, 140))
        return replace(self, color=wants_color(stream, color), width=width)


def wants_color(stream: IO[str], choice: str | None) -> bool:
    """--color, else NO_COLOR, else FORCE_COLOR, else whether a terminal is there."""
    if choice in ("always", "never"):
        return choice == "always"
    if choice is None and os.environ.get("NO_COLOR"):
        return False
    if choice is None and os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


class Format(Protocol):
    """A module of this package."""

    def render(self, report: Report, view: View) -> str:
        """The report as text. Bytes that are no UTF-8 stand in it as surrogate escapes."""
        ...


def load_format(name: str) -> Format:
    return cast("Format", import_module(f"perfmod.reports.{name}"))


@dataclass(frozen=True, slots=True)
class Output:
    """A report that was asked for, and where it goes. No path: standard output."""

    format: str
    path: Path | None = None


def parse_output(typed: str) -> Output:
    """`FORMAT=PATH`, or a PATH whose suffix names the format."""
    name, equals, path = typed.partition("=")
    if equals and name in FORMATS:
        return Output(name, writable(path))
    if equals and name.isalpha():
        raise PerfmodError(f"-o: unknown format `{name}`{suggestion(name, FORMATS)}")
    for known, suffixes in FORMATS.items():
        if typed.endswith(suffixes):
            return Output(known, writable(typed))
    raise PerfmodError(f"-o {typed}: the suffix names no format; write FORMAT={typed} (known: {', '.join(FORMATS)})")


def writable(typed: str) -> Path:
    """A path that a report can go to, as far as that can be known before the run."""
    path = Path(typed)
    if not typed or path.is_dir():
        raise PerfmodError(f"-o {typed}: is not a file")
    if not path.parent.is_dir():
        raise PerfmodError(f"-o {typed}: there is no folder {path.parent}")
    return path


def publish(report: Report, outputs: Sequence[Output], view: View, beside: View) -> None:
    """Write every report: `view` is for standard output, `beside` for what a person reads on standard error.

    Files come first, so that a closed pipe can't keep them from being written.
    """
    failed = None
    for output in outputs:
        if output.path is not None:
            try:
                output.path.write_bytes(to_bytes(render(report, output.format, View(verbose=view.verbose))))
            except OSError as error:
                failed = f"cannot write {output.path}: {error.strerror}"
    for output in outputs:
        if output.path is None:
            print_report(report, output.format, view, beside)
    if report.told and not view.quiet:
        write_out("".join(f"perfmod: {line}\n" for line in report.told), sys.stderr)
    if report.refused:
        said = "" if "nothing was written" in report.refused else "; nothing was written"
        write_out(f"perfmod: error: {report.refused}{said}\n", sys.stderr)
    if failed:
        raise PerfmodError(failed)


def print_report(report: Report, name: str, view: View, beside: View) -> None:
    """The report on standard output. Where that is for machines, a person's part goes to standard error."""
    if name not in FOR_MACHINES:
        write_out(render(report, "statistics" if view.statistics else name, view))
        return
    write_out(render(report, name, view))
    if view.statistics:
        write_out(render(report, "statistics", beside), sys.stderr)
    elif name == "patch" and not view.quiet:
        write_out(render(report, "beside_patch", beside), sys.stderr)


def render(report: Report, name: str, view: View) -> str:
    """The report in a format. Bytes of files that are no UTF-8 stand in it as surrogate escapes."""
    return load_format(name).render(report, view)


def to_bytes(text: str) -> bytes:
    """UTF-8, with bytes of other encodings (surrogate escapes) as they were."""
    return text.encode("utf-8", "surrogateescape")


def write_out(text: str, stream: Any = None) -> None:
    """Write to standard output (or `stream`), byte for byte. A closed pipe, as in `| head`, is no error."""
    stream = sys.stdout if stream is None else stream
    try:
        stream.flush()
        stream.buffer.write(to_bytes(text))
        stream.flush()
    except OSError as error:
        # Python would fail once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if not isinstance(error, BrokenPipeError):
            raise PerfmodError(f"cannot write to {stream.name.strip('<>')}: {error.strerror}") from None
