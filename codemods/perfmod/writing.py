"""The write stage: all changes of a finding or none, each file old or new, whatever happens in between."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from perfmod.errors import PerfmodError
from perfmod.git import GitFailed
from perfmod.journal import CannotWrite, Entry, Journal, Phase, journal_path, load, make_journal
from perfmod.model import Change, Skipped
from perfmod.reading import read_regular
from perfmod.store import Store, describe, locate, locked, reason_of, uncommitted
from perfmod.values import dataclass

# A file that turns out to be unwritable is left, and the others are tried again; this often.
ATTEMPTS = 5
DISK_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the changes."""

    written: tuple[Change, ...] = ()
    skipped: tuple[Skipped, ...] = ()  #: changes that were left, and why
    refused: str | None = None  #: why nothing was written


def recover(root: Path) -> list[str]:
    """Finish or undo the write of an earlier run that was killed. Returns what was done, a line each.

    Raises PerfmodError where another run is writing, or where that fails.
    """
    store = locate(root.resolve())
    is_left = any(journal_path(store, phase).exists() for phase in Phase) if store.in_git else store.folder.exists()
    if not is_left:
        return []
    try:
        with locked(store):
            return resume(store)
    except OSError as error:
        raise PerfmodError(f"what an interrupted run left can't be undone: {describe(error)}") from error


def write(
    root: Path,
    changes: Sequence[Change],
    groups: Iterable[Collection[str]] | None = None,
    *,
    allow_dirty: bool,
    allow_staged: bool = False,
) -> Outcome:
    """Write `changes` below `root`.

    `groups` are paths that belong together, one group for each finding; None: all of them do.
    A file that can't be written, or changed since it was read, is left with all that belongs to it.
    Raises PerfmodError where another run is writing, or where a failed write can't be undone.
    """
    store = locate(root.resolve())
    together = [frozenset(change.path for change in changes)] if groups is None else [frozenset(g) for g in groups]
    try:
        with locked(store):
            resume(store)
            return write_locked(store, changes, together, allow_dirty, allow_staged)
    except OSError as error:
        return Outcome(refused=f"{describe(error)}; nothing was written")


def write_locked(
    store: Store, changes: Sequence[Change], groups: Sequence[frozenset[str]], allow_dirty: bool, allow_staged: bool
) -> Outcome:
    failed: dict[str, str] = {}
    for _ in range(ATTEMPTS):
        targets = find_targets(store.root, changes, failed)
        left = failed | dependents(failed, changes, groups)
        ready = [change for change in changes if change.path not in left]
        skipped = tuple(Skipped(path, reason) for path, reason in sorted(left.items()))
        if not ready:
            return Outcome((), skipped, nothing_written(failed) if failed else None)
        try:
            edited = uncommitted(store, {targets[change.path] for change in ready})
            in_the_way = uncommitted(store, edited, unstaged=True) if allow_staged else edited
        except GitFailed as error:
            if not allow_dirty:
                return Outcome((), skipped, f"git can't say what has uncommitted edits: {error}; see --allow-dirty")
            edited = in_the_way = set(targets.values())
        if in_the_way and not allow_dirty:
            return Outcome((), skipped, refusal(in_the_way))
        reasons = replace_files(store, {targets[change.path]: change for change in ready}, edited)
        if not reasons:
            return Outcome(tuple(ready), skipped)
        failed |= {change.path: reasons[targets[change.path]] for change in ready if targets[change.path] in reasons}
    return Outcome((), skipped, nothing_written(failed))


def find_targets(root: Path, changes: Iterable[Change], failed: dict[str, str]) -> dict[str, str]:
    """The file of each change that has not failed, links resolved, relative to the root.

    Adds to `failed` what can't be written, and why.
    """
    targets: dict[str, str] = {}
    owners: dict[str, Change] = {}
    for change in changes:
        if change.path in failed:
            continue
        try:
            target = find_target(root, change)
        except CannotWrite as error:
            failed[change.path] = error.reason
            continue
        except (OSError, RuntimeError) as error:
            failed[change.path] = reason_of(error) if isinstance(error, OSError) else "a link that leads to itself"
            continue
        owner = owners.setdefault(target, change)
        if owner.after == change.after:
            targets[change.path] = target
        else:
            failed[change.path] = f"the same file as {owner.path}, which gets other edits: run perfmod again"
    return targets


