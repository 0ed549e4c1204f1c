"""The journal of a write: which files are being replaced, so that any later run can finish or undo it.

New texts are laid down beside their files, with a backup (a hard link) of what they replace. After that come only
renames, forwards or back, so undoing needs no space. The journal's name says what whoever finds it has to do:

    journal.undo     not everything was laid down, or something failed: put back what was replaced, remove the rest
    journal.finish   everything is laid down: rename what is left into place
    journal.sweep    everything is in place: remove the backups
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from collections import deque
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from threading import Thread

from perfmod.errors import PerfmodError
from perfmod.model import Change
from perfmod.patterns import pattern
from perfmod.reading import read_regular
from perfmod.store import Store, digest, reason_of, remember, sync_folders, write_file, write_whole
from perfmod.values import dataclass

# What lies beside the files has short names: that of the file may fill the limit.
STEM = pattern(r"\.perfmod-[0-9a-f]{8}-[0-9]+\Z")
NOT_A_FILE = "not a file"  # stands where a digest would; equals none

# Waiting for the disk is most of a write, and a file system can wait for several files at once.
WRITERS = 16


class Phase(StrEnum):
    """What whoever finds the journal does next."""

    UNDO = "undo"
    FINISH = "finish"
    SWEEP = "sweep"


class CannotWrite(Exception):
    """A file that can't be replaced, and why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that is being replaced or created."""

    path: str  #: relative to the root; links are resolved
    stem: str  #: name of what lies beside it: .new is the text to come, .old is what it replaces
    before: str | None  #: digest; None: there was no file
    after: str
    own: bool  #: whether all its uncommitted edits will be perfmod's


@dataclass(frozen=True, slots=True)
class Journal:
    """One write: `lay_down`, `finish`, `sweep` with `move` in between; `undo` at any time before `move(SWEEP)`."""

    store: Store
    entries: tuple[Entry, ...]  #: new files first
    folders: tuple[str, ...] = ()  #: that are made for new files, outer first

    def target(self, entry: Entry) -> Path:
        return self.store.root / entry.path

    def beside(self, entry: Entry, suffix: str) -> Path:
        return self.target(entry).with_name(entry.stem + suffix)

    def lay_down(self, texts: Mapping[str, bytes]) -> dict[str, OSError]:
        """Write the journal, then every new text and backup. Returns what failed, by path.

        Raises OSError where the journal can't be written.
        """
        self.save()
        for folder in self.folders:
            with suppress(OSError):  # the file that goes there will fail, and say why
                (self.store.root / folder).mkdir()

        waiting = deque(self.entries)
        failed: dict[str, OSError] = {}
        broken: list[BaseException] = []

        def work() -> None:
            with suppress(IndexError):  # none is waiting
                while not broken:
                    entry = waiting.popleft()
                    try:
                        self.lay_down_one(entry, texts[entry.path])
                    except OSError as error:
                        failed[entry.path] = error
                    except BaseException as error:
                        broken.append(error)

        threads = start_threads(work, min(WRITERS, len(self.entries)) - 1)
        work()
        for thread in threads:
            thread.join()
        if broken:
            raise broken[0]
        self.sync()
        return {e.path: failed[e.path] for e in self.entries if e.path in failed}

    def lay_down_one(self, entry: Entry, text: bytes) -> None:
        """Put the new text and the backup beside one file. Raises OSError."""
        target = self.target(entry)
        if entry.before is None:
            write_file(self.beside(entry, ".new"), text)
            return
        status = target.stat()
        write_file(self.beside(entry, ".new"), text, like=status)
        backup = self.beside(entry, ".old")
        try:
            os.link(target, backup)
        except OSError:  # no hard links here, or the file is another user's
            write_file(backup, target.read_bytes(), like=status)

    def finish(self) -> None:
        """Rename everything into place that is not there yet. Raises CannotWrite where a file is not as it was."""
        for entry in self.entries:
            target, new = self.target(entry), self.beside(entry, ".new")
            try:
                now = digest_of(target)
                if not new.exists():
                    if now == entry.before:
                        raise CannotWrite(entry.path, "was put back by hand")
                elif now == entry.before:
                    new.replace(target)
                elif now != entry.after:
                    raise CannotWrite(entry.path, "changed since it was read: run perfmod again")
            except OSError as error:
                raise CannotWrite(entry.path, reason_of(error)) from error
        self.sync()

    def undo(self) -> list[str]:
        """Put everything back, and remove the journal. Returns the files that were edited since, which stay.

        Raises OSError where that fails; the journal then stays.
        """
        self.move(Phase.UNDO)
        left: list[str] = []
        for entry in reversed(self.entries):
            target, backup = self.target(entry), self.beside(entry, ".old")
            if self.beside(entry, ".new").exists():
                continue
            now = digest_of(target)
            if entry.before is None:
                if now == entry.after and not left:  # what is left may need it
                    target.unlink()
            elif now == entry.after and backup.exists():
                backup.replace(target)
            elif now == entry.after or (backup.exists() and now != entry.before):
                left.append(entry.path)
        self.sync()
        self.sweep()
        return left

    def settle(self) -> None:
        """The end of a write that came into place: remember what it wrote, and sweep. Raises OSError."""
        with suppress(OSError):  # at worst, the next run wants --allow-dirty
            remember(self.store, {entry.path: entry.after for entry in self.entries if entry.own})
        self.sweep()

    def sweep(self) -> None:
        """Remove what lies beside the files, folders that were made and are empty, and the journal."""
        for entry in self.entries:
            for suffix in (".new", ".old"):
                with suppress(FileNotFoundError, NotADirectoryError):
                    self.beside(entry, suffix).unlink()
        for folder in reversed(self.folders):
            with suppress(OSError):
                (self.store.root / folder).rmdir()
        for phase in Phase:
            journal_path(self.store, phase).unlink(missing_ok=True)
        sync_folders([self.store.folder])

    def move(self, phase: Phase) -> None:
        """Say what whoever finds the journal has to do from now on."""
        for other in Phase:
            if other is not phase and journal_path(self.store, other).exists():
                journal_path(self.store, other).replace(journal_path(self.store, phase))
        sync_folders([self.store.folder])

    def sync(self) -> None:
        """Make the names in every folder last."""
        folders = {self.target(entry).parent for entry in self.entries}
        sync_folders(folders | {(self.store.root / folder).parent for folder in self.folders})

    def save(self) -> None:
        """Write the journal: whoever finds it undoes. Raises OSError."""
        entries = [asdict(entry) for entry in self.entries]
        data = {"prefix": self.store.prefix, "entries": entries, "folders": self.folders}
        write_whole(journal_path(self.store, Phase.UNDO), json.dumps(data).encode())


