"""The options of check, diff and apply: how they are written, what was typed, which make no sense together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from perfmod.errors import PerfmodError
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.pipeline import Command

#: `texts` and `rules` may be repeated, `rules` also hold several with commas between them; `switch` has a --no- form.
Takes = Literal["nothing", "switch", "text", "texts", "rules", "path", "count", "seconds", "choice"]

#: Those of reports.FORMATS; a test holds them together.
FORMATS = ("text", "concise", "sarif", "json", "patch", "github", "gitlab", "junit", "markdown", "html")


@dataclass(frozen=True, slots=True)
class Option:
    """How one option is written."""

    field: str  #: of Typed
    names: tuple[str, ...]
    takes: Takes
    help: str
    metavar: str | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Typed:
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


def option(name: str, takes: Takes, help: str, metavar: str | None = None, **more: str | tuple[str, ...]) -> Option:
    """`short`: a letter. `field`: where the name is not its own. `choices`."""
    short, choices = more.get("short"), tuple(more.get("choices", ()))
    names = (f"-{short}", name) if short else (name,)
    field = str(more.get("field") or name.lstrip("-").replace("-", "_"))
    return Option(field, names, takes, help, metavar, choices)


# In the order of --help.
SHARED = (
    option("--select", "rules", "Run only these rules (repeat, or commas).", "RULE"),
    option("--ignore", "rules", "Leave out these rules too.", "RULE"),
    option("--unsafe-fixes", "switch", "Count and apply fixes that may change behaviour."),
    option("--output-format", "choice", "What goes to standard output.", choices=FORMATS),
    option("-o", "texts", "Also write a report to a file (repeat).", "[FORMAT=]PATH", field="outputs"),
    option("--statistics", "nothing", "Show counts by rule and safety instead of each finding."),
    option("--quiet", "nothing", "Show findings and errors only.", short="q"),
    option("--verbose", "nothing", "Show notes, skipped files and the configuration used, too.", short="v"),
    option("--color", "choice", "Colours; else NO_COLOR and FORCE_COLOR decide.", choices=("auto", "always", "never")),
    option("--config", "path", "Use this configuration file.", "FILE"),
    option("--isolated", "nothing", "Ignore configuration files and take PATH as the root."),
    option("--baseline", "path", "Leave the findings alone that this file lists.", "FILE"),
    option("--no-baseline", "nothing", "Use no baseline, so that apply also fixes what it lists."),
    option("--since", "text", "Only lines that changed since the merge base with REF.", "REF"),
    option("--staged", "nothing", "Only lines that are staged; apply does not mind staged edits."),
    option("--stdin-filename", "text", "With - as PATH: the file that standard input stands for.", "FILE"),
    option("--exit-zero", "nothing", "Exit with 0 even if there are findings."),
    option("--show-files", "nothing", "List the files that would be looked at, and stop."),
    option("--show-settings", "nothing", "Show every setting that holds, as TOML, and stop."),
    option("--exclude", "texts", "Leave out these, instead of the built-in patterns.", "PATTERN"),
    option("--extend-exclude", "texts", "Leave out these too (.gitignore syntax).", "PATTERN"),
    option("--cache", "switch", "Keep what files say for the next run (in the git directory)."),
    option("--cache-dir", "path", "Keep it here instead, also outside git.", "DIR"),
    option("--database-url", "text", "select-columns: ask this PostgreSQL database (perfmod[postgres]).", "URL"),
    option("--openapi", "text", "select-columns: read PostgREST's description of its API.", "FILE|URL"),
    option("--tsc", "nothing", "select-columns: let the checkout's own TypeScript compiler judge each edit."),
    option("--narrow", "nothing", "select-columns: leave out what that compiler finds no reader of."),
    option("--exclude-sensitive", "nothing", "select-columns: leave out secrets that no browser code reads."),
    option("--jobs", "count", "Use up to N worker processes.", "N", short="j"),
)
CHECKING = (
    option("--write-baseline", "nothing", "List all findings in the baseline: from now on only new ones count."),
    option("--prune-baseline", "nothing", "Take out of the baseline what is no longer found."),
)
CHANGING = (option("--add-ignore", "text", "Put an ignore comment at each finding instead of fixing it.", "[=REASON]"),)
APPLYING = (
    option("--dry-run", "nothing", "Show the changes, write nothing: the same as diff."),
    option("--allow-dirty", "nothing", "Also change files that have uncommitted edits."),
    option("--interactive", "nothing", "Show each finding with its diff, and ask what to do with it.", short="i"),
    option("--verify", "text", "Keep only fixes with which this command still passes; name the others.", "CMD"),
    option("--verify-timeout", "seconds", "Its time limit.", "SECONDS"),
    option("--commit", "nothing", "Make one commit for each rule."),
)
OPTIONS: dict[Command, tuple[Option, ...]] = {
    "check": (*SHARED, *CHECKING),
    "diff": (*SHARED, *CHANGING),
    "apply": (*SHARED, *CHANGING, *APPLYING),
}

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


def typed_of(command: Command, values: dict[str, object]) -> Typed:
    """What was typed; `apply --dry-run` is `diff`."""
    return Typed("diff" if values.get("dry_run") else command, **values)  # type: ignore[arg-type]


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
