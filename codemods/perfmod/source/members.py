"""JSON by its bytes: the members of an object with their places, and edits that keep every other byte.

package.json and package-lock.json are JSON; bun.lock has trailing commas, which the JavaScript grammar reads.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from functools import cached_property
from itertools import groupby
from typing import Any

from tree_sitter import Node

from perfmod.model import Replace, Span
from perfmod.source.text import Text
from perfmod.source.tree import TooMuch, parse
from perfmod.values import dataclass


@dataclass(frozen=True)
class Object:
    """One JSON object at its place in a text."""

    text: Text
    node: Node
    shift: int = 0  #: how far offsets in the tree are ahead of those in the text

    @classmethod
    def read(cls, text: Text) -> Object | None:
        """The outermost object of a text; None where it is none or does not parse."""
        relaxed = text.path.endswith(".lock")
        data = b"(" + text.utf8 + b")" if relaxed else text.utf8
        try:
            root = parse("javascript" if relaxed else "json", data).root_node
        except TooMuch:
            return None
        node: Node | None = root
        while node is not None and node.type != "object":
            node = next((child for child in node.named_children if child.type != "comment"), None)
        return None if node is None or root.has_error else cls(text, node, 1 if relaxed else 0)

    @cached_property
    def pairs(self) -> list[Node]:
        return [child for child in self.node.named_children if child.type == "pair"]

    @cached_property
    def keys(self) -> list[str]:
        return [str(self._value(pair.child_by_field_name("key"))) for pair in self.pairs]

    def start(self, index: int) -> int:
        return self.pairs[index].start_byte - self.shift

    def end(self, index: int) -> int:
        return self.pairs[index].end_byte - self.shift

    def _value(self, node: Node | None) -> Any:
        if node is None:
            return None
        try:
            return json.loads(self.text.utf8[node.start_byte - self.shift : node.end_byte - self.shift])
        except (ValueError, RecursionError):
            return None

    def value_node(self, key: str) -> Node | None:
        return self.pairs[self.keys.index(key)].child_by_field_name("value") if self.keys.count(key) == 1 else None

    def value(self, key: str) -> Any:
        """The value of a key, read; None where there is none."""
        return self._value(self.value_node(key))

    def get(self, *keys: str) -> Object | None:
        """The object that stands at a path of keys."""
        found = self
        for key in keys:
            node = found.value_node(key)
            if node is None or node.type != "object":
                return None
            found = Object(self.text, node, self.shift)
        return found

    def member(self, key: str) -> str:
        """The text of a member, key and value."""
        index = self.keys.index(key)
        return self.text.slice(self.start(index), self.end(index))

    @cached_property
    def separator(self) -> str:
        """What stands before the first member: its line end and indentation."""
        return self.text.slice(self.node.start_byte - self.shift + 1, self.start(0)) if self.pairs else ""

    @cached_property
    def tail(self) -> str:
        """What stands behind the last member: a trailing comma, the line end, the indentation of the brace."""
        return self.text.slice(self.end(-1), self.node.end_byte - self.shift - 1) if self.pairs else ""

    def replace(self, start: int, end: int, text: str = "") -> Replace:
        return Replace(Span(self.text.path, start, end), text)

    def without(self, names: Collection[str]) -> list[Replace]:
        """Takes members out, each with one comma."""
        edits = []
        for gone, run in groupby(range(len(self.keys)), lambda index: self.keys[index] in names):
            indexes = list(run)
            first, last = indexes[0], indexes[-1]
            if not gone:
                continue
            if last + 1 < len(self.keys):
                edits.append(self.replace(self.start(first), self.start(last + 1)))
            elif first:
                edits.append(self.replace(self.end(first - 1), self.end(last)))
            else:
                edits.append(self.replace(self.node.start_byte - self.shift + 1, self.node.end_byte - self.shift - 1))
        return edits

    def insert(self, index: int, members: Sequence[str]) -> Replace:
        """Puts members before the one at `index`, or at the end. The object has members already."""
        if index < len(self.pairs):
            text = "".join(f"{member},{self.separator}" for member in members)
            return self.replace(self.start(index), self.start(index), text)
        text = "".join(f",{self.separator}{member}" for member in members)
        return self.replace(self.end(-1), self.end(-1), text)

    def with_members(self, members: dict[str, str]) -> list[Replace]:
        """Puts members at their places where the keys are sorted, else at the end."""
        ordered = self.keys == sorted(self.keys)
        places: dict[int, list[str]] = {}
        for key in sorted(members):
            index = next((i for i, k in enumerate(self.keys) if k > key), len(self.keys)) if ordered else len(self.keys)
            places.setdefault(index, []).append(members[key])
        return [self.insert(index, texts) for index, texts in places.items()]


def move_members(block: Object, names: Collection[str], source: str, target: str) -> list[Replace] | None:
    """Moves members from one section of a block to another. None where a section does not have the shape for it."""
    old, new = block.get(source), block.get(target)
    if old is None or not set(names) <= set(old.keys) or (new is None and target in block.keys):
        return None
    members = {name: old.member(name) for name in names}
    emptied = set(old.keys) == set(names)
    if any(old.keys.count(name) > 1 for name in names) or (new is not None and set(names) & set(new.keys)):
        return None
    if new is None and emptied:
        key = block.pairs[block.keys.index(source)].child_by_field_name("key")
        assert key is not None
        return [block.replace(key.start_byte - block.shift, key.end_byte - block.shift, f'"{target}"')]
    joined = f",{old.separator}".join(members[name] for name in sorted(members))
    section = f"{{{old.separator}{joined}{old.tail}}}"
    edits = block.without({source}) if emptied else old.without(names)
    if new is None:
        edits.append(block.insert(block.keys.index(source) + 1, [f'"{target}": {section}']))
    elif not new.pairs:
        edits.append(block.replace(new.node.start_byte - block.shift, new.node.end_byte - block.shift, section))
    else:
        edits += new.with_members(members)
    return edits
