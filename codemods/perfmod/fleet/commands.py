"""perfmod fleet on the command line: options in, exit code out. What they mean stands in run.py."""

from __future__ import annotations

from typing import Any

import click

from perfmod.commands import CONTEXT, Choice, CommandT, complete_rule, listed, option
from perfmod.fleet.options import DASHBOARD, MEMORY, TIME_LIMIT, WORK, FleetTyped
from perfmod.pipeline import Command

#: The options that the fleet's commands share, in the order of --help.
SHARED = (
    click.argument("repos", type=click.Path()),
    listed("--select", metavar="RULE", shell_complete=complete_rule, help="Run only these rules (repeat, or commas)."),
    listed("--ignore", metavar="RULE", shell_complete=complete_rule, help="Leave out these rules too."),
    option("--unsafe-fixes/--no-unsafe-fixes", default=None, help="Count and apply fixes that may change behaviour."),
    option("--config", type=click.Path(), metavar="FILE", help="One configuration for all, instead of their own."),
    option("--isolated", is_flag=True, help="Ignore the repositories' own configuration and baselines."),
    option("--no-baseline", is_flag=True, help="Use no baseline."),
    option("--exclude-sensitive", is_flag=True, help="select-columns: leave out secrets that no browser code reads."),
    option("--work", metavar="DIR", default=WORK, help=f"Keep results, clones and reports here (default: {WORK})."),
    option(
        "--clones", metavar="DIR", help="Keep clones here, on each machine that works (default: in the work folder)."
    ),
    option("--fresh", is_flag=True, help="Do all again, also what is known."),
    option(
        "-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Worker processes (default: one for each CPU)."
    ),
    option(
        "--time-limit",
        type=click.FloatRange(min=0, min_open=True),
        default=TIME_LIMIT,
        metavar="SECONDS",
        help=f"What one repository may take (default: {TIME_LIMIT:g}).",
    ),
    option(
        "--memory",
        type=click.IntRange(min=1),
        default=MEMORY,
        metavar="MB",
        help=f"What one repository may take (default: {MEMORY}).",
    ),
    option(
        "--dashboard", metavar="ADDRESS", default=DASHBOARD, help=f"Dask's page of this run (default: {DASHBOARD})."
    ),
    option("--history", type=click.Path(), metavar="FILE", help="Add a line for this run, and draw all of them."),
    option(
        "--output-format", "output_format", type=Choice(("text", "json", "csv")), default="text", help="What to print."
    ),
    option("--exit-zero", is_flag=True, help="Exit with 0 even if there are findings."),
    option("-q", "--quiet", is_flag=True, help="Show the result and errors only."),
    option("-v", "--verbose", is_flag=True, help="List all repositories with findings, and all that failed."),
    option("--color", type=Choice(("auto", "always", "never")), help="Colours; else NO_COLOR and FORCE_COLOR decide."),
)
#: Those of check and diff.
READING = (
    option("--scheduler", metavar="ADDRESS", help="Use this Dask cluster (tcp://host:8786) instead of own processes."),
    option("--discard-clones", is_flag=True, help="Remove each clone when its repository is done."),
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
@option("--branch", metavar="NAME", required=True, help="The branch that the commits go to.")
def apply(**typed: Any) -> int:
    """Commit the fixes on a branch in each repository of REPOS, and print how to open the pull requests."""
    return run("apply", typed)


def run(command: Command, typed: dict[str, Any]) -> int:
    from perfmod.fleet.run import carry_out

    return carry_out(FleetTyped(command=command, **typed))
