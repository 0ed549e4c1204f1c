"""Small fleets of real git repositories, for the tests of `perfmod fleet`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

BARE_TASK = "import asyncio\n\n\nasync def work():\n    pass\n\n\nasync def main():\n    asyncio.create_task(work())\n"
CLIENT = """\
import httpx


class Rates:
    def __init__(self, base: str) -> None:
        self._http = httpx.Client(base_url=base)

    def latest(self) -> dict[str, float]:
        return self._http.get("/latest").json()
"""
BOT = {"bot/__init__.py": "", "bot/main.py": BARE_TASK}
CLEAN = "def add(one, other):\n    return one + other\n"
NOBODY = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env={**os.environ, **NOBODY}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def checkout(folder: Path, files: Mapping[str, str]) -> Path:
    """A repository with one commit of these files, on branch main."""
    write(folder, files)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "config", "user.name", "Fleet Test")
    git(folder, "config", "user.email", "fleet@example.org")
    return commit(folder, {})


def commit(folder: Path, files: Mapping[str, str]) -> Path:
    write(folder, files)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "as it is")
    return folder


def write(folder: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def three(folder: Path) -> Path:
    """A fleet of three: bare tasks, a client without retries, nothing to find."""
    checkout(folder / "acme" / "bot", {"bot/__init__.py": "", "bot/main.py": BARE_TASK})
    checkout(
        folder / "acme" / "rates", {"rates/__init__.py": "", "rates/client.py": CLIENT, "rates/jobs.py": BARE_TASK}
    )
    checkout(folder / "tidy", {"tidy.py": CLEAN})
    return folder
