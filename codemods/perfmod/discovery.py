"""Which files a run looks at: of all that are listed, those that a person of this project edits."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from perfmod.errors import PerfmodError
from perfmod.listing import LEFT_OUT, Listing
from perfmod.model import Skipped
from perfmod.patterns import pattern
from perfmod.values import dataclass

LANGUAGES = {
    "py": "python",
    "pyi": "python",
    "ts": "typescript",
    "mts": "typescript",
    "cts": "typescript",
    "tsx": "tsx",
    "js": "javascript",
    "jsx": "javascript",
    "mjs": "javascript",
    "cjs": "javascript",
    "json": "json",
    "yaml": "yaml",
    "yml": "yaml",
    "html": "html",
    "sql": "sql",
    "prisma": "prisma",
    "vue": "vue",
    "svelte": "svelte",
}

# What stands in a virtual environment.
ENVIRONMENT = "/pyvenv.cfg"
# Build output, unless the folder is a Python package.
BUILD_OUTPUT = frozenset("_build build dist out".split())
GENERATED_NAMES = (
    *(f"{mark}min.{kind}" for mark in ".-" for kind in ("js", "cjs", "mjs")),
    ".bundle.js",
    *(f"_pb2{service}.{kind}" for service in ("", "_grpc") for kind in ("py", "pyi")),
    *(f".generated.{module}{kind}" for module in ("", "c", "m") for kind in ("js", "jsx", "ts", "tsx")),
)
# protobuf, gRPC, Go's convention (golang.org/s/generatedcode), Meta's @generated; all stand in the first lines.
GENERATED_MARK = pattern(
    rb"\A(?:[^\n]*\n){0,8}?[ \t]*(?:#|//|/?\*)[^\n]{0,300}(?:@generated\b|[Gg]enerated by [^\n]{0,300}DO NOT EDIT)"
)


@dataclass(frozen=True, slots=True)
class Discovery:
    """The files of a checkout."""

    root: Path
    files: tuple[str, ...]  #: every file of the root that counts: sorted, relative, POSIX
    chosen: frozenset[str] | None  #: those under the paths that the user named; None: all
    skipped: tuple[Skipped, ...] = ()

    def is_chosen(self, path: str) -> bool:
        return self.chosen is None or path in self.chosen


def language_of(path: str) -> str | None:
    """The language of a file by its suffix."""
    return LANGUAGES.get(path.rpartition(".")[2])


def discover(
    root: Path,
    paths: Sequence[Path],
    exclude: Sequence[str] | None = None,
    extend_exclude: Sequence[str] = (),
    given: Collection[str] = (),
    listed: Iterable[str] | None = None,
) -> Discovery:
    """The files below `root`, and which of them `paths` name.

    `listed` are all files of the root, where somebody has listed them before.
    `given` are files whose text the caller has; they need not exist.
    A file that is named itself counts even where a folder above it would be left out, as with ruff.
    Raises PerfmodError for a path that does not exist or lies outside the root.
    """
    in_order = sorted(Listing(root).files() if listed is None else listed)  # git's is: Python then only looks at it
    files = without_left_out(in_order, exclude, extend_exclude)
    if given:
        files = sorted({*files, *given})
    if all(path == root for path in paths):
        return Discovery(root, tuple(files), None)
    known = frozenset(in_order)
    chosen: set[str] = set()
    named: list[str] = []
    for path in paths:
        relative = as_listed(root, relative_to_root(root, path, given), known, given)
        if path.is_dir():
            prefix = "" if relative == "." else relative + "/"
            chosen.update(file for file in files if file.startswith(prefix))
        else:
            named.append(relative)
    return Discovery(root, tuple(sorted({*files, *named})), frozenset(chosen | set(named)))


def as_listed(root: Path, relative: str, listed: frozenset[str], given: Collection[str]) -> str:
    """The name that the checkout has for a path that was typed in another case, where the file system takes both."""
    parts = relative.casefold().split("/")
    if relative in listed or relative in given or any(path.startswith(f"{relative}/") for path in listed):
        return relative
    for path in listed:
        own = path.split("/")[: len(parts)]
        if [part.casefold() for part in own] == parts and os.path.samefile(root / relative, root / "/".join(own)):
            return "/".join(own)
    return relative


def relative_to_root(root: Path, path: Path, given: Collection[str] = ()) -> str:
    """A path as output shows it. Raises PerfmodError where it does not exist or is not below the root."""
    try:
        relative = path.relative_to(root).as_posix()
    except ValueError:
        relative = None
    if relative not in given and not path.exists():
        raise PerfmodError(f"no such file or folder: {path}")
    if relative is None:
        raise PerfmodError(f"{path} is outside of {root}; check it in a run of its own")
    return relative


def without_left_out(listed: Sequence[str], exclude: Sequence[str] | None, extend_exclude: Sequence[str]) -> list[str]:
    """The files that count, of all files in order.

    Environments, packages, build output and what a program wrote are left out, whatever git says, unless the user says
    what to `exclude` instead; and what the user excludes.
    """
    files = list(listed)
    if exclude is None:
        unusual = ending_in(listed, (*GENERATED_NAMES, ENVIRONMENT))
        generated = {path for path in unusual if not path.endswith(ENVIRONMENT)}
        is_out = FoldersOut(listed, {path.removesuffix(ENVIRONMENT) for path in unusual if path not in generated})
        files = [path for path in listed if not is_out[path.rpartition("/")[0]]]
        if generated:
            files = [path for path in files if path not in generated]
    patterns = [*(exclude or ()), *extend_exclude]
    if patterns:
        from pathspec import GitIgnoreSpec

        spec = GitIgnoreSpec.from_lines(patterns)
        files = [path for path in files if not spec.match_file(path)]
    return files


class FoldersOut(dict[str, bool]):
    """Which folders hold nothing that a person edits: each is looked at when somebody first asks."""

    def __init__(self, listed: Sequence[str], environments: Collection[str]) -> None:
        """`listed` are all files, in order; `environments` the folders of virtual ones."""
        super().__init__({"": False})
        self._listed = listed
        self._environments = environments

    def __missing__(self, folder: str) -> bool:
        unknown = [folder]
        while (above := unknown[-1].rpartition("/")[0]) not in self:
            unknown.append(above)
        out = self[above]
        for each in reversed(unknown):
            out = self[each] = out or self._is_out(each)
        return out

    def _is_out(self, folder: str) -> bool:
        name = folder.rpartition("/")[2]
        if name in LEFT_OUT or folder in self._environments:
            return True
        return name in BUILD_OUTPUT and not stands_in(self._listed, f"{folder}/__init__.py")


def ending_in(files: Iterable[str], endings: tuple[str, ...]) -> list[str]:
    """Those files that end in one of these. Of tens of thousands, few end in the last letters of any."""
    last = {ending[-4:] for ending in endings}
    return [path for path in files if path[-4:] in last and path.endswith(endings)]


def stands_in(ordered: Sequence[str], wanted: str) -> bool:
    place = bisect_left(ordered, wanted)
    return place < len(ordered) and ordered[place] == wanted


def is_generated(path: str, data: bytes) -> bool:
    """Whether a file says that a program wrote it, or is JavaScript that no person could edit."""
    if GENERATED_MARK.search(data[:2000]):
        return True
    if not path.endswith((".js", ".mjs", ".cjs")):
        return False
    return len(data) > 5_000 and len(data) / (data.count(b"\n") + 1) > 300
