"""The first test of every file, and of most the last: which scanners find the byte strings in it that they need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from perfmod.discovery import is_generated
from perfmod.needles import find
from perfmod.scanning import TRIGGER

if TYPE_CHECKING:
    from perfmod.model import Fact
    from perfmod.rule import Scanner

UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class Sieve:
    """The triggers of one language's scanners. Scanners are bits here; the highest stands for an ignore comment."""

    def __init__(self, scanners: Sequence[Scanner]) -> None:
        self._scanners = scanners
        self._marked = 1 << len(scanners)
        self._chosen: dict[int, list[Scanner]] = {}
        alone: dict[bytes, int] = {}
        further: dict[bytes, list[tuple[int, Sequence[bytes]]]] = {}
        for place, scanner in enumerate(scanners):
            for first, *rest in scanner.triggers.any_of:
                alone[first] = alone.get(first, 0) | (0 if rest else 1 << place)
                further.setdefault(first, []).extend([(1 << place, rest)] if rest else [])
        #: a needle that groups begin with, the scanners that it is enough for, and those that need more, with what
        self._needles = [(first, bits, further[first]) for first, bits in alone.items()]
        self._needles.append((TRIGGER, self._marked, []))

    def sift(self, path: str, data: bytes) -> tuple[list[Scanner] | None, tuple[Fact, ...]]:
        """The scanners for which a file is to be parsed, or None where it is not; and what its bytes tell already."""
        seen = data.decode("utf-16", "replace").encode() if data[:2] in UTF16_MARKS else data
        bits = self.bits(seen)
        if not bits:
            return None, ()
        concerned = self.chosen(bits)
        fitting = [each for each in concerned if each.triggers.confirmed(seen)]
        glances = [each.triggers for each in concerned if each.triggers.glance is not None and each not in fitting]
        is_parsed = bool(fitting or bits & self._marked)
        if (is_parsed or not all(each.generated for each in glances)) and is_generated(path, data):
            is_parsed = False
            glances = [each for each in glances if each.generated]
        return fitting if is_parsed else None, tuple(fact for each in glances for fact in each.look(path, seen))

    def bits(self, data: bytes) -> int:
        """The scanners whose triggers a file holds."""
        bits = 0
        for first, alone, further in self._needles:
            if find(data, first) < 0:
                continue
            bits |= alone
            for bit, rest in further:
                if bits & bit:
                    continue
                for needle in rest:
                    if find(data, needle) < 0:
                        break
                else:
                    bits |= bit
        return bits

    def chosen(self, bits: int) -> list[Scanner]:
        """The scanners themselves."""
        chosen = self._chosen.get(bits)
        if chosen is None:
            chosen = [each for place, each in enumerate(self._scanners) if bits >> place & 1]
            self._chosen[bits] = chosen
        return chosen
