"""The first test of every file, and of most the last: which scanners find the byte strings in it that they need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from perfmod.needles import find

if TYPE_CHECKING:
    from perfmod.rule import Scanner


class Sieve:
    """The triggers of one language's scanners."""

    def __init__(self, scanners: Sequence[Scanner]) -> None:
        self._scanners = scanners
        self._chosen: dict[int, list[Scanner]] = {}
        alone: dict[bytes, int] = {}
        further: dict[bytes, list[tuple[int, Sequence[bytes]]]] = {}
        for place, scanner in enumerate(scanners):
            for first, *rest in scanner.triggers.any_of:
                alone[first] = alone.get(first, 0) | (0 if rest else 1 << place)
                further.setdefault(first, []).extend([(1 << place, rest)] if rest else [])
        #: a needle that groups begin with, the scanners that it is enough for, and those that need more, with what
        self._needles = [(first, bits, further[first]) for first, bits in alone.items()]

    def concerned(self, data: bytes) -> list[Scanner]:
        """The scanners whose triggers a file holds."""
        bits = 0
        for first, alone, further in self._needles:
            if find(data, first) < 0:
                continue
            bits |= alone
            for bit, rest in further:
                for needle in rest:
                    if find(data, needle) < 0:
                        break
                else:
                    bits |= bit
        chosen = self._chosen.get(bits)
        if chosen is None:
            chosen = [each for place, each in enumerate(self._scanners) if bits >> place & 1]
            self._chosen[bits] = chosen
        return chosen
