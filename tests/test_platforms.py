"""What other systems do otherwise, on this one: processes that are spawned, calls that are missing, letter case."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path, PureWindowsPath

import pytest
from test_hostile import JOB, put

from perfmod import scanning
from perfmod.cli import exit_code_of
from perfmod.discovery import discover, relative_to_root

FIXTURES = Path(__file__).parent.parent / "fixtures"

# Processes that are spawned, as on Windows


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A checkout for three processes."""
    root = tmp_path / "many"
    put(root, {f"app/part{number}.py": JOB for number in range(60)} | {"app/__init__.py": ""})
    shutil.copytree(FIXTURES / "gate-dev-tools/basic/before", root / "web")
    return root


@pytest.fixture
def spawning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    monkeypatch.setattr(scanning, "FILES_PER_WORKER", 1)


def findings(root: Path, jobs: int, capfd: pytest.CaptureFixture[str], command: str = "check") -> str:
    capfd.readouterr()
    arguments = [command, "--isolated", "--no-cache", "-j", str(jobs), "--output-format", "json", str(root)]
    assert exit_code_of(arguments) == 1
    return capfd.readouterr().out


def test_spawned_workers_find_the_same(many: Path, spawning: None, capfd: pytest.CaptureFixture[str]) -> None:
    alone = findings(many, 1, capfd)
    assert alone.count('"rule"') > 60
    assert findings(many, 3, capfd) == alone
    assert findings(many, 3, capfd, "diff").count('"rule"') == alone.count('"rule"')


SPAWN = """
import os, sys
del os.fork
from perfmod import scanning
scanning.FILES_PER_WORKER = 1
from perfmod.cli import main
if __name__ == "__main__":
    main(sys.argv[1:])
"""


def test_spawned_workers_import_nothing_of_the_checkout(many: Path, tmp_path: Path) -> None:
    """A process that Python spawns looks for modules in the working directory first."""
    ran = tmp_path / "ran"
    for name in ("multiprocessing", "signal", "struct", "click", "perfmod", "sitecustomize", "pickle"):
        (many / f"{name}.py").write_text(f"open({str(ran)!r}, 'a').write(__name__)\n")
    (tmp_path / "start.py").write_text(SPAWN)
    command = [sys.executable, tmp_path / "start.py", "check", "--isolated", "-j", "3", "."]
    done = subprocess.run(command, cwd=many, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert not ran.exists(), ran.read_text()


# What other systems lack

MISSING = (
    "O_NOFOLLOW",
    "O_NONBLOCK",
    "chown",
    "fchmod",
    "fork",
    "geteuid",
    "getpgid",
    "killpg",
    "mkfifo",
    "setsid",
    "sync",
    "umask",
)


def test_calls_that_are_missing(tmp_path: Path) -> None:
    """The run in a process of its own, from the start without them."""
    root = tmp_path / "root"
    put(root, {"app/__init__.py": "", "app/main.py": JOB})
    (tmp_path / "elsewhere.py").write_text(JOB)
    (root / "app/away.py").symlink_to(tmp_path / "elsewhere.py")
    start = (
        "import subprocess, multiprocessing, sys, os\n"
        f"for name in {MISSING!r}:\n    if hasattr(os, name): delattr(os, name)\n"
        "sys.modules['fcntl'] = sys.modules['resource'] = sys.modules['pwd'] = None\n"
        "import perfmod.store\n"
        "perfmod.store.lock = lambda descriptor: True\n"
        "from perfmod.cli import main\nmain(sys.argv[1:])\n"
    )
    for command, code in (("check", 1), ("diff", 1), ("apply", 0), ("apply", 0)):
        arguments = [sys.executable, "-P", "-c", start, command, "--output-format", "json", str(root)]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        assert "a link that leaves the root" in done.stdout
    assert "create_background_task" in (root / "app/main.py").read_text()
    assert (tmp_path / "elsewhere.py").read_text() == JOB
    assert not list(root.rglob(".perfmod*"))


# Separators


class WindowsPath(PureWindowsPath):
    """A path of Windows, as far as names go."""

    def exists(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("root", "path", "name"),
    [
        (r"C:\work\shop", r"C:\work\shop\app\main.py", "app/main.py"),
        (r"C:\work\shop", r"c:\Work\shop\app\Main.py", "app/Main.py"),
        (r"\\server\share\shop", r"\\server\share\shop\web\src\main.ts", "web/src/main.ts"),
        (r"C:\work\shop", r"C:\work\shop", "."),
    ],
)
def test_names_have_slashes(root: str, path: str, name: str) -> None:
    assert relative_to_root(WindowsPath(root), WindowsPath(path)) == name  # type: ignore[arg-type]


# Letter case


@pytest.fixture
def any_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout on a file system that takes names in any case, as macOS and Windows have it."""
    root = tmp_path / "root"
    put(root, {"app/__init__.py": "", "app/Main.py": JOB, "app/jobs.py": JOB})
    real = {name: getattr(os, name) for name in ("stat", "lstat", "open", "scandir")}

    def as_on_disk(path: object) -> object:
        text = os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else ""
        if not text.startswith(f"{root}/"):
            return path
        found = str(root)
        for part in text.removeprefix(f"{root}/").split("/"):
            try:
                names = os.listdir(found)
            except OSError:
                names = []
            found += "/" + next((name for name in names if name.casefold() == part.casefold()), part)
        return found

    for name, function in real.items():
        monkeypatch.setattr(
            os, name, lambda path=".", *rest, _real=function, **more: _real(as_on_disk(path), *rest, **more)
        )
    return root


def test_a_path_that_is_typed_in_another_case(any_case: Path) -> None:
    """It is the file that the checkout has, and not one more."""
    found = discover(any_case, [any_case / "APP/main.py"])
    assert found.files == ("app/Main.py", "app/__init__.py", "app/jobs.py")
    assert found.chosen == frozenset({"app/Main.py"})
    found = discover(any_case, [any_case / "App"])
    assert found.chosen == frozenset({"app/Main.py", "app/__init__.py", "app/jobs.py"})


def test_two_names_that_differ_only_by_case(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Where they are two files, both are changed; `git ls-files` may list both where they are one."""
    root = tmp_path / "root"
    put(root, {"app/__init__.py": "", "app/main.py": JOB, "app/Main.py": JOB + "# another\n"})
    assert exit_code_of(["apply", "--isolated", str(root)]) == 0
    assert "create_background_task" in (root / "app/main.py").read_text()
    assert (root / "app/Main.py").read_text().endswith("# another\n")
    assert "create_background_task" in (root / "app/Main.py").read_text()
