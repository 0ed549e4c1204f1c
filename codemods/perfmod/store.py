"""Where a write keeps its state: the lock, the journal, and what perfmod wrote itself. Never in a git work tree."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from perfmod.config import git_top_level
from perfmod.errors import PerfmodError
from perfmod.git import STATUS, GitFailed, git
from perfmod.reading import read_regular
from perfmod.values import dataclass

HELD = "another perfmod apply is writing here: wait until it ends, then run this one again"
OUTSIDE_GIT = ".perfmod-journal"

# Above this many files git is asked about the whole root: a command line has a limit, and every path costs.
PATHS_PER_STATUS = 100


@dataclass(frozen=True, slots=True)
class Store:
    """The state of one root: in its git directory; else in a dot-folder of the root, which is gone after the run."""

    root: Path  #: resolved
    folder: Path
    prefix: str = ""  #: of the root, from the top of the work tree, as git says it: "" or "web/"
    in_git: bool = False
    trouble: str | None = None  #: why git can't be asked, though there is a .git

    @property
    def top(self) -> Path:
        """The top of the work tree; outside git, the root."""
        depth = len(Path(self.prefix).parts)
        return self.root.parents[depth - 1] if depth else self.root


def locate(root: Path) -> Store:
    """The store of a root, which is resolved. Nothing is made yet."""
    outside = Store(root, root / OUTSIDE_GIT)
    if git_top_level(root) is None:
        return outside
    try:
        said = git(root, "rev-parse", "--is-inside-work-tree", "--show-prefix", "--git-path", "perfmod")
    except GitFailed as error:
        return replace(outside, trouble=str(error))
    answer, *prefix, folder = said.removesuffix("\n").split("\n")
    return Store(root, root / folder, "\n".join(prefix), in_git=True) if answer == "true" else outside


# The lock


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """Keep other runs from writing. The lock of a killed process is free. Raises PerfmodError where it is held."""
    descriptor = acquire(store)
    try:
        yield
    finally:
        try:
            discard(store)  # while it is still held, so that nobody locks a file that goes
        finally:
            os.close(descriptor)
        if os.name == "nt":  # which can't remove an open file
            discard(store)


def acquire(store: Store) -> int:
    """Make the store and take its lock: an open file descriptor. Raises PerfmodError where it is held."""
    if store.folder.is_symlink():
        raise PerfmodError(f"{store.folder} is a link, so perfmod can't keep its journal there: remove it")
    path = store.folder / "lock"
    for _ in range(20):
        with suppress(FileNotFoundError):  # another run, at its end, removed the folder in between
            store.folder.mkdir(exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
            is_free = lock(descriptor)
            if is_free and is_same_file(descriptor, path):
                return descriptor
            os.close(descriptor)
            if not is_free:
                break
    raise PerfmodError(HELD)


def lock(descriptor: int) -> bool:
    """Lock without waiting. False where another process holds it; True also where the file system has no locks."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True


def is_same_file(descriptor: int, path: Path) -> bool:
    """Whether the open file is still the one at this path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def discard(store: Store) -> None:
    """Leave nothing of an empty store in the root."""
    if not store.in_git:
        with suppress(OSError):
            (store.folder / "lock").unlink()
        with suppress(OSError):
            store.folder.rmdir()


# Edits that are neither committed nor perfmod's own


def uncommitted(store: Store, paths: Iterable[str], *, unstaged: bool = False) -> set[str]:
    """Which of the files have edits that are neither committed nor perfmod's own. Raises GitFailed."""
    edited: set[str] = set()
    for owner, inner in by_checkout(store, paths).items():
        if owner.trouble is not None:
            raise GitFailed(owner.trouble)
        if owner.in_git:
            edited.update(
                (owner.root / path).relative_to(store.root).as_posix()
                for path in dirty(owner, inner, unstaged=unstaged)
            )
    return edited


def by_checkout(store: Store, paths: Iterable[str]) -> dict[Store, list[str]]:
    """The paths by the checkout that they are in, and relative to it: the root's own, or a submodule."""
    known = {"": store}

    def owner_of(folder: str) -> Store:
        if folder not in known:
            is_top = (store.root / folder / ".git").exists()
            known[folder] = locate(store.root / folder) if is_top else owner_of(folder.rpartition("/")[0])
        return known[folder]

    found: dict[Store, list[str]] = {}
    for path in paths:
        owner = owner_of(path.rpartition("/")[0])
        found.setdefault(owner, []).append((store.root / path).relative_to(owner.root).as_posix())
    return found


def dirty(store: Store, paths: Sequence[str], *, unstaged: bool) -> set[str]:
    """The same as `uncommitted`, for the files of one checkout."""
    asked = paths if len(paths) <= PATHS_PER_STATUS else ["."]
    status = git(store.root, *STATUS, "--", *asked)
    lines = [line for line in status.split("\0") if not unstaged or line[1:2] != " "]
    named = {line[3:].removeprefix(store.prefix) for line in lines}
    own = remembered(store)
    edited = set()
    for path in named.intersection(paths):
        target = store.root / path
        if not target.exists() or own.get(store.prefix + path) != digest(target.read_bytes()):
            edited.add(path)
    return edited


def remember(store: Store, written: Mapping[str, str]) -> None:
    """Note the digests of what perfmod wrote, by path, so that it does not count as anyone's uncommitted edit.

    Raises OSError where the store can't be written.
    """
    for owner, inner in by_checkout(store, written).items():
        if owner.in_git and not owner.folder.is_symlink():
            paths = {(owner.root / path).relative_to(store.root).as_posix(): path for path in inner}
            own = remembered(owner) | {owner.prefix + path: written[outer] for outer, path in paths.items()}
            owner.folder.mkdir(exist_ok=True)
            write_whole(owner.folder / "written.json", json.dumps(own, sort_keys=True).encode())


def remembered(store: Store) -> dict[str, str]:
    """The digests of what perfmod wrote, by path from the top of the work tree."""
    try:
        return dict(json.loads(read_regular(store.folder / "written.json")))
    except (OSError, ValueError, TypeError, RecursionError):
        return {}


# Files that last


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that whoever reads it finds the old or the new text."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    try:
        write_file(new, data)
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise
    sync_folders([path.parent])


def write_file(path: Path, data: bytes, *, like: os.stat_result | None = None) -> None:
    """Create a file that is on disk when this returns: with the owner and mode of `like`, else as the umask says."""
    mode = 0o666 if like is None else 0o600
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        file.write(data)
        file.flush()
        if like is not None:
            status = os.fstat(file.fileno())
            if (status.st_uid, status.st_gid) != (like.st_uid, like.st_gid):
                os.chown(path, like.st_uid, like.st_gid)
            path.chmod(stat.S_IMODE(like.st_mode))
        os.fsync(file.fileno())


def sync_folders(folders: Iterable[Path]) -> None:
    """Make renames outlast a power cut. They have happened already where this fails, so that is no error."""
    if os.name == "nt":
        return
    for folder in folders:
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def reason_of(error: OSError) -> str:
    return error.strerror or str(error)


def describe(error: OSError) -> str:
    return f"{error.filename}: {reason_of(error)}" if error.filename else reason_of(error)
