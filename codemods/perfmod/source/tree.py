"""tree-sitter behind one door: parse, find, climb, spans, error and depth checks, for every language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, cached_property
from importlib import import_module
from itertools import accumulate
from math import inf
from time import process_time

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

# A file that needs more than this is none that a person wrote. Some grammars need time that grows with the square of
# the nesting, and climbing does too, because tree-sitter looks for a node's parent from the root.
LARGE = 50_000  # bytes; smaller files are parsed in an instant, whatever they hold
CHUNK = 4_000
SECONDS = 3.0
DEPTH = 500
BRACKETS = 2_000
BRACKET = re.compile(rb"[()\[\]{}]")
WORK = 500_000  # nodes looked at, and thousands of bytes searched, in one file
LISTS = frozenset({"module", "program", "block", "statement_block"})  # may have very many children, none with a name


class TooMuch(Exception):
    """A file that would take too long. The message says why, in words for the user."""


@cache
def parser(language: str) -> Parser:
    """The parser of a language; a grammar is imported at its first use."""
    module, function = GRAMMARS[language]
    return Parser(Language(getattr(import_module(module), function)()))


def parse(language: str, utf8: bytes) -> Tree:
    """The tree of a text. Raises TooMuch where that takes too long."""
    if len(utf8) < LARGE:
        return parser(language).parse(utf8)
    if nesting(utf8) > BRACKETS:
        raise TooMuch(f"its brackets are nested more than {BRACKETS:,} levels deep")
    until = process_time() + SECONDS
    parsing = True

    def is_late(*_: object) -> bool:
        return process_time() > until

    def read(offset: int, _: object) -> bytes:
        # later the tree reads the texts of its nodes here
        return b"" if parsing and is_late() else utf8[offset : offset + CHUNK]

    try:
        tree = parser(language).parse(read, progress_callback=is_late)
    except ValueError:
        parser(language).reset()
        tree = None
    parsing = False
    if tree is None or is_late():
        raise TooMuch(f"the parser needs more than {SECONDS:.0f} seconds for it")
    return tree


def nesting(utf8: bytes) -> int:
    """How deep brackets are nested, counting those in strings and comments too."""
    return max(accumulate(1 if bracket in b"([{" else -1 for bracket in BRACKET.findall(utf8)), default=0)


class Source:
    """One file as rules see it. Lives for one scan: facts leave it, nodes do not.

    `find` and `find_word` raise TooMuch where a rule asks for more than `work`.
    """

    def __init__(self, text: Text, language: str, work: float = inf) -> None:
        self.text = text
        self.language = language
        self._work = work

    @property
    def path(self) -> str:
        return self.text.path

    @property
    def utf8(self) -> bytes:
        return self.text.utf8

    @cached_property
    def tree(self) -> Tree:
        try:
            return parse(self.language, self.text.utf8)
        except TooMuch:
            if self._work < inf:
                raise
            return parser(self.language).parse(b"(")  # for whoever asks whether it parses

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
        self._spend(len(self.utf8) // 1_000)
        group = 1 if pattern.groups else 0
        for match in pattern.finditer(self.utf8):
            node = self.root.descendant_for_byte_range(match.start(group), match.end(group))
            self._spend(1)
            if node is not None:
                yield node

    def find_word(self, word: bytes) -> Iterator[Node]:
        """The smallest node at each whole-word occurrence of `word`. Faster than a pattern."""
        self._spend(len(self.utf8) // 10_000)
        for start in starts_of_word(self.utf8, word):
            self._spend(1)
            node = self.root.descendant_for_byte_range(start, start + len(word))
            if node is not None:
                yield node

    def _spend(self, work: int) -> None:
        self._work -= work
        if self._work < 0:
            raise TooMuch("it holds too much that has to be looked at")

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
    """The parents of a node, innermost first. Raises TooMuch where it is nested too deeply."""
    parent = node.parent
    for _ in range(DEPTH):
        if parent is None:
            return
        yield parent
        parent = parent.parent
    raise TooMuch("it is nested too deeply")


def field_of(node: Node) -> str | None:
    """The field name under which a node hangs in its parent."""
    parent = node.parent
    if parent is None or parent.type in LISTS:
        return None
    for index, child in enumerate(parent.children):
        if child == node:
            return parent.field_name_for_child(index)
    return None
