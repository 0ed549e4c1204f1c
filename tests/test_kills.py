"""`perfmod apply` killed with SIGKILL at random moments, again and again: every file is old or new, nothing is left.

PERFMOD_KILLS=300 kills more often.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from perfmod.cli import exit_code_of

KILLS = int(os.environ.get("PERFMOD_KILLS", "15"))
JOB = b"import asyncio\n\n\nasync def work(): ...\n\n\nasync def main():\n    asyncio.create_task(work())\n"
PACKAGE = b"""{
  "name": "web",
  "scripts": { "build": "vite build" },
  "dependencies": {
    "eruda": "^3.4.3"
  },
  "devDependencies": {
    "vite": "^7.0.0"
  }
}
"""
LOCK = b"""lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      eruda:
        specifier: ^3.4.3
        version: 3.4.3
    devDependencies:
      vite:
        specifier: ^7.0.0
        version: 7.0.0
"""
NPM_LOCK = b"""{
  "name": "web",
  "lockfileVersion": 3,
  "packages": {
    "": {
      "name": "web",
      "dependencies": {
        "eruda": "^3.4.3"
      },
      "devDependencies": {
        "vite": "^7.0.0"
      }
    },
    "node_modules/eruda": {
      "version": "3.4.3"
    },
    "node_modules/vite": {
      "version": "7.0.0",
      "dev": true
    }
  }
}
"""
PAGES = 6
SOMEBODY = 12_345  # owns every fourth file, where the tests may give files away
MODES = (0o644, 0o755, 0o600, 0o640)
Entry = tuple[object, ...]

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


def fill(root: Path) -> Path:
    """Forty Python modules and six web packages with a lockfile each."""
    for number in range(40):
        folder = root / f"app/part{number % 5}"
        folder.mkdir(parents=True, exist_ok=True)
        (root / "app/__init__.py").touch()
        (folder / "__init__.py").touch()
        (folder / f"job{number}.py").write_bytes(JOB)
        (folder / f"job{number}.py").chmod(MODES[number % 4])
    for number in range(PAGES):
        web = root / f"web{number}"
        (web / "src").mkdir(parents=True)
        (web / "package.json").write_bytes(PACKAGE)
        if number % 2:
            (web / "package-lock.json").write_bytes(NPM_LOCK)
        else:
            (web / "pnpm-lock.yaml").write_bytes(LOCK)
        (web / "src/main.ts").write_bytes(b"import('eruda').then((m) => m.default.init());\n")
        (web / "src/vite-env.d.ts").write_bytes(b'/// <reference types="vite/client" />\n')
    if os.geteuid() == 0:
        for path in sorted(root.rglob("*.*"))[::4]:
            os.chown(path, SOMEBODY, SOMEBODY)
    (root / "link.py").symlink_to("app/part0/job0.py")
    (root / "app/other.py").symlink_to("part1/job1.py")
    return root


def commit(root: Path) -> None:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "-m", "all"]):
        subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)


def tree(root: Path) -> dict[str, Entry]:
    """Everything below a folder but the git directory: kinds, owners, modes, contents, where links lead."""
    found: dict[str, Entry] = {}
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if name.split("/")[0] == ".git":
            continue
        status = path.lstat()
        if path.is_symlink():
            found[name] = ("link", os.readlink(path))
        elif path.is_dir():
            found[name] = ("folder",)
        else:
            owner = (status.st_uid, status.st_gid)
            found[name] = ("file", owner, stat.S_IMODE(status.st_mode), path.read_bytes())
    return found


def start(root: Path, said: Path) -> int:
    """A process that applies. Its exit code is perfmod's; what it prints goes to a file."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(output, 1)
            os.dup2(output, 2)
            code = exit_code_of(["apply", "--select", "supervise-tasks,gate-dev-tools", str(root)])
        finally:
            os._exit(code)
    return child


def ended(child: int) -> int:
    """The exit code of a process; negative where a signal ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def is_writing(root: Path) -> bool:
    """Whether a run has begun to write; its journal is the first thing that it makes."""
    return any((root / place).exists() for place in (".perfmod-journal", ".git/perfmod/journal.undo"))


def wait_for_writing(root: Path, child: int) -> None:
    until = time.monotonic() + 30
    while not is_writing(root) and time.monotonic() < until:
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "inner"),
    [(lambda top: None, "."), (commit, "."), (commit, "services/all")],
    ids=["outside git", "in git", "below the top of git"],
)
def test_killed_again_and_again(tmp_path: Path, make: Callable[[Path], None], inner: str) -> None:
    original, said = tmp_path / "original", tmp_path / "said"
    fill(original / inner)
    (original / inner / "perfmod.toml").touch()  # it is the root
    make(original)
    old = tree(original)
    chance = random.Random(KILLS)
    begun = time.monotonic()
    expected, code = applied(original, tmp_path / "expected", inner, said)
    whole = time.monotonic() - begun
    assert code == 1
    assert sum(old.get(name) != entry for name, entry in expected.items()) == 40 + 3 * PAGES + 1
    killed = in_between = 0
    for number in range(KILLS):
        top = tmp_path / f"{number}"
        copy(original, top)
        root = top / inner
        for again in (True, number % 3 == 0):
            if not again:
                continue
            child = start(root, said)
            if chance.random() < 0.8:
                wait_for_writing(top, child)
                time.sleep(chance.choice((0, 0.002, 0.01, 0.05)) * chance.random())
            else:
                time.sleep(whole * chance.random())
            os.kill(child, signal.SIGKILL)
            killed += ended(child) == -signal.SIGKILL
            now = tree(top)
            assert all(now.get(name) in (entry, expected[name]) for name, entry in old.items())
        in_between += now not in (old, expected)
        # A linked file counts once more where this run changes it.
        assert ended(start(root, said)) in (0, code), said.read_text()
        assert tree(top) == expected
        assert not is_writing(top)
        shutil.rmtree(top)
    print(f"killed {killed} times, {in_between} times in between")
    assert killed >= KILLS // 2


def copy(original: Path, root: Path) -> None:
    subprocess.run(["cp", "-a", original, root], check=True)


def applied(original: Path, top: Path, inner: str, said: Path) -> tuple[dict[str, Entry], int]:
    """What an undisturbed run leaves, and its exit code."""
    copy(original, top)
    code = ended(start(top / inner, said))
    return tree(top), code
