"""Where findings stand after a run has changed their files."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import accumulate

from perfmod.model import Change, Result, Span
from perfmod.source.text import Text, Unreadable


def moved(results: Iterable[Result], changes: Sequence[Change]) -> Iterator[Result]:
    """The results with their spans in the texts that `changes` leave. A span inside an edit goes to the edit's line."""
    moves = {change.path: Move.of(change) for change in changes if change.before is not None}
    for result in results:
        move = moves.get(result.finding.span.path)
        if move is None:
            yield result
        else:
            yield replace(result, finding=replace(result.finding, span=move.span(result.finding.span)))


class Move:
    """Offsets of an old text, as offsets of the new one. Lines are matched as a diff matches them."""

    def __init__(self, before: bytes, after: bytes) -> None:
        self._before, self._after = before, after
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
        old_starts, new_starts = [0, *accumulate(map(len, old))], [0, *accumulate(map(len, new))]
        head = common(old, new)
        tail = common(old[head:][::-1], new[head:][::-1])
        middle = SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=False)
        lines = [
            (0, 0, head),
            *((block.a + head, block.b + head, block.size) for block in middle.get_matching_blocks() if block.size),
            (len(old) - tail, len(new) - tail, tail),
        ]
        #: what both texts hold: where it starts in each, and its length; sorted
        self._same = [(old_starts[a], new_starts[b], old_starts[a + size] - old_starts[a]) for a, b, size in lines]

    @classmethod
    def of(cls, change: Change) -> Move | None:
        try:
            before, after = Text.decode(change.path, change.before or b""), Text.decode(change.path, change.after)
        except Unreadable:
            return None
        return cls(before.utf8, after.utf8)

    def span(self, span: Span) -> Span:
        start = self.offset(span.start)
        return Span(span.path, start, max(start, self.offset(span.end)))

    def offset(self, offset: int) -> int:
        """The new offset. In changed lines: counted from whichever end of the change is the same up to there."""
        number = max(0, bisect_right(self._same, (offset, len(self._after), 0)) - 1)
        start, target, size = self._same[number]
        if offset <= start + size or number + 1 == len(self._same):
            return min(target + offset - start, len(self._after))
        end, target_end, _ = self._same[number + 1]
        old, new = self._before[start + size : end], self._after[target + size : target_end]
        into = offset - start - size
        if into <= common(old, new):
            return target + size + into
        if len(old) - into <= common(old[::-1], new[::-1]):
            return target_end - (len(old) - into)
        return target + size


def common(old: Sequence[object], new: Sequence[object]) -> int:
    """How many items both begin with."""
    pairs = zip(old, new, strict=False)
    return next((number for number, (a, b) in enumerate(pairs) if a != b), min(len(old), len(new)))
