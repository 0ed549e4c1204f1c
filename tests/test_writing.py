"""The write stage: all or nothing, whatever happens in between."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import random
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from perfmod import journal, store
from perfmod.cli import exit_code_of
from perfmod.errors import PerfmodError
from perfmod.journal import Phase, make_journal
from perfmod.model import Change
from perfmod.store import locate, locked, write_file
from perfmod.writing import Outcome, recover, write

OLD = {"app/main.py": b"old main\n", "app/jobs.py": b"old jobs\r\n", "web/package.json": b"{}\n"}
HELPER = "app/tools/deep/background_tasks.py"
NEW = {path: data.replace(b"old", b"new") + b"more\n" for path, data in OLD.items()} | {HELPER: b"helper\n"}
CHANGES = tuple(Change(path, OLD.get(path), data) for path, data in NEW.items())
MAIN, JOBS, PACKAGE, _ = CHANGES
APART: list[frozenset[str]] = []


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout outside git."""
    root = tmp_path / "checkout"
    fill(root)
    return root


@pytest.fixture
def repository(root: Path) -> Path:
    """The same, committed."""
    commit(root)
    return root


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Don't wait for the disk: a killed process loses nothing that was written."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def fill(root: Path) -> None:
    for path, data in OLD.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", *identity, "-c", "protocol.file.allow=always", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def commit(root: Path) -> None:
    if not (root / ".git").exists():
        git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "all", "--allow-empty")


def tree(root: Path) -> dict[str, bytes | None]:
    """Everything in the work tree; folders are None."""
    found = (path for path in root.rglob("*") if ".git" not in path.relative_to(root).parts)
    return {path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None for path in found}


FOLDERS = {"app": None, "web": None}
ALL_OLD = {**OLD, **FOLDERS}
ALL_NEW = {**NEW, **FOLDERS, "app/tools": None, "app/tools/deep": None}


def reasons(outcome: Outcome) -> dict[str, str]:
    return {skipped.path: skipped.reason for skipped in outcome.skipped}


# What is written


def test_everything_is_written_and_nothing_else_is_left(root: Path) -> None:
    outcome = write(root, CHANGES, allow_dirty=False)
    assert outcome == Outcome(CHANGES)
    assert tree(root) == ALL_NEW


def test_no_changes(root: Path) -> None:
    assert write(root, [], allow_dirty=False) == Outcome()
    assert tree(root) == ALL_OLD


def test_new_files_come_first(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    real = os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append(Path(b).relative_to(root).as_posix()), real(a, b)))
    write(root, CHANGES, allow_dirty=False)
    targets = [path for path in order if path in NEW]
    assert targets[0] == HELPER
    assert sorted(targets) == sorted(NEW)


def test_mode_is_kept_and_a_new_file_gets_that_of_the_umask(root: Path) -> None:
    (root / MAIN.path).chmod(0o751)
    umask = os.umask(0o027)
    try:
        write(root, CHANGES, allow_dirty=False)
    finally:
        os.umask(umask)
    assert stat.S_IMODE((root / MAIN.path).stat().st_mode) == 0o751
    assert stat.S_IMODE((root / HELPER).stat().st_mode) == 0o640


def test_owner_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "chown", lambda path, uid, gid: given.append((uid, gid)))
    status = list(tmp_path.stat())
    status[stat.ST_UID] += 7
    write_file(tmp_path / "file", b"", like=os.stat_result(status))
    assert given == [(status[stat.ST_UID], status[stat.ST_GID])]


