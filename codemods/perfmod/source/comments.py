"""The comments at a place: those of its line and of the lines right above it."""

from __future__ import annotations

import re

from perfmod.source.tree import Source

COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/|\{/\*.*?\*/\}|(?<![\w'\"])#[^\n]*", re.S)
ABOVE = re.compile(r"\s*(?://|/?\*|#|\{/\*)")


def comment_at(source: Source, offset: int) -> str:
    """The text of the comments on the line of an offset and in the comment lines above it."""
    text = source.text
    number = text.position(offset)[0]
    line = text.line(number)
    found = [match[0] for match in COMMENT.finditer(line)]
    while number > 1 and ABOVE.match(text.line(number - 1)):
        number -= 1
        found.insert(0, text.line(number).strip())
    return " ".join(found)
