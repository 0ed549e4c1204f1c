"""Which lines a run is about: those that changed since a merge base (--since), or that are staged (--staged)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from perfmod.config import git_top_level
from perfmod.errors import PerfmodError
from perfmod.git import GitFailed, git
from perfmod.patterns import pattern
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.model import Span
    from perfmod.project import Project

HUNK = pattern(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
DIFF = ("diff", "-U0", "-M", "--relative", "--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules")
PREFIXES = ("--src-prefix=a/", "--dst-prefix=b/")


class Hunk(NamedTuple):
    """Lines that were put in the place of others, both from 1."""

    old: int
    removed: int
    new: int
    added: int


@dataclass(frozen=True)
class Scope:
    """Changed lines by file. None stands for all lines of a file."""

    lines: Mapping[str, tuple[range, ...] | None]

    def holds_path(self, path: str) -> bool:
        return path in self.lines

    def holds(self, span: Span, project: Project) -> bool:
        """Whether a span touches a changed line."""
        ranges = self.lines.get(span.path, ())
        text = project.text(span.path)
        if ranges is None or text is None:
            return span.path in self.lines
        first, last = text.position(span.start)[0], text.position(max(span.start, span.end - 1))[0]
        return any(lines.start <= last and first < lines.stop for lines in ranges)


def find_scope(root: Path, since: str | None, *, staged: bool) -> Scope | None:
    """The scope that was asked for. None: everything. Raises PerfmodError where git can't say."""
    if git_top_level(root) is None:
        raise PerfmodError(f"git can't say what has changed: {root} is not a git repository")
    try:
        if since is not None:
            return changed_since(root, since)
        return staged_lines(root) if staged else None
    except GitFailed as error:
        raise PerfmodError(f"git can't say what has changed: {error}") from None


def changed_since(root: Path, ref: str) -> Scope:
    """What differs between the work tree and the point where its branch left `ref`; and what git does not know yet."""
    try:
        base = git(root, "merge-base", "--end-of-options", ref, "HEAD").strip()
    except GitFailed as error:
        why = str(error) or "it has no commit in common with HEAD; a shallow clone needs more history"
        raise PerfmodError(f"--since {ref}: {why}") from None
    lines: dict[str, tuple[range, ...] | None] = {}
    lines.update(added(hunks_of(git(root, *DIFF, *PREFIXES, base, "--"))))
    lines.update(dict.fromkeys(git(root, "ls-files", "-z", "--others", "--exclude-standard").split("\0")[:-1]))
    return Scope(lines)


def staged_lines(root: Path) -> Scope:
    """What the index holds on top of HEAD, at its place in the work tree."""
    staged = added(hunks_of(git(root, *DIFF, *PREFIXES, "--cached", "--")))
    unstaged = hunks_of(git(root, *DIFF, *PREFIXES, "--"))
    return Scope({path: moved(ranges, unstaged.get(path, [])) for path, ranges in staged.items()})


def added(hunks: Mapping[str, list[Hunk]]) -> dict[str, tuple[range, ...]]:
    return {p: tuple(range(h.new, h.new + h.added) for h in own if h.added) for p, own in hunks.items()}


def moved(ranges: tuple[range, ...], hunks: list[Hunk]) -> tuple[range, ...]:
    """Lines of a text, where they are once `hunks` have been applied to it."""
    found = []
    for line in (line for lines in ranges for line in lines):
        if not any(hunk.old <= line < hunk.old + hunk.removed for hunk in hunks):
            # A hunk that removes nothing stands after its line.
            before = [h for h in hunks if h.old + max(h.removed - 1, 0) < line]
            here = line + sum(h.added - h.removed for h in before)
            found.append(range(here, here + 1))
    return tuple(found)


def hunks_of(diff: str) -> dict[str, list[Hunk]]:
    """The hunks of a diff without context, by the new path of their file."""
    found: dict[str, list[Hunk]] = {}
    own: list[Hunk] = []
    skip = 0
    for line in diff.split("\n"):
        if skip:
            # Lines of code: they may look like anything.
            skip -= not line.startswith("\\")
        elif line.startswith("+++ "):
            own = found.setdefault(path_of(line[4:]), [])
        elif match := HUNK.match(line):
            old, removed, new, more = (1 if number is None else int(number) for number in match.groups())
            own.append(Hunk(old, removed, new, more))
            skip = removed + more
    return found


def path_of(name: str) -> str:
    """A path of a `+++` line: in quotes with escapes where it is unusual."""
    if name.startswith('"'):
        unquote: Callable[[bytes], tuple[bytes, int]] = __import__("codecs").escape_decode
        name = os.fsdecode(unquote(os.fsencode(name[1:-1]))[0])
    return name.removesuffix("\t").removeprefix("b/")
