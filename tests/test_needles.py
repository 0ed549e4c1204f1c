"""StringZilla finds what Python's own search finds: on any processor, at any place, in what was made to be hard."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from perfmod.needles import find, holds
from perfmod.rule import load_rule, rule_ids
from perfmod.scanning import TRIGGER

NEEDLES = sorted(
    {needle for rule in rule_ids() for group in load_rule(rule).triggers.any_of for needle in group} | {TRIGGER}
)
SOURCES = Path(__file__).parent.parent / "codemods"


@settings(max_examples=500)
@given(st.binary(max_size=300), st.binary(min_size=1, max_size=20), st.binary(max_size=300))
def test_a_needle_is_found_wherever_it_stands(before: bytes, needle: bytes, after: bytes) -> None:
    assert holds(before + needle + after, needle)
    assert holds(before + after, needle) == (needle in before + after)


@settings(max_examples=500)
@given(st.text("abc", max_size=200).map(str.encode), st.text("abc", min_size=1, max_size=12).map(str.encode))
def test_few_letters_are_no_trap(data: bytes, needle: bytes) -> None:
    assert holds(data, needle) == (needle in data)


@given(
    st.text("ab", max_size=150).map(str.encode),
    st.text("ab", min_size=1, max_size=9).map(str.encode),
    st.integers(0, 160),
    st.integers(0, 160),
)
def test_between_two_places_both_find_the_same(data: bytes, needle: bytes, first: int, last: int) -> None:
    assert find(data, needle, first) == data.find(needle, first)
    assert find(data, needle, first, last) == data.find(needle, first, last)


def test_every_needle_is_found_at_every_offset_and_only_there() -> None:
    for needle in NEEDLES:
        for offset in range(130):
            data = b"x" * offset + needle
            assert holds(data, needle) and holds(data + b"y" * 70, needle)
            assert not holds(data[:-1], needle) and not holds(data[:-1] + b"\0" * 70, needle)


def test_both_agree_on_real_files() -> None:
    for path in SOURCES.rglob("*.py"):
        data = path.read_bytes()
        assert {n for n in NEEDLES if holds(data, n)} == {n for n in NEEDLES if n in data}
