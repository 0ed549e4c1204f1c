"""The sieve lets a scanner have a file if and only if the file holds all byte strings of one of its groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from hypothesis import given
from hypothesis import strategies as st

from perfmod.model import Fact
from perfmod.rule import Scanner, Triggers
from perfmod.sieve import Sieve
from perfmod.source.tree import Source

NEEDLES = st.text("abc", min_size=1, max_size=3).map(str.encode)
GROUPS = st.lists(st.lists(NEEDLES, min_size=1, max_size=3).map(tuple), min_size=1, max_size=5).map(tuple)


class Scanning:
    languages: ClassVar[tuple[str, ...]] = ("python",)

    def __init__(self, groups: tuple[tuple[bytes, ...], ...]) -> None:
        self.triggers = Triggers(groups)  # type: ignore[misc]

    def scan(self, _source: Source) -> Iterator[Fact]:
        yield from ()


@given(st.lists(GROUPS, max_size=6), st.lists(st.text("abc", max_size=12).map(str.encode), max_size=6))
def test_a_scanner_gets_a_file_that_holds_all_of_one_group(
    groups: list[tuple[tuple[bytes, ...], ...]], files: Iterable[bytes]
) -> None:
    scanners: list[Scanner] = [Scanning(own) for own in groups]
    sieve = Sieve(scanners)
    for data in files:
        wanted = [
            scanner
            for scanner in scanners
            if any(all(needle in data for needle in group) for group in scanner.triggers.any_of)
        ]
        assert sieve.chosen(sieve.bits(data)) == wanted
