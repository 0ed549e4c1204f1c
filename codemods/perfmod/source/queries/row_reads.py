"""Which properties of a query's rows TypeScript or JavaScript reads near the query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tree_sitter import Node

from perfmod.source.flow import holds
from perfmod.source.queries.facts import Use
from perfmod.source.queries.results import first_parameter
from perfmod.source.script.names import mentions
from perfmod.source.script.variables import uses_of
from perfmod.source.tree import Source, field_of
from perfmod.values import dataclass

# Methods of arrays whose callback gets a row first.
EACH = frozenset("map forEach filter find findLast findIndex some every flatMap".split())
WRAPPERS = frozenset({"parenthesized_expression", "non_null_expression", "as_expression", "binary_expression"})
DEPTH = 4


@dataclass(frozen=True, slots=True)
class Access:
    """A property of a row that is read, or written."""

    use: Use
    is_written: bool = False


def row_reads(source: Source, rows: Sequence[Node], *, single: bool) -> list[Use]:
    """The properties that are read of `data`, of its elements, and of rows in loops and callbacks.

    `single`: data is one row. What the code itself puts on a row is no read of a column.
    """
    found = [access for node in rows for access in reads_of(source, node, row=single)]
    written = {access.use.column for access in found if access.is_written}
    return [access.use for access in found if access.use.column not in written]


def reads_of(source: Source, node: Node, *, row: bool, depth: int = 0) -> Iterator[Access]:
    """What is read of an expression that is a row, or a list of rows."""
    while (parent := node.parent) is not None and parent.type in WRAPPERS and parent.named_children[0] == node:
        node = parent
    if parent is None or depth > DEPTH:
        return
    role = field_of(node)
    if parent.type == "subscript_expression" and role == "object":
        index = parent.child_by_field_name("index")
        if not row and index is not None and index.type == "number":
            yield from reads_of(source, parent, row=True, depth=depth)
    elif parent.type == "variable_declarator" and role == "value":
        yield from reads_in(source, parent.child_by_field_name("name"), row=row, depth=depth)
    elif parent.type == "for_in_statement" and role == "right":
        is_of = any(child.type == "of" for child in parent.children)
        if is_of and not row:
            yield from reads_in_scope(source, parent.child_by_field_name("left"), parent)
    elif parent.type == "member_expression" and role == "object":
        member = parent.child_by_field_name("property")
        if member is not None and row:
            if not is_called(parent):
                yield Access(Use(source.code(member), member.start_byte), is_written(parent))
        elif member is not None and source.code(member) in EACH and is_called(parent) and parent.parent is not None:
            call = parent.parent
            yield from reads_in_scope(source, first_parameter(call), call)


def reads_in(source: Source, target: Node | None, *, row: bool, depth: int) -> Iterator[Access]:
    """What is read where rows get a name, or are taken apart."""
    if target is not None and target.type == "object_pattern" and row:
        yield from keys_of(source, target)
    elif target is not None and target.type == "identifier":
        for seen in uses_of(source, target):
            if seen.sure:
                yield from reads_of(source, seen.node, row=row, depth=depth + 1)


def reads_in_scope(source: Source, target: Node | None, scope: Node) -> Iterator[Access]:
    """What the code of a loop or a callback reads of a row."""
    if target is not None and target.type == "object_pattern":
        yield from keys_of(source, target)
    elif target is not None and target.type == "identifier":
        for use in mentions(source, source.code(target)):
            if use != target and holds(scope, use):
                yield from reads_of(source, use, row=True, depth=DEPTH)


def is_called(access: Node) -> bool:
    parent = access.parent
    return parent is not None and parent.type == "call_expression" and field_of(access) == "function"


def is_written(access: Node) -> bool:
    parent = access.parent
    return parent is not None and parent.type.endswith("assignment_expression") and field_of(access) == "left"


def keys_of(source: Source, pattern: Node) -> Iterator[Access]:
    """The keys that a destructuring pattern takes."""
    for child in pattern.named_children:
        key = child
        if child.type in ("pair_pattern", "object_assignment_pattern"):
            key = child.child_by_field_name("key") or child.child_by_field_name("left") or child
        if key.type in ("shorthand_property_identifier_pattern", "property_identifier"):
            yield Access(Use(source.code(key), key.start_byte))
