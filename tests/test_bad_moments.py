"""`perfmod apply` where the disk is full or read-only, where files change under it, and where it runs twice at once.

PERFMOD_DISKS=1 tries a disk of every size.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import test_kills
from test_hostile import JOB, LOAD, LOCK, PACKAGE, put
from test_kills import commit, copy, fill, tree

from perfmod import changing
from perfmod.cli import exit_code_of
from perfmod.model import Change
from perfmod.writing import Outcome, write

LONG = "# " + "x" * 100_000 + "\n"
STEP = int(os.environ.get("PERFMOD_DISKS", "9"))
ROUNDS = 5
HERE = Path(__file__).parent
NAMESPACE = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--user", "--map-root-user", "--mount")


def may_mount() -> bool:
    try:
        return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not may_mount(), reason="needs name spaces, to mount disks without being root")
@pytest.mark.parametrize("make", [lambda root: None, commit], ids=["outside git", "in git"])
def test_full_disks(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(fill(tmp_path / "source"))
    command = [*NAMESPACE, sys.executable, HERE / "small_disks.py", tmp_path / "source", tmp_path / "disk", str(STEP)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    disks = [json.loads(line) for line in done.stdout.splitlines()]
    for disk in disks:
        assert disk["is_new_then"], disk
        if disk["is_new"]:
            assert disk["code"] in (0, 1), disk
        else:
            assert disk["is_old"] and disk["code"] == 2, disk
            why = "Read-only file system" if disk["what"] == "read-only" else "No space left on device"
            (line,) = [line for line in disk["said"].splitlines() if why in line]
            assert line.endswith("; nothing was written"), disk
    print(f"{len(disks)} disks, {sum(disk['is_old'] for disk in disks)} of them too small")
    assert {disk["is_new"] for disk in disks} == {True, False}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs limits")
def test_a_file_that_may_not_grow_so_large(tmp_path: Path) -> None:
    """A limit of the process, as a quota: the files that it hits are left with all that belongs to them."""
    root = tmp_path / "root"
    put(root, {"app/__init__.py": "", "app/main.py": JOB, "app/long.py": JOB + LONG})
    put(root, {"package.json": PACKAGE, "pnpm-lock.yaml": LOCK + LONG, "src/main.ts": LOAD})
    before = tree(root)

    def limit() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    command = [sys.executable, "-m", "perfmod", "apply", "-v", "--no-cache", root]
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limit, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    said = done.stdout + done.stderr
    assert "app/long.py" in said and "File too large" in said and "Traceback" not in said
    now = tree(root)
    for path in ("app/long.py", "package.json", "pnpm-lock.yaml"):
        assert now[path] == before[path]
    assert now["app/main.py"] != before["app/main.py"]
    assert not [path for path in now if ".perfmod" in path]


# Somebody else


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do something after everything was read, and before anything is written."""

    def write_late(root: Path, changes: Sequence[Change], *arguments: Any, **options: Any) -> Outcome:
        act()
        return write(root, changes, *arguments, **options)

    monkeypatch.setattr(changing, "write", write_late)


def replaced(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def made_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def made_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


ACTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "edited": (lambda path: path.write_text("mine\n"), "changed since it was read: run perfmod again"),
    "emptied": (lambda path: path.write_text(""), "changed since it was read: run perfmod again"),
    "gone": (lambda path: path.unlink(), "No such file or directory"),
    "read-only": (lambda path: path.chmod(0o444), "the file is read-only"),
    "a link that leaves": (replaced, "a link that leaves the root"),
    "a folder": (made_a_folder, "not a file"),
    "a pipe": (made_a_pipe, "not a file"),
}


@pytest.mark.parametrize(("act", "why"), ACTS.values(), ids=ACTS.keys())
@pytest.mark.parametrize("alone", [False, True])
def test_a_file_that_changes_between_read_and_write(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    act: Callable[[Path], object],
    why: str,
    alone: bool,
) -> None:
    root = tmp_path / "root"
    put(root, {"app/__init__.py": "", "app/main.py": JOB} | ({} if alone else {"app/other.py": JOB}))
    meanwhile(monkeypatch, lambda: act(root / "app/main.py"))
    code = exit_code_of(["apply", "-v", str(root)])
    said = "".join(capfd.readouterr())
    assert code == (2 if alone else 1)
    assert "app/main.py" in said and why in said and "Traceback" not in said
    assert (root / "app/background_tasks.py").exists() is not alone
    assert not list(root.rglob(".perfmod*"))
    if not alone:
        assert "create_background_task" in (root / "app/other.py").read_text()


@pytest.mark.parametrize("lost", ["package.json", "pnpm-lock.yaml"])
def test_package_json_and_its_lockfile_go_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], lost: str
) -> None:
    root = tmp_path / "root"
    files = {"package.json": test_kills.PACKAGE, "pnpm-lock.yaml": test_kills.LOCK, "src/main.ts": LOAD.encode()}
    types = '/// <reference types="vite/client" />\n'
    put(root, {**{path: data.decode() for path, data in files.items()}, "src/vite-env.d.ts": types})
    before = tree(root)
    meanwhile(monkeypatch, lambda: (root / lost).write_text((root / lost).read_text() + "\n"))
    assert exit_code_of(["apply", "-v", str(root)]) in (1, 2)
    assert "changed since it was read" in "".join(capfd.readouterr())
    now = tree(root)
    for path in {"package.json", "pnpm-lock.yaml"} - {lost}:
        assert now[path] == before[path]


# Two at once


@pytest.mark.slow
@pytest.mark.parametrize("make", [lambda root: None, commit], ids=["outside git", "in git"])
def test_three_at_once(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """One writes; the others say so, or find nothing left to do. No one undoes another's work."""
    original = fill(tmp_path / "original")
    make(original)
    command = [sys.executable, "-m", "perfmod", "apply", "-q", "--select", "supervise-tasks,gate-dev-tools"]
    copy(original, tmp_path / "expected")
    assert subprocess.run([*command, tmp_path / "expected"], capture_output=True, check=False).returncode == 1
    expected = tree(tmp_path / "expected")
    refused = 0
    for number in range(ROUNDS):
        root = tmp_path / f"{number}"
        copy(original, root)
        processes = [
            subprocess.Popen([*command, root], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)
        ]
        for process in processes:
            error = os.fsdecode(process.communicate()[1])
            assert process.returncode in (0, 1, 2)
            assert "Traceback" not in error
            if process.returncode == 2:
                refused += 1
                (line,) = error.splitlines()
                assert "another perfmod apply is writing here" in line or "run perfmod again" in line
        assert subprocess.run([*command, root], capture_output=True, check=False).returncode in (0, 1)
        assert tree(root) == expected
    print(f"{refused} of {ROUNDS * 3} were refused")
