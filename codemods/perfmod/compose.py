"""The compose stage: accepted findings -> changes. A finding comes whole or not at all; equal intents are done once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from perfmod.discovery import language_of
from perfmod.model import (
    AddImport,
    AddModule,
    Change,
    DropImport,
    Finding,
    InsertMember,
    Intent,
    MovePackage,
    Plan,
    Replace,
    RewriteCall,
)
from perfmod.project import Project
from perfmod.render import CannotRender, apply_edits, check_result, edits_for
from perfmod.scanning import digest
from perfmod.source.text import Text

#: An intent that is about one existing file.
FileIntent = Replace | RewriteCall | InsertMember | AddImport | DropImport

STRETCH = 256  # bytes; edits are compared with those in the same stretches of a file only


def compose(
    findings: Sequence[Finding],
    project: Project,
    digests: Mapping[str, bytes],
    progress: Callable[[str, int, int], None] | None = None,
) -> Plan:
    """The changes that mend `findings`.

    `digests` are those of the files as they were scanned: one that has changed since is left.
    What can't be rendered is refused, and what is left is composed again without it.
    """
    refused: dict[Finding, str] = {}
    expanded = expand_all(findings, refused, project)
    for finding in conflicting(list(expanded), expanded):
        refused[finding] = "overlaps another fix: run perfmod again after this one"
    while True:
        expanded = expand_all([finding for finding in findings if finding not in refused], refused, project)
        accepted = list(expanded)
        by_path = group(accepted, expanded)
        changes: list[Change] = []
        failed = False
        for done, (path, owners) in enumerate(sorted(by_path.items())):
            if progress:
                progress("Rendering", done, len(by_path))
            try:
                change = render_change(path, owners, expanded, project, digests)
                if change is not None:
                    changes.append(change)
            except CannotRender as error:
                failed = True
                for finding in culprits(path, owners, expanded, project, digests):
                    refused[finding] = str(error)
        if not failed:
            break
    paths = {f: frozenset(path_of(i) for i in expanded[f]) & {c.path for c in changes} for f in accepted}
    return Plan(tuple(changes), paths, tuple(refused.items()))


def edits_of(finding: Finding, project: Project) -> list[Replace]:
    """The text edits of one finding by itself, for reports and editors. Empty where it can't be rendered."""
    try:
        intents = expand(finding.intents, Moves(project))
        edits: list[Replace] = []
        for path in sorted({path_of(i) for i in intents if not isinstance(i, AddModule)}):
            text = project.text(path)
            if text is not None:
                own = [i for i in intents if not isinstance(i, AddModule) and path_of(i) == path]
                edits += edits_for(text, language_of(path), own, project)
    except CannotRender:
        return []
    return sorted(set(edits))


def expand_all(
    findings: Sequence[Finding], refused: dict[Finding, str], project: Project
) -> dict[Finding, list[FileIntent | AddModule]]:
    """The intents of every finding on single files; what can't be rendered is refused.

    Package moves are rendered together, because they share commas, sections and lockfiles.
    """
    alone = expand_each(findings, refused, Moves(project))
    together = dict.fromkeys(i for finding in alone for i in finding.intents if isinstance(i, MovePackage))
    return expand_each(list(alone), refused, Moves(project, tuple(together))) if together else alone


def expand_each(
    findings: Sequence[Finding], refused: dict[Finding, str], moves: Moves
) -> dict[Finding, list[FileIntent | AddModule]]:
    expanded = {}
    for finding in findings:
        try:
            expanded[finding] = expand(finding.intents, moves)
        except CannotRender as error:
            refused[finding] = str(error)
    return expanded


def expand(intents: Iterable[Intent], moves: Moves) -> list[FileIntent | AddModule]:
    """Intents on single files: a package move becomes the edits of its manifest and lockfiles."""
    expanded: list[FileIntent | AddModule] = []
    for intent in intents:
        if isinstance(intent, MovePackage):
            expanded.extend(moves.edits(intent))
        else:
            expanded.append(intent)
    return expanded


class Moves:
    """Renders package moves: each by itself, or `together` as those of one run. Each is rendered once."""

    def __init__(self, project: Project, together: tuple[MovePackage, ...] = ()) -> None:
        self._project = project
        self._together = together
        self._rendered: dict[MovePackage | None, dict[str, list[Replace]] | str] = {}

    def edits(self, intent: MovePackage) -> Iterator[Replace]:
        """The edits of the files that a move is about. Raises CannotRender."""
        from perfmod.render.manifests import files_of_move

        key = None if self._together else intent
        if key not in self._rendered:
            self._rendered[key] = self._render(self._together or (intent,))
        rendered = self._rendered[key]
        if isinstance(rendered, str):
            raise CannotRender(rendered)
        for path in sorted(files_of_move(intent, self._project)):
            yield from rendered.get(path, ())

    def _render(self, moves: tuple[MovePackage, ...]) -> dict[str, list[Replace]] | str:
        from perfmod.render.manifests import move_packages

        rendered: dict[str, list[Replace]] = {}
        try:
            for edit in move_packages(moves, self._project):
                rendered.setdefault(edit.span.path, []).append(edit)
        except CannotRender as error:
            return str(error)
        return rendered


