"""`apply` as a user who may not write everything: the rest is written, each file that is not has its reason."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from perfmod.cli import exit_code_of
from perfmod.store import locate, locked

JOB = b"import asyncio\n\n\nasync def work(): ...\n\n\nasync def main():\n    asyncio.create_task(work())\n"
NOBODY = 65534

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def fill(root: Path) -> Path:
    """Two packages; the second one and a file of the first one are read-only."""
    for path in ("app/main.py", "app/fixed.py", "locked/main.py"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).with_name("__init__.py").touch()
        (root / path).write_bytes(JOB)
    (root / "run.py").write_bytes(b"import app.main\nimport app.fixed\nimport locked.main\n")
    return root


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become someone else")
def test_what_can_not_be_written_is_left(capfd: pytest.CaptureFixture[str]) -> None:
    folder = Path(tempfile.mkdtemp())  # one that others can reach
    try:
        warm_up = fill(folder / "warm-up")
        for command in ("check", "apply"):  # they import what the other user may be unable to read
            exit_code_of([command, str(warm_up)])
        root = fill(folder / "root")
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        (root / "app/fixed.py").chmod(0o444)
        (root / "locked").chmod(0o555)
        capfd.readouterr()
        child = os.fork()
        if child == 0:
            code = 99
            try:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
                code = exit_code_of(["apply", "-v", str(root)])
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
        said = "".join(capfd.readouterr())
        assert "app/fixed.py" in said and "read-only" in said
        assert "locked" in said and "Permission denied" in said
        assert b"create_background_task" in (root / "app/main.py").read_bytes()
        assert (root / "app/fixed.py").read_bytes() == JOB == (root / "locked/main.py").read_bytes()
        assert not list(root.rglob(".perfmod*"))
    finally:
        shutil.rmtree(folder)


def test_a_second_run_at_once_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    root = fill(tmp_path / "root")
    with locked(locate(root.resolve())):
        assert exit_code_of(["apply", str(root)]) == 2
    assert "another perfmod apply is writing here" in capfd.readouterr().err
    assert (root / "app/main.py").read_bytes() == JOB
