"""The run. check, diff and apply are the same stages and stop at different points; read this file first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from time import strftime
from typing import TYPE_CHECKING, Literal

from perfmod.config import Settings
from perfmod.discovery import Discovery, discover
from perfmod.judging import judge_or_recall, processes_for
from perfmod.listing import Listing
from perfmod.model import Change, Facts, Finding, Note, Result, Safety, Skipped, Span
from perfmod.project import Project
from perfmod.rule import PARSE_ERROR, Rule, make_rules
from perfmod.scanning import ParseError, Scanned, files_to_scan, scan
from perfmod.sifting import find_baseline, per_file, place, suppress
from perfmod.values import dataclass, field

if TYPE_CHECKING:
    from perfmod.cache import Cache
    from perfmod.scope import Scope
    from perfmod.verify import Check

Command = Literal["check", "diff", "apply"]
# What most runs come to import.
TO_REPORT = ("perfmod.suppression", "perfmod.source.text", "perfmod.reports.text", "perfmod.reports.frame")
TO_SCAN = ("perfmod.source.tree", "tree_sitter_python", "perfmod.sieve", "perfmod.project.layout.layout", *TO_REPORT)

Progress = Callable[[str, int, int], None]  # stage, done, of how many


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    command: Command
    root: Path
    paths: tuple[Path, ...]
    settings: Settings = field(default_factory=Settings)
    allow_dirty: bool = False
    jobs: int | None = None
    cache: bool = False  #: keep the facts of each file for the next run
    cache_folder: Path | None = None  #: where; default: in the git directory, and nowhere outside git
    today: str = field(default_factory=lambda: strftime("%Y-%m-%d"))  #: ignore comments may expire
    add_ignore: str | None = None  #: mark findings as reviewed with a comment and this reason, instead of fixing them
    scope: Scope | None = None  #: the changed lines that the run is about; None: all
    staged: bool = False  #: staged edits are no reason for `apply` to refuse a file
    listing: Listing | None = None  #: of the root's files, where it has been asked for already
    overlay: Mapping[str, bytes] | None = None  #: texts to use instead of those on the disk
    stdin: str | None = None  #: the file of `overlay` that `apply` gives back instead of writing it
    verify: Check | None = None  #: what decides whether changes stay
    interactive: bool = False  #: ask about every finding
    color: str | None = None  #: whether what is asked is shown in colours, as in --color
    commit: bool = False  #: one commit for each rule
    use_baseline: bool = True
    update_baseline: Literal["write", "prune"] | None = None


@dataclass(frozen=True)
class Ahead:
    """What was found of the tracked files before all others were known."""

    discovery: Discovery
    relevant: list[str]
    scanned: frozenset[str] = frozenset()  #: without a cache: all of them
    found: tuple[Scanned, ...] = ()


@dataclass(frozen=True)
class Report:
    """What a run found and did. Reports and exit codes are made from this alone."""

    request: Request
    project: Project
    results: tuple[Result, ...]  #: sorted by place
    notes: tuple[Note, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    changes: tuple[Change, ...] = ()
    files: int = 0  #: of a language that a rule reads, below the named paths
    told: tuple[str, ...] = ()  #: lines for a person: what a killed run left, what became of a baseline
    refused: str | None = None  #: why nothing was written, where `apply` could not keep anything

    @property
    def open(self) -> list[Result]:
        """Findings that count: neither suppressed nor mended in this run."""
        return [r for r in self.results if r.suppressed is None and not r.applied]

    @property
    def exit_code(self) -> int:
        """0 clean, 1 findings (left), 2 nothing could be kept; design, section 8."""
        if self.refused:
            return 2
        return 1 if self.open else 0


def run(request: Request, progress: Progress | None = None) -> Report:
    """All stages, as far as the command needs them. Raises PerfmodError on what only the user can mend."""
    settings = request.settings
    recovered: list[str] = []
    if request.command == "apply" and request.stdin is None:
        from perfmod.writing import recover

        recovered = recover(request.root)
    listing = request.listing or Listing(request.root, ahead=True)
    rules = make_rules(settings.selected, dict(settings.rules))
    cache = cache_of(request, rules)
    if cache is not None:
        for _ in cache.look_ahead():
            listing.is_ready()  # takes what git has said, so that it goes on
    import_ahead(listing, TO_REPORT if cache is not None else TO_SCAN)
    ahead = look_ahead(listing, rules, request, cache)
    if ahead is not None and listing.untracked() == []:
        discovery, relevant = ahead.discovery, ahead.relevant
    else:
        discovery = find_files(request, listing.files())
        relevant = files_to_scan(discovery.files, rules)
    facts, digests, skipped = scan_all(relevant, rules, request, progress, cache, ahead)
    project = Project(
        request.root, discovery.files, facts, request.overlay, cache.watch if cache else None, request.jobs
    )
    findings, notes = list[Finding](), list[Note]()
    if digests:  # otherwise no trigger fits
        # what changes files goes on with what judging has found out, which other processes would take with them
        processes = processes_for(len(relevant), request.jobs) if request.command == "check" else 1
        findings, notes = judge_or_recall(rules, project, relevant, cache, processes)
    if cache is not None:
        cache.save()
    if PARSE_ERROR not in settings.ignore:
        too_much = (ParseError(path, 0, why) for path, why in project.too_much.items())
        findings += [parse_error(fact) for fact in (*facts.of(ParseError), *too_much)]
    runs = per_file(settings)
    chosen = sorted((f for f in findings if discovery.is_chosen(f.span.path) and runs(f.rule, f.span.path)), key=place)
    results = suppress(chosen, facts, rules, settings, is_chosen=discovery.is_chosen, runs=runs, today=request.today)
    told: list[str] = []
    to_write = request.update_baseline is not None
    baseline = find_baseline(request.root, settings.baseline, to_write=to_write) if request.use_baseline else None
    if baseline is not None:
        from perfmod.baseline import apply_baseline

        results, told = apply_baseline(results, baseline, request.update_baseline, project, discovery, settings)
    if request.scope is not None:
        results = [r for r in results if request.scope.holds(r.finding.span, project)]
        notes = [n for n in notes if request.scope.holds(n.span, project)]
    if request.add_ignore is not None:
        from perfmod.adding_ignores import mark_reviewed

        results = mark_reviewed(results, project, request.add_ignore)
    results = [replace(r, fixable=is_fixable(r, settings)) for r in results]
    report = Report(
        request,
        project,
        tuple(results),
        tuple(n for n in notes if discovery.is_chosen(n.span.path)),
        tuple(sorted((*discovery.skipped, *skipped))),
        files=sum(map(discovery.is_chosen, relevant)),
        told=(*recovered, *told),
    )
    if request.command == "check":
        return report
    from perfmod.changing import change

    return change(report, digests, progress)


def files_of(request: Request) -> list[str]:
    """The files that a run would look at: of a language that a selected rule reads, and below the named paths."""
    settings = request.settings
    rules = make_rules(settings.selected, dict(settings.rules))
    discovery = find_files(request, request.listing.files() if request.listing else None)
    return [path for path in files_to_scan(discovery.files, rules) if discovery.is_chosen(path)]


def import_ahead(listing: Listing, modules: Sequence[str]) -> None:
    """Import what most runs come to need while git looks for files: where that takes long there are many."""
    if not listing.is_large and listing.is_ready(patience=0.005):
        return
    for module in modules:
        if listing.is_ready():
            return
        import_module(module)


def find_files(request: Request, listed: Iterable[str] | None = None) -> Discovery:
    settings = request.settings
    overlay = request.overlay or {}
    found = discover(request.root, request.paths, settings.exclude, settings.extend_exclude, overlay, listed)
    if request.scope is None:
        return found
    chosen = frozenset(path for path in found.files if found.is_chosen(path) and request.scope.holds_path(path))
    return replace(found, chosen=chosen)


def look_ahead(listing: Listing, rules: Sequence[Rule], request: Request, cache: Cache | None) -> Ahead | None:
    """Go through what git tracks while it looks for what it does not track: in a large checkout that takes long."""
    tracked = listing.tracked() if listing.is_large else ()
    if not tracked:
        return None
    discovery = find_files(request, tracked)
    relevant = files_to_scan(discovery.files, rules)
    if cache is not None:
        return Ahead(discovery, relevant)
    found = tuple(scan(request.root, relevant, rules, request.jobs, None, request.overlay))
    return Ahead(discovery, relevant, frozenset(relevant), found)


def scan_all(
    files: Sequence[str],
    rules: Sequence[Rule],
    request: Request,
    progress: Progress | None,
    cache: Cache | None,
    ahead: Ahead | None,
) -> tuple[Facts, dict[str, bytes], list[Skipped]]:
    """What all files say. What was scanned ahead counts where discovery found that file too."""
    found: list[Scanned] = []
    if ahead is not None:
        wanted = frozenset(files)
        found = [scanned for scanned in ahead.found if scanned.path in wanted]
        files = [path for path in files if path not in ahead.scanned]
    places = {path: number for number, path in enumerate(files)} if progress else {}
    for scanned in scan(request.root, files, rules, request.jobs, cache, request.overlay):
        found.append(scanned)
        if progress:
            progress("Reading", places[scanned.path], len(places))
    found.sort(key=lambda scanned: scanned.path)
    facts = Facts(fact for scanned in found for fact in scanned.facts)
    skipped = [scanned.skipped for scanned in found if scanned.skipped is not None]
    return facts, {scanned.path: scanned.digest for scanned in found}, skipped


def cache_of(request: Request, rules: Sequence[Rule]) -> Cache | None:
    """The cache of this run. None where the user wants none, and where there is no place for it."""
    if not request.cache:
        return None
    from perfmod.cache import Cache, git_folder

    folder = request.cache_folder or git_folder(request.root)
    return None if folder is None else Cache(request.root, folder, rules)


def parse_error(error: ParseError) -> Finding:
    return Finding(
        PARSE_ERROR,
        Span(error.path, error.offset, error.offset),
        f"This file holds code that a rule looks for, but it can't be parsed: {error.message}.",
        Safety.MANUAL,
        reason="the file does not parse",
    )


def is_fixable(result: Result, settings: Settings) -> bool:
    """Whether `apply` with these settings would mend it."""
    finding = result.finding
    if result.suppressed or not finding.intents:
        return False
    return finding.safety is Safety.SAFE or (finding.safety is Safety.UNSAFE and settings.unsafe_fixes)
