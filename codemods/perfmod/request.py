"""From what was typed to a run and its reports: paths, root, settings, formats."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from perfmod import __version__
from perfmod.config import Settings, check_rules, config_file, find_root, load_settings
from perfmod.errors import PerfmodError
from perfmod.listing import Listing
from perfmod.options import Typed, check_combination
from perfmod.pipeline import Report, Request, files_of
from perfmod.pipeline import run as run_pipeline
from perfmod.reports import Output, View, parse_output, publish, render, write_out
from perfmod.rule import OWN_RULES

if TYPE_CHECKING:
    from perfmod.verify import Check

#: The last report: the process ends sooner than it could be taken apart, which takes 10 ms after a large run.
KEPT: list[Report] = []


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
    KEPT[:] = [report]
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
    check_combination(typed)
    if typed.interactive and not sys.stdin.isatty():
        raise PerfmodError("--interactive needs a terminal to ask in")
    stdin = stdin_path(typed)
    paths = (stdin,) if stdin else tuple(read_path(path) for path in typed.paths or (".",))
    root = find_root(paths[0], isolated=typed.isolated)
    # apply first ends what a killed run left, which may add and remove files
    listing = None if typed.command == "apply" else Listing(root, ahead=True)
    settings = override(load_settings(choose_config(typed, root)), typed)
    if settings.ignore and not settings.selected:
        raise PerfmodError("no rule is left to run: every selected rule is ignored")
    updates: Literal["write", "prune"] | None = "write" if typed.write_baseline else None
    if (typed.write_baseline or typed.prune_baseline) and not typed.baseline:
        check_place(root, settings.baseline)
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
        listing=listing,
        staged=typed.staged,
        overlay={given: sys.stdin.buffer.read()} if given else None,
        stdin=given,
        verify=read_verify(typed),
        interactive=typed.interactive,
        color=typed.color,
        commit=typed.commit,
        use_baseline=not typed.no_baseline
        and (not typed.isolated or typed.baseline is not None or updates is not None),
        update_baseline="prune" if typed.prune_baseline else updates,
    )


def check_place(root: Path, baseline: str | None) -> None:
    """Raises PerfmodError where a configuration would have the baseline written outside of the root."""
    if baseline is not None and not (root / baseline).resolve().is_relative_to(root):
        raise PerfmodError(f"the baseline {baseline} is outside of {root}: only --baseline may name such a file")


def stdin_path(typed: Typed) -> Path | None:
    """The file that standard input stands for."""
    if typed.stdin_filename is None:
        return None
    path = Path(typed.stdin_filename)
    if path.is_dir():
        raise PerfmodError(f"--stdin-filename {path}: is a folder")
    return path.parent.resolve() / path.name


def read_verify(typed: Typed) -> Check | None:
    """What decides whether changes stay."""
    if typed.verify is None:
        return None
    from perfmod.verify import Check

    def tell(line: str) -> None:
        if not typed.quiet:
            write_out(f"perfmod: {line}\n", sys.stderr)

    return Check(typed.verify, typed.verify_timeout, tell)


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
    names = ("database_url", "openapi", "tsc", "narrow", "exclude_sensitive")
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
    if quiet or request.interactive or request.verify is not None or not sys.stderr.isatty():
        return run_pipeline(request)
    from perfmod.reports.progress import Bar

    with Bar() as bar:
        return run_pipeline(request, bar.show)
