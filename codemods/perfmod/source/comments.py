"""The comments at a place: those of its line and of the lines right above it."""

from __future__ import annotations

import re

from perfmod.source.tree import Source

MOST_LINES = 50  # above a place: a longer comment is a licence or code, and says nothing about the line below
COMMENT = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)|(?<![\w'\"])#[^\n]*", re.S)
ABOVE = re.compile(r"\s*(?://|/?\*|#|\{/\*)")


def comment_at(source: Source, offset: int) -> str:
    """The text of the comments on the line of an offset and in the comment lines above it."""
    text = source.text
    number = text.position(offset)[0]
    line = text.line(number)
    found = [match[0] for match in COMMENT.finditer(line)]
    first = max(1, number - MOST_LINES)
    while number > first and ABOVE.match(text.line(number - 1)):
        number -= 1
        found.insert(0, text.line(number).strip())
    return " ".join(found)
