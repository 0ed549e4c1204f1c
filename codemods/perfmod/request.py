"""From what was typed to a run and its reports: paths, root, settings, formats."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from perfmod import __version__
from perfmod.config import Settings, check_rules, config_file, find_root, load_settings
from perfmod.errors import PerfmodError
from perfmod.pipeline import Command, Report, Request, files_of
from perfmod.pipeline import run as run_pipeline
from perfmod.reports import Output, View, parse_output, publish, render, write_out
from perfmod.rule import OWN_RULES


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
    exclude_sensitive: bool = False


def carry_out(typed: Typed) -> int:
    """Run the command, write its reports, and give its exit code."""
    outputs = read_outputs(typed)
    request = read_request(typed)
    if typed.show_files:
        write_out("".join(f"{path}\n" for path in files_of(request)))
        return 0
    if typed.show_settings:
        from perfmod.settings_text import show_settings

        config = choose_config(typed, request.root)
        write_out(show_settings(request.settings, config.name if config else "the defaults"))
        return 0
    if typed.verbose:
        write_out(describe(typed, request), sys.stderr)
    report = run_with_progress(request, quiet=typed.quiet)
    view = View(quiet=typed.quiet, verbose=typed.verbose, statistics=typed.statistics)
    if request.stdin is not None and request.command == "apply":
        outputs = give_back(report, outputs, quiet=typed.quiet)
    publish(report, outputs, view.on(sys.stdout, typed.color), view.on(sys.stderr, typed.color))
    return 0 if typed.exit_zero and report.exit_code == 1 else report.exit_code


def give_back(report: Report, outputs: list[Output], *, quiet: bool) -> list[Output]:
    """Write the text that was read from standard input, fixed, to standard output, and what is left beside it.

    Returns the other outputs.
    """
    stdin = report.request.stdin
    assert stdin is not None and report.request.overlay is not None
    text = next((change.after for change in report.changes if change.path == stdin), report.request.overlay[stdin])
    write_out(text.decode("utf-8", "surrogateescape"))
    if not quiet:
        write_out(render(report, "concise", View()), sys.stderr)
    return [output for output in outputs if output.path is not None]


def read_outputs(typed: Typed) -> list[Output]:
    """Where reports go: standard output first. Raises PerfmodError on what could not be written later."""
    main = typed.output_format or ("patch" if typed.command == "diff" else "text")
    outputs = [Output(main), *map(parse_output, typed.outputs)]
    if typed.command == "check" and any(output.format == "patch" for output in outputs):
        raise PerfmodError("check changes nothing, so it has no patch; use `perfmod diff`")
    return outputs


def read_request(typed: Typed) -> Request:
    """What the run is about. The command line beats the configuration file."""
    stdin = stdin_path(typed)
    paths = (stdin,) if stdin else tuple(read_path(path) for path in typed.paths or (".",))
    root = find_root(paths[0], isolated=typed.isolated)
    settings = override(load_settings(choose_config(typed, root)), typed)
    if settings.ignore and not settings.selected:
        raise PerfmodError("no rule is left to run: every selected rule is ignored")
    updates = baseline_update(typed)
    folder = Path(typed.cache_dir).absolute() if typed.cache_dir else None
    scope = None
    if typed.since is not None or typed.staged:
        from perfmod.scope import find_scope

        scope = find_scope(root, typed.since, staged=typed.staged)
    given = stdin.relative_to(root).as_posix() if stdin else None
    return Request(
        typed.command,
        root,
        paths,
        settings,
        allow_dirty=typed.allow_dirty,
        jobs=typed.jobs,
        cache=typed.cache,
        cache_folder=folder,
        add_ignore=typed.add_ignore,
        scope=scope,
        staged=typed.staged,
        overlay={given: sys.stdin.buffer.read()} if given else None,
        stdin=given,
        use_baseline=not typed.no_baseline and not (typed.isolated and typed.baseline is None and not updates),
        update_baseline=updates,
    )


def baseline_update(typed: Typed) -> Literal["write", "prune"] | None:
    """What is to become of the baseline. Raises PerfmodError for options that exclude each other."""
    exclusive(typed, "since", "staged")
    exclusive(typed, "write_baseline", "prune_baseline", "no_baseline")
    exclusive(typed, "baseline", "no_baseline")
    for update in ("write_baseline", "prune_baseline"):
        for narrow in ("since", "staged", "stdin_filename"):
            exclusive(typed, update, narrow)
    return "write" if typed.write_baseline else "prune" if typed.prune_baseline else None


def exclusive(typed: Typed, *names: str) -> None:
    """Raises PerfmodError where more than one of these options was typed."""
    given = ["--" + name.replace("_", "-") for name in names if getattr(typed, name) not in (None, False)]
    if len(given) > 1:
        raise PerfmodError(f"{given[0]} and {given[1]} exclude each other")


def stdin_path(typed: Typed) -> Path | None:
    """The file that standard input stands for. Raises PerfmodError where it is used wrongly."""
    if "-" not in typed.paths:
        if typed.stdin_filename is not None:
            raise PerfmodError("--stdin-filename needs `-` as the PATH")
        return None
    if typed.stdin_filename is None:
        raise PerfmodError("`-` reads standard input: say with --stdin-filename which file it stands for")
    if len(typed.paths) > 1:
        raise PerfmodError("`-` can't stand beside other paths")
    exclusive(typed, "stdin_filename", "since")
    exclusive(typed, "stdin_filename", "staged")
    if typed.command == "apply" and typed.output_format:
        raise PerfmodError("apply - writes the text to standard output; use -o FORMAT=PATH for a report")
    path = Path(typed.stdin_filename)
    if path.is_dir():
        raise PerfmodError(f"--stdin-filename {path}: is a folder")
    return path.parent.resolve() / path.name


def read_path(typed: str) -> Path:
    """The absolute form of a path. Raises PerfmodError where it does not exist or is a file that can't be read."""
    path = Path(typed)
    try:
        path.stat()
        if path.is_dir():
            os.scandir(path).close()
        elif path.is_file():
            path.open("rb").close()
        else:
            raise PerfmodError(f"neither a file nor a folder: {typed}")
        return path.resolve()
    except FileNotFoundError:
        raise PerfmodError(f"no such file or folder: {typed}") from None
    except OSError as error:
        raise PerfmodError(f"cannot read {typed}: {error.strerror}") from None


