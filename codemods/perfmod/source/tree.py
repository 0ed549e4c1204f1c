"""tree-sitter behind one door: parse, find, climb, spans, error and depth checks, for every language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, cached_property
from importlib import import_module

from tree_sitter import Language, Node, Parser, Tree

from perfmod.model import Span
from perfmod.source.text import Text
from perfmod.source.words import starts_of_word

GRAMMARS = {
    "python": ("tree_sitter_python", "language"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "javascript": ("tree_sitter_javascript", "language"),
    "json": ("tree_sitter_json", "language"),
    "yaml": ("tree_sitter_yaml", "language"),
    "html": ("tree_sitter_html", "language"),
}


@cache
def parser(language: str) -> Parser:
    """The parser of a language; a grammar is imported at its first use."""
    module, function = GRAMMARS[language]
    return Parser(Language(getattr(import_module(module), function)()))


class Source:
    """One file as rules see it. Lives for one scan: facts leave it, nodes do not."""

    def __init__(self, text: Text, language: str) -> None:
        self.text = text
        self.language = language

    @property
    def path(self) -> str:
        return self.text.path

    @property
    def utf8(self) -> bytes:
        return self.text.utf8

    @cached_property
    def tree(self) -> Tree:
        return parser(self.language).parse(self.text.utf8)

    @property
    def root(self) -> Node:
        return self.tree.root_node

    def span(self, node: Node) -> Span:
        return Span(self.path, node.start_byte, node.end_byte)

    def code(self, node: Node) -> str:
        """The source text of a node."""
        return self.utf8[node.start_byte : node.end_byte].decode()

    def find(self, pattern: re.Pattern[bytes]) -> Iterator[Node]:
        """The smallest node at each match of a byte pattern (its first group, if it has one)."""
        group = 1 if pattern.groups else 0
        for match in pattern.finditer(self.utf8):
            node = self.root.descendant_for_byte_range(match.start(group), match.end(group))
            if node is not None:
                yield node

    def find_word(self, word: bytes) -> Iterator[Node]:
        """The smallest node at each whole-word occurrence of `word`. Faster than a pattern."""
        for start in starts_of_word(self.utf8, word):
            node = self.root.descendant_for_byte_range(start, start + len(word))
            if node is not None:
                yield node

    @cached_property
    def error(self) -> Node | None:
        """The first place where the grammar could not make sense of the text."""
        return first_error(self.root)


def first_error(root: Node) -> Node | None:
    """The first ERROR or missing node below `root`, in source order."""
    if not root.has_error:
        return None
    node = root
    while not (node.is_error or node.is_missing):
        broken = next((child for child in node.children if child.has_error or child.is_missing), None)
        if broken is None:
            return node
        node = broken
    return node


def ancestors(node: Node) -> Iterator[Node]:
    """The parents of a node, innermost first."""
    parent = node.parent
    while parent is not None:
        yield parent
        parent = parent.parent


def field_of(node: Node) -> str | None:
    """The field name under which a node hangs in its parent."""
    parent = node.parent
    if parent is None:
        return None
    for index, child in enumerate(parent.children):
        if child == node:
            return parent.field_name_for_child(index)
    return None
