"""The type that TypeScript code gives a query's rows at its site: cast, generic, annotation or return type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.queries.facts import RowType
from perfmod.source.script.names import binding_of, enclosing_function, plain
from perfmod.source.script.variables import uses_of
from perfmod.source.tree import Source, field_of

if TYPE_CHECKING:
    from perfmod.source.queries.script import Call

GENERIC = frozenset({"returns", "overrideTypes", "single", "maybeSingle"})
ARRAYS = frozenset({"Array", "ReadonlyArray", "Promise", "PromiseLike", "Readonly", "NonNullable"})
DEPTH = 4
TRIVIAL = pattern(r"\A(?:any|unknown|never|void|string|number|boolean|object|null|undefined)\Z")


def row_types(source: Source, start: Node, calls: Sequence[Call], rows: Sequence[Node]) -> Iterator[RowType]:
    """The types of one row that the code names for this query's result."""
    if source.language not in ("typescript", "tsx"):
        return
    first = type_argument(start)
    if first is not None and first.type != "literal_type":
        yield from row_of(source, first, "generic")
    for call in calls:
        given = type_argument(call.node) if call.name in GENERIC else None
        if given is not None:
            yield from row_of(source, given, "generic")
    for node in rows:
        yield from types_of_value(source, node)


def type_argument(call: Node) -> Node | None:
    given = call.child_by_field_name("type_arguments")
    return given.named_children[0] if given is not None and given.named_children else None


def row_of(source: Source, node: Node, how: str) -> Iterator[RowType]:
    """The type of one row below arrays, promises, null and parentheses."""
    children = [child for child in node.named_children if child.type != "comment"]
    if node.type in ("array_type", "parenthesized_type", "readonly_type", "type_annotation") and children:
        yield from row_of(source, children[0], how)
    elif node.type == "union_type":
        kinds = [child for child in children if not TRIVIAL.match(source.code(child))]
        if len(kinds) == 1:
            yield from row_of(source, kinds[0], how)
    elif node.type == "generic_type" and source.code(children[0]) in ARRAYS and len(children) > 1:
        yield from row_of(source, children[1].named_children[0], how)
    elif not TRIVIAL.match(source.code(node)):
        yield RowType(source.code(node), node.start_byte, how)


def types_of_value(source: Source, node: Node, depth: int = 0) -> Iterator[RowType]:
    """The types that `data` is cast to, assigned to, or returned as."""
    while (parent := node.parent) is not None and depth < DEPTH:
        if parent.type == "parenthesized_expression" or parent.type == "non_null_expression":
            node = parent
        elif parent.type == "binary_expression" and field_of(node) == "left":
            operator = parent.child_by_field_name("operator")
            if operator is None or operator.type not in ("??", "||"):
                return
            node = parent
        elif parent.type in ("as_expression", "satisfies_expression") and parent.named_children[0] == node:
            yield from row_of(source, parent.named_children[-1], "cast")
            node = parent
        elif parent.type == "type_assertion":
            yield from row_of(source, parent.named_children[0].named_children[0], "cast")
            node = parent
        elif parent.type == "variable_declarator" and field_of(node) == "value":
            annotation, name = parent.child_by_field_name("type"), parent.child_by_field_name("name")
            if annotation is not None:
                yield from row_of(source, annotation, "annotation")
            elif name is not None and name.type == "identifier":
                for seen in uses_of(source, name):
                    if seen.sure:
                        yield from types_of_value(source, seen.node, depth + 1)
            return
        elif parent.type == "return_statement" or (parent.type == "arrow_function" and field_of(node) == "body"):
            function = enclosing_function(node) if parent.type == "return_statement" else parent
            annotation = function.child_by_field_name("return_type") if function is not None else None
            if annotation is not None:
                yield from row_of(source, annotation, "return type")
            return
        elif parent.type == "arguments" and (call := parent.parent) is not None and call.type == "call_expression":
            yield from state_type(source, call)
            return
        else:
            return


def state_type(source: Source, call: Node) -> Iterator[RowType]:
    """The type of React state: `setRows(data)` of `const [rows, setRows] = useState<Row[]>()`."""
    function = call.child_by_field_name("function")
    name = plain(function) if function is not None else None
    bound = binding_of(source, name) if name is not None and name.type == "identifier" else None
    pattern = bound.node.parent if bound is not None else None
    holder = pattern.parent if pattern is not None and pattern.type == "array_pattern" else None
    value = holder.child_by_field_name("value") if holder is not None else None
    given = type_argument(value) if value is not None and value.type == "call_expression" else None
    if given is not None:
        yield from row_of(source, given, "state")
