"""A code frame: the lines around a span, with the span marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfmod.reports.colors import BOLD, CYAN, RED, paint
from perfmod.reports.places import Place

if TYPE_CHECKING:
    from perfmod.reports import View
    from perfmod.source.text import Text

CONTEXT = 2  # lines
LONGEST_SPAN = 8  # lines; of a longer one the middle is left out
TAB = 4  # columns


def code_frame(text: Text, place: Place, view: View) -> list[str]:
    """The lines of the frame: context, and below the first and the last line of the span its mark."""
    first, last = place.line, place.end_line
    if last > first and place.end_column == 1:
        last -= 1  # the span ends with a line end
    shown = [*trim(text, range(max(1, first - CONTEXT), first), first), *range(first, last + 1)]
    shown += trim(text, range(last + 1, min(text.line_count, last + CONTEXT) + 1), last)
    if last - first >= LONGEST_SPAN:
        shown = [n for n in shown if n < first + LONGEST_SPAN // 2 or n > last - LONGEST_SPAN // 2]
    gutter = len(str(shown[-1]))
    frame = [bar(" " * gutter, "", view)]
    before = shown[0]
    for number in shown:
        if number > before + 1:
            frame.append(bar("." * gutter, "", view))
        before = number
        code = clean(text.line(number))
        start = end = None
        if number == first:
            start = expanded(text.line(number)[: place.column - 1])
            end = len(code)
        if number == last:
            start = len(code) - len(code.lstrip()) if start is None else start
            end = expanded(text.line(number)[: place.end_column - 1]) if last == place.end_line else len(code)
        code, mark = cut(code, start, end, view.width - gutter - 3)
        frame.append(bar(str(number).rjust(gutter), code, view))
        if mark:
            frame.append(bar(" " * gutter, paint(mark, BOLD, RED) if view.color else mark, view))
    return frame


def trim(text: Text, numbers: range, neighbour: int) -> list[int]:
    """Lines of context without the blank ones at the outer end."""
    kept = list(numbers)
    outer = 0 if kept and kept[0] < neighbour else -1
    while kept and not text.line(kept[outer]).strip():
        kept.pop(outer)
    return kept


def clean(line: str) -> str:
    """A line as it can be shown: tabs as blanks, one sign for whatever could upset a terminal."""
    line = line.expandtabs(TAB)
    return line if line.isprintable() else "".join(c if c.isprintable() else "·" for c in line)


def expanded(prefix: str) -> int:
    """How many characters a piece at the start of a line has once its tabs are blanks."""
    return len(prefix.expandtabs(TAB))


def cut(code: str, start: int | None, end: int | None, width: int) -> tuple[str, str]:
    """The part of a line that fits, around the start of the mark; and the mark below it."""
    offset = 0
    if len(code) > width:
        if start is not None and start > width // 2:
            offset = min(start - width // 4, len(code) - width)
        tail = "…" if offset + width < len(code) else ""
        head = "…" if offset else ""
        code = head + code[offset + len(head) : offset + width - len(tail)] + tail
    if start is None or end is None:
        return code, ""
    start = max(0, start - offset)
    end = min(max(start + 1, end - offset), max(len(code), start + 1))
    return code, " " * columns(code[:start]) + "^" * max(1, columns(code[start:end]))


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def bar(left: str, code: str, view: View) -> str:
    if view.color:
        return f"{paint(f'{left} |', CYAN)} {code}".rstrip()
    return f"{left} | {code}".rstrip()
