"""A pattern that is compiled at its first use answers as a compiled one does."""

from __future__ import annotations

import pickle
import re
from typing import Any

import pytest

from perfmod.patterns import Later, pattern

TEXT = r"(?P<word>\w+)=(\d*)"
USES: dict[str, Any] = {
    "search": lambda p: p.search("  a=1").groups(),
    "match": lambda p: p.match("  a=1"),
    "match from a place": lambda p: p.match("  a=1", 2).span(),
    "fullmatch": lambda p: p.fullmatch("A=1")["word"],
    "findall": lambda p: p.findall("a=1 b=2"),
    "finditer": lambda p: [m.start() for m in p.finditer("a=1 b=2")],
    "sub": lambda p: p.sub(r"\2", "a=1 b=2"),
    "split": lambda p: p.split("a=1, b=2"),
    "what was written": lambda p: (p.pattern, p.flags, p.groups, dict(p.groupindex)),
}


@pytest.mark.parametrize("first", USES)
@pytest.mark.parametrize("second", USES)
def test_all_answers_are_those_of_the_compiled_one(first: str, second: str) -> None:
    later, compiled = pattern(TEXT, re.I), re.compile(TEXT, re.I)
    assert isinstance(later, Later)
    for use in (first, second):
        assert USES[use](later) == USES[use](compiled)


def test_what_is_wrong_is_said_at_the_first_use() -> None:
    wrong = pattern("(")
    with pytest.raises(re.error, match="unterminated"):
        wrong.search("")


def test_it_can_be_pickled() -> None:
    later = pattern(TEXT, re.I)
    assert pickle.loads(pickle.dumps(later)).findall("A=1") == [("A", "1")]


def test_there_is_nothing_else() -> None:
    with pytest.raises(AttributeError):
        pattern(TEXT).serch("a")  # type: ignore[attr-defined]
