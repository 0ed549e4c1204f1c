"""Fixtures for the tests of everything around rules."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
import replace_words
import retire_names
from playground import Perfmod, Ran, know

from perfmod.cli import main

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a job that a shell has put in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def two_rules(perfmod: Perfmod, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both stand-in rules."""
    monkeypatch.setitem(sys.modules, "perfmod.rules.retire_names", retire_names)
    know(monkeypatch, replace_words.RULE, retire_names.RULE)


@pytest.fixture
def perfmod(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Perfmod:
    """Runs perfmod in an empty folder, with the stand-in rule as the only one."""
    monkeypatch.setitem(sys.modules, "perfmod.rules.replace_words", replace_words)
    know(monkeypatch, replace_words.RULE)
    for variable in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(*arguments: str) -> Ran:
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert isinstance(stop.value.code, int)
        return Ran(stop.value.code, *capfd.readouterr())

    return run
