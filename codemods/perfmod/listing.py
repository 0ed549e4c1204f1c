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
        self._answers: list[Asking] = []
        top = git_top_level(root)
        if top is None:
            return
        from perfmod.git import Asking, GitFailed

        questions = (("--cached",), ("--others",)) if ahead and has_large_index(top) else (("--cached", "--others"),)
        with suppress(GitFailed):
            self._answers = [Asking(root, (*COMMAND, *question)) for question in questions]

    @property
    def is_large(self) -> bool:
        """Whether what git tracks can be had alone, and first."""
        return len(self._answers) > 1

    def is_ready(self, patience: float = 0) -> bool:
        """Whether all that git says first comes without longer pauses, in seconds, or there is nothing to wait for."""
        return not self._answers or self._answers[0].has_ended(patience)

    def tracked(self) -> list[str]:
        """What git tracks below the root, of a large listing: relative POSIX paths."""
        return names_in(self._answers[0].answer())

    def untracked(self) -> list[str] | None:
        """What git neither tracks nor ignores, of a large listing; None where it can't say."""
        answer = self._answers[1].answer()
        return None if answer is None else names_in(answer)

    def files(self) -> Iterable[str]:
        """Relative POSIX paths, unsorted. Raises PerfmodError where git takes too long."""
        said = [each.answer() for each in self._answers]
        if not said or None in said:
            return walk(self._root)
        names = list(dict.fromkeys(name for each in said for name in names_in(each)))  # one may move from half to half
        if names:
            return names
        from perfmod.git import run_git

        # The whole root may be something that git ignores, as a package unpacked in a work folder is.
        is_ignored = run_git(self._root, ["check-ignore", "-q", "."]).returncode == 0
        return walk(self._root) if is_ignored else names


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
