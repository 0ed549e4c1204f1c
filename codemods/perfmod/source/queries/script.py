"""PostgREST queries in TypeScript and JavaScript: chains of calls from `.from('table')` on, read into facts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from perfmod.model import Span
from perfmod.source.comments import comment_at
from perfmod.source.queries.facts import Origin, Query, Select, Use
from perfmod.source.queries.row_reads import row_reads
from perfmod.source.queries.row_type_uses import row_types
from perfmod.source.queries.script_clients import client_of
from perfmod.source.queries.select_list import Unreadable, is_named, parse
from perfmod.source.script.names import (
    binding_of,
    enclosing_function,
    imported_from,
    mentions,
    plain,
    string_value,
)
from perfmod.source.tree import Source, ancestors, field_of
from perfmod.values import dataclass

START = re.compile(rb"\.\s*(from|rpc)\s*[<(]")
FILTERS = frozenset(
    """eq neq gt gte lt lte like ilike likeAllOf likeAnyOf ilikeAllOf ilikeAnyOf is in contains containedBy rangeGt
    rangeGte rangeLt rangeLte rangeAdjacent overlaps textSearch not filter order""".split()
)
WRITES = frozenset({"insert", "update", "upsert"})
CLASSES = frozenset({"class_declaration", "abstract_class_declaration"})
SIMPLE = re.compile(r"[^\W\d][\w$]*\Z")
ELSEWHERE = re.compile(r"\b(?:referencedTable|foreignTable)\b")
HEAD = re.compile(r"\bhead\s*:\s*(?!false\b)")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a chain."""

    name: str
    node: Node  #: the call
    member: Node  #: the name that is called

    @property
    def arguments(self) -> list[Node]:
        given = self.node.child_by_field_name("arguments")
        return [child for child in given.named_children if child.type != "comment"] if given is not None else []


def queries(source: Source) -> Iterator[Query]:
    """Every query of a file that begins with `.from(...)` or `.rpc(...)`."""
    for member in source.find(START):
        access = member.parent
        call = call_of(access) if access is not None else None
        if access is None or call is None:
            continue
        receiver = access.child_by_field_name("object")
        if receiver is not None and member.type == "property_identifier":
            found = query_at(source, Call(source.code(member), call, member), receiver)
            if found is not None:
                yield found


def query_at(source: Source, start: Call, receiver: Node) -> Query | None:
    if not start.arguments:
        return None
    calls, top = chain(source, start.node)
    later, tops = later_calls(source, top)
    calls += later
    selects = [select_of(source, call, start) for call in calls if call.name == "select"]
    schema, receiver = schema_of(source, receiver)
    table, origin = table_of(source, start.arguments[0])
    single = any(call.name in ("single", "maybeSingle") for call in calls)
    stars = [select for select in selects if select.empty or (select.text is not None and "*" in select.text)]
    return Query(
        source.path,
        table,
        origin,
        schema,
        client_of(source, receiver),
        tuple(selects),
        tuple(uses(source, calls)),
        tuple(row_types(source, start.node, calls, [top, *tops])) if stars else (),
        tuple(row_reads(source, [top, *tops], single=single)) if stars else (),
        start.name,
        comment_at(source, stars[0].call.start) if stars else "",
        source.language in ("typescript", "tsx"),
    )


def chain(source: Source, call: Node) -> tuple[list[Call], Node]:
    """The calls that hang on a call, and the whole expression."""
    calls: list[Call] = []
    top = call
    while (parent := top.parent) is not None:
        if parent.type == "member_expression" and field_of(top) == "object":
            outer = call_of(parent)
            member = parent.child_by_field_name("property")
            if member is None or outer is None:
                break
            calls.append(Call(source.code(member), outer, member))
            top = outer
        elif parent.type in ("non_null_expression", "parenthesized_expression", "as_expression") and (
            parent.named_children[0] == top
        ):
            outer_most = outermost(parent)
            if outer_most.parent is None or outer_most.parent.type != "member_expression":
                break
            top = parent
        else:
            break
    return calls, top


def call_of(access: Node) -> Node | None:
    """The call whose function a member expression is.

    The grammar reads `await a.b<T>()` as a call of `await a.b`.
    """
    outer = access.parent
    if outer is not None and outer.type == "await_expression":
        access, outer = outer, outer.parent
    called = outer is not None and outer.type == "call_expression" and field_of(access) == "function"
    return outer if called else None


def outermost(node: Node) -> Node:
    """The outermost of nested parentheses, casts and `!` around a node."""
    while (parent := node.parent) is not None and parent.type in (
        "non_null_expression",
        "parenthesized_expression",
        "as_expression",
    ):
        node = parent
    return node


def later_calls(source: Source, top: Node) -> tuple[list[Call], list[Node]]:
    """What is called on a builder that is kept in a variable."""
    holder = top.parent
    if holder is None:
        return [], []
    name = holder.child_by_field_name("name" if holder.type == "variable_declarator" else "left")
    if holder.type not in ("variable_declarator", "assignment_expression") or name is None or name.type != "identifier":
        return [], []
    if top not in (holder.child_by_field_name("value"), holder.child_by_field_name("right")):
        return [], []
    scope = enclosing_function(holder) or source.root
    calls: list[Call] = []
    tops: list[Node] = []
    for use in mentions(source, source.code(name)):
        if use == name or not (holder.end_byte <= use.start_byte and use.end_byte <= scope.end_byte):
            continue
        own, last = chain(source, use)
        if own or (use.parent is not None and use.parent.type == "await_expression"):
            calls += own
            tops.append(last)
    return calls, tops


