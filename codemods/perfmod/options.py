"""The options of check, diff and apply as they were typed, and which of them make no sense together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perfmod.errors import PerfmodError

if TYPE_CHECKING:
    from perfmod.pipeline import Command


class Typed(NamedTuple):
    """The options of check, diff and apply as they were typed."""

    command: Command
    paths: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    unsafe_fixes: bool | None = None
    output_format: str | None = None
    outputs: tuple[str, ...] = ()
    statistics: bool = False
    quiet: bool = False
    verbose: bool = False
    color: str | None = None
    config: str | None = None
    isolated: bool = False
    exit_zero: bool = False
    show_files: bool = False
    show_settings: bool = False
    exclude: tuple[str, ...] = ()
    extend_exclude: tuple[str, ...] = ()
    jobs: int | None = None
    cache: bool = True
    cache_dir: str | None = None
    allow_dirty: bool = False
    dry_run: bool = False
    add_ignore: str | None = None
    baseline: str | None = None
    no_baseline: bool = False
    write_baseline: bool = False
    prune_baseline: bool = False
    since: str | None = None
    staged: bool = False
    stdin_filename: str | None = None
    database_url: str | None = None
    openapi: str | None = None
    tsc: bool = False
    narrow: bool = False
    exclude_sensitive: bool = False
    verify: str | None = None
    verify_timeout: float | None = None
    commit: bool = False
    interactive: bool = False


EXCLUSIVE = (
    ("config", "isolated"),
    ("since", "staged"),
    ("stdin_filename", "since"),
    ("stdin_filename", "staged"),
    ("baseline", "no_baseline"),
    ("write_baseline", "prune_baseline"),
    *(
        (update, other)
        for update in ("write_baseline", "prune_baseline")
        for other in ("no_baseline", "since", "staged")
    ),
    ("write_baseline", "stdin_filename"),
    ("prune_baseline", "stdin_filename"),
    *((writing, other) for writing in ("verify", "commit") for other in ("dry_run", "stdin_filename")),
    *(("interactive", other) for other in ("dry_run", "stdin_filename", "add_ignore")),
    ("commit", "allow_dirty"),
    ("commit", "staged"),
)


def check_combination(typed: Typed) -> None:
    """Raises PerfmodError for options that exclude each other, or need one that is missing."""
    for pair in EXCLUSIVE:
        if all(getattr(typed, name) not in (None, False) for name in pair):
            one, other = ("--" + name.replace("_", "-") for name in pair)
            raise PerfmodError(f"{one} and {other} exclude each other")
    if typed.verify_timeout is not None and typed.verify is None:
        raise PerfmodError("--verify-timeout needs --verify")
    if "-" not in typed.paths:
        if typed.stdin_filename is not None:
            raise PerfmodError("--stdin-filename needs `-` as the PATH")
    elif typed.stdin_filename is None:
        raise PerfmodError("`-` reads standard input: say with --stdin-filename which file it stands for")
    elif len(typed.paths) > 1:
        raise PerfmodError("`-` can't stand beside other paths")
    elif typed.command == "apply" and typed.output_format:
        raise PerfmodError("apply - writes the text to standard output; use -o FORMAT=PATH for a report")
