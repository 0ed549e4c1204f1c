"""PostgREST queries in TypeScript and JavaScript: chains of calls from `.from('table')` on, read into facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tree_sitter import Node

from perfmod.model import Span
from perfmod.patterns import pattern
from perfmod.source.comments import comments_at
from perfmod.source.queries.facts import SHARED, Query, Select, Use
from perfmod.source.queries.results import rows_of
from perfmod.source.queries.row_reads import row_reads
from perfmod.source.queries.row_type_uses import row_types, type_argument
from perfmod.source.queries.script_clients import client_of
from perfmod.source.queries.select_list import Unreadable, is_named, parse
from perfmod.source.queries.table_names import is_constant, table_of
from perfmod.source.script.names import binding_of, plain, string_value
from perfmod.source.script.variables import uses_of
from perfmod.source.tree import Source, field_of
from perfmod.values import dataclass

START = pattern(rb"\.\s*(from|rpc)\s*[<(]")
FILTERS = frozenset(
    """eq neq gt gte lt lte like ilike likeAllOf likeAnyOf ilikeAllOf ilikeAnyOf is in contains containedBy rangeGt
    rangeGte rangeLt rangeLte rangeAdjacent overlaps textSearch not filter order""".split()
)
WRITES = frozenset({"insert", "update", "upsert"})
WRAPPERS = frozenset({"non_null_expression", "parenthesized_expression", "as_expression", "type_assertion"})
HOLDERS = frozenset({"variable_declarator", "assignment_expression"})
PROMISE = frozenset({"then", "catch", "finally"})
SIMPLE = pattern(r"[^\W\d][\w$]*\Z")
PINNED = "a type says that the list is a star"
ELSEWHERE = pattern(r"\b(?:referencedTable|foreignTable)\b")
HEAD = pattern(r"\bhead\s*:(?!\s*false\b)")


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
    known: set[Span] = set()
    for member in source.find(START):
        access = member.parent
        call = call_of(access) if access is not None else None
        if access is None or call is None:
            continue
        receiver = access.child_by_field_name("object")
        if receiver is not None and member.type == "property_identifier":
            found = query_at(source, Call(source.code(member), call, member), receiver)
            if found is not None:
                yield replace(found, selects=tuple(each for each in found.selects if each.call not in known))
                known.update(each.call for each in found.selects)


def query_at(source: Source, start: Call, receiver: Node) -> Query | None:
    if not start.arguments:
        return None
    calls, top = chain(source, start.node)
    ends = [query_end(calls, start.node, top)]
    later, more, doubtful = later_calls(source, top)
    calls += later
    selects = [select_of(source, call, start) for call in calls if call.name == "select"]
    selects += [replace(select_of(source, call, start), problem=SHARED) for call in doubtful if call.name == "select"]
    schema, receiver = schema_of(source, receiver)
    table, origin = table_of(source, start.arguments[0])
    single = any(call.name in ("single", "maybeSingle") for call in calls)
    stars = [select for select in selects if select.empty or (select.text is not None and "*" in select.text)]
    rows = list(dict.fromkeys(rows for end in (*ends, *more) for rows in rows_of(source, end))) if stars else []
    return Query(
        source.path,
        table,
        origin,
        schema,
        client_of(source, receiver),
        tuple(selects),
        tuple(uses(source, calls)),
        tuple(row_types(source, start.node, calls, rows)) if stars else (),
        tuple(row_reads(source, rows, single=single)),
        start.name,
        comments_at(source, stars[0].call.start, top) if stars else "",
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
        elif parent.type in WRAPPERS and top in parent.named_children:
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
    while (parent := node.parent) is not None and parent.type in WRAPPERS:
        node = parent
    return node


def later_calls(source: Source, top: Node) -> tuple[list[Call], list[Node], list[Call]]:
    """What is called on a builder that is kept in a variable, where that ends, and what may be called on another."""
    holder = top.parent
    name = holder.child_by_field_name("name" if holder.type == "variable_declarator" else "left") if holder else None
    if holder is None or holder.type not in HOLDERS or name is None or name.type != "identifier":
        return [], [], []
    if top not in (holder.child_by_field_name("value"), holder.child_by_field_name("right")):
        return [], [], []
    calls: list[Call] = []
    ends: list[Node] = []
    doubtful: list[Call] = []
    for seen in uses_of(source, name, grows=True):
        own, last = chain(source, seen.node)
        if not seen.sure:
            doubtful += own
        elif own or (seen.node.parent is not None and seen.node.parent.type == "await_expression"):
            calls += own
            ends.append(query_end(own, seen.node, last))
    return calls, ends, doubtful


def query_end(calls: list[Call], start: Node, top: Node) -> Node:
    """The query itself, without what is called on its promise."""
    for number, call in enumerate(calls):
        if call.name in PROMISE:
            return calls[number - 1].node if number else start
    return top


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
    problem = PINNED if is_pinned(source, call.node, arguments[0]) else None
    quote = source.code(node)[0]
    return Select(source.span(node), span, text, quote, empty=not text.strip(), head=head, problem=problem)


def is_pinned(source: Source, call: Node, argument: Node) -> bool:
    """Whether a type says what the list is: `select<'*', Row>('*')`, `'*' as '*'`."""
    first = type_argument(call)
    cast = argument.named_children[-1] if argument.type in ("as_expression", "satisfies_expression") else None
    return (first is not None and first.type == "literal_type") or (
        cast is not None and cast.type not in ("predefined_type", "string", "template_string")
    )


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
        return "", receiver
    member, inner = function.child_by_field_name("property"), function.child_by_field_name("object")
    given = call.child_by_field_name("arguments")
    if member is None or inner is None or given is None or source.code(member) != "schema":
        return "", receiver
    name = string_value(source, given.named_children[0]) if given.named_children else None
    return name or "?", inner


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
            for row in first.named_children if first.type == "array" else [first]:
                yield from (Use(key, node.start_byte) for key, node in keys(source, literal(source, plain(row))))


def literal(source: Source, node: Node) -> Node:
    """The value of a constant, else the node itself."""
    bound = binding_of(source, node) if node.type == "identifier" else None
    return plain(bound.value) if bound is not None and bound.value is not None and is_constant(bound) else node


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