def find_target(root: Path, change: Change) -> str:
    """The file that a change is for. Raises CannotWrite or OSError where it is not as it was when it was read."""
    path = root / change.path
    if change.before is None:
        target = path.parent.resolve() / path.name
        if os.path.lexists(target):
            raise CannotWrite(change.path, "was created by someone else meanwhile: run perfmod again")
    else:
        target = path.resolve(strict=True)
    if not target.is_relative_to(root):
        raise CannotWrite(change.path, "a link that leaves the root")
    relative = target.relative_to(root)
    if ".git" in relative.parts:
        raise CannotWrite(change.path, "a link into the git directory")
    if change.before is not None:
        if not stat.S_IMODE(target.stat().st_mode) & 0o222:
            raise CannotWrite(change.path, "the file is read-only")
        if read_regular(target) != change.before:
            raise CannotWrite(change.path, "changed since it was read: run perfmod again")
    return relative.as_posix()


def dependents(
    failed: Mapping[str, str], changes: Iterable[Change], groups: Iterable[frozenset[str]]
) -> dict[str, str]:
    """What has to be left because of what failed, and why.

    A modified file holds the edits of all its groups, so it needs them all. A new one is a helper module: it is of use
    as long as one of its groups is written.
    """
    groups_of: dict[str, list[frozenset[str]]] = {}
    for group in groups:
        for path in group:
            groups_of.setdefault(path, []).append(group)
    causes = {path: path for path in failed}
    waiting = [change for change in changes if change.path not in failed and change.path in groups_of]
    settled = False
    while not settled:
        settled = True
        for change in waiting:
            own = groups_of[change.path]
            lost = [group for group in own if not causes.keys().isdisjoint(group)]
            if change.path not in causes and lost and (change.before is not None or len(lost) == len(own)):
                causes[change.path] = causes[min(lost[0] & causes.keys())]
                settled = False
    return {p: f"belongs together with {cause}, which was left" for p, cause in causes.items() if p not in failed}


def replace_files(store: Store, changes: Mapping[str, Change], edited: Collection[str]) -> dict[str, str]:
    """Write every change to the file that it is for, or none. Returns why none: what can't be written, and the reason.

    `edited` have uncommitted edits that are not perfmod's. Raises OSError where the disk is full or the journal can't
    be written, PerfmodError where undoing fails; the journal then stays.
    """
    journal = make_journal(store, changes, edited)
    try:
        failed = journal.lay_down({path: change.after for path, change in changes.items()})
        for path, error in failed.items():
            if error.errno in DISK_FULL:
                raise OSError(error.errno, error.strerror, path)
        if not failed:
            journal.move(Phase.FINISH)
            journal.finish()
            journal.move(Phase.SWEEP)
    except CannotWrite as error:
        roll_back(journal)
        return {error.path: error.reason}
    except BaseException:
        roll_back(journal)
        raise
    if failed:
        roll_back(journal)
    else:
        with suppress(OSError):  # the next run settles it
            journal.settle()
    return {path: reason_of(error) for path, error in failed.items()}


def roll_back(journal: Journal) -> None:
    """Undo a write that failed. Raises PerfmodError for what stays."""
    left = undo(journal)
    if left:
        raise PerfmodError(f"{left[0]} was edited while perfmod wrote, and the rest was undone: look at it")


def undo(journal: Journal) -> list[str]:
    """Put everything back. Returns the files that were edited since; raises PerfmodError where the journal stays."""
    try:
        return journal.undo()
    except OSError as error:
        what = f"a write can't be undone: {describe(error)}"
        raise PerfmodError(f"{what}; mend that, then run perfmod apply again") from error


def resume(store: Store) -> list[str]:
    """Finish or undo what a killed run left. Returns what was done. Call it with the lock held."""
    for half in store.folder.glob("*.new"):
        half.unlink()
    done: list[str] = []
    for phase in Phase:
        journal = load(store, phase)
        if journal is not None:
            done += resume_one(journal, phase)
    return done


def resume_one(journal: Journal, phase: Phase) -> list[str]:
    """Finish one journal if everything is as it was left, else undo it."""
    if phase is Phase.FINISH:
        try:
            journal.finish()
            journal.move(Phase.SWEEP)
        except CannotWrite:
            phase = Phase.UNDO
    if phase is Phase.UNDO:
        edited = [f"{path} was edited after an interrupted run had changed it: look at it" for path in undo(journal)]
        return [f"undid an interrupted run: {count(journal.entries)}", *edited]
    journal.settle()
    return [f"finished an interrupted run: {count(journal.entries)}"]


def count(entries: Sequence[Entry]) -> str:
    return "1 file" if len(entries) == 1 else f"{len(entries)} files"


def nothing_written(failed: Mapping[str, str]) -> str:
    path, reason = min(failed.items())
    return f"{path}: {reason}; nothing was written"


def refusal(edited: Collection[str]) -> str:
    shown = ", ".join(sorted(edited)[:3])
    more = f" and {len(edited) - 3} more" if len(edited) > 3 else ""
    return f"uncommitted edits in {shown}{more}: commit or stash them, or use --allow-dirty"
