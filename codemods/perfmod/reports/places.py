"""Where findings are, in lines and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.model import Span
    from perfmod.project import Project


@dataclass(frozen=True, slots=True)
class Place:
    """Lines and columns from 1; columns count characters, the end is the first column after the span."""

    line: int
    column: int
    end_line: int
    end_column: int


def locate(span: Span, project: Project) -> Place:
    """The place of a span; the file's start where the file has no readable text."""
    text = project.text(span.path)
    if text is None:
        return Place(1, 1, 1, 1)
    return Place(*text.position(span.start), *text.position(span.end))


def printable(text: str) -> str:
    """`text` with control characters and undecodable bytes escaped, so that it can't break a line or a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
