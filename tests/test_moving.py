"""Findings that are left stand where the changed file has them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from perfmod.config import Settings
from perfmod.moving import Move
from perfmod.pipeline import Request, run


@pytest.mark.parametrize("seed", range(50))
def test_an_unchanged_line_keeps_its_offsets(seed: int) -> None:
    chosen = random.Random(seed)
    lines = [f"{number} {'é' * chosen.randrange(4)}\n" for number in range(30)]
    new = list(lines)
    for _ in range(chosen.randrange(1, 5)):
        place = chosen.randrange(len(new))
        new[place : place + chosen.randrange(3)] = [f"new {chosen.random()}\n"] * chosen.randrange(3)
    before, after = "".join(lines).encode(), "".join(new).encode()
    move = Move(before, after)
    for line in lines:
        if line in new:
            assert move.offset(before.index(line.encode()) + 1) == after.index(line.encode()) + 1
    assert move.offset(len(before)) <= len(after)


def test_what_apply_leaves_is_where_the_report_says(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/__init__.py").write_text("")
    (tmp_path / "app/main.py").write_text(
        "import asyncio\nfrom app import work\n\n\nasync def main(c):\n    asyncio.create_task(\n        c()\n    )\n"
        "    asyncio.gather(c())\n"
    )
    (tmp_path / "app/work.py").write_text("")
    request = Request("apply", tmp_path, (tmp_path,), Settings(select=("supervise-tasks",)))
    report = run(request)
    (left,) = report.open
    text = report.project.text("app/main.py")
    assert text is not None
    assert text.slice(left.finding.span.start, left.finding.span.end) == "asyncio.gather(c())"
    again = run(request)
    assert [r.finding for r in again.open] == [left.finding]
