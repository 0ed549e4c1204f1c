"""tree-sitter behind one door: parse, find, climb, spans, error and depth checks, for every language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property
from importlib import import_module
from itertools import accumulate
from time import process_time
from typing import Any

from tree_sitter import Language, Node, Parser, Range, Tree

from perfmod.errors import TooMuch as TooMuch
from perfmod.model import Span
from perfmod.patterns import pattern
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
# the nesting, and climbing does too, because tree-sitter looks for a node's parent from the root. Functions that
# descend call themselves: the deepest tree leaves room for three calls a level.
LARGE = 50_000  # bytes; smaller files are parsed in an instant, whatever they hold
CHUNK = 4_000
SECONDS = 3.0
DEPTH = 250  # 34,000 real files, minified ones among them, stay below 150
BRACKETS = 2_000
BRACKET = pattern(rb"[()\[\]{}]")
WORK = 500_000  # nodes looked at, and thousands of bytes searched, in one file while it is scanned
LATER_WORK = 10 * WORK  # in one file that is asked again and again while the checkout is judged
SITES = 1_000  # places that one rule finds in one file; later stages compare them with each other
LISTS = frozenset({"module", "program", "block", "statement_block"})  # may have very many children, none with a name


@cache
def parser(language: str) -> Parser:
    """The parser of a language; a grammar is imported at its first use."""
    module, function = GRAMMARS[language]
    return Parser(Language(getattr(import_module(module), function)()))


def parse(language: str, utf8: bytes, ranges: Sequence[Range] = ()) -> Tree:
    """The tree of a text, or of parts of it. Raises TooMuch where that takes too long, or gives a tree too deep."""
    tree = parsed(language, utf8, ranges)
    if language in ("tsx", "javascript") and not ranges and tree.root_node.has_error and b"&" in utf8:
        from perfmod.source.script.jsx_text import without_ampersands

        tree = without_ampersands(utf8, tree, lambda text: parsed(language, text, ()))
    if is_deep(tree.root_node):
        raise TooMuch(f"it is nested more than {DEPTH} levels deep")
    return tree


def is_deep(root: Node) -> bool:
    """Whether a tree has more than DEPTH levels. Looks only where there are nodes enough for that."""
    todo = [(root, DEPTH)]
    while todo:
        node, left = todo.pop()
        if not left:
            return True
        todo += [(child, left - 1) for child in node.children if child.descendant_count >= left]
    return False


def parsed(language: str, utf8: bytes, ranges: Sequence[Range]) -> Tree:
    using = ranged(language, ranges) if ranges else parser(language)
    if len(utf8) < LARGE or 0 < sum(part.end_byte - part.start_byte for part in ranges) < LARGE:
        return using.parse(utf8)
    if may_be_nested(utf8) and nesting(utf8) > BRACKETS:
        raise TooMuch(f"its brackets are nested more than {BRACKETS:,} levels deep")
    until = process_time() + SECONDS
    parsing = True

    def is_late(*_: object) -> bool:
        return process_time() > until

    def read(offset: int, _: object) -> bytes:
        # later the tree reads the texts of its nodes here
        return b"" if parsing and is_late() else utf8[offset : offset + CHUNK]

    try:
        tree = using.parse(read, progress_callback=is_late)
    except ValueError:
        using.reset()
        tree = None
    parsing = False
    if tree is None or is_late():
        raise TooMuch(f"the parser needs more than {SECONDS:.0f} seconds for it")
    return tree


def ranged(language: str, ranges: Sequence[Range]) -> Parser:
    grammar = parser(language).language
    assert grammar is not None
    return Parser(grammar, included_ranges=list(ranges))


def may_be_nested(utf8: bytes) -> bool:
    """Whether brackets may be nested more than BRACKETS levels deep: counted in parts, which is a tenth of the work."""
    depth = 0
    for start in range(0, len(utf8), CHUNK):
        part = utf8[start : start + CHUNK]
        opened = part.count(b"(") + part.count(b"[") + part.count(b"{")
        if depth + opened > BRACKETS:
            return True
        depth += opened - part.count(b")") - part.count(b"]") - part.count(b"}")
    return False


def nesting(utf8: bytes) -> int:
    """How deep brackets are nested, counting those in strings and comments too."""
    return max(accumulate(1 if bracket in b"([{" else -1 for bracket in BRACKET.findall(utf8)), default=0)


class Source:
    """One file as rules see it. Lives for one scan: facts leave it, nodes do not.

    `find`, `find_word` and `spend` raise TooMuch where more is asked for than one file may cost.
    `scanned`: a text that takes too long to parse raises TooMuch as well; else it is one that does not parse.
    """

    def __init__(self, text: Text, language: str, *, scanned: bool = False) -> None:
        self.text = text
        self.language = language
        self.scanned = scanned
        self.bindings: dict[str, Sequence[Any]] = {}  #: of names, for whoever asks again
        self._work = WORK if scanned else LATER_WORK

    @property
    def path(self) -> str:
        return self.text.path

    @property
    def utf8(self) -> bytes:
        return self.text.utf8

    @cached_property
    def tree(self) -> Tree:
        try:
            return self._parse()
        except TooMuch:
            if self.scanned:
                raise
            return parser(self.language).parse(b"(")  # for whoever asks whether it parses

    def _parse(self) -> Tree:
        return parse(self.language, self.text.utf8)

    @property
    def root(self) -> Node:
        return self.tree.root_node

    def span(self, node: Node) -> Span:
        return Span(self.path, node.start_byte, node.end_byte)

    def code(self, node: Node) -> str:
        """The source text of a node."""
        return self.utf8[node.start_byte : node.end_byte].decode()

    @property
    def extent(self) -> tuple[int, int]:
        """Where in the text its code stands."""
        return 0, len(self.utf8)

    def find(self, pattern: re.Pattern[bytes]) -> Iterator[Node]:
        """The smallest node at each match of a byte pattern (its first group, if it has one)."""
        first, last = self.extent
        self.spend((last - first) // 1_000)
        group = 1 if pattern.groups else 0
        for match in pattern.finditer(self.utf8, first, last):
            node = self.root.descendant_for_byte_range(match.start(group), match.end(group))
            self.spend(1)
            if node is not None:
                yield node

    def find_word(self, word: bytes, within: Node | None = None) -> Iterator[Node]:
        """The smallest node at each whole-word occurrence of `word`. Faster than a pattern."""
        first, last = (within.start_byte, within.end_byte) if within is not None else self.extent
        yield from self.nodes_at(starts_of_word(self.utf8, word, first, last), word, last - first)

    def nodes_at(self, starts: Iterable[int], word: bytes, searched: int) -> Iterator[Node]:
        """The smallest nodes that hold a word at these places; so many bytes were searched for them."""
        self.spend(searched // 10_000)
        for start in starts:
            self.spend(1)
            node = self.root.descendant_for_byte_range(start, start + len(word))
            if node is not None:
                yield node

    def spend(self, work: int) -> None:
        """Say beforehand how many nodes a loop may look at, where a file can make it run again and again."""
        self._work -= work
        if self._work < 0:
            raise TooMuch("it holds too much that has to be looked at", self.path)

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
    while (parent := node.parent) is not None:
        yield parent
        node = parent


def field_of(node: Node) -> str | None:
    """The field name under which a node hangs in its parent."""
    parent = node.parent
    if parent is None or parent.type in LISTS:
        return None
    for index, child in enumerate(parent.children):
        if child == node:
            return parent.field_name_for_child(index)
    return None