def test_a_file_whose_owner_can_not_be_kept_is_left(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = write_file

    def write_as_someone_else(path: Path, data: bytes, *, like: os.stat_result | None = None) -> None:
        real(path, data, like=like)
        if path.parent.name == "web":
            raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(journal, "write_file", write_as_someone_else)
    outcome = write(root, [MAIN, PACKAGE], APART, allow_dirty=False)
    assert outcome.written == (MAIN,)
    assert reasons(outcome) == {PACKAGE.path: "Operation not permitted"}
    assert tree(root) == {**ALL_OLD, MAIN.path: MAIN.after}


def test_a_long_name(root: Path) -> None:
    name = "n" * 252 + ".py"
    (root / name).write_bytes(b"old")
    assert write(root, [Change(name, b"old", b"new")], allow_dirty=False).written
    assert (root / name).read_bytes() == b"new"


# Links


def test_a_link_stays_and_its_target_changes(root: Path) -> None:
    (root / "link.py").symlink_to("app/main.py")
    write(root, [Change("link.py", MAIN.before, MAIN.after)], allow_dirty=False)
    assert (root / "link.py").readlink() == Path("app/main.py")
    assert (root / "app/main.py").read_bytes() == MAIN.after


def test_a_file_and_its_link_with_the_same_edit(root: Path) -> None:
    (root / "link.py").symlink_to("app/main.py")
    outcome = write(root, [Change("link.py", MAIN.before, MAIN.after), MAIN], allow_dirty=False)
    assert len(outcome.written) == 2


def test_a_file_and_its_link_with_different_edits(root: Path) -> None:
    (root / "link.py").symlink_to("app/main.py")
    outcome = write(root, [MAIN, Change("link.py", MAIN.before, b"other")], APART, allow_dirty=False)
    assert outcome.written == (MAIN,)
    assert "the same file as app/main.py" in reasons(outcome)["link.py"]


@pytest.mark.parametrize("target", ["../outside.py", "loop.py", "missing.py", ".git/hooks.py"])
def test_a_link_that_can_not_be_followed(root: Path, target: str) -> None:
    (root / ".git").mkdir()
    for path in (root.parent / "outside.py", root / ".git/hooks.py"):
        path.write_bytes(b"old")
    (root / "loop.py").symlink_to("loop.py")
    if target != "loop.py":
        (root / "link.py").symlink_to(target)
    path = "loop.py" if target == "loop.py" else "link.py"
    outcome = write(root, [Change(path, b"old", b"new")], allow_dirty=True)
    assert not outcome.written
    assert list(reasons(outcome)) == [path]
    assert (root.parent / "outside.py").read_bytes() == b"old" == (root / ".git/hooks.py").read_bytes()


def test_a_new_file_in_a_folder_that_leaves_the_root(root: Path) -> None:
    (root.parent / "outside").mkdir()
    (root / "away").symlink_to("../outside")
    outcome = write(root, [Change("away/new.py", None, b"new")], allow_dirty=False)
    assert outcome.refused == "away/new.py: a link that leaves the root; nothing was written"
    assert not list((root.parent / "outside").iterdir())


def test_a_hard_link_outside_of_the_root_keeps_its_text(root: Path) -> None:
    outside = root.parent / "outside.py"
    outside.hardlink_to(root / MAIN.path)
    write(root, [MAIN], allow_dirty=False)
    assert outside.read_bytes() == MAIN.before


# What is left


def test_a_file_that_changed_is_left_with_all_that_belongs_to_it(root: Path) -> None:
    (root / MAIN.path).write_bytes(b"edited")
    groups = [frozenset({MAIN.path, HELPER}), frozenset({JOBS.path, HELPER}), frozenset({PACKAGE.path, MAIN.path})]
    outcome = write(root, CHANGES, groups, allow_dirty=False)
    assert {change.path for change in outcome.written} == {JOBS.path, HELPER}
    assert reasons(outcome) == {
        MAIN.path: "changed since it was read: run perfmod again",
        PACKAGE.path: "belongs together with app/main.py, which was left",
    }
    assert outcome.refused is None
    assert tree(root) == {**ALL_NEW, MAIN.path: b"edited", PACKAGE.path: PACKAGE.before}


def test_a_file_is_left_when_the_helper_of_one_of_its_findings_is(root: Path) -> None:
    """Its text holds the edits of both findings, so it can't be written for the other one alone."""
    (root / HELPER).parent.mkdir(parents=True)
    (root / HELPER).write_bytes(b"mine")
    groups = [frozenset({MAIN.path, HELPER}), frozenset({MAIN.path}), frozenset({JOBS.path})]
    outcome = write(root, CHANGES[:2] + CHANGES[3:], groups, allow_dirty=False)
    assert outcome.written == (JOBS,)
    assert list(reasons(outcome)) == [MAIN.path, HELPER]
    assert (root / HELPER).read_bytes() == b"mine"


def test_a_new_file_that_nothing_needs_any_more_is_left(root: Path) -> None:
    (root / MAIN.path).unlink()
    outcome = write(root, CHANGES[::3], [frozenset({MAIN.path, HELPER})], allow_dirty=False)
    assert outcome.refused == "app/main.py: No such file or directory; nothing was written"
    assert not (root / "app/tools").exists()


def test_without_groups_everything_belongs_together(root: Path) -> None:
    (root / MAIN.path).write_bytes(b"edited")
    outcome = write(root, CHANGES, allow_dirty=False)
    assert not outcome.written
    assert outcome.refused
    assert tree(root) == {**ALL_OLD, MAIN.path: b"edited"}


def test_a_file_that_changes_while_others_are_written(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = journal.Journal.move

    def edit_and_move(self: journal.Journal, phase: Phase) -> None:
        if phase is Phase.FINISH:
            (root / MAIN.path).write_bytes(b"edited")
        real(self, phase)

    monkeypatch.setattr(journal.Journal, "move", edit_and_move)
    outcome = write(root, CHANGES, [frozenset({MAIN.path}), frozenset({JOBS.path})], allow_dirty=False)
    assert MAIN not in outcome.written
    assert tree(root) == {**ALL_NEW, MAIN.path: b"edited"}


def test_a_file_that_is_edited_right_after_its_rename(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.replace

    def edit_and_fail(a: Path, b: Path) -> None:
        if Path(b) == root / JOBS.path:
            (root / MAIN.path).write_bytes(b"mine")
            raise DENIED
        real(a, b)

    monkeypatch.setattr(os, "replace", edit_and_fail)
    with pytest.raises(PerfmodError, match=r"app/main\.py was edited while perfmod wrote"):
        write(root, CHANGES, allow_dirty=False)
    assert tree(root) == {**ALL_NEW, **OLD, MAIN.path: b"mine"}


def test_a_read_only_file_is_left(root: Path) -> None:
    (root / MAIN.path).chmod(0o444)
    outcome = write(root, [MAIN, JOBS], APART, allow_dirty=False)
    assert outcome.written == (JOBS,)
    assert reasons(outcome) == {MAIN.path: "the file is read-only"}


def test_a_vanished_folder(root: Path) -> None:
    (root / "web/package.json").unlink()
    (root / "web").rmdir()
    outcome = write(root, CHANGES, APART, allow_dirty=False)
    assert reasons(outcome) == {PACKAGE.path: "No such file or directory"}
    assert not (root / "web").exists()


def test_a_file_stands_where_a_folder_should(root: Path) -> None:
    (root / "app/tools").write_bytes(b"")
    outcome = write(root, CHANGES, APART, allow_dirty=False)
    assert reasons(outcome) == {HELPER: "Not a directory"}
    assert tree(root) == {**ALL_OLD, **{c.path: c.after for c in (MAIN, JOBS, PACKAGE)}, "app/tools": b""}


# Uncommitted edits


@pytest.mark.parametrize("state", ["modified", "staged", "untracked", "deleted"])
def test_uncommitted_edits_are_refused(repository: Path, state: str) -> None:
    path = repository / MAIN.path
    change = Change(MAIN.path, b"mine", b"fixed")
    if state == "untracked":
        git(repository, "rm", "-q", MAIN.path)
        git(repository, "commit", "-q", "-m", "gone")
        path.write_bytes(b"mine")
    elif state == "deleted":
        path.unlink()
        change = Change(MAIN.path, None, b"fixed")
    else:
        path.write_bytes(b"mine")
    if state == "staged":
        git(repository, "add", MAIN.path)
    before = tree(repository)
    outcome = write(repository, [change, JOBS], allow_dirty=False)
    assert outcome.refused == "uncommitted edits in app/main.py: commit or stash them, or use --allow-dirty"
    assert tree(repository) == before
    assert write(repository, [change, JOBS], allow_dirty=True).written == (change, JOBS)


def test_a_refusal_names_three_files(repository: Path) -> None:
    changes = [Change(f"{n}.py", b"x", b"y") for n in range(5)]
    for change in changes:
        (repository / change.path).write_bytes(b"x")
    refused = write(repository, changes, allow_dirty=False).refused
    assert refused and refused.startswith("uncommitted edits in 0.py, 1.py, 2.py and 2 more:")


def test_edits_elsewhere_and_ignored_files_are_no_reason(repository: Path) -> None:
    (repository / ".gitignore").write_bytes(b"ignored.py\n")
    commit(repository)
    (repository / "ignored.py").write_bytes(b"x")
    (repository / JOBS.path).write_bytes(b"mine")
    assert not write(repository, [MAIN, Change("ignored.py", b"x", b"y")], allow_dirty=False).refused


def test_the_edits_of_perfmod_itself_are_no_reason(repository: Path) -> None:
    assert write(repository, CHANGES, allow_dirty=False).written == CHANGES
    again = [Change(change.path, change.after, change.after + b"again\n") for change in CHANGES]
    assert len(write(repository, again, allow_dirty=False).written) == len(again)
    (repository / MAIN.path).write_bytes(b"mine")
    assert "app/main.py" in (write(repository, [Change(MAIN.path, b"mine", b"")], allow_dirty=False).refused or "")


def test_edits_that_were_allowed_do_not_become_those_of_perfmod(repository: Path) -> None:
    (repository / MAIN.path).write_bytes(b"mine")
    assert write(repository, [Change(MAIN.path, b"mine", b"both")], allow_dirty=True).written
    assert write(repository, [Change(MAIN.path, b"both", b"more")], allow_dirty=False).refused


def test_a_link_to_an_edited_file(repository: Path) -> None:
    (repository / "link.py").symlink_to("app/main.py")
    commit(repository)
    (repository / MAIN.path).write_bytes(b"mine")
    assert "app/main.py" in (write(repository, [Change("link.py", b"mine", b"")], allow_dirty=False).refused or "")


@pytest.mark.parametrize("paths_per_status", [0, 100])
def test_a_root_below_the_top_of_the_checkout(
    repository: Path, monkeypatch: pytest.MonkeyPatch, paths_per_status: int
) -> None:
    monkeypatch.setattr(store, "PATHS_PER_STATUS", paths_per_status)
    odd = repository / "app/[m] é*.py"
    odd.write_bytes(b"x")
    change = Change(odd.name, b"x", b"y")
    refused = write(repository / "app", [change, Change("main.py", MAIN.before, b"")], allow_dirty=False).refused
    assert refused and refused.startswith(f"uncommitted edits in {odd.name}:")
    commit(repository)
    assert write(repository / "app", [change], allow_dirty=False).written
    assert write(repository, [Change(f"app/{odd.name}", b"y", b"z")], allow_dirty=False).written


def test_a_submodule_is_asked_itself(repository: Path, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    fill(inner)
    commit(inner)
    git(repository, "submodule", "add", "-q", str(inner), "lib")
    commit(repository)
    change = Change("lib/app/main.py", MAIN.before, MAIN.after)
    assert write(repository, [change, JOBS], allow_dirty=False).written
    (repository / change.path).write_bytes(b"mine")
    assert change.path in (write(repository, [Change(change.path, b"mine", b"")], allow_dirty=False).refused or "")


def test_a_linked_work_tree(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "-q", str(tmp_path / "linked"))
    assert write(tmp_path / "linked", CHANGES, allow_dirty=False).written == CHANGES
    assert set(tree(tmp_path / "linked")) == set(ALL_NEW)
    assert not (repository / ".git/perfmod").exists()
    again = [Change(MAIN.path, MAIN.after, b"again")]
    assert write(tmp_path / "linked", again, allow_dirty=False).written


def test_a_broken_git_directory(root: Path) -> None:
    (root / ".git").write_text("gitdir: nowhere\n")
    assert "git can't say" in (write(root, CHANGES, allow_dirty=False).refused or "")
    assert write(root, CHANGES, allow_dirty=True).written
    assert tree(root) == ALL_NEW


# The lock and the store


@pytest.mark.parametrize("make", [lambda root: None, commit], ids=["outside git", "in git"])
def test_two_at_once(root: Path, make: Callable[[Path], None]) -> None:
    make(root)
    with locked(locate(root.resolve())):
        with pytest.raises(PerfmodError, match="another perfmod apply"):
            write(root, CHANGES, allow_dirty=False)
        if not (root / ".git").exists():
            with pytest.raises(PerfmodError, match="another perfmod apply"):
                recover(root)
    assert tree(root) == ALL_OLD
    assert write(root, CHANGES, allow_dirty=False).written


def test_the_store_can_not_be_made(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, mode: int = 0o777) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "mkdir", refuse)
    refused = write(root, CHANGES, allow_dirty=False).refused
    assert refused == f"{root / '.perfmod-journal'}: Permission denied; nothing was written"


def test_a_store_that_is_a_link_is_not_followed(root: Path) -> None:
    (root.parent / "outside").mkdir()
    (root / ".perfmod-journal").symlink_to("../outside")
    with pytest.raises(PerfmodError, match="is a link"):
        write(root, CHANGES, allow_dirty=False)
    assert not list((root.parent / "outside").iterdir())


def test_nothing_to_recover(repository: Path) -> None:
    assert recover(repository) == []
    assert not (repository / ".git/perfmod").exists()


# Failures in between


class Fault:
    """Stands for a function of `os` and raises at its n-th call."""

    def __init__(self, function: Callable[..., object], number: int, error: BaseException) -> None:
        self.function = function
        self.number = number
        self.error = error
        self.calls = itertools.count()
        self.raised = False

    def __call__(self, *arguments: object, **keywords: object) -> object:
        if next(self.calls) == self.number:
            self.raised = True
            raise self.error
        return self.function(*arguments, **keywords)


FULL = OSError(errno.ENOSPC, "No space left on device")
DENIED = PermissionError(errno.EACCES, "Permission denied")


@pytest.mark.parametrize("error", [FULL, DENIED, KeyboardInterrupt()], ids=["full", "denied", "interrupted"])
@pytest.mark.parametrize("name", ["open", "replace", "link", "mkdir", "chmod", "fsync", "unlink", "rename"])
def test_a_failure_at_any_call(root: Path, monkeypatch: pytest.MonkeyPatch, name: str, error: BaseException) -> None:
    for number in itertools.count():
        fault = Fault(getattr(os, name), number, error)
        written: tuple[Change, ...] | None = None
        with monkeypatch.context() as patch:
            patch.setattr(os, name, fault)
            with contextlib.suppress(KeyboardInterrupt, PerfmodError):
                written = write(root, CHANGES, allow_dirty=False).written
        if written is None:
            recover(root)
        now = tree(root)
        now.pop(".perfmod-journal", None)
        if (root / ".perfmod-journal").exists():
            recover(root)
            now = tree(root)
        assert now in (ALL_OLD, ALL_NEW)
        if written is not None:
            assert now == (ALL_NEW if written else ALL_OLD)
        if not fault.raised:
            break
        reset(root)


def reset(root: Path) -> None:
    (root / HELPER).unlink(missing_ok=True)
    for folder in ("app/tools/deep", "app/tools"):
        if (root / folder).exists():
            (root / folder).rmdir()
    fill(root)


def test_a_full_disk(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_half(path: Path, data: bytes, *, like: os.stat_result | None = None) -> None:
        if path.parent.name == "web":
            path.write_bytes(data[:1])
            raise FULL
        write_file(path, data, like=like)

    monkeypatch.setattr(journal, "write_file", write_half)
    outcome = write(root, CHANGES, APART, allow_dirty=False)
    assert outcome == Outcome(refused="web/package.json: No space left on device; nothing was written")
    assert tree(root) == ALL_OLD


def test_no_hard_links(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Backups are then copies; undoing works the same."""
    monkeypatch.setattr(os, "link", Fault(os.link, 0, DENIED))
    (root / MAIN.path).chmod(0o751)
    real = os.replace

    def fail_at_the_last(a: Path, b: Path) -> None:
        if Path(b).name == "package.json" and Path(a).suffix == ".new":
            raise DENIED
        real(a, b)

    monkeypatch.setattr(os, "replace", fail_at_the_last)
    refused = write(root, CHANGES, allow_dirty=False).refused
    assert refused == "web/package.json: Permission denied; nothing was written"
    assert tree(root) == ALL_OLD
    assert stat.S_IMODE((root / MAIN.path).stat().st_mode) == 0o751


def test_what_can_not_be_undone_is_undone_by_the_next_run(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.replace

    def fail(a: Path, b: Path) -> None:
        if Path(b).name == "package.json" or Path(a).suffix == ".old":
            raise DENIED
        real(a, b)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        with pytest.raises(PerfmodError, match="can't be undone"):
            write(root, CHANGES, allow_dirty=False)
    assert recover(root) == ["undid an interrupted run: 4 files"]
    assert tree(root) == ALL_OLD


# Killed in between

STEPS = {"os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.chmod"}


def is_step(event: str, arguments: tuple[object, ...]) -> bool:
    """Whether an audit event is about to change the file system."""
    if event == "open":
        return isinstance(arguments[2], int) and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))
    return event in STEPS


def in_a_child_killed_at(step: int, work: Callable[[], object]) -> bool:
    """Do it in a forked process that is killed at its n-th step. Whether it was."""
    child = os.fork()
    if child == 0:
        steps = itertools.count()

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            if is_step(event, arguments) and next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        try:
            work()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_killed_at_every_step(root: Path) -> None:
    seen = set()
    for step in itertools.count():
        if not in_a_child_killed_at(step, lambda: write(root, CHANGES, allow_dirty=False)):
            break
        in_a_child_killed_at(step * 7 % 20, lambda: recover(root))
        recover(root)
        now = tree(root)
        assert now in (ALL_OLD, ALL_NEW), step
        seen.add(now == ALL_NEW)
        reset(root)
    assert seen == {True, False}


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_the_next_run_sees_the_files_that_a_killed_one_had_not_made_yet(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for step in itertools.count():
        assert in_a_child_killed_at(step, lambda: write(repository, CHANGES, allow_dirty=False))
        if list((repository / ".git/perfmod").glob("*.finish")):
            break
        recover(repository)
    assert not (repository / HELPER).exists()
    assert exit_code_of(["apply", "--isolated", str(repository)]) == 0
    assert (repository / HELPER).exists()
    said = capsys.readouterr()
    assert "finished an interrupted run" in said.err and "in 3 files" in said.out  # of Python


def version(number: int) -> dict[str, bytes]:
    """Fifty files that every write changes, and one more that each write makes."""
    made = {f"made/{n}.py": b"made" for n in range(1, number + 1)}
    return {f"{n % 7}/{n}.py": b"version %d" % number for n in range(50)} | made


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_killed_at_random(tmp_path: Path) -> None:
    """In git: what a killed run has written is perfmod's own, so that the next one is not refused."""
    for path, data in version(0).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(data)
    commit(tmp_path)
    chance = random.Random(1)
    number = 0
    whole = 0.0
    for _ in range(30):
        old, new = version(number), version(number + 1)
        changes = [Change(path, old.get(path), data) for path, data in new.items() if data != old.get(path)]
        begun = time.monotonic()
        child = os.fork()
        if child == 0:
            try:
                write(tmp_path, changes, allow_dirty=False)
            finally:
                os._exit(0)
        if number == 0:  # so that there is one on a slow machine too, and its time is known
            os.waitpid(child, 0)
        else:
            time.sleep(chance.uniform(0.05, 1) * whole)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        whole = time.monotonic() - begun if number == 0 else whole
        recover(tmp_path)
        now = {path: data for path, data in tree(tmp_path).items() if data is not None}
        assert now in (old, new)
        number += now == new
    assert 1 < number < 30


# What recovery finds when somebody was there before it


@pytest.fixture
def half(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A write that was killed after the helper and the first file had been renamed."""
    found = make_journal(locate(root.resolve()), {change.path: change for change in CHANGES}, ())
    with locked(found.store):
        found.lay_down({change.path: change.after for change in CHANGES})
        found.move(Phase.FINISH)
        for entry in found.entries[:2]:
            found.beside(entry, ".new").replace(found.target(entry))
    yield root


def test_what_is_left_is_finished(half: Path) -> None:
    assert recover(half) == ["finished an interrupted run: 4 files"]
    assert tree(half) == ALL_NEW


def test_a_write_finishes_it_too(half: Path) -> None:
    outcome = write(half, [Change(JOBS.path, JOBS.after, b"newer")], allow_dirty=False)
    assert outcome.written
    assert tree(half) == {**ALL_NEW, JOBS.path: b"newer"}


def test_an_edit_after_the_rename_stays(half: Path) -> None:
    (half / MAIN.path).write_bytes(b"mine")
    recover(half)
    assert tree(half) == {**ALL_NEW, MAIN.path: b"mine"}


def test_an_edit_before_the_rename_stays_and_the_rest_is_undone(half: Path) -> None:
    (half / JOBS.path).write_bytes(b"mine")
    assert recover(half) == ["undid an interrupted run: 4 files"]
    assert tree(half) == {**ALL_OLD, JOBS.path: b"mine"}


def test_what_was_put_back_by_hand_stays(half: Path) -> None:
    (half / MAIN.path).write_bytes(OLD[MAIN.path])
    recover(half)
    assert tree(half) == ALL_OLD


def test_edits_before_and_after_the_rename_keep_the_helper(half: Path) -> None:
    (half / MAIN.path).write_bytes(b"mine")
    (half / JOBS.path).write_bytes(b"mine too")
    assert recover(half) == [
        "undid an interrupted run: 4 files",
        "app/main.py was edited after an interrupted run had changed it: look at it",
    ]
    assert tree(half) == {**ALL_NEW, **OLD, MAIN.path: b"mine", JOBS.path: b"mine too"}


def test_what_is_put_back_by_hand_after_everything_was_in_place_undoes_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some backups are gone by then, so undoing would mix old and new."""
    monkeypatch.setattr(journal.Journal, "sweep", Fault(journal.Journal.sweep, 0, KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        write(root, CHANGES, allow_dirty=False)
    monkeypatch.undo()
    (root / MAIN.path).write_bytes(OLD[MAIN.path])
    recover(root)
    assert tree(root) == {**ALL_NEW, MAIN.path: OLD[MAIN.path]}


def test_a_cleaned_work_tree_is_left_as_it_is(half: Path) -> None:
    for path in half.rglob(".perfmod-*-*"):
        path.unlink()
    reset(half)
    recover(half)
    assert tree(half) == ALL_OLD


def test_a_journal_of_a_root_below_is_finished_and_one_of_a_root_above_is_named(repository: Path) -> None:
    change = Change("main.py", MAIN.before, MAIN.after)
    found = make_journal(locate(repository.resolve() / "app"), {change.path: change}, ())
    found.store.folder.mkdir()
    found.lay_down({change.path: change.after})
    with pytest.raises(PerfmodError, match=r"run `perfmod apply .*app` first"):
        recover(repository / "web")
    assert recover(repository) == ["undid an interrupted run: 1 file"]
    assert tree(repository) == ALL_OLD


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"prefix": "", "entries": [{}], "folders": []}',
        b'{"prefix": "", "entries": [], "folders": [".."]}',
        json.dumps(
            {
                "prefix": "",
                "entries": [
                    {"path": "../victim", "stem": ".perfmod-00000000-0", "before": None, "after": "", "own": True}
                ],
                "folders": [],
            }
        ).encode(),
    ],
)
def test_a_journal_that_perfmod_did_not_write(root: Path, data: bytes) -> None:
    (root / ".perfmod-journal").mkdir()
    (root / ".perfmod-journal/journal.undo").write_bytes(data)
    with pytest.raises(PerfmodError, match="not a journal that perfmod wrote"):
        recover(root)


def test_half_a_journal_is_removed(root: Path) -> None:
    (root / ".perfmod-journal").mkdir()
    (root / ".perfmod-journal/journal.undo.new").write_bytes(b"{")
    assert recover(root) == []
    assert tree(root) == ALL_OLD
