"""Which files a run looks at: of all that are listed, those that a person of this project edits."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from perfmod.errors import PerfmodError
from perfmod.listing import LEFT_OUT, Listing
from perfmod.model import Skipped
from perfmod.values import dataclass

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

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

# Build output, unless the folder is a Python package.
BUILD_OUTPUT = frozenset("_build build dist out".split())
GENERATED_NAMES = (
    *(f"{mark}min.{kind}" for mark in ".-" for kind in ("js", "cjs", "mjs")),
    ".bundle.js",
    *(f"_pb2{service}.{kind}" for service in ("", "_grpc") for kind in ("py", "pyi")),
    *(f".generated.{module}{kind}" for module in ("", "c", "m") for kind in ("js", "jsx", "ts", "tsx")),
)
# protobuf, gRPC, Go's convention (golang.org/s/generatedcode), Meta's @generated; all stand in the first lines.
GENERATED_MARK = re.compile(
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
    known = frozenset(in_order)
    files = LeftOut(known, exclude, extend_exclude).others(in_order)
    if given:
        files = sorted({*files, *given})
    if all(path == root for path in paths):
        return Discovery(root, tuple(files), None)
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


class LeftOut:
    """What is never looked at, whatever git says: environments, packages, build output, and what the user excludes."""

    def __init__(self, listed: frozenset[str], exclude: Sequence[str] | None, extend_exclude: Sequence[str]) -> None:
        self._folders: dict[str, bool] = {"": False}
        self._listed = listed
        self._builtin = exclude is None
        patterns = [*(exclude or ()), *extend_exclude]
        self._spec: GitIgnoreSpec | None = None
        if patterns:
            from pathspec import GitIgnoreSpec

            self._spec = GitIgnoreSpec.from_lines(patterns)

    def others(self, listed: Iterable[str]) -> list[str]:
        """The files that count."""
        found = []
        folders, generated = self._folders, GENERATED_NAMES if self._builtin else ()
        for path in listed:
            folder = path.rpartition("/")[0]
            out = folders.get(folder)
            if out is None:
                out = self._folder_is_out(folder)
            if not out and not path.endswith(generated):
                found.append(path)
        if self._spec is not None:
            found = [path for path in found if not self._spec.match_file(path)]
        return found

    def _folder_is_out(self, folder: str) -> bool:
        known = self._folders.get(folder)
        if known is not None:
            return known
        above, _, name = folder.rpartition("/")
        out = self._folder_is_out(above) or (
            self._builtin
            and (
                name in LEFT_OUT
                or f"{folder}/pyvenv.cfg" in self._listed
                or (name in BUILD_OUTPUT and f"{folder}/__init__.py" not in self._listed)
            )
        )
        self._folders[folder] = out
        return out


def is_generated(path: str, data: bytes) -> bool:
    """Whether a file says that a program wrote it, or is JavaScript that no person could edit."""
    if GENERATED_MARK.search(data[:2000]):
        return True
    if not path.endswith((".js", ".mjs", ".cjs")):
        return False
    return len(data) > 5_000 and len(data) / (data.count(b"\n") + 1) > 300
