"""Checkouts whose files are pipes, devices, far too large, or links that leave: read in bounded time and memory."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import guarded
import pytest
from test_hostile import BILLION, JOB, LOAD, LOCK, MANY, PACKAGE, PYTHON, QUERIES, READS, WEB, everything, put

COMMANDS = ("check", "diff", "apply")
SETTINGS = ("pyproject.toml", "perfmod.toml", "perfmod-baseline.json", "journal.undo", "lock")
SOURCES = (
    "app/.gitignore",
    "app/other.py",
    "bot-1.0.dist-info/METADATA",
    "setup.py",
    "Dockerfile",
    "package.json",
    "package-lock.json",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "tsconfig.json",
    "index.html",
    ".github/workflows/ci.yml",
    "migrations/1.sql",
    "schema.prisma",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put(tmp_path / "root", {"app/__init__.py": "", "app/main.py": JOB, "src/main.ts": LOAD})
    return tmp_path / "root"


def pipe(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def device(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root can make a device")


def socket_file(path: Path) -> None:
    os.mknod(path, stat.S_IFSOCK | 0o666)


def large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(100_000_000)


def large_text(path: Path) -> None:
    path.write_bytes(b"eruda asyncio.create_task(a()) '*'\n" * 3_000_000)


def folder(path: Path) -> None:
    path.mkdir()


def loop(path: Path) -> None:
    path.symlink_to(path.name)


KINDS = (pipe, endless, device, socket_file, large, large_text, folder, loop)


@pytest.mark.slow
@pytest.mark.parametrize("make", KINDS, ids=[kind.__name__ for kind in KINDS])
@pytest.mark.parametrize("git", [False, True], ids=["outside git", "in git"])
def test_odd_files(root: Path, make: Callable[[Path], None], git: bool) -> None:
    """In the place of what perfmod looks for: the finding in the one real file is reported all the same."""
    if git:
        subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    for name in SOURCES:
        if not (git and name.endswith(".gitignore") and make is pipe):  # git itself waits: see below
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            make(root / name)
    for command in ("check", "diff"):
        ran = guarded.run(root, command, "--output-format", "concise", ".")
        assert "app/main.py:4:5 supervise-tasks" in ran.out
    ran = guarded.run(root, "apply", "--allow-dirty", ".")
    assert ran.code in (0, 1), ran.err
    assert "create_background_task" in (root / "app/main.py").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("make", KINDS, ids=[kind.__name__ for kind in KINDS])
def test_odd_settings_and_journals(root: Path, make: Callable[[Path], None]) -> None:
    """They may stop a run, with one line that says why."""
    for name in SETTINGS:
        path = root / name if "." in name and not name.startswith("journal") else root / ".perfmod-journal" / name
        path.parent.mkdir(exist_ok=True)
        make(path)
        ran = guarded.run(root, "apply", "--output-format", "concise", ".")
        if ran.code == 2:
            (line,) = ran.err.splitlines()
            assert path.name in line or "perfmod-journal" in line
            assert (root / "app/main.py").read_text() == JOB
        if path.is_symlink() or path.exists():
            path.rmdir() if make is folder else path.unlink()
        put(root, {"app/main.py": JOB})
        (root / "app/background_tasks.py").unlink(missing_ok=True)


def test_git_itself_waits(root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    from perfmod import git
    from perfmod.cli import exit_code_of

    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    os.mkfifo(root / ".gitignore")
    monkeypatch.setattr(git, "SECONDS", 1)
    for command in COMMANDS:
        assert exit_code_of([command, str(root)]) == 2
        (line,) = capfd.readouterr().err.splitlines()
        assert "`git ls-files -z` gave no answer within 1 seconds" in line


DEEP = {
    "deep.json": "[" * MANY + "]" * MANY,
    "deep.yaml": "- " * MANY,
    "deep.html": "<script type=module>" + "<b>" * MANY + LOAD,
    "deep.tsx": LOAD + "<a>" * MANY,
    "deep.sql": "select " + "(" * MANY,
}
TEXTS = {
    **{f"python {name}": {"app/main.py": text} for name, text in (PYTHON | READS).items()},
    **{f"queries {name}": {"src/main.ts": text} for name, text in QUERIES.items()},
    **{f"web {name}": {"pnpm-lock.yaml": LOCK, **files} for name, files in WEB.items()},
    "all kinds": DEEP,
    "a billion laughs": {"pnpm-lock.yaml": BILLION + LOCK, "package-lock.json": DEEP["deep.json"]},
}


@pytest.mark.slow
@pytest.mark.parametrize("files", TEXTS.values(), ids=TEXTS.keys())
def test_what_no_person_wrote_costs_bounded_time_and_memory(root: Path, files: dict[str, str]) -> None:
    """The texts of the tests that run in this process, in one with limits."""
    put(root, {"package.json": PACKAGE, **files})
    assert guarded.run(root, "diff", "--isolated", ".").code in (0, 1)


@pytest.mark.parametrize("git", [False, True], ids=["outside git", "in git"])
def test_many_empty_folders(root: Path, git: bool) -> None:
    """A million took 5.2 s of processor time outside git and 8.1 s in git, and 23 MB."""
    if git:
        subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    for number in range(20_000):
        (root / f"{number % 100}/{number}").mkdir(parents=True)
    assert guarded.run(root, "check", ".").code == 1


@pytest.mark.slow
def test_folders_below_folders(root: Path) -> None:
    """As deep as a path can be."""
    place = root
    inside = os.open(root, os.O_RDONLY)
    for _ in range(5_000):
        os.mkdir("d" * 10, dir_fd=inside)
        deeper = os.open("d" * 10, os.O_RDONLY, dir_fd=inside)
        os.close(inside)
        inside = deeper
    os.close(inside)
    try:
        assert guarded.run(place, "check", ".").code == 1
    finally:
        subprocess.run(["rm", "-rf", root / ("d" * 10)], check=True)


# Links


def test_a_tracked_file_behind_a_link_that_leaves_the_root(tmp_path: Path) -> None:
    """Git's index lists app/main.py; the work tree has a link in the place of app."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    files = {"__init__.py": "", "main.py": JOB, "package.json": PACKAGE, "main.ts": LOAD}
    put(root, {f"app/{name}": text for name, text in files.items()})
    put(outside, files)
    for arguments in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *arguments], cwd=root, check=True)
    subprocess.run(["rm", "-r", "app"], cwd=root, check=True)
    (root / "app").symlink_to(outside)
    before = everything(outside)
    for command in COMMANDS:
        ran = guarded.run(root, command, "--output-format", "json", ".")
        assert ran.code == 0
        assert '"findings": []' in ran.out and "a link that leaves the root" in ran.out
    assert everything(outside) == before


@pytest.mark.parametrize("where", [".git/perfmod", ".git"])
def test_a_link_in_the_place_of_perfmods_own_folder(tmp_path: Path, root: Path, where: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    if where == ".git":
        outside.rmdir()
        (root / ".git").rename(outside)
    (root / where).symlink_to(outside)
    before = everything(outside)
    for command in ("check", "diff"):
        assert guarded.run(root, command, ".").code == 1
        assert everything(outside) == before
    if where == ".git/perfmod":
        assert guarded.run(root, "apply", "--allow-dirty", ".").code == 2
        assert everything(outside) == before


def test_a_submodule_with_a_link_in_the_place_of_perfmods_own_folder(tmp_path: Path, root: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    put(root, {"sub/app/__init__.py": "", "sub/app/main.py": JOB})
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for place in (root / "sub", root):
        for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
            subprocess.run(["git", *identity, *arguments], cwd=place, check=True, capture_output=True)
    (root / "sub/.git/perfmod").symlink_to(outside)
    ran = guarded.run(root, "apply", ".", "sub/app/main.py")
    assert ran.code in (0, 1), ran.err
    assert not list(outside.iterdir())
