"""Which properties of a query's rows TypeScript or JavaScript reads near the query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tree_sitter import Node

from perfmod.source.queries.facts import Use
from perfmod.source.queries.row_type_uses import result_names
from perfmod.source.script.names import mentions
from perfmod.source.tree import Source, field_of

# Methods of arrays whose callback gets a row first.
EACH = frozenset("map forEach filter find findLast findIndex some every flatMap".split())
WRAPPERS = frozenset({"parenthesized_expression", "non_null_expression", "as_expression", "binary_expression"})


def row_reads(source: Source, tops: Sequence[Node], *, single: bool) -> Iterator[Use]:
    """The properties that are read of `data`, of its elements, and of rows in callbacks. `single`: data is one row."""
    for top in tops:
        for name in result_names(source, top):
            yield from reads_of(source, name, row=single)


def reads_of(source: Source, node: Node, *, row: bool) -> Iterator[Use]:
    """What is read of an expression that is a row, or a list of rows."""
    while (parent := node.parent) is not None and parent.type in WRAPPERS and parent.named_children[0] == node:
        node = parent
    if parent is None:
        return
    if parent.type == "subscript_expression" and field_of(node) == "object" and not row:
        index = parent.child_by_field_name("index")
        if index is not None and index.type == "number":
            yield from reads_of(source, parent, row=True)
    elif parent.type == "variable_declarator" and field_of(node) == "value":
        pattern = parent.child_by_field_name("name")
        if pattern is not None and pattern.type == "object_pattern" and row:
            yield from keys_of(source, pattern)
    elif parent.type == "member_expression" and field_of(node) == "object":
        member = parent.child_by_field_name("property")
        if member is None:
            return
        if row:
            if not is_called(parent):
                yield Use(source.code(member), member.start_byte)
        elif source.code(member) in EACH and is_called(parent) and (call := parent.parent) is not None:
            yield from callback_reads(source, call)


def is_called(access: Node) -> bool:
    parent = access.parent
    return parent is not None and parent.type == "call_expression" and field_of(access) == "function"


def callback_reads(source: Source, call: Node) -> Iterator[Use]:
    """What a callback reads of its first parameter."""
    given = call.child_by_field_name("arguments")
    function = given.named_children[0] if given is not None and given.named_children else None
    if function is None or function.type not in ("arrow_function", "function_expression"):
        return
    first = function.child_by_field_name("parameter")
    parameters = function.child_by_field_name("parameters")
    if first is None and parameters is not None and parameters.named_children:
        first = parameters.named_children[0]
    if first is not None and first.type == "required_parameter":
        first = first.child_by_field_name("pattern")
    if first is None:
        return
    if first.type == "object_pattern":
        yield from keys_of(source, first)
    elif first.type == "identifier":
        for use in mentions(source, source.code(first)):
            if use != first and function.start_byte <= use.start_byte < function.end_byte:
                yield from reads_of(source, use, row=True)


def keys_of(source: Source, pattern: Node) -> Iterator[Use]:
    """The keys that a destructuring pattern takes."""
    for child in pattern.named_children:
        key = child
        if child.type in ("pair_pattern", "object_assignment_pattern"):
            key = child.child_by_field_name("key") or child.child_by_field_name("left") or child
        if key.type in ("shorthand_property_identifier_pattern", "property_identifier"):
            yield Use(source.code(key), key.start_byte)
