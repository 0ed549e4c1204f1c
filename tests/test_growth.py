"""A checkout with four times as many sites takes about four times as long, whatever the rule and whatever the shape."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from growing import GROWING, Files

from perfmod.config import Settings
from perfmod.pipeline import Request, run

FEW = 150
TIMES = 4
WORST = 9  # times as long; 4 is linear, 16 the square
TRIES = 3  # what else runs on the machine makes a run slower, never faster


@pytest.mark.slow
@pytest.mark.parametrize("name", GROWING)
def test_time_grows_with_the_sites(tmp_path: Path, name: str) -> None:
    rule, checkout = GROWING[name]
    few, many = written(tmp_path / "few", checkout(FEW)), written(tmp_path / "many", checkout(FEW * TIMES))
    seconds(written(tmp_path / "warm", checkout(2)), rule)
    for command in ("check", "diff"):
        ratios = []
        while len(ratios) < TRIES and min(ratios, default=WORST) >= WORST:
            ratios.append(seconds(many, rule, command) / seconds(few, rule, command))
        assert min(ratios) < WORST, (command, ratios)


def written(root: Path, files: Files) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def seconds(root: Path, rule: str, command: str = "check") -> float:
    """Of the processor, in one process."""
    begun = time.process_time()
    report = run(Request(command, root, (root,), Settings(select=(rule,), unsafe_fixes=True), jobs=1))
    assert report.results
    return time.process_time() - begun
