"""The fixtures written another way: the same findings. scripts/metamorph does this with real packages."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import script_metamorphs
from fixture_cases import CASES, name_of, settings_of
from metamorphs import METAMORPHS, said, written_another_way

CODE = b"""async def f(u):
    '''What it does.'''
    x = g(u, x=1)
    if x:
        y = x
    elif u:
        pass
    return x
"""
SCRIPT = b"""export async function load(u: string) {
  const x = await get(u, { x: 1 });
  if (x) {
    const row = { ...x };
    return () => row.u;
  }
  return `${u}
  `;
}
"""


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=name_of)
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


@pytest.mark.parametrize("metamorph", METAMORPHS)
def test_the_script_is_another_one(metamorph: str) -> None:
    other = script_metamorphs.METAMORPHS[metamorph]("a.ts", SCRIPT)
    assert other != SCRIPT
    assert script_metamorphs.parses("a.ts", other)


def test_only_variables_of_scripts_get_another_name() -> None:
    renamed = script_metamorphs.METAMORPHS["names"]("a.ts", SCRIPT)
    assert b"const rowRenamed = { ...x };" in renamed and b"=> rowRenamed.u" in renamed and b"xRenamed" not in renamed
    assert b"return `${u}\n  `" in script_metamorphs.METAMORPHS["format"]("a.ts", SCRIPT)
