"""Scripts inside other files: the <script> elements of .vue, .svelte and HTML."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from tree_sitter import Language, Node, Parser, Range, Tree

from perfmod.source.text import Text
from perfmod.source.tree import Source, TooMuch, parse, parser

SCRIPT_LANGUAGES = {"ts": "typescript", "tsx": "tsx"}


class Embedded(Source):
    """One inline script. Its offsets are those of the whole file."""

    def __init__(self, text: Text, language: str, node: Node) -> None:
        super().__init__(text, language)
        self._range = Range(node.start_point, node.end_point, node.start_byte, node.end_byte)

    @cached_property
    def tree(self) -> Tree:
        grammar: Language | None = parser(self.language).language
        assert grammar is not None
        return Parser(grammar, included_ranges=[self._range]).parse(self.text.utf8)


def elements(text: Text) -> Iterator[tuple[Node, dict[str, str], Node | None]]:
    """The script elements of a text: the element, its attributes, its code."""
    try:
        todo = [parse("html", text.utf8).root_node]
    except TooMuch:
        return
    while todo:
        node = todo.pop()
        if node.type != "script_element":
            todo += reversed(node.named_children)
            continue
        attributes = {}
        for attribute in node.named_children[0].named_children:
            if attribute.type == "attribute":
                name, *values = attribute.named_children
                code = text.slice(values[0].start_byte, values[0].end_byte) if values else ""
                attributes[text.slice(name.start_byte, name.end_byte)] = code.strip("\"'")
        yield node, attributes, next((child for child in node.named_children if child.type == "raw_text"), None)


def scripts(text: Text) -> list[Source]:
    """The inline scripts of a text that parse."""
    found: list[Source] = []
    for _, attributes, code in elements(text):
        kind = attributes.get("type", "module")
        if code is not None and kind in ("", "module", "text/javascript", "application/javascript"):
            source = Embedded(text, SCRIPT_LANGUAGES.get(attributes.get("lang", ""), "javascript"), code)
            if source.error is None:
                found.append(source)
    return found