def describe(typed: Typed, request: Request) -> str:
    """What --verbose says before the run."""
    config = choose_config(typed, request.root)
    rules = ", ".join(request.settings.selected) or "none"
    return f"perfmod {__version__}: root {request.root}, configuration {config or 'none'}, rules {rules}\n"


def choose_config(typed: Typed, root: Path) -> Path | None:
    if typed.config is None:
        return None if typed.isolated else config_file(root)
    exclusive(typed, "config", "isolated")
    return Path(typed.config)


def override(settings: Settings, typed: Typed) -> Settings:
    """The settings of the file with those of the command line on top. --select also undoes the file's `ignore`."""
    check_rules(typed.select, "--select: ")
    check_rules(typed.ignore, "--ignore: ", also=OWN_RULES)
    return replace(
        settings,
        select=typed.select or settings.select,
        ignore=unique((*(() if typed.select else settings.ignore), *typed.ignore)),
        unsafe_fixes=settings.unsafe_fixes if typed.unsafe_fixes is None else typed.unsafe_fixes,
        baseline=str(Path(typed.baseline).absolute()) if typed.baseline else settings.baseline,
        exclude=typed.exclude or settings.exclude,
        extend_exclude=(*settings.extend_exclude, *typed.extend_exclude),
        rules=with_run_options(settings.rules, typed),
    )


def with_run_options(rules: Mapping[str, Any], typed: Typed) -> Mapping[str, Any]:
    """The rules' options with what only the command line may ask for."""
    names = ("database_url", "openapi", "tsc", "exclude_sensitive")
    asked = {name: value for name in names if (value := getattr(typed, name))}
    if not asked:
        return rules
    from perfmod.rules.select_columns import RunOptions, SelectOptions

    configured = rules.get("select-columns", SelectOptions())
    values = {field.name: getattr(configured, field.name) for field in fields(configured)}
    return {**rules, "select-columns": RunOptions(**values, **asked)}


def unique(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def run_with_progress(request: Request, *, quiet: bool) -> Report:
    """The run, with a progress bar where a person is watching."""
    if quiet or not sys.stderr.isatty():
        return run_pipeline(request)
    from perfmod.reports.progress import Bar

    with Bar() as bar:
        return run_pipeline(request, bar.show)
