"""Block mappings of YAML by their lines: what pnpm-lock.yaml, pnpm-workspace.yaml and workflows are made of."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from tree_sitter import Node

from perfmod.source.text import Text
from perfmod.source.tree import TooMuch, parse
from perfmod.values import dataclass


@dataclass(frozen=True)
class Mapping:
    """One block mapping at its place in a text."""

    text: Text
    node: Node

    @cached_property
    def pairs(self) -> dict[str, Node]:
        return {
            plain(self.text, key): child
            for child in self.node.named_children
            if child.type == "block_mapping_pair" and (key := child.child_by_field_name("key")) is not None
        }

    def get(self, key: str) -> Mapping | None:
        """The mapping that stands under a key."""
        pair = self.pairs.get(key)
        value = pair.child_by_field_name("value") if pair is not None else None
        inner = first_of(value, "block_mapping") if value is not None else None
        return None if inner is None else Mapping(self.text, inner)

    def scalar(self, key: str) -> str | None:
        """The plain or quoted value of a key."""
        pair = self.pairs.get(key)
        value = pair.child_by_field_name("value") if pair is not None else None
        return None if value is None or value.type != "flow_node" else plain(self.text, value)

    def lines(self, key: str) -> tuple[int, int]:
        """Where the lines of a pair begin and end, the last line end included."""
        node = self.pairs[key]
        utf8 = self.text.utf8
        end = utf8.find(b"\n", node.end_byte)
        return utf8.rfind(b"\n", 0, node.start_byte) + 1, len(utf8) if end < 0 else end + 1


def documents(text: Text) -> Iterator[Mapping]:
    """The outermost mapping of every document of a text. Nothing where the text does not parse."""
    try:
        root = parse("yaml", text.utf8).root_node
    except TooMuch:
        return
    if root.has_error:
        return
    for document in root.named_children:
        if document.type == "document":
            inner = first_of(document, "block_mapping")
            if inner is not None:
                yield Mapping(text, inner)


def strings_under(text: Text, key: str) -> list[str]:
    """The entries of the list under a top-level key."""
    found = []
    for document in documents(text):
        pair = document.pairs.get(key)
        value = pair.child_by_field_name("value") if pair is not None else None
        if value is not None:
            items = first_of(value, "block_sequence") or first_of(value, "flow_sequence")
            found += [plain(text, item) for item in (items.named_children if items else ()) if item.type != "comment"]
    return found


def first_of(node: Node, kind: str) -> Node | None:
    """The node of a kind that a wrapper node holds."""
    for child in node.named_children:
        if child.type == kind:
            return child
        if child.type in ("block_node", "flow_node"):
            return first_of(child, kind)
    return None


def plain(text: Text, node: Node) -> str:
    """A key or a list entry without its dash and quotes."""
    code = text.slice(node.start_byte, node.end_byte).strip()
    code = code[1:].strip() if node.type == "block_sequence_item" else code
    return code[1:-1] if len(code) > 1 and code[0] == code[-1] and code[0] in "'\"" else code
