"""perfmod fleet on the command line: options in, exit code out. What they mean stands in run.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from perfmod.commands import CONTEXT, Choice, CommandT, click_option
from perfmod.fleet.options import DASHBOARD, MEMORY, TIME_LIMIT, WORK, FleetTyped
from perfmod.options import OPTIONS
from perfmod.pipeline import Command


def as_in_check(field: str) -> Callable[[CommandT], CommandT]:
    """An option that `perfmod check` has too."""
    return click_option(next(each for each in OPTIONS["check"] if each.field == field))


#: The options that the fleet's commands share, in the order of --help.
SHARED = (
    click.argument("repos", type=click.Path()),
    as_in_check("select"),
    as_in_check("ignore"),
    as_in_check("unsafe_fixes"),
    click.option(
        "--config", type=click.Path(), metavar="FILE", help="One configuration for all, instead of their own."
    ),
    click.option("--isolated", is_flag=True, help="Ignore the repositories' own configuration and baselines."),
    click.option("--no-baseline", is_flag=True, help="Use no baseline."),
    as_in_check("exclude_sensitive"),
    click.option(
        "--work", metavar="DIR", default=WORK, help=f"Keep results, clones and reports here (default: {WORK})."
    ),
    click.option(
        "--clones", metavar="DIR", help="Keep clones here, on each machine that works (default: in the work folder)."
    ),
    click.option("--fresh", is_flag=True, help="Do all again, also what is known."),
    click.option(
        "-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Worker processes (default: one for each CPU)."
    ),
    click.option(
        "--time-limit",
        type=click.FloatRange(min=0, min_open=True),
        default=TIME_LIMIT,
        metavar="SECONDS",
        help=f"What one repository may take (default: {TIME_LIMIT:g}).",
    ),
    click.option(
        "--memory",
        type=click.IntRange(min=1),
        default=MEMORY,
        metavar="MB",
        help=f"What one repository may take (default: {MEMORY}).",
    ),
    click.option(
        "--dashboard", metavar="ADDRESS", default=DASHBOARD, help=f"Dask's page of this run (default: {DASHBOARD})."
    ),
    click.option("--history", type=click.Path(), metavar="FILE", help="Add a line for this run, and draw all of them."),
    click.option(
        "--output-format", "output_format", type=Choice(("text", "json", "csv")), default="text", help="What to print."
    ),
    as_in_check("exit_zero"),
    click.option("-q", "--quiet", is_flag=True, help="Show the result and errors only."),
    click.option("-v", "--verbose", is_flag=True, help="List all repositories with findings, and all that failed."),
    as_in_check("color"),
)
#: Those of check and diff.
READING = (
    click.option(
        "--scheduler", metavar="ADDRESS", help="Use this Dask cluster (tcp://host:8786) instead of own processes."
    ),
    click.option("--discard-clones", is_flag=True, help="Remove each clone when its repository is done."),
)


def shared_options(function: CommandT) -> CommandT:
    for decorate in reversed(SHARED):
        function = decorate(function)
    return function


def reading_options(function: CommandT) -> CommandT:
    for decorate in reversed(READING):
        function = decorate(function)
    return function


@click.group(context_settings=CONTEXT)
def fleet() -> None:
    """Run over many repositories, on this machine or on a Dask cluster (perfmod[fleet]).

    REPOS is a folder with checkouts, or a file that names on each line a path or a git address, and, where that is
    not HEAD, a branch, tag or commit. Exit codes: 0 clean, 1 findings, 2 an error, or a repository failed.
    """


@fleet.command()
@shared_options
@reading_options
def check(**typed: Any) -> int:
    """Say what is wrong in each repository of REPOS."""
    return run("check", typed)


@fleet.command()
@shared_options
@reading_options
def diff(**typed: Any) -> int:
    """Also write a patch for each repository of REPOS."""
    return run("diff", typed)


@fleet.command()
@shared_options
@click.option("--branch", metavar="NAME", required=True, help="The branch that the commits go to.")
def apply(**typed: Any) -> int:
    """Commit the fixes on a branch in each repository of REPOS, and print how to open the pull requests."""
    return run("apply", typed)


def run(command: Command, typed: dict[str, Any]) -> int:
    from perfmod.fleet.run import carry_out

    return carry_out(FleetTyped(command=command, **typed))