def path_of(intent: FileIntent | AddModule) -> str:
    if isinstance(intent, Replace | RewriteCall | InsertMember):
        return intent.span.path
    return intent.path


def conflicting(
    findings: Sequence[Finding], expanded: Mapping[Finding, Sequence[FileIntent | AddModule]]
) -> list[Finding]:
    """Findings whose edits overlap those of an earlier one without being equal to them. Nested calls don't clash."""
    taken: set[Replace | RewriteCall] = set()
    near: dict[tuple[str, int], list[Replace | RewriteCall]] = {}
    clashing = []
    for finding in findings:
        new = {i for i in expanded[finding] if isinstance(i, Replace | RewriteCall)} - taken
        if any(clash(intent, other) for intent in new for place in stretches(intent) for other in near.get(place, ())):
            clashing.append(finding)
            continue
        taken |= new
        for intent in new:
            for place in stretches(intent):
                near.setdefault(place, []).append(intent)
    return clashing


def stretches(intent: Replace | RewriteCall) -> Iterator[tuple[str, int]]:
    """The stretches of its file that an edit is in: whatever overlaps it is in one of them too."""
    path, start, end = intent.span.path, intent.span.start, intent.span.end
    return ((path, number) for number in range(start // STRETCH, end // STRETCH + 1))


def clash(one: Replace | RewriteCall, other: Replace | RewriteCall) -> bool:
    a, b = one.span, other.span
    if one == other or a.end <= b.start or b.end <= a.start:
        return False
    nested = (a.start <= b.start and b.end <= a.end) or (b.start <= a.start and a.end <= b.end)
    return a == b or not (nested and isinstance(one, RewriteCall) and isinstance(other, RewriteCall))


def group(
    findings: Iterable[Finding], expanded: Mapping[Finding, Sequence[FileIntent | AddModule]]
) -> dict[str, list[Finding]]:
    """The findings that touch each file."""
    by_path: dict[str, list[Finding]] = {}
    for finding in findings:
        for path in {path_of(intent) for intent in expanded[finding]}:
            by_path.setdefault(path, []).append(finding)
    return by_path


def render_change(
    path: str,
    owners: Sequence[Finding],
    expanded: Mapping[Finding, Sequence[FileIntent | AddModule]],
    project: Project,
    digests: Mapping[str, bytes],
) -> Change | None:
    """The new bytes of one file. None where nothing changes. Raises CannotRender."""
    intents = list(dict.fromkeys(i for finding in owners for i in expanded[finding] if path_of(i) == path))
    rules = tuple(sorted({finding.rule for finding in owners}))
    modules = [i for i in intents if isinstance(i, AddModule)]
    if modules:
        before = project.raw(path)
        after = render_module(modules, line_end(path, owners, project))
        return None if before == after else Change(path, before, after, rules)
    text = project.text(path)
    before = project.raw(path)
    if text is None or before is None or digest(before) != digests.get(path, digest(before)):
        raise CannotRender("the file changed while perfmod ran: run it again")
    edits = edits_for(text, language_of(path), [i for i in intents if not isinstance(i, AddModule)], project)
    utf8 = apply_edits(text.utf8, edits)
    if utf8 == text.utf8:
        return None
    check_result(path, language_of(path), text.utf8, utf8)
    return Change(path, before, encode(text, utf8), rules)


def line_end(path: str, owners: Sequence[Finding], project: Project) -> str:
    """That of a helper module: as it stands, else as in the first file that needs it."""
    texts = (project.text(place) for place in (path, *(finding.span.path for finding in owners)))
    return next((text.newline for text in texts if text is not None), "\n")


def render_module(modules: Sequence[AddModule], newline: str) -> bytes:
    from perfmod import templates

    if len(modules) > 1:
        raise CannotRender("two rules want different helper modules at the same path")
    render = getattr(templates, f"render_{modules[0].template}")
    text: str = render(**dict(modules[0].options))
    return text.replace("\n", newline).encode()


def encode(text: Text, utf8: bytes) -> bytes:
    try:
        return text.encode(utf8)
    except UnicodeEncodeError:
        raise CannotRender(f"the fix needs a letter that {text.encoding} can't write") from None


def culprits(
    path: str,
    owners: Sequence[Finding],
    expanded: Mapping[Finding, Sequence[FileIntent | AddModule]],
    project: Project,
    digests: Mapping[str, bytes],
) -> list[Finding]:
    """Which findings make a file impossible to render: those that fail by themselves, else all of them."""
    failing = []
    for finding in owners:
        try:
            render_change(path, [finding], expanded, project, digests)
        except CannotRender:
            failing.append(finding)
    return failing or list(owners)
