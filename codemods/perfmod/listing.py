"""All files of a checkout: in git what it tracks or does not ignore; elsewhere a walk that obeys .gitignore."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from perfmod.config import git_top_level
from perfmod.reading import MAXIMUM_SIZE, read_regular

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

    from perfmod.git import Asking

# Git needs long to look for files in folders when it tracks that many, and says at once which it tracks.
LARGE_INDEX = 500_000  # bytes, about 5,000 files
COMMAND = ("ls-files", "-z", "--exclude-standard", "--deduplicate")
# Folders that hold nothing that a person of this project edits.
LEFT_OUT = frozenset(
    """
    .bzr .cache .direnv .eggs .git .hg .ipynb_checkpoints .mypy_cache .next .nox .nuxt .output .parcel-cache .pnpm-store
    .pyenv .pytest_cache .pytype .ruff_cache .svelte-kit .svn .tox .turbo .venv .vercel .vite .yarn
    __pycache__ __pypackages__ bower_components node_modules site-packages storybook-static
    """.split()
)


class Listing:
    """All files below the root that are not ignored. Git looks for them while this process does something else."""

    def __init__(self, root: Path, *, ahead: bool = False) -> None:
        """`ahead`: somebody begins with what is tracked, if that is much."""
        self._root = root
        top = git_top_level(root)
        #: whether what git tracks can be had alone, and first
        self.is_large = ahead and top is not None and has_large_index(top)
        self._first = ask(root, "--cached", *(() if self.is_large else ("--others",))) if top is not None else None
        self._rest: Asking | None = None

    def is_ready(self, patience: float = 0) -> bool:
        """Whether all that git says first comes without longer pauses, in seconds, or there is nothing to wait for."""
        is_ready = self._first is None or self._first.has_ended(patience)
        if is_ready:
            self._go_on()
        return is_ready

    def tracked(self) -> list[str]:
        """What git tracks below the root, of a large listing: relative POSIX paths."""
        said = answer_of(self._first)
        self._go_on()
        return names_in(said)

    def untracked(self) -> list[str] | None:
        """What git neither tracks nor ignores, of a large listing; None where it can't say."""
        self._go_on()
        said = answer_of(self._rest)
        return None if said is None else names_in(said)

    def _go_on(self) -> None:
        """Have git look for the rest: not before, since two gits at a time take the processors from everybody else."""
        if self.is_large and self._rest is None:
            self._rest = ask(self._root, "--others")

    def files(self) -> Iterable[str]:
        """Relative POSIX paths, unsorted. Raises PerfmodError where git takes too long."""
        first = answer_of(self._first)
        rest = self.untracked() if self.is_large else []
        if first is None or rest is None:
            return walk(self._root)
        names = list(dict.fromkeys([*names_in(first), *rest]))  # one may move from half to half
        if names:
            return names
        from perfmod.git import run_git

        # The whole root may be something that git ignores, as a package unpacked in a work folder is.
        is_ignored = run_git(self._root, ["check-ignore", "-q", "."]).returncode == 0
        return walk(self._root) if is_ignored else names


def ask(root: Path, *which: str) -> Asking | None:
    """Git, at work; None where it can't be run."""
    from perfmod.git import Asking, GitFailed

    with suppress(GitFailed):
        return Asking(root, (*COMMAND, *which))
    return None


def answer_of(asking: Asking | None) -> bytes | None:
    return asking.answer() if asking is not None else None


def has_large_index(top: Path) -> bool:
    try:
        return os.stat(top / ".git/index").st_size > LARGE_INDEX
    except OSError:
        return False


def names_in(answer: bytes | None) -> list[str]:
    return os.fsdecode(answer).split("\0")[:-1] if answer else []


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
