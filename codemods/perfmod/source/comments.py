"""The comments at a place: those of its line and of the lines right above it, and at the start of its expression."""

from __future__ import annotations

import re

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.tree import Source

MOST_LINES = 50  # above a place: a longer comment is a licence or code, and says nothing about the line below
COMMENT = pattern(r"//[^\n]*|/\*.*?(?:\*/|\Z)|(?<![\w'\"])#[^\n]*", re.S)
ABOVE = pattern(r"\s*(?://|/?\*|#|\{/\*)")


def comments_at(source: Source, offset: int, expression: Node) -> str:
    """The text of the comments at an offset, and at the first line of the expression, if that holds the offset."""
    lines = [source.text.position(offset)[0]]
    if expression.start_byte <= offset < expression.end_byte:
        lines.insert(0, source.text.position(expression.start_byte)[0])
    return " ".join(filter(None, (comments_at_line(source, line) for line in dict.fromkeys(lines))))


def comments_at_line(source: Source, number: int) -> str:
    """The text of the comments on a line and in the comment lines above it."""
    text = source.text
    line = text.line(number)
    found = [match[0] for match in COMMENT.finditer(line)]
    first = max(1, number - MOST_LINES)
    while number > first and ABOVE.match(text.line(number - 1)):
        number -= 1
        found.insert(0, text.line(number).strip())
    return " ".join(found)
