"""Judges gate-dev-tools: when each console is loaded, what would gate it, and whether its package can move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

from perfmod.discovery import language_of
from perfmod.model import Facts, Finding, Intent, MovePackage, Note, Replace, Safety, Span, Suppression
from perfmod.patterns import pattern
from perfmod.project.web.console_places import at_addresses, at_builds, is_page, span_in
from perfmod.project.web.importers import SCRIPTS
from perfmod.project.web.packages import Bundler, Manifest
from perfmod.project.web.reaching import Reaching
from perfmod.render import CannotRender
from perfmod.source.consoles.facts import ConsoleImport, ConsoleInBundler
from perfmod.source.script.conditions import Place, When
from perfmod.source.script.imports import is_shipped
from perfmod.source.script.statements import GUARD
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.project import Project

NODE_ENV = "process.env.NODE_ENV !== 'production'"
CONDITIONS: dict[Bundler, str] = {
    "vite": "import.meta.env.DEV",
    "webpack": NODE_ENV,
    "next": NODE_ENV,
    "react-scripts": NODE_ENV,
}
MOST_IMPORTS = 200  # of one package: each fix that moves it holds the edits of all its imports
MOST_MOVES = 50  # of one lockfile: each fix that moves a package holds the edits of all of them
ORDER = (Safety.SAFE, Safety.UNSAFE, Safety.MANUAL)
CONSOLE_CALL = pattern(rb"\b(?:window|globalThis)\b[^;\n]{0,20}?\.(?:eruda|vConsole|VConsole)\b")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is to be done about one import of a console."""

    site: ConsoleImport
    state: str  #: guarded, fix, left
    span: Span  #: where the finding stands
    safety: Safety = Safety.MANUAL
    reason: str | None = None
    edits: tuple[Replace, ...] = ()
    switch: str = ""  #: the condition of a deliberate switch


@dataclass(frozen=True)
class Group:
    """A console package where it is declared, and all its imports there."""

    manifest: Manifest | None
    package: str
    outcomes: list[Outcome]


