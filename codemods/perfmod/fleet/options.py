"""The options of fleet check, diff and apply as they were typed, and the defaults that the documentation names."""

from __future__ import annotations

from typing import NamedTuple

from perfmod.pipeline import Command

WORK = "perfmod-fleet"  # folder
TIME_LIMIT = 600.0  # seconds for a repository
MEMORY = 2000  # megabytes for a repository
DASHBOARD = "127.0.0.1:8787"


class FleetTyped(NamedTuple):
    """The options of fleet check, diff and apply as they were typed."""

    command: Command
    repos: str
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    unsafe_fixes: bool | None = None
    config: str | None = None
    isolated: bool = False
    no_baseline: bool = False
    exclude_sensitive: bool = False
    output_format: str = "text"
    work: str = WORK
    clones: str | None = None
    discard_clones: bool = False
    fresh: bool = False
    scheduler: str | None = None
    jobs: int | None = None
    time_limit: float = TIME_LIMIT
    memory: int = MEMORY
    dashboard: str = DASHBOARD
    history: str | None = None
    branch: str | None = None
    exit_zero: bool = False
    quiet: bool = False
    verbose: bool = False
    color: str | None = None
