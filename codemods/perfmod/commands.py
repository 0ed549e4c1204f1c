"""All commands, as click knows them. What the options mean stands in request.py, what comes out in reports/."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from perfmod import __version__
from perfmod.arguments import split_commas
from perfmod.cli import run
from perfmod.errors import PerfmodError
from perfmod.options import OPTIONS, Option, Typed, typed_of

if TYPE_CHECKING:
    from perfmod.pipeline import Command

CommandT = TypeVar("CommandT", bound=Callable[..., Any])
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


def split_typed(_ctx: click.Context, _param: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    return split_commas(values)


def options_of(command: Command) -> Callable[[CommandT], CommandT]:
    """PATHS, and the options of check, diff or apply."""

    def decorate(function: CommandT) -> CommandT:
        for each in reversed(OPTIONS[command]):
            function = click_option(each)(function)
        return click.argument("paths", nargs=-1, type=click.Path(allow_dash=True))(function)

    return decorate


DEFAULTS = {field.name: field.default for field in fields(Typed)}


def click_option(option: Option) -> Callable[[CommandT], CommandT]:
    names = [f"{option.names[-1]}/--no-{option.field.replace('_', '-')}"] if option.takes == "switch" else option.names
    kinds: dict[str, dict[str, Any]] = {
        "nothing": {"is_flag": True},
        "switch": {"default": DEFAULTS.get(option.field)},
        "texts": {"multiple": True},
        "rules": {"multiple": True, "callback": split_typed, "shell_complete": complete_rule},
        "path": {"type": click.Path()},
        "count": {"type": click.IntRange(min=1)},
        "seconds": {"type": click.FloatRange(min=0, min_open=True)},
        "choice": {"type": Choice(option.choices)},
    }
    settings = kinds.get(option.takes, {})
    return click.option(*names, option.field, metavar=option.metavar, help=option.help, **settings)


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
@options_of("check")
def check(**typed: Any) -> int:
    """Say what is wrong below PATHS (default: here)."""
    return run(typed_of("check", typed))


@perfmod.command(cls=Changing)
@options_of("diff")
def diff(**typed: Any) -> int:
    """Show what apply would change, as a patch, and what has no fix."""
    return run(typed_of("diff", typed))


@perfmod.command(cls=Changing)
@options_of("apply")
def apply(**typed: Any) -> int:
    """Fix what can be fixed below PATHS, and say what is left."""
    return run(typed_of("apply", typed))


@perfmod.command()
@click.option("--output-format", "output_format", type=Choice(("text", "json")), default="text", help="Table or JSON.")
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
@click.option("--database-url", metavar="URL", help="Ask this PostgreSQL database too (perfmod[postgres]).")
@click.option("--openapi", metavar="FILE|URL", help="Read PostgREST's description of its API too.")
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


def invoke(arguments: Sequence[str]) -> int:
    """Let click read a command line, and carry it out. Raises PerfmodError for what is wrong with it."""
    try:
        code = perfmod.main(arguments, prog_name="perfmod", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.UsageError as error:
        help_of = error.ctx.command_path if error.ctx is not None else "perfmod"
        raise PerfmodError(f"{error.format_message().rstrip('.')} (see `{help_of} --help`)") from None
    except click.ClickException as error:
        raise PerfmodError(error.format_message()) from None
    except click.Abort:
        raise KeyboardInterrupt from None
