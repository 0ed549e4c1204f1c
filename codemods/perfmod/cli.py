"""The command line: options in, exit code out. What they mean stands in request.py, what comes out in reports/."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from perfmod import __version__
from perfmod.errors import PerfmodError, internal_error

CommandT = TypeVar("CommandT", bound=Callable[..., Any])
#: Those of reports.FORMATS; a test holds them together.
FORMATS = ("text", "concise", "sarif", "json", "patch", "github", "gitlab", "junit", "markdown", "html")
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


class Commands(click.Group):
    """The group, with advice for a word that is no command. What `fleet` needs is imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted((*self.commands, "fleet"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "fleet":
            from perfmod.fleet.commands import fleet

            return fleet
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if word.startswith("-") or self.get_command(ctx, word) is not None:
            return super().resolve_command(ctx, args)
        from pathlib import Path

        from perfmod.config import suggestion

        advice = (
            f"; did you mean `perfmod check {word}`?"
            if Path(word).exists()
            else suggestion(word, self.list_commands(ctx))
        )
        raise PerfmodError(f"unknown command `{word}`{advice}")


class Choice(click.Choice[str]):
    """A choice that says what was probably meant."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value in self.choices:
            return str(value)
        from perfmod.config import suggestion

        name = param.opts[-1] if param is not None else "value"
        raise PerfmodError(f"{name}: unknown value `{value}`{suggestion(str(value), self.choices)}")


def complete_rule(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[CompletionItem]:
    from perfmod.rule import rule_ids

    done, comma, last = typed.rpartition(",")
    return [CompletionItem(done + comma + rule) for rule in rule_ids() if rule.startswith(last)]


def split_commas(_ctx: click.Context, _param: click.Parameter, values: Iterable[str]) -> tuple[str, ...]:
    """The values of an option that may be repeated and may hold several, with commas between them."""
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def option(*names: str, **settings: Any) -> Callable[[CommandT], CommandT]:
    return click.option(*names, **settings)


def listed(*names: str, **settings: Any) -> Callable[[CommandT], CommandT]:
    return option(*names, multiple=True, callback=split_commas, **settings)


#: The options that check, diff and apply share, in the order of --help.
SHARED = (
    click.argument("paths", nargs=-1, type=click.Path(allow_dash=True)),
    listed("--select", metavar="RULE", shell_complete=complete_rule, help="Run only these rules (repeat, or commas)."),
    listed("--ignore", metavar="RULE", shell_complete=complete_rule, help="Leave out these rules too."),
    option("--unsafe-fixes/--no-unsafe-fixes", default=None, help="Count and apply fixes that may change behaviour."),
    option("--output-format", "output_format", type=Choice(FORMATS), help="What goes to standard output."),
    option("-o", "outputs", multiple=True, metavar="[FORMAT=]PATH", help="Also write a report to a file (repeat)."),
    option("--statistics", is_flag=True, help="Show counts by rule and safety instead of each finding."),
    option("-q", "--quiet", is_flag=True, help="Show findings and errors only."),
    option("-v", "--verbose", is_flag=True, help="Show notes, skipped files and the configuration used, too."),
    option("--color", type=Choice(("auto", "always", "never")), help="Colours; else NO_COLOR and FORCE_COLOR decide."),
    option("--config", type=click.Path(), metavar="FILE", help="Use this configuration file."),
    option("--isolated", is_flag=True, help="Ignore configuration files and take PATH as the root."),
    option("--baseline", type=click.Path(), metavar="FILE", help="Leave the findings alone that this file lists."),
    option("--no-baseline", is_flag=True, help="Use no baseline, so that apply also fixes what it lists."),
    option("--since", metavar="REF", help="Only lines that changed since the merge base with REF."),
    option("--staged", is_flag=True, help="Only lines that are staged; apply does not mind staged edits."),
    option("--stdin-filename", metavar="FILE", help="With - as PATH: the file that standard input stands for."),
    option("--exit-zero", is_flag=True, help="Exit with 0 even if there are findings."),
    option("--show-files", is_flag=True, help="List the files that would be looked at, and stop."),
    option("--show-settings", is_flag=True, help="Show every setting that holds, as TOML, and stop."),
    option("--exclude", multiple=True, metavar="PATTERN", help="Leave out these, instead of the built-in patterns."),
    option("--extend-exclude", multiple=True, metavar="PATTERN", help="Leave out these too (.gitignore syntax)."),
    option("--cache/--no-cache", default=True, help="Keep what files say for the next run (in the git directory)."),
    option("--cache-dir", type=click.Path(), metavar="DIR", help="Keep it here instead, also outside git."),
    option("--database-url", metavar="URL", help="select-columns: ask this PostgreSQL database (perfmod[postgres])."),
    option("--openapi", metavar="FILE|URL", help="select-columns: read PostgREST's description of its API."),
    option("--tsc", is_flag=True, help="select-columns: let the checkout's own TypeScript compiler judge each edit."),
    option("--narrow", is_flag=True, help="select-columns: leave out what that compiler finds no reader of."),
    option("--exclude-sensitive", is_flag=True, help="select-columns: leave out secrets that no browser code reads."),
    option("-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Use up to N worker processes."),
)


def shared_options(function: CommandT) -> CommandT:
    for decorate in reversed(SHARED):
        function = decorate(function)
    return function


#: Those of diff and apply.
CHANGING = (
    option("--add-ignore", metavar="[=REASON]", help="Put an ignore comment at each finding instead of fixing it."),
)


def changing_options(function: CommandT) -> CommandT:
    for decorate in reversed(CHANGING):
        function = decorate(function)
    return function


class Changing(click.Command):
    """diff and apply: --add-ignore takes a value only after `=`, so that a path behind it stays a path."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, ["--add-ignore=" if word == "--add-ignore" else word for word in args])


@click.group(cls=Commands, context_settings=CONTEXT, invoke_without_command=True)
@click.version_option(__version__, message="perfmod %(version)s")
@click.pass_context
def perfmod(ctx: click.Context) -> None:
    """Find production-reliability faults in Python and TypeScript checkouts, and fix them.

    Exit codes: 0 clean, 1 findings (with apply: findings left), 2 wrong usage or an error.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
        ctx.exit(2)


@perfmod.command()
@shared_options
@option("--write-baseline", is_flag=True, help="List all findings in the baseline: from now on only new ones count.")
@option("--prune-baseline", is_flag=True, help="Take out of the baseline what is no longer found.")
def check(**typed: Any) -> int:
    """Say what is wrong below PATHS (default: here)."""
    return run("check", typed)


@perfmod.command(cls=Changing)
@shared_options
@changing_options
def diff(**typed: Any) -> int:
    """Show what apply would change, as a patch, and what has no fix."""
    return run("diff", typed)


@perfmod.command(cls=Changing)
@shared_options
@changing_options
@option("--dry-run", is_flag=True, help="Show the changes, write nothing: the same as diff.")
@option("--allow-dirty", is_flag=True, help="Also change files that have uncommitted edits.")
@option("-i", "--interactive", is_flag=True, help="Show each finding with its diff, and ask what to do with it.")
@option("--verify", metavar="CMD", help="Keep only fixes with which this command still passes; name the others.")
@option("--verify-timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Its time limit.")
@option("--commit", is_flag=True, help="Make one commit for each rule.")
def apply(dry_run: bool, **typed: Any) -> int:
    """Fix what can be fixed below PATHS, and say what is left."""
    return run("diff" if dry_run else "apply", {**typed, "dry_run": dry_run})


@perfmod.command()
@option("--output-format", "output_format", type=Choice(("text", "json")), default="text", help="Table or JSON.")
def rules(output_format: str) -> int:
    """List all rules."""
    from perfmod.explain import list_rules
    from perfmod.reports import write_out

    write_out(list_rules(output_format))
    return 0


@perfmod.command()
@click.argument("rule", shell_complete=complete_rule)
def explain(rule: str) -> int:
    """Show what RULE finds, why it matters, what it changes, and its options."""
    from perfmod.explain import explain_rule
    from perfmod.reports import View, write_out

    write_out(explain_rule(rule, View().on(sys.stdout)))
    return 0


@perfmod.command()
@click.argument("table", required=False)
@option("--database-url", metavar="URL", help="Ask this PostgreSQL database too (perfmod[postgres]).")
@option("--openapi", metavar="FILE|URL", help="Read PostgREST's description of its API too.")
def schema(table: str | None, database_url: str | None, openapi: str | None) -> int:
    """Show what is known of TABLE (default: of all tables), from where, and what disagrees."""
    from pathlib import Path

    from perfmod.reports import write_out
    from perfmod.schema_command import describe_schema

    write_out(describe_schema(Path.cwd(), table, database_url, openapi))
    return 0


@perfmod.command()
@click.argument("folder", default=".", type=click.Path())
def init(folder: str) -> int:
    """Write a commented perfmod.toml into FOLDER (default: here)."""
    from perfmod.request import read_path
    from perfmod.settings_text import start

    path = start(read_path(folder))
    click.echo(f"{path.name} is written: every line of it is a default, in a comment.")
    return 0


@perfmod.command()
def server() -> int:
    """Be a language server for editors, over standard input and output (perfmod[server])."""
    try:
        from perfmod.server import serve
    except ImportError:
        raise PerfmodError("the language server needs pygls: pip install 'perfmod[server]'") from None
    serve()
    return 0


@perfmod.command()
@click.argument("shell", type=Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> int:
    """Print the completion script of SHELL, to be sourced in its start-up file."""
    from click.shell_completion import get_completion_class

    from perfmod.reports import write_out

    kind = get_completion_class(shell)
    assert kind is not None
    write_out(kind(perfmod, {}, "perfmod", "_PERFMOD_COMPLETE").source() + "\n")
    return 0


def run(command: str, typed: dict[str, Any]) -> int:
    """One run of check, diff or apply."""
    import gc

    from perfmod.options import Typed
    from perfmod.request import carry_out

    gc.freeze()  # a tenth of a run goes into looking for garbage among what was imported
    gc.set_threshold(200_000, 20, 20)
    return carry_out(Typed(command=command, **typed))  # type: ignore[arg-type]


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
        code = perfmod.main(arguments, prog_name="perfmod", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.UsageError as error:
        help_of = error.ctx.command_path if error.ctx is not None else "perfmod"
        return fail(f"{error.format_message().rstrip('.')} (see `{help_of} --help`)")
    except click.ClickException as error:
        return fail(error.format_message())
    except PerfmodError as error:
        return fail(str(error))
    except (click.Abort, KeyboardInterrupt):
        return 130
    except Exception as error:
        return fail(internal_error(error, verbose=not {"-v", "--verbose"}.isdisjoint(arguments)))


def fail(message: str) -> int:
    """One line on standard error; the exit code of errors."""
    line = " ".join(message.split("\n")).strip()
    print("perfmod: error: " + line.encode("utf-8", "backslashreplace").decode(), file=sys.stderr)
    return 2
