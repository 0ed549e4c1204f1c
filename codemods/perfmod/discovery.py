"""Which files a run looks at: in git what it tracks or does not ignore; elsewhere a walk that obeys .gitignore."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from perfmod.errors import PerfmodError
from perfmod.model import Skipped
from perfmod.reading import MAXIMUM_SIZE, read_regular
from perfmod.values import dataclass

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

    from perfmod.git import Asking

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

# Folders that hold nothing that a person of this project edits.
LEFT_OUT = frozenset(
    """
    .bzr .cache .direnv .eggs .git .hg .ipynb_checkpoints .mypy_cache .next .nox .nuxt .output .parcel-cache .pnpm-store
    .pyenv .pytest_cache .pytype .ruff_cache .svelte-kit .svn .tox .turbo .venv .vercel .vite .yarn
    __pycache__ __pypackages__ bower_components node_modules site-packages storybook-static
    """.split()
)
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
    listing: Listing | None = None,
) -> Discovery:
    """The files below `root`, and which of them `paths` name.

    `listing` is the list of the root's files that was asked for before.
    `given` are files whose text the caller has; they need not exist.
    A file that is named itself counts even where a folder above it would be left out, as with ruff.
    Raises PerfmodError for a path that does not exist or lies outside the root.
    """
    in_order = sorted((listing or Listing(root)).files())  # git's list is: Python then only looks at it
    listed = frozenset(in_order)
    files = LeftOut(listed, exclude, extend_exclude).others(in_order)
    if given:
        files = sorted({*files, *given})
    if all(path == root for path in paths):
        return Discovery(root, tuple(files), None)
    chosen: set[str] = set()
    named: list[str] = []
    for path in paths:
        relative = as_listed(root, relative_to_root(root, path, given), listed, given)
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


class Listing:
    """All files below the root that are not ignored. Git looks for them while this process does something else."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._git: Asking | None = None
        if any((folder / ".git").exists() for folder in (root, *root.parents)):
            from perfmod.git import Asking, GitFailed

            command = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
            with suppress(GitFailed):
                self._git = Asking(root, command)

    def is_ready(self, patience: float = 0) -> bool:
        """Whether the first names come within so many seconds, or there is nothing to wait for."""
        return self._git is None or self._git.has_begun(patience)

    def files(self) -> Iterable[str]:
        """Relative POSIX paths, unsorted. Raises PerfmodError where git takes too long."""
        found = self._said_by_git()
        return walk(self._root) if found is None else found

    def _said_by_git(self) -> list[str] | None:
        """What git tracks below the root, and what it neither tracks nor ignores. None where git can't say."""
        listed = None if self._git is None else self._git.answer()
        if listed is None:
            return None
        names = os.fsdecode(listed).split("\0")[:-1]
        if names:
            return names
        from perfmod.git import run_git

        # The whole root may be something that git ignores, as a package unpacked in a work folder is.
        return None if run_git(self._root, ["check-ignore", "-q", "."]).returncode == 0 else names


def walk(root: Path) -> Iterator[str]:
    """The files below a folder outside git, with .gitignore semantics. Links to folders are not followed."""
    specs: dict[str, GitIgnoreSpec] = {}

    def ignored(path: str) -> bool:
        parts = path.rstrip("/").split("/")
        for depth in range(len(parts)):
            spec = specs.get("/".join(parts[:depth]))
            if spec is not None:
                below = "/".join(parts[depth:]) + ("/" if path.endswith("/") else "")
                if spec.match_file(below):
                    return True
        return False

    top = os.fspath(root)
    stack = [""]
    while stack:
        folder = stack.pop()
        try:
            with os.scandir(f"{top}/{folder}") as found:
                entries = list(found)
        except OSError:
            continue
        if any(entry.name == ".gitignore" and entry.is_file(follow_symlinks=False) for entry in entries):
            specs[folder] = read_gitignore(root / folder / ".gitignore")
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in LEFT_OUT and not (specs and ignored(path + "/")):
                    stack.append(path)
            elif not (specs and ignored(path)):
                yield path


def read_gitignore(path: Path) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    try:
        text = read_regular(path, MAXIMUM_SIZE).decode("utf-8", "replace")
        return GitIgnoreSpec.from_lines(text.splitlines())
    except OSError:
        return GitIgnoreSpec.from_lines([])


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
    if PurePosixPath(path).suffix not in (".js", ".mjs", ".cjs"):
        return False
    return len(data) > 5_000 and len(data) / (data.count(b"\n") + 1) > 300
