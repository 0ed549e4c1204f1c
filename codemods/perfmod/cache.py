"""The cache of facts: what each file said when it was last read. Findings are not cached, they depend on other files.

An entry holds while the file's size and modification time are the same. A file that changed in the last two seconds
before it was read gets none: its time stamp could stand for two contents ("racy git", git's technical documentation).
The whole cache is for one version of perfmod, one set of rules and one set of options.
"""

from __future__ import annotations

import io
import os
import pickle
import stat
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from perfmod import __version__

if TYPE_CHECKING:
    from perfmod.rule import Rule
    from perfmod.scanning import Scanned

RACY = 2_000_000_000  # nanoseconds

Stamp = tuple[int, int]  # size, modification time in nanoseconds
Entry = tuple[int, int, "Scanned | None"]  # of a file: its stamp, and what it said


class FactUnpickler(pickle.Unpickler):
    """Reads perfmod's own plain data and nothing else, so that a forged cache can't run code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module == "builtins" and name == "frozenset") or (module.startswith("perfmod.") and "." not in name):
            found = super().find_class(module, name)
            if isinstance(found, type):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no fact")


class Cache:
    """The facts of earlier runs on one root, with the same rules."""

    def __init__(self, root: Path, folder: Path, rules: Sequence[Rule]) -> None:
        self._root = root
        self._key = key_of(root, rules)
        self._path = folder / f"facts-{crc32(self._key.encode()):08x}"
        self._entries = read(self._path, self._key)
        self._current: dict[str, Entry] = {}
        self._stamps: dict[str, Stamp] = {}

    def get(self, path: str) -> Entry | None:
        """What the cache holds of a file that has not changed since: its last item is None where no trigger fit."""
        try:
            status = os.lstat(f"{self._root}/{path}")
        except OSError:
            return None
        if not stat.S_ISREG(status.st_mode):
            return None  # what a link leads to can change without it
        self._stamps[path] = (status.st_size, status.st_mtime_ns)
        entry = self._entries.get(path)
        if entry is None or self._stamps[path] != entry[:2]:
            return None
        self._current[path] = entry
        return entry

    def put(self, path: str, scanned: Scanned | None) -> None:
        """Remember what a file said, as it stood when `get` was asked for it."""
        stamp = self._stamps.get(path)
        if stamp is not None and time.time_ns() - stamp[1] > RACY and (scanned is None or scanned.skipped is None):
            self._current[path] = (*stamp, scanned)

    def save(self) -> None:
        """Write the cache, whole or not at all. One that can't be written is none."""
        if self._current == self._entries:
            return
        folder = self._path.parent
        with suppress(OSError):
            if not folder.exists():
                folder.mkdir(parents=True)
                (folder / ".gitignore").write_text("*\n")
            descriptor, name = tempfile.mkstemp(prefix=".facts-", dir=folder)
            try:
                with open(descriptor, "wb") as file:
                    pickle.dump((self._key, self._current), file, protocol=5)
                os.replace(name, self._path)
            except BaseException:
                os.unlink(name)
                raise


def read(path: Path, key: str) -> dict[str, Entry]:
    """The entries of a cache file. Empty where there is none, where it is broken, and where its key is another."""
    try:
        found_key, entries = FactUnpickler(io.BytesIO(path.read_bytes())).load()
    except (OSError, pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, TypeError, ValueError):
        return {}
    return entries if found_key == key and isinstance(entries, dict) else {}


def key_of(root: Path, rules: Sequence[Rule]) -> str:
    """What the facts of a file depend on, besides the file."""
    options = [(type(rule).__module__, repr(getattr(rule, "options", None))) for rule in rules]
    return repr((os.fspath(root), __version__, sys.version_info[:2], code_stamp(), options))


def git_folder(root: Path) -> Path | None:
    """perfmod's folder in the git directory of a checkout that this root is in."""
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").is_dir()), None)
    return None if top is None else top / ".git" / "perfmod"


def code_stamp() -> int:
    """Changes whenever perfmod's own code does, so that a developer never sees yesterday's facts."""
    package = Path(__file__).parent
    return max(
        entry.stat().st_mtime_ns
        for folder in (package, *(package / name for name in ("rules", "source", "project")))
        for entry in os.scandir(folder)
        if entry.name.endswith(".py")
    )
