"""The edits of a fix as lines before and after, with the lines around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby, takewhile
from typing import TYPE_CHECKING, Any, NamedTuple

from perfmod.reports.frame import clean

if TYPE_CHECKING:
    from perfmod.model import Replace
    from perfmod.source.text import Text

CONTEXT = 3  # lines
LONGEST = 400  # characters of a line; of a longer one a part is shown
LEAD = 100  # characters of it before what changed


class Piece(NamedTuple):
    """Lines from `line` (from 1) of the old text, and what stands there afterwards."""

    line: int
    old: list[str]
    new: list[str]


def hunks_of(text: Text | None, edits: Sequence[Replace]) -> Iterator[dict[str, Any]]:
    """Hunks of one file as the page reads them: pieces are lists of equal lines, or pairs of old and new lines."""
    if text is None:
        yield from created(edits)
        return
    shift = 0  # how many lines were added so far
    for together in near(list(pieces_of(text, edits))):
        place = max(1, together[0].line - CONTEXT)
        hunk: dict[str, Any] = {"path": text.path, "old": place, "new": place + shift, "pieces": []}
        for piece in together:
            add_equal(hunk, text, place, piece.line)
            hunk["pieces"].append(cut_pairs(piece.old, piece.new))
            shift += len(piece.new) - len(piece.old)
            place = piece.line + len(piece.old)
        add_equal(hunk, text, place, min(place + CONTEXT, text.line_count + 1))
        yield hunk


def created(edits: Sequence[Replace]) -> Iterator[dict[str, Any]]:
    for edit in edits:
        yield {"path": edit.span.path, "old": 0, "new": 1, "pieces": [[[], lines_of(edit.text.removesuffix("\n"))]]}


def add_equal(hunk: dict[str, Any], text: Text, start: int, end: int) -> None:
    lines = [clean(text.line(number))[:LONGEST] for number in range(start, end)]
    if end == text.line_count + 1 and lines and not lines[-1]:
        lines.pop()  # what follows the last line end is no line
    if lines:
        hunk["pieces"].append([lines])


def near(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Pieces whose lines of context would touch."""
    together: list[Piece] = []
    for piece in pieces:
        if together and piece.line - (together[-1].line + len(together[-1].old)) > 2 * CONTEXT:
            yield together
            together = []
        together.append(piece)
    if together:
        yield together


def pieces_of(text: Text, edits: Sequence[Replace]) -> Iterator[Piece]:
    """The changed lines: edits that touch the same line are one piece."""
    utf8 = text.utf8
    groups: list[tuple[int, int, list[Replace]]] = []
    for edit in sorted(edits):
        start = utf8.rfind(b"\n", 0, edit.span.start) + 1
        end = utf8.find(b"\n", edit.span.end)
        end = len(utf8) if end < 0 else end
        if groups and start <= groups[-1][1]:
            groups[-1] = (groups[-1][0], max(end, groups[-1][1]), [*groups[-1][2], edit])
        else:
            groups.append((start, end, [edit]))
    for start, end, together in groups:
        after, place = [], start
        for edit in together:
            after += [utf8[place : edit.span.start].decode("utf-8", "replace"), edit.text]
            place = edit.span.end
        after.append(utf8[place:end].decode("utf-8", "replace"))
        old = lines_of(utf8[start:end].decode("utf-8", "replace"))
        new = lines_of("".join(after))
        line = text.position(start)[0]
        for tag, *places in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if tag != "equal":
                yield Piece(line + places[0], old[places[0] : places[1]], new[places[2] : places[3]])


def equal(one: Sequence[str], other: Sequence[str]) -> int:
    """How many items two lists, or two lines, begin with in common."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def lines_of(text: str) -> list[str]:
    return [clean(line.removesuffix("\r")) for line in text.split("\n")]


def cut_pairs(old: Sequence[str], new: Sequence[str]) -> list[list[str]]:
    """Both sides, with lines that are too long cut around what differs."""
    sides = [list(old), list(new)]
    for number in range(max(len(old), len(new))):
        pair = [side[number] for side in sides if number < len(side)]
        if all(len(line) <= LONGEST for line in pair):
            continue
        start = max(0, equal(*pair) - LEAD) if len(pair) == 2 else 0
        for side in sides:
            if number < len(side):
                side[number] = ("…" if start else "") + side[number][start : start + LONGEST]
    return sides


def by_file(edits: Sequence[Replace]) -> Iterator[tuple[str, list[Replace]]]:
    for path, own in groupby(sorted(edits), lambda edit: edit.span.path):
        yield path, list(own)