def select_of(source: Source, call: Call, start: Call) -> Select:
    """A select(...) as it is written."""
    arguments = call.arguments
    span = Span(source.path, call.member.start_byte, call.node.end_byte)
    given = call.node.child_by_field_name("arguments")
    options = source.code(arguments[1]) if len(arguments) > 1 else ""
    head = HEAD.search(options) is not None
    if not arguments or source.code(arguments[0]) == "undefined":
        if given is not None and not arguments:
            place = Span(source.path, given.start_byte + 1, given.start_byte + 1)
        else:
            place = source.span(arguments[0])
        return Select(place, span, None, quote_of(source, start), empty=True, head=head)
    text = string_value(source, arguments[0])
    node = plain(arguments[0])
    if text is None:
        return Select(source.span(node), span, None, "'", head=head, dynamic=True)
    return Select(source.span(node), span, text, source.code(node)[0], empty=not text.strip(), head=head)


def quote_of(source: Source, start: Call) -> str:
    """The quote that the table's name stands in."""
    first = source.code(plain(start.arguments[0]))[:1]
    if first in ("'", '"'):
        return first
    double, single = source.utf8.count(b'"'), source.utf8.count(b"'")
    return '"' if double > single else "'"


def schema_of(source: Source, receiver: Node) -> tuple[str, Node]:
    """The schema that `client.schema('x')` names, and the client."""
    call = plain(receiver)
    function = call.child_by_field_name("function") if call.type == "call_expression" else None
    if function is None or function.type != "member_expression":
        return "public", receiver
    member, inner = function.child_by_field_name("property"), function.child_by_field_name("object")
    given = call.child_by_field_name("arguments")
    if member is None or inner is None or given is None or source.code(member) != "schema":
        return "public", receiver
    name = string_value(source, given.named_children[0]) if given.named_children else None
    return name or "?", inner


def table_of(source: Source, node: Node, depth: int = 0) -> tuple[str | None, Origin | None]:
    """The table's name, or where the constant stands that holds it."""
    node = plain(node)
    text = string_value(source, node)
    if text is not None:
        return text, None
    if depth > 3:
        return None, None
    member = ""
    if node.type == "member_expression":
        inner, name = node.child_by_field_name("object"), node.child_by_field_name("property")
        if inner is not None and name is not None and inner.type == "this":
            return None, member_of_class(source, node, source.code(name))
        if inner is None or name is None or inner.type != "identifier":
            return None, None
        node, member = inner, source.code(name)
    if node.type != "identifier":
        return None, None
    bound = binding_of(source, node)
    if bound is not None and bound.kind == "import" and (found := imported_from(source, bound)):
        return None, Origin(*found, member)
    if bound is None or bound.value is None or not is_constant(bound.owner):
        return None, None
    return constant(source, bound.value, member), None


def member_of_class(source: Source, node: Node, member: str) -> Origin | None:
    """`this.member` in a method of a named class."""
    owner = next((above for above in ancestors(node) if above.type in CLASSES), None)
    name = owner.child_by_field_name("name") if owner is not None else None
    return Origin("", source.code(name), member) if name is not None else None


def is_constant(declarator: Node) -> bool:
    parent = declarator.parent
    return parent is not None and parent.children[0].type == "const"


def constant(source: Source, value: Node, member: str) -> str | None:
    """The string that a constant holds, or that one of its members holds."""
    value = plain(value)
    if not member:
        return string_value(source, value)
    if value.type == "call_expression":  # Object.freeze({...})
        given = value.child_by_field_name("arguments")
        value = plain(given.named_children[0]) if given is not None and given.named_children else value
    if value.type != "object":
        return None
    found = [pair for pair in value.named_children if pair.type == "pair" and key_of(source, pair) == member]
    node = found[0].child_by_field_name("value") if len(found) == 1 else None
    return string_value(source, node) if node is not None else None


def key_of(source: Source, pair: Node) -> str:
    key = pair.child_by_field_name("key")
    return source.code(key).strip("'\"") if key is not None else ""


def uses(source: Source, calls: list[Call]) -> Iterator[Use]:
    """The columns of the query's own table that the chain names outside of a star."""
    for call in calls:
        arguments = call.arguments
        if not arguments or any(ELSEWHERE.search(source.code(node)) for node in arguments[1:]):
            continue
        first = plain(arguments[0])
        if call.name in FILTERS:
            column = (string_value(source, first) or "").partition("->")[0]
            if SIMPLE.match(column):
                yield Use(column, first.start_byte)
        elif call.name == "select":
            text = string_value(source, first)
            try:
                items = parse(text) if text else ()
            except Unreadable:
                continue
            yield from (Use(item.name, first.start_byte) for item in items if is_named(items, item))
        elif call.name in WRITES or call.name == "match":
            rows = first.named_children if first.type == "array" else [first]
            for row in rows:
                yield from (Use(key, node.start_byte) for key, node in keys(source, plain(row)))


def keys(source: Source, node: Node) -> Iterator[tuple[str, Node]]:
    """The keys that an object literal writes out."""
    if node.type != "object":
        return
    for child in node.named_children:
        if child.type == "shorthand_property_identifier":
            yield source.code(child), child
        elif child.type == "pair":
            key = child.child_by_field_name("key")
            if key is not None and key.type in ("property_identifier", "string"):
                yield source.code(key).strip("'\""), key
