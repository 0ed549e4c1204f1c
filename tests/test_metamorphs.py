"""The fixtures written another way: the same findings. scripts/metamorph does this with real packages."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from fixture_cases import CASES, name_of, settings_of
from metamorphs import METAMORPHS, said, written_another_way

PYTHON = [case for case in CASES if any((case / "before").rglob("*.py"))]
CODE = b"""async def f(u):
    '''What it does.'''
    x = g(u, x=1)
    if x:
        y = x
    elif u:
        pass
    return x
"""


@pytest.mark.slow
@pytest.mark.parametrize("case", PYTHON, ids=name_of)
def test_findings_follow(case: Path) -> None:
    root = (case / "before").resolve()
    settings = settings_of(case, root)
    before = said(root, settings, {})
    for metamorph in METAMORPHS:
        overlay = written_another_way(root, metamorph, {one.path for one in before})
        assert said(root, settings, overlay) == before, metamorph


@pytest.mark.parametrize("metamorph", METAMORPHS)
def test_the_code_is_another_one(metamorph: str) -> None:
    other = METAMORPHS[metamorph](CODE if metamorph != "format" else CODE.replace(b"x=1", b"x  =  1"))
    assert other != CODE
    ast.parse(other)


def test_only_locals_get_another_name() -> None:
    renamed = METAMORPHS["names"](CODE)
    assert b"x_renamed = g(u, x=1)" in renamed and b"return x_renamed" in renamed and b"u_renamed" not in renamed
