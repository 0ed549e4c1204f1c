"""Where the rows of a query are in TypeScript and JavaScript: `data` of its result, wherever that is kept."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from perfmod.source.script.variables import uses_of
from perfmod.source.tree import Source, field_of

WRAPPERS = frozenset({"parenthesized_expression", "non_null_expression", "await_expression"})
DEFAULTS = frozenset({"object_assignment_pattern", "assignment_pattern"})
DEPTH = 6


def rows_of(source: Source, query: Node, depth: int = 0) -> Iterator[Node]:
    """The expressions that stand for the rows of a query. `query`: the query, its promise or its result."""
    node = query
    while (parent := node.parent) is not None and parent.type in WRAPPERS:
        node = parent
    if parent is None or depth > DEPTH:
        return
    role = field_of(node)
    if parent.type == "member_expression" and role == "object":
        member = parent.child_by_field_name("property")
        if member is not None and source.code(member) == "data":
            yield parent
        elif member is not None and (call := called(parent)) is not None:
            if source.code(member) == "then":
                yield from rows_in(source, first_parameter(call), depth)
            elif source.code(member) in ("catch", "finally"):
                yield from rows_of(source, call, depth + 1)
    elif parent.type == "variable_declarator" and role == "value":
        yield from rows_in(source, parent.child_by_field_name("name"), depth)
    elif parent.type == "assignment_expression" and role == "right":
        yield from rows_in(source, parent.child_by_field_name("left"), depth)
    elif parent.type == "array" and (whole := awaited_together(source, parent)) is not None:
        yield from rows_of_element(source, whole, elements(parent).index(node), depth)


def rows_in(source: Source, target: Node | None, depth: int) -> Iterator[Node]:
    """The rows where `target`, a name or a pattern, becomes a result."""
    if target is None:
        return
    if target.type == "identifier":
        for seen in uses_of(source, target):
            if seen.sure:
                yield from rows_of(source, seen.node, depth + 1)
    elif target.type == "object_pattern":
        for name in names_for(source, target, "data"):
            yield from (seen.node for seen in uses_of(source, name) if seen.sure)


def names_for(source: Source, pattern: Node, key: str) -> Iterator[Node]:
    """The names that an object pattern gives to a key: `{ data }`, `{ data: rows }`, `{ data: rows = [] }`."""
    for child in pattern.named_children:
        name: Node | None = child
        if child.type == "pair_pattern":
            own = child.child_by_field_name("key")
            name = child.child_by_field_name("value") if own is not None and source.code(own) == key else None
        if name is not None and name.type in DEFAULTS:
            name = name.child_by_field_name("left")
        if name is None:
            continue
        if name.type == "identifier" or (name.type.startswith("shorthand") and source.code(name) == key):
            yield name


def rows_of_element(source: Source, whole: Node, index: int, depth: int) -> Iterator[Node]:
    """The rows of one of several queries that are awaited together."""
    node = whole
    while (parent := node.parent) is not None and parent.type in WRAPPERS:
        node = parent
    target: Node | None = None
    if parent is not None and parent.type == "variable_declarator" and field_of(node) == "value":
        target = parent.child_by_field_name("name")
    elif parent is not None and parent.type == "member_expression" and (call := called(parent)) is not None:
        member = parent.child_by_field_name("property")
        target = first_parameter(call) if member is not None and source.code(member) == "then" else None
    if target is None:
        return
    if target.type == "array_pattern":
        own = elements(target)
        yield from rows_in(source, own[index] if index < len(own) else None, depth)
    elif target.type == "identifier":
        for seen in uses_of(source, target):
            access = seen.node.parent
            place = access.child_by_field_name("index") if access is not None else None
            if seen.sure and access is not None and place is not None and source.code(place) == str(index):
                yield from rows_of(source, access, depth + 1)


def awaited_together(source: Source, array: Node) -> Node | None:
    """The call `Promise.all([...])` around an array."""
    given = array.parent
    call = given.parent if given is not None and given.type == "arguments" else None
    function = call.child_by_field_name("function") if call is not None else None
    return call if function is not None and source.code(function) == "Promise.all" else None


def elements(array: Node) -> list[Node | None]:
    """The elements of an array or an array pattern; None for a hole."""
    found: list[Node | None] = [None]
    for child in array.children:
        if child.type == ",":
            found.append(None)
        elif child.is_named and child.type != "comment":
            found[-1] = child
    return found


def called(access: Node) -> Node | None:
    """The call whose function a member expression is."""
    parent = access.parent
    is_function = parent is not None and parent.type == "call_expression" and field_of(access) == "function"
    return parent if is_function else None


def first_parameter(call: Node) -> Node | None:
    """The first parameter of the function that a call gets first."""
    given = call.child_by_field_name("arguments")
    function = given.named_children[0] if given is not None and given.named_children else None
    if function is None or function.type not in ("arrow_function", "function_expression"):
        return None
    first = function.child_by_field_name("parameter")
    parameters = function.child_by_field_name("parameters")
    if first is None and parameters is not None and parameters.named_children:
        first = parameters.named_children[0]
    if first is not None and first.type in ("required_parameter", "optional_parameter"):
        first = first.child_by_field_name("pattern")
    return first
