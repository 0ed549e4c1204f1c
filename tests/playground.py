"""A work folder with the stand-in rule in it, for the tests of everything around rules."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest


class Ran(NamedTuple):
    """What came of a run."""

    code: int
    out: str
    err: str


Perfmod = Callable[..., Ran]


def write(path: str, text: str) -> Path:
    """A file of the work folder."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())
    return file


def git(*arguments: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    done = subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def commit(message: str = "before") -> None:
    """Commit everything; makes the repository where there is none."""
    if not Path(".git").exists():
        git("init", "--quiet", "--initial-branch", "main")
        git("config", "user.name", "Test")
        git("config", "user.email", "test@example.org")
    git("add", "--all")
    git("commit", "--quiet", "--message", message)


def know(monkeypatch: pytest.MonkeyPatch, *rules: str) -> None:
    """Make these the only rules. All modules that take the function by name are imported before any is changed."""
    names = ("rule", "config", "explain", "ignore_comments", "settings_text")
    for module in [import_module(f"perfmod.{name}") for name in names]:
        monkeypatch.setattr(module, "rule_ids", lambda: rules)
