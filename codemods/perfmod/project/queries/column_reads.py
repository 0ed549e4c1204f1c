"""Which columns no TypeScript or JavaScript of a checkout names, and the types of rows that lack them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tree_sitter import Node

from perfmod.discovery import language_of
from perfmod.model import Replace, Span
from perfmod.project.web.modules import ScriptModules
from perfmod.source.queries.facts import Query
from perfmod.source.tree import field_of
from perfmod.source.words import starts_of_word

if TYPE_CHECKING:
    from perfmod.project import Project

SCRIPTS = ("typescript", "tsx", "javascript", "vue", "svelte")


def unread(project: Project, modules: ScriptModules, columns: Sequence[str]) -> list[str]:
    """The columns whose names stand only in types."""
    return [column for column in columns if not is_named(project, modules, column)]


def is_named(project: Project, modules: ScriptModules, column: str) -> bool:
    """Whether some code, rather than a type, holds the name of a column: read, written or as a part of a string."""
    word = column.encode()
    for path in project.files:
        if language_of(path) not in SCRIPTS:
            continue
        data = project.raw(path) or b""
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            data = data.replace(b"\0", b"")
        if not any(True for _ in starts_of_word(data, word)):
            continue
        source = modules.source(path)
        if source is None or not all(in_type(node) for node in source.find_word(word)):
            return True
    return False


def in_type(node: Node) -> bool:
    """Whether a mention is the name of a property in a type, or stands in a comment."""
    parent = node.parent
    if node.type == "comment":
        return True
    return parent is not None and parent.type == "property_signature" and field_of(node) == "name"


def without(query: Query, columns: Sequence[str]) -> Iterator[Replace]:
    """The row types at the site of a query, without these columns."""
    names = " | ".join(f"'{column}'" for column in columns)
    for row in dict.fromkeys((row.offset, row.text) for row in query.rows):
        offset, text = row
        span = Span(query.path, offset, offset + len(text.encode()))
        yield Replace(span, f"Omit<{text}, {names}>")
