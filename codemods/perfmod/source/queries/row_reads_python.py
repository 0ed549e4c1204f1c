"""Which keys of a query's rows Python reads near the query."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from tree_sitter import Node

from perfmod.source.flow import holds
from perfmod.source.python.names import Names
from perfmod.source.python.variables import uses_of
from perfmod.source.queries.facts import Use
from perfmod.source.tree import field_of
from perfmod.values import dataclass

TextOf: TypeAlias = Callable[[Node], str | None]
WRAPPERS = frozenset({"await", "parenthesized_expression", "boolean_operator"})
TARGETS = frozenset({"pattern_list", "tuple_pattern", "list_pattern"})
DEPTH = 5


@dataclass(frozen=True, slots=True)
class Access:
    """A key of a row that is read, or written."""

    use: Use
    is_written: bool = False


def row_reads(names: Names, query: Node, text_of: TextOf) -> list[Use]:
    """The keys that are read of `result.data[0]`, of `result.data`, and of the rows that a loop over it gives.

    What the code itself puts on a row is no read of a column.
    """
    rows = dict.fromkeys(rows_of(names, query))
    found = [access for node in rows for access in reads_of(names, node, text_of)]
    written = {access.use.column for access in found if access.is_written}
    return [access.use for access in found if access.use.column not in written]


def rows_of(names: Names, query: Node, depth: int = 0) -> Iterator[Node]:
    """The expressions `result.data`. `query`: the query, what it is awaited to, or a name for that."""
    node = query
    while (parent := node.parent) is not None and parent.type in WRAPPERS:
        node = parent
    if parent is None or depth > DEPTH:
        return
    role = field_of(node)
    if parent.type == "attribute" and role == "object":
        member = parent.child_by_field_name("attribute")
        if member is not None and names.source.code(member) == "data":
            yield parent
    elif parent.type == "assignment" and role == "right" and (left := parent.child_by_field_name("left")) is not None:
        yield from rows_in(names, left, depth)
    elif parent.type == "argument_list" and (call := parent.parent) is not None and is_gather(names, call):
        given = [child for child in parent.named_children if child.type not in ("comment", "keyword_argument")]
        yield from rows_of_element(names, call, given.index(node), depth)


def rows_in(names: Names, name: Node, depth: int) -> Iterator[Node]:
    """The rows where a name becomes a result."""
    if name.type == "identifier":
        for seen in uses_of(names, name):
            if seen.sure:
                yield from rows_of(names, seen.node, depth + 1)


def rows_of_element(names: Names, gathered: Node, index: int, depth: int) -> Iterator[Node]:
    """The rows of one of several queries that are awaited together."""
    node = gathered
    while (parent := node.parent) is not None and parent.type in WRAPPERS:
        node = parent
    left = parent.child_by_field_name("left") if parent is not None and parent.type == "assignment" else None
    if left is not None and left.type in TARGETS and index < len(left.named_children):
        yield from rows_in(names, left.named_children[index], depth)
    elif left is not None and left.type == "identifier":
        for seen in uses_of(names, left):
            access = seen.node.parent
            place = access.child_by_field_name("subscript") if access is not None else None
            if seen.sure and access is not None and place is not None and names.source.code(place) == str(index):
                yield from rows_of(names, access, depth + 1)


def is_gather(names: Names, call: Node) -> bool:
    function = call.child_by_field_name("function")
    return function is not None and names.source.code(function) in ("asyncio.gather", "gather")


def reads_of(names: Names, rows: Node, text_of: TextOf, depth: int = 0) -> Iterator[Access]:
    """What is read of `rows`: one row, or a list of them."""
    while rows.parent is not None and rows.parent.type in ("boolean_operator", "parenthesized_expression"):
        rows = rows.parent
    parent = rows.parent
    if parent is None or depth > DEPTH:
        return
    yield from key_of(rows, text_of)
    role = field_of(rows)
    if parent.type == "subscript" and role == "value":
        yield from key_of(parent, text_of)
        yield from reads_where_kept(names, parent, text_of, depth)
    elif parent.type in ("for_statement", "for_in_clause") and role == "right":
        row = parent.child_by_field_name("left")
        scope = parent if parent.type == "for_statement" else parent.parent
        if row is None or row.type != "identifier" or scope is None:
            return
        for use in names.occurrences(names.source.code(row)):
            if use != row and holds(scope, use):
                yield from key_of(use, text_of)
    else:
        yield from reads_where_kept(names, rows, text_of, depth)


def reads_where_kept(names: Names, value: Node, text_of: TextOf, depth: int) -> Iterator[Access]:
    """What is read of a variable that holds a row, or a list of them."""
    parent = value.parent
    name = parent.child_by_field_name("left") if parent is not None and parent.type == "assignment" else None
    if name is None or name.type != "identifier" or field_of(value) != "right":
        return
    for seen in uses_of(names, name):
        if seen.sure:
            yield from reads_of(names, seen.node, text_of, depth + 1)


def key_of(row: Node, text_of: TextOf) -> Iterator[Access]:
    """The key of `row["key"]` and `row.get("key")`."""
    parent = row.parent
    if parent is None:
        return
    key: Node | None = None
    if parent.type == "subscript" and field_of(row) == "value":
        key = parent.child_by_field_name("subscript")
    elif parent.type == "attribute" and (call := parent.parent) is not None and call.type == "call":
        member, given = parent.child_by_field_name("attribute"), call.child_by_field_name("arguments")
        if member is not None and (member.text or b"") == b"get" and given is not None and given.named_children:
            key = given.named_children[0]
    text = text_of(key) if key is not None else None
    holder = parent.parent
    stored = holder is not None and holder.type in ("assignment", "augmented_assignment") and field_of(parent) == "left"
    if text is not None and key is not None:
        yield Access(Use(text, key.start_byte), stored)
