"""The cache of facts: what each file said when it was last read. Findings are not cached, they depend on other files.

What a file said holds while its size and modification time are the same. A file that changed in the last two seconds
before it was read is not kept: its time stamp could stand for two contents ("racy git", git's technical documentation).
The whole cache is for one version of perfmod, one set of rules and one set of options.

Findings depend on other files too, so they are kept only as a whole, with all that judging looked at: the list of
files, their stamps, and those of the other files that it read or looked for. They hold while all of that is the same.
"""

from __future__ import annotations

import io
import os
import pickle
import stat
import sys
import time
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from perfmod import __version__
from perfmod.reading import read_regular
from perfmod.scanning import digest_of
from perfmod.values import dataclass, field

if TYPE_CHECKING:
    from perfmod.model import Finding, Note
    from perfmod.rule import Rule
    from perfmod.scanning import Scanned

RACY = 2_000_000_000  # nanoseconds
INSTALLED = frozenset({"site-packages", "dist-packages"})

Stamp = tuple[int, int]  # size, modification time in nanoseconds; (-1, 0) of what is not there
ABSENT: Stamp = (-1, 0)


@dataclass(frozen=True)
class Verdict:
    """What judging said, and what it looked at besides the files that are kept."""

    files: bytes  #: a digest of the names of all files
    watched: Mapping[str, Stamp]
    findings: tuple[Finding, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Kept:
    """What a run leaves to the next."""

    stamps: Mapping[str, Stamp] = field(default_factory=dict)  #: of all files that were looked at
    said: Mapping[str, Scanned] = field(default_factory=dict)  #: what those of them said in which a trigger fit
    verdict: Verdict | None = None


class FactUnpickler(pickle.Unpickler):
    """Reads perfmod's own plain data and nothing else, so that a forged cache can't run code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module == "builtins" and name == "frozenset") or (module.startswith("perfmod.") and "." not in name):
            found = super().find_class(module, name)
            if isinstance(found, type) and (found is frozenset or found.__module__.startswith("perfmod.")):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no fact")


class Cache:
    """What earlier runs with the same rules found out about one root."""

    def __init__(self, root: Path, folder: Path, rules: Sequence[Rule]) -> None:
        self._root = os.fspath(root)
        self._key = key_of(root, rules)
        self._path = folder / f"facts-{crc32(self._key.encode()):08x}"
        self._kept = read(self._path, self._key)
        self._unchanged: set[str] = set()
        self._current: dict[str, Stamp] = {}
        self._said: dict[str, Scanned] = {}
        self._read: dict[str, Stamp] = {}
        self._watched: dict[str, Stamp | None] = {}
        self._verdict: Verdict | None = None

    def look_ahead(self) -> Iterator[None]:
        """Look at the files of the last run, so that `known` need not: while git still looks for files.

        Pauses every millisecond or two, for what the caller has to see to.
        """
        for number, (path, stamp) in enumerate(self._kept.stamps.items()):
            if stamp_of(self._root, path) == stamp:
                self._unchanged.add(path)
            if not number % 500:
                yield

    def known(self, paths: Sequence[str]) -> tuple[dict[str, Scanned], list[str]]:
        """What those of the files said that have not changed since, and which of them are to be read."""
        stamps, unchanged = self._kept.stamps, self._unchanged
        unknown = []
        for path in paths:
            stamp = stamps[path] if path in unchanged else stamp_of(self._root, path)
            if stamp is not None and stamp == stamps.get(path):
                self._current[path] = stamp
                continue
            unknown.append(path)
            if stamp is not None and stamp != ABSENT:
                self._read[path] = stamp
        self._said = {path: said for path, said in self._kept.said.items() if path in self._current}
        return dict(self._said), unknown

    def put(self, path: str, scanned: Scanned | None) -> None:
        """Remember what a file said, as it stood when `known` was asked for it: None where no trigger fit."""
        stamp = self._read.get(path)
        if stamp is None or is_racy(stamp) or (scanned is not None and scanned.skipped is not None):
            return
        self._current[path] = stamp
        if scanned is not None:
            self._said[path] = scanned

    def watch(self, path: str) -> None:
        """Note that judging is about to read a file."""
        if path not in self._current and path not in self._watched:
            self._watched[path] = stamp_of(self._root, path)

    def verdict(self, files: Sequence[str], relevant: Sequence[str]) -> Verdict | None:
        """What judging said of just these files, if it would say the same again."""
        known = self._kept.verdict
        if known is None or self._current != self._kept.stamps or len(relevant) != len(self._current):
            return None
        if known.files != names_digest(files) or any(
            stamp_of(self._root, path) != was for path, was in known.watched.items()
        ):
            return None
        return known

    def put_verdict(
        self, files: Sequence[str], findings: Iterable[Finding], notes: Iterable[Note], relevant: Sequence[str]
    ) -> None:
        """Remember what judging said, unless a file that it depends on could change without its stamp."""
        watched = {path: stamp for path, stamp in self._watched.items() if stamp is not None and not is_racy(stamp)}
        if len(watched) == len(self._watched) and len(relevant) == len(self._current):
            self._verdict = Verdict(names_digest(files), watched, tuple(findings), tuple(notes))

    def save(self) -> None:
        """Write the cache, whole or not at all. One that can't be written is none."""
        if self._verdict is None and self._current == self._kept.stamps:
            return
        from tempfile import mkstemp

        # names and stamps in one piece each: as many small ones take ten times as long to read
        stamps = array("q", chain.from_iterable(self._current.values())).tobytes()
        content = (self._key, "\0".join(self._current), stamps, self._said, self._verdict)
        folder = self._path.parent
        with suppress(OSError):
            if not folder.exists():
                folder.mkdir(parents=True)
                (folder / ".gitignore").write_text("*\n")
            descriptor, name = mkstemp(prefix=".facts-", dir=folder)
            try:
                with open(descriptor, "wb") as file:
                    file.write(sealed(pickle.dumps(content, protocol=5)))
                os.replace(name, self._path)
            except BaseException:
                os.unlink(name)
                raise


SEAL = 4  # bytes


def sealed(content: bytes) -> bytes:
    """What is written: a file that a disk has damaged may well be read, and say something else."""
    return seal_of(content) + content


def seal_of(content: bytes | memoryview) -> bytes:
    return crc32(content).to_bytes(SEAL, "big")


def names_digest(files: Sequence[str]) -> bytes:
    """Made in pieces: megabytes of fresh memory would cost more than the digest."""
    pieces = (files[start : start + 1_000] for start in range(0, len(files), 1_000))
    return digest_of(os.fsencode("\0".join((*piece, ""))) for piece in pieces)


def stamp_of(top: str, path: str) -> Stamp | None:
    """The stamp of a file, also of one that is not there; None where none can be trusted, as of a link."""
    try:
        status = os.lstat(f"{top}/{path}")
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    except OSError:
        return None
    return (status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None


def is_racy(stamp: Stamp) -> bool:
    """Whether a file that was read after it got this stamp may have changed again without a new one."""
    return time.time_ns() - stamp[1] <= RACY


# What reading, unpickling and unpacking may raise where a file is not there, or is none of ours.
BROKEN = (
    *(OSError, EOFError, pickle.UnpicklingError, AttributeError, ImportError, IndexError),
    *(OverflowError, TypeError, ValueError),
)


def read(path: Path, key: str) -> Kept:
    """What a cache file holds. Nothing where there is none, where it is broken, and where its key is another."""
    try:
        whole = read_regular(path)
        if not whole.startswith(seal_of(memoryview(whole)[SEAL:])):
            return Kept()
        content = io.BytesIO(whole)
        content.seek(SEAL)
        found_key, names, numbers, said, verdict = FactUnpickler(content).load()
        if found_key != key:
            return Kept()
        values = array("q", numbers)
        stamps = dict(zip(names.split("\0"), zip(values[::2], values[1::2], strict=True), strict=True))
    except BROKEN:
        return Kept()
    is_whole = isinstance(said, dict) and isinstance(verdict, Verdict | None)
    return Kept(stamps, said, verdict) if is_whole else Kept()


def key_of(root: Path, rules: Sequence[Rule]) -> str:
    """What the facts of a file depend on, besides the file."""
    options = [(type(rule).__module__, repr(getattr(rule, "options", None))) for rule in rules]
    return repr((os.fspath(root), __version__, sys.version_info[:2], code_stamp(), options))


def git_folder(root: Path) -> Path | None:
    """perfmod's folder in the git directory of a checkout that this root is in. None also where a link leads there."""
    own = next((folder / ".git/perfmod" for folder in (root, *root.parents) if (folder / ".git").is_dir()), None)
    return None if own is None or own.is_symlink() or own.parent.is_symlink() else own


def code_stamp() -> int:
    """Changes whenever perfmod's own code does, so that a developer never sees yesterday's facts."""
    package = Path(__file__).parent
    if INSTALLED.isdisjoint(package.parts):
        return max(
            entry.stat().st_mtime_ns
            for folder, _, _ in os.walk(package)
            for entry in os.scandir(folder)
            if entry.name.endswith(".py")
        )
    return os.stat(__file__).st_mtime_ns  # an installer writes all files anew