def make_journal(store: Store, changes: Mapping[str, Change], edited: Collection[str]) -> Journal:
    """The journal of changes, by the file that each is for. `edited` have uncommitted edits that are not perfmod's."""
    token = secrets.token_hex(4)
    entries = []
    folders: set[str] = set()
    for number, (path, change) in enumerate(sorted(changes.items(), key=lambda item: item[1].before is not None)):
        before = None if change.before is None else digest(change.before)
        entries.append(Entry(path, f".perfmod-{token}-{number}", before, digest(change.after), path not in edited))
        if before is None:
            folders.update(folder.as_posix() for folder in Path(path).parents if not (store.root / folder).exists())
    return Journal(store, tuple(entries), tuple(sorted(folders)))


def journal_path(store: Store, phase: Phase) -> Path:
    return store.folder / f"journal.{phase}"


def load(store: Store, phase: Phase) -> Journal | None:
    """The journal that an earlier run left in this phase. Raises PerfmodError for one that can't be used."""
    path = journal_path(store, phase)
    try:
        data = json.loads(read_regular(path))
        root = (store.top / data["prefix"]).resolve()
        entries = tuple(Entry(**entry) for entry in data["entries"])
        journal = Journal(replace(store, root=root, prefix=data["prefix"]), entries, tuple(data["folders"]))
        paths = (*(entry.path for entry in entries), *journal.folders)
        is_ours = all(STEM.match(entry.stem) for entry in entries) and all(is_inside(root, path) for path in paths)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, RecursionError):
        is_ours = False
    if not is_ours:
        raise PerfmodError(f"{path} is not a journal that perfmod wrote: look at it, then remove it")
    if not root.is_relative_to(store.root):
        raise PerfmodError(f"an earlier run was interrupted: run `perfmod apply {root}` first")
    return journal


def is_inside(root: Path, path: str) -> bool:
    """Whether a relative path stays below the root, with the links in its folders resolved."""
    return ".." not in Path(path).parts and (root / path).parent.resolve().is_relative_to(root)


def digest_of(path: Path) -> str | None:
    """The digest of a file. None where there is nothing."""
    try:
        is_file = stat.S_ISREG(path.lstat().st_mode)
        return digest(path.read_bytes()) if is_file else NOT_A_FILE
    except (FileNotFoundError, NotADirectoryError):
        return None


def start_threads(work: Callable[[], None], number: int) -> list[Thread]:
    """So many threads, or as many as there is room for."""
    threads: list[Thread] = []
    with suppress(RuntimeError):
        for _ in range(number):
            thread = Thread(target=work)
            thread.start()
            threads.append(thread)
    return threads
