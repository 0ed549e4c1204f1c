"""Which keys of a query's rows Python reads near the query."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tree_sitter import Node

from perfmod.source.python.names import Names, enclosing_function
from perfmod.source.queries.facts import Use
from perfmod.source.tree import Source, field_of


def row_reads(source: Source, names: Names, top: Node, text_of: Callable[[Source, Node], str | None]) -> Iterator[Use]:
    """The keys that are read of `result.data[0]`, of `result.data`, and of the rows that a loop over it gives."""
    node = top
    while node.parent is not None and node.parent.type in ("await", "parenthesized_expression"):
        node = node.parent
    holder = node.parent
    name = holder.child_by_field_name("left") if holder is not None and holder.type == "assignment" else None
    if holder is None or name is None or name.type != "identifier" or holder.child_by_field_name("right") != node:
        return
    scope = enclosing_function(holder) or source.root
    for use in names.occurrences(source.code(name)):
        access = use.parent
        if not (holder.end_byte <= use.start_byte < scope.end_byte) or access is None or access.type != "attribute":
            continue
        member = access.child_by_field_name("attribute")
        if member is not None and source.code(member) == "data":
            yield from reads_of(source, names, access, text_of)


def reads_of(source: Source, names: Names, rows: Node, text_of: Callable[[Source, Node], str | None]) -> Iterator[Use]:
    while rows.parent is not None and rows.parent.type in ("boolean_operator", "parenthesized_expression"):
        rows = rows.parent
    parent = rows.parent
    if parent is None:
        return
    if parent.type == "subscript" and field_of(rows) == "value":
        yield from key_of(source, rows, text_of)
        yield from key_of(source, parent, text_of)
    elif parent.type in ("for_statement", "for_in_clause") and field_of(rows) == "right":
        row = parent.child_by_field_name("left")
        scope = parent if parent.type == "for_statement" else parent.parent
        if row is None or row.type != "identifier" or scope is None:
            return
        for use in names.occurrences(source.code(row)):
            if use != row and scope.start_byte <= use.start_byte < scope.end_byte:
                yield from key_of(source, use, text_of)


def key_of(source: Source, row: Node, text_of: Callable[[Source, Node], str | None]) -> Iterator[Use]:
    """The key of `row["key"]` and `row.get("key")`."""
    parent = row.parent
    if parent is None:
        return
    key: Node | None = None
    if parent.type == "subscript" and field_of(row) == "value":
        key = parent.child_by_field_name("subscript")
    elif parent.type == "attribute" and (call := parent.parent) is not None and call.type == "call":
        member, given = parent.child_by_field_name("attribute"), call.child_by_field_name("arguments")
        if member is not None and source.code(member) == "get" and given is not None and given.named_children:
            key = given.named_children[0]
    text = text_of(source, key) if key is not None else None
    stored = parent.parent is not None and parent.parent.type == "assignment" and field_of(parent) == "left"
    if text is not None and key is not None and not stored:
        yield Use(text, key.start_byte)
