"""Statements of TypeScript and JavaScript as text: put under a guard, or taken out, with their comments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from tree_sitter import Node

from perfmod.model import Replace, Span
from perfmod.patterns import pattern
from perfmod.source.tree import Source, ancestors

#: Stands in edits for the condition, which depends on the bundler.
GUARD = "\N{SYMBOL FOR NULL}guard\N{SYMBOL FOR NULL}"
DIRECTIVE = pattern(
    r"@ts-(?:ignore|expect-error)|(?:eslint|biome|oxlint|prettier)-(?:disable-next-line|ignore)|biome-ignore"
)
BLOCKS = frozenset({"program", "statement_block"})


def wrap(source: Source, run: Sequence[Node]) -> tuple[Replace, ...]:
    """Puts statements that follow each other under the guard, with the comments on their lines."""
    start, end = extent(source, run[0], run[-1])
    unit = indentation(source) if alone_on_line(source, start, end) else ""
    text = indent(source, start, end, unit)
    return (Replace(Span(source.path, start, end), guarded(source, run[0], text, start, end)),)


def guarded(source: Source, first: Node, text: str, start: int, end: int) -> str:
    """`text`, which replaces what stands at start..end and is indented already, under the guard."""
    newline, unit = source.text.newline, indentation(source)
    if not alone_on_line(source, start, end):
        inner = f"if ({GUARD}) {{ {text} }}"
        parent = first.parent
        return inner if parent is not None and parent.type in BLOCKS else f"{{ {inner} }}"
    margin = line_margin(source, start)
    block = f"if ({GUARD}) {{{newline}{margin}{unit}{text}{newline}{margin}}}"
    return block if first.parent is not None and first.parent.type in BLOCKS else f"{{ {block} }}"


def extent(source: Source, first: Node, last: Node) -> tuple[int, int]:
    """Where statements begin and end with a directive above them and a comment behind them."""
    start, end = first.start_byte, end_of(last)
    above = first.prev_named_sibling
    while above is not None and above.type == "comment" and above.end_point[0] == source_row(source, start) - 1:
        if not alone_on_line(source, above.start_byte, above.end_byte):
            break
        if DIRECTIVE.search(source.code(above)):
            start = above.start_byte
            above = above.prev_named_sibling
            continue
        break
    behind = last.next_sibling
    leads = not line_margin(source, start).strip()
    if leads and behind is not None and behind.type == "comment" and behind.start_point[0] == last.end_point[0]:
        rest = source.utf8[behind.end_byte : line_end(source, behind.end_byte)]
        if not rest.strip():
            end = behind.end_byte
    return start, end


def end_of(statement: Node) -> int:
    """Where a statement ends. A semicolon on a later line belongs to what follows: `a()` and then `;[b].map(c)`."""
    last = statement.children[-1] if statement.children else statement
    before = last.prev_sibling
    apart = last.type == ";" and before is not None and before.end_point[0] < last.start_point[0]
    return before.end_byte if apart and before is not None else statement.end_byte


def source_row(source: Source, offset: int) -> int:
    return source.utf8.count(b"\n", 0, offset)


def line_end(source: Source, offset: int) -> int:
    found = source.utf8.find(b"\n", offset)
    return len(source.utf8) if found < 0 else found


def line_margin(source: Source, offset: int) -> str:
    """The white space before an offset that is the first thing on its line."""
    return source.text.slice(source.utf8.rfind(b"\n", 0, offset) + 1, offset)


def alone_on_line(source: Source, start: int, end: int) -> bool:
    """Whether nothing else stands on the lines of a range."""
    before = source.utf8[source.utf8.rfind(b"\n", 0, start) + 1 : start]
    return not before.strip() and not source.utf8[end : line_end(source, end)].strip()


def indentation(source: Source) -> str:
    """One step of indentation as the file writes it."""
    return indentation_of(source.utf8)


@lru_cache(maxsize=4)  # one file asks for every import in it
def indentation_of(utf8: bytes) -> str:
    depths = re.findall(rb"^([ \t]+)\S", utf8, re.M)
    if depths and depths[0].startswith(b"\t"):
        return "\t"
    widths = [len(depth) for depth in depths if len(depth) > 1 and b"\t" not in depth]
    if widths and widths[0] in (2, 4):
        return " " * widths[0]
    return " " * (4 if widths and all(width % 4 == 0 for width in widths) else 2)


def indent(source: Source, start: int, end: int, unit: str) -> str:
    """The text of a range, its further lines one step deeper. Lines inside template strings stay."""
    utf8 = source.utf8
    pieces = [utf8[start : min(end, line_end(source, start) + 1)].decode()]
    offset = line_end(source, start) + 1
    while offset < end:
        after = min(end, line_end(source, offset) + 1)
        line = utf8[offset:after].decode()
        inside = source.root.descendant_for_byte_range(offset, offset)
        fixed = inside is not None and in_template(inside, offset)
        pieces.append(line if fixed or not line.strip() else unit + line)
        offset = after
    return "".join(pieces)


def in_template(node: Node, offset: int) -> bool:
    """Whether a line that begins at an offset begins inside a string."""
    kinds = ("template_string", "string", "jsx_text")
    return any(n.type in kinds and n.start_byte < offset < n.end_byte for n in (node, *ancestors(node)))


def drop_statement(source: Source, statement: Node) -> Replace:
    """Takes a statement out, with its line where it is alone there."""
    return drop_range(source, statement.start_byte, end_of(statement))


def drop_with_remarks(source: Source, statement: Node, about: re.Pattern[str]) -> tuple[Replace, list[str]]:
    """Takes a statement out with the comments that speak of it, and gives these: the one behind it, and those directly
    above it in which `about` finds something."""
    start, end = extent(source, statement, statement)
    behind = source.text.slice(end_of(statement), end).strip()
    remarks = [behind] if behind else []
    above, row = statement.prev_named_sibling, statement.start_point[0]
    while above is not None and above.type == "comment" and above.end_point[0] == row - 1:
        if not alone_on_line(source, above.start_byte, above.end_byte) or not about.search(source.code(above)):
            break
        remarks.insert(0, source.code(above))
        start, row, above = above.start_byte, above.start_point[0], above.prev_named_sibling
    return drop_range(source, start, end), remarks


def drop_range(source: Source, start: int, end: int) -> Replace:
    """Takes a range out, with its lines where it is alone there, and a blank line that would be one too many."""
    if alone_on_line(source, start, end):
        start = source.utf8.rfind(b"\n", 0, start) + 1
        end = min(len(source.utf8), line_end(source, end) + 1)
        paragraph = not source.utf8[source.utf8.rfind(b"\n", 0, max(0, start - 1)) + 1 : start].strip()
        if paragraph and not source.utf8[end : line_end(source, end)].strip():
            end = min(len(source.utf8), line_end(source, end) + 1)
    else:
        while source.utf8[end : end + 1] in (b" ", b"\t"):
            end += 1
    return Replace(Span(source.path, start, end), "")


def directive_above(source: Source, statement: Node) -> bool:
    return extent(source, statement, statement)[0] < statement.start_byte


def comment_above(source: Source, statement: Node) -> str:
    """What the comments directly above a statement say."""
    lines: list[str] = []
    above = statement.prev_named_sibling
    row = statement.start_point[0]
    while above is not None and above.type == "comment" and above.end_point[0] == row - 1:
        if not alone_on_line(source, above.start_byte, above.end_byte):
            break
        row = above.start_point[0]
        code = re.sub(r"\A(?://+|/\*+)|(?<!\*)\*+/\Z", "", source.code(above))
        code = " ".join(line.strip(" \t*") for line in code.splitlines()).strip()
        if code and not DIRECTIVE.search(code) and "perfmod:" not in code:
            lines.insert(0, code)
        above = above.prev_named_sibling
    return brief(" ".join(lines), 160)


def brief(code: str, width: int = 60) -> str:
    line = " ".join(code.split())
    return line if len(line) <= width else line[: width - 3] + "..."
