"""Scripts inside other files: the <script> elements of .vue, .svelte and HTML."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node, Range, Tree

from perfmod.source.text import Text
from perfmod.source.tree import Source, TooMuch, parse

SCRIPT_LANGUAGES = {"ts": "typescript", "tsx": "tsx"}


class Embedded(Source):
    """One inline script. Its offsets are those of the whole file."""

    def __init__(self, text: Text, language: str, node: Node, page: Source | None) -> None:
        super().__init__(text, language, scanned=page is not None and page.scanned)
        self._page = page
        self._range = Range(node.start_point, node.end_point, node.start_byte, node.end_byte)

    @property
    def extent(self) -> tuple[int, int]:
        return self._range.start_byte, self._range.end_byte

    def spend(self, work: int) -> None:
        if self._page is None:
            super().spend(work)
        else:
            self._page.spend(work)

    def _parse(self) -> Tree:
        return parse(self.language, self.text.utf8, [self._range])


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


def scripts(text: Text, page: Source | None = None) -> list[Source]:
    """The inline scripts of a text that parse. They spend the work of their `page`."""
    found: list[Source] = []
    for _, attributes, code in elements(text):
        kind = attributes.get("type", "module")
        if code is None or code.start_byte == code.end_byte:
            continue
        if page is not None:
            page.spend((code.end_byte - code.start_byte) // 1_000)
        if kind in ("", "module", "text/javascript", "application/javascript"):
            source = Embedded(text, SCRIPT_LANGUAGES.get(attributes.get("lang", ""), "javascript"), code, page)
            if source.error is None:
                found.append(source)
    return found
