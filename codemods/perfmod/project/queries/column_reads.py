"""Which columns no TypeScript or JavaScript of a checkout names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tree_sitter import Node

from perfmod.discovery import language_of
from perfmod.project.web.modules import ScriptModules
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