class Judgement:
    """The findings of one checkout."""

    def __init__(self, rule: str, facts: Facts, project: Project) -> None:
        self.rule = rule
        self.facts = facts
        self.project = project
        self.packages = project.packages
        self.reaching = Reaching(project)
        self.comments = facts.by_path(Suppression)
        self.users = cache(self.users_of_global)
        self.refusal_of = cache(self.refusal_of_move)
        self.homeless: dict[str, list[Group]] = {}  #: by package: those that no manifest declares
        self.sharing: Counter[str] = Counter()  #: how many groups have a lockfile in common

    def findings(self) -> Iterator[Finding | Note]:
        sites = [site for site in self.facts.of(ConsoleImport) if is_page(self.packages, site.path)]
        outcomes = [outcome for site in sites for outcome in self.outcomes(site)]
        groups: dict[tuple[str, str], Group] = {}
        for outcome in outcomes:
            manifest = self.packages.declaring(outcome.site.path, outcome.site.package)
            key = (manifest.path if manifest else "", outcome.site.package)
            groups.setdefault(key, Group(manifest, outcome.site.package, [])).outcomes.append(outcome)
        for group in groups.values():
            if group.manifest is None:
                self.homeless.setdefault(group.package, []).append(group)
            else:
                self.sharing.update(self.packages.lockfiles(group.manifest))
        yield from self.at_imports(outcomes, list(groups.values()))
        for group in groups.values():
            yield from self.at_manifest(group)
        yield from at_addresses(self.rule, self.facts, self.project, self.reaching)
        yield from at_builds(self.rule, self.facts, self.project)

    # What is to be done about one import

    def outcomes(self, site: ConsoleImport) -> Iterator[Outcome]:
        """One outcome, or one for every importer of a module that only starts the console."""
        place = self.when(site)
        if place.when is When.DEVELOPMENT:
            yield Outcome(site, "guarded", site.span, reason=place.detail)
        elif place.when is When.SWITCH:
            yield Outcome(site, "left", site.span, switch=place.detail)
        elif place.when is not When.ALWAYS:
            causes = {When.INDIRECT: "the guard is indirect", When.LEAKY: "the guard is leaky"}
            cause = causes.get(place.when, "it is not known when this runs")
            yield Outcome(site, "left", site.span, reason=f"{cause}: {place.detail}")
        else:
            yield from self.unguarded(site)

    def when(self, site: ConsoleImport) -> Place:
        """When a console is loaded. A static import is loaded with its module, whatever its use stands under."""
        if site.embedded:
            return site.place if site.kind in ("dynamic", "require") else Place(When.ALWAYS)
        if site.kind in ("dynamic", "require"):
            return self.reaching.of(site.path, site.place)
        module = self.reaching.module(site.path)
        if module.when is not When.ALWAYS:
            return module
        use = self.reaching.of(site.path, site.gating.place)
        return use if use.when in (When.SWITCH, When.LEAKY, When.UNKNOWN) else module

    def unguarded(self, site: ConsoleImport) -> Iterator[Outcome]:
        reason, guard = self.obstacle(site)
        if reason is None and site.alone and site.gating.safety is not Safety.SAFE:
            importers = self.project.modules.importers(site.path)
            if importers and all(
                i.kind == "side-effect" and i.edits and i.place.when is When.ALWAYS for i in importers
            ):
                why = "the console starts a moment later: its module is loaded on its own"
                for importer in importers:
                    edits = with_guard(importer.edits, guard)
                    yield Outcome(site, "fix", importer.span, Safety.UNSAFE, why, edits)
                return
        gating = site.gating
        if reason is None and gating.safety is Safety.MANUAL:
            reason = gating.reason
        if reason is not None:
            yield Outcome(site, "left", site.span, reason=reason)
        else:
            yield Outcome(site, "fix", site.span, gating.safety, gating.reason, with_guard(gating.edits, guard))

    def obstacle(self, site: ConsoleImport) -> tuple[str | None, str]:
        """Why no guard can be written here, whatever the import looks like; and the guard."""
        if site.embedded:
            return f"in a script of {site.path.rpartition('.')[2]}", ""
        owner = self.packages.owner(site.path)
        bundler = self.packages.bundler(owner) if owner is not None else None
        if owner is None or bundler is None:
            return "it is not clear what bundles this", ""
        guard = CONDITIONS[bundler]
        naming = [fact for fact in self.facts.of(ConsoleInBundler) if fact.package == site.package]
        named = [fact.path for fact in naming if self.packages.owner(fact.path) == owner]
        if named:
            return f"the bundler configuration names the package: {named[0]}", guard
        if self.packages.builds_library(owner):
            return "this is built as a library: who uses it decides what is development", guard
        if site.kind == "side-effect" and (user := self.other_user(site, owner)) is not None:
            return f"another file uses the console: {user}", guard
        typed = site.path.endswith((".ts", ".tsx", ".mts", ".cts"))
        if typed and not self.packages.knows_guard(owner, bundler):
            types = "vite/client" if bundler == "vite" else "@types/node"
            return f"TypeScript would not know the guard: add the types of {types}", guard
        if typed and site.gating.form == "sole" and bundler != "vite":
            return "without the import the file would no longer be a module: add `export {}`", guard
        if site.gating.form == "require" and bundler == "vite":
            return "require() is not for modules that vite builds", guard
        return None, guard

    def other_user(self, site: ConsoleImport, owner: Manifest) -> str | None:
        """Another file of the package that calls the global which a console makes."""
        return next((path for path in self.users(owner) if path != site.path), None)

    def users_of_global(self, owner: Manifest) -> list[str]:
        shipped = (p for p in self.project.files if language_of(p) in SCRIPTS and is_shipped(p))
        own = (path for path in shipped if self.packages.owner(path) == owner)
        calling = (path for path in own if CONSOLE_CALL.search(self.project.raw(path) or b""))
        return list(islice(calling, 2))  # one of them may be the file that asks

    # Findings

    def at_imports(self, outcomes: Sequence[Outcome], groups: Sequence[Group]) -> Iterator[Finding | Note]:
        group_of = {id(outcome): group for group in groups for outcome in group.outcomes}
        by_span: dict[Span, list[Outcome]] = {}
        for outcome in outcomes:
            by_span.setdefault(outcome.span, []).append(outcome)
        for span, here in by_span.items():
            first = here[0]
            names = " and ".join(dict.fromkeys(outcome.site.package for outcome in here))
            if first.switch:
                yield Note(self.rule, span, f"{names} is loaded behind a switch and ships with it: {first.switch}")
            elif first.state == "left":
                yield Finding(self.rule, span, self.message(first, names), Safety.MANUAL, reason=first.reason)
            elif first.state == "fix":
                yield self.fix(first, names, [group_of[id(o)] for o in here])

    def message(self, outcome: Outcome, names: str) -> str:
        said = outcome.site.gating.comment
        comment = f'; the comment there says: "{said}"' if said else ""
        if outcome.reason and outcome.reason.startswith("the guard is indirect"):
            return f"{names} is guarded, but production builds still need the package{comment}"
        return f"{names} is a debug console, and production loads it too{comment}"

    def fix(self, outcome: Outcome, names: str, own: Sequence[Group]) -> Finding:
        intents: list[Intent] = list(outcome.edits)
        moved = []
        for group in {id(group): group for group in own}.values():
            few = len(group.outcomes) <= MOST_IMPORTS
            if few and self.can_move(group, outcome.safety) and self.refusal(group) is None:
                intents += [edit for other in group.outcomes for edit in other.edits]
                intents.append(self.move(group))
                moved.append(group.package)
        title = f"Load {names} in development only"
        if moved:
            title += f", and move {' and '.join(moved)} to devDependencies"
        unique = tuple(dict.fromkeys(intents))
        return Finding(
            self.rule, outcome.span, self.message(outcome, names), outcome.safety, title, outcome.reason, unique
        )

    def at_manifest(self, group: Group) -> Iterator[Finding]:
        """A move without a guard, and a move that can't be written."""
        if not self.can_move(group, Safety.UNSAFE):
            return
        assert group.manifest is not None
        refusal = self.refusal(group)
        span = span_in(self.project, group.manifest, "dependencies", group.package)
        message = f"{group.package} is a debug console, and belongs in devDependencies"
        if refusal is not None:
            yield Finding(self.rule, span, message, Safety.MANUAL, reason=refusal)
        elif all(outcome.state == "guarded" for outcome in group.outcomes):
            title = f"Move {group.package} to devDependencies"
            yield Finding(self.rule, span, message, Safety.SAFE, title, intents=(self.move(group),))

    def can_move(self, group: Group, safety: Safety) -> bool:
        """Whether every import is guarded, or will be by fixes that are as safe as this."""
        manifest = group.manifest
        if manifest is None or manifest.sections_of(group.package) != ["dependencies"]:
            return False
        homeless = self.homeless.get(group.package, [])
        for outcome in [o for g in (group, *homeless) for o in g.outcomes]:
            if outcome.state == "left" or self.is_suppressed(outcome) or self.ships_in_a_mode(outcome, manifest):
                return False
            if outcome.state == "fix" and ORDER.index(outcome.safety) > ORDER.index(safety):
                return False
        if any(outcome.state == "fix" for g in homeless for outcome in g.outcomes):
            return False
        named = [fact for fact in self.facts.of(ConsoleInBundler) if fact.package == group.package]
        return not any(self.packages.declaring(fact.path, fact.package) == manifest for fact in named)

    def is_suppressed(self, outcome: Outcome) -> bool:
        """Whether a comment says that this import stays."""
        comments = [comment for comment in self.comments.get(outcome.span.path, ()) if comment.own]
        return any(
            self.rule in comment.codes
            and comment.covers.start <= outcome.span.end
            and outcome.span.start <= comment.covers.end
            for comment in comments
        )

    def ships_in_a_mode(self, outcome: Outcome, manifest: Manifest) -> bool:
        """Whether a script builds in a MODE that the guard lets through."""
        wanted = outcome.reason if outcome.state == "guarded" else None
        owner = self.packages.owner(outcome.site.path) or manifest
        if not wanted:
            return False
        return any(mode == wanted or (wanted == "!production" and mode != "production") for mode in owner.build_modes)

    def move(self, group: Group) -> MovePackage:
        assert group.manifest is not None
        return MovePackage(group.manifest.path, group.package, "dependencies", "devDependencies")

    def refusal(self, group: Group) -> str | None:
        """Why the move can't be written."""
        if len(group.outcomes) > MOST_IMPORTS:
            return f"it is imported in more than {MOST_IMPORTS} places"
        assert group.manifest is not None
        for lockfile in self.packages.lockfiles(group.manifest):
            if self.sharing[lockfile] > MOST_MOVES and not lockfile.endswith("yarn.lock"):  # nothing moves in that
                return f"more than {MOST_MOVES} packages would move in one lockfile: {lockfile}"
        return self.refusal_of(self.move(group))

    def refusal_of_move(self, move: MovePackage) -> str | None:
        from perfmod.render.manifests import move_package

        try:
            move_package(move, self.project)
        except CannotRender as error:
            return str(error)
        return None


def with_guard(edits: Sequence[Replace], guard: str) -> tuple[Replace, ...]:
    return tuple(replace(edit, text=edit.text.replace(GUARD, guard)) for edit in edits)
