"""PostgREST queries in Python (supabase-py, postgrest-py, insforge), read into facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from tree_sitter import Node

from perfmod.model import Span
from perfmod.patterns import pattern
from perfmod.source.comments import comments_at
from perfmod.source.python.names import Bound, Imported, Names, enclosing_class
from perfmod.source.python.strings import shown_source
from perfmod.source.python.variables import uses_of
from perfmod.source.queries.facts import SHARED, Origin, Query, Select, Use
from perfmod.source.queries.python_clients import client_of, plain
from perfmod.source.queries.row_reads_python import row_reads
from perfmod.source.queries.select_list import Unreadable, is_named, parse
from perfmod.source.tree import Source, field_of
from perfmod.values import dataclass

START = pattern(rb"\.[\s\\]*(table|from_|rpc)\s*\(")
FILTERS = frozenset(
    """eq neq gt gte lt lte like ilike like_all_of like_any_of ilike_all_of ilike_any_of is_ in_ contains contained_by
    range_gt range_gte range_lt range_lte range_adjacent overlaps text_search fts plfts phfts wfts not_ filter
    order""".split()
)
WRITES = frozenset({"insert", "update", "upsert"})
SIMPLE = pattern(r"[^\W\d]\w*\Z")
OPENING = pattern(r"\"\"\"|'''|\"|'")
SEVERAL = "the list is given as several strings"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a chain."""

    name: str
    node: Node
    member: Node

    @property
    def arguments(self) -> list[Node]:
        given = self.node.child_by_field_name("arguments")
        return [child for child in given.named_children if child.type != "comment"] if given is not None else []

    @property
    def positional(self) -> list[Node]:
        return [node for node in self.arguments if node.type != "keyword_argument"]


def queries(source: Source) -> Iterator[Query]:
    """Every query of a file that begins with `.table(...)`, `.from_(...)` or `.rpc(...)`."""
    names = Names(source)
    known: set[Span] = set()
    for member in source.find(START):
        access = member.parent
        call = access.parent if access is not None else None
        if access is None or call is None or access.type != "attribute" or call.type != "call":
            continue
        receiver = access.child_by_field_name("object")
        if receiver is None or access.child_by_field_name("attribute") != member:
            continue
        start = Call(source.code(member), call, member)
        if start.positional:
            found = query_at(source, names, start, receiver)
            yield replace(found, selects=tuple(each for each in found.selects if each.call not in known))
            known.update(each.call for each in found.selects)


def query_at(source: Source, names: Names, start: Call, receiver: Node) -> Query:
    calls, top = chain(source, start.node)
    later, ends, doubtful = later_calls(source, names, top)
    calls += later
    selects = [select_of(source, call, start) for call in calls if call.name == "select"]
    selects += [replace(select_of(source, call, start), problem=SHARED) for call in doubtful if call.name == "select"]
    schema, receiver = schema_of(source, receiver)
    table, origin = table_of(source, names, start.positional[0])
    stars = [select for select in selects if select.empty or (select.text is not None and "*" in select.text)]
    reads = (
        [use for end in (top, *ends) for use in row_reads(names, end, partial(string_value, source))] if stars else []
    )
    return Query(
        source.path,
        table,
        origin,
        schema,
        client_of(names, receiver),
        tuple(selects),
        tuple(uses(source, names, calls)),
        reads=tuple(dict.fromkeys(reads)),
        call="rpc" if start.name == "rpc" else "from",
        comment=comments_at(source, stars[0].call.start, top) if stars else "",
    )


def chain(source: Source, call: Node) -> tuple[list[Call], Node]:
    """The calls that hang on a call, and the whole expression."""
    calls: list[Call] = []
    top = call
    while (parent := top.parent) is not None:
        if parent.type == "attribute" and field_of(top) == "object":
            outer, member = parent.parent, parent.child_by_field_name("attribute")
            if member is None or outer is None:
                break
            if outer.type == "attribute":  # query.not_.is_("a", "null")
                top = parent
                continue
            if outer.type != "call" or field_of(parent) != "function":
                break
            calls.append(Call(source.code(member), outer, member))
            top = outer
        elif parent.type == "parenthesized_expression":
            top = parent
        else:
            break
    return calls, top


def later_calls(source: Source, names: Names, top: Node) -> tuple[list[Call], list[Node], list[Call]]:
    """What is called on a builder that is kept in a variable, where that ends, and what may be called on another."""
    holder = top.parent
    name = holder.child_by_field_name("left") if holder is not None and holder.type == "assignment" else None
    if holder is None or name is None or name.type != "identifier" or holder.child_by_field_name("right") != top:
        return [], [], []
    calls: list[Call] = []
    ends: list[Node] = []
    doubtful: list[Call] = []
    for seen in uses_of(names, name, grows=True):
        own, last = chain(source, seen.node)
        if seen.sure:
            calls += own
            ends.append(last)
        else:
            doubtful += own
    return calls, ends, doubtful


def select_of(source: Source, call: Call, start: Call) -> Select:
    """A select(...) as it is written."""
    span = Span(source.path, call.member.start_byte, call.node.end_byte)
    shown = shown_source(call.node)
    head = any(is_true(source, node) for node in call.arguments if node.type == "keyword_argument")
    positional = call.positional
    given = call.node.child_by_field_name("arguments")
    if not call.arguments or (not positional and all(keyword(source, n) in ("count", "head") for n in call.arguments)):
        start_byte = given.start_byte + 1 if given is not None else span.end
        place = Span(source.path, start_byte, start_byte)
        quote = source.code(start.positional[0])[:1]
        quote = quote if quote in ("'", '"') else '"'
        after = ", " if call.arguments else ""
        return Select(place, span, None, quote, empty=True, head=head, after=after, problem=shown)
    named = [node.child_by_field_name("value") for node in call.arguments if keyword(source, node) == "columns"]
    given_texts = positional or [node for node in named if node is not None]
    texts = [string_value(source, node) for node in given_texts]
    if not texts or None in texts:
        return Select(span, span, None, '"', head=head, dynamic=True)
    text = ", ".join(filter(None, texts))
    opening = OPENING.match(source.code(plain(given_texts[0])))
    quote = opening[0] if opening else '"'
    problem = SEVERAL if len(texts) > 1 else shown
    where = source.span(given_texts[0])
    return Select(where, span, text, quote, empty=not text.strip(), head=head, problem=problem)


def keyword(source: Source, node: Node) -> str:
    name = node.child_by_field_name("name")
    return source.code(name) if name is not None else ""


def is_true(source: Source, node: Node) -> bool:
    value = node.child_by_field_name("value")
    return keyword(source, node) == "head" and value is not None and source.code(value) != "False"


def string_value(source: Source, node: Node) -> str | None:
    """The text of a plain string literal without prefix, escapes or holes."""
    node = plain(node)
    if node.type != "string":
        return None
    text = source.code(node)
    quote = OPENING.match(text)
    if quote is None or "\\" in text or any(child.type == "interpolation" for child in node.children):
        return None
    return text[len(quote[0]) : -len(quote[0])]


def schema_of(source: Source, receiver: Node) -> tuple[str, Node]:
    """The schema that `client.schema("x")` names, and the client."""
    call = plain(receiver)
    function = call.child_by_field_name("function") if call.type == "call" else None
    if function is None or function.type != "attribute":
        return "", receiver
    member, inner = function.child_by_field_name("attribute"), function.child_by_field_name("object")
    given = call.child_by_field_name("arguments")
    if member is None or inner is None or given is None or source.code(member) != "schema":
        return "", receiver
    name = string_value(source, given.named_children[0]) if given.named_children else None
    return name or "?", inner


def table_of(source: Source, names: Names, node: Node) -> tuple[str | None, Origin | None]:
    """The table's name, or where the constant stands that holds it."""
    text = string_value(source, node)
    if text is not None:
        return text, None
    if node.type == "attribute" and (found := member_of_class(source, node)) is not None:
        return None, found
    meaning = names.meaning(node)
    if isinstance(meaning, Imported):
        module, _, name = meaning.qualified.rpartition(".")
        return None, Origin(module, name)
    if isinstance(meaning, Bound) and meaning.only is not None and meaning.only.value is not None:
        return string_value(source, meaning.only.value), None
    return None, None


def member_of_class(source: Source, node: Node) -> Origin | None:
    """`self.member` in a method of a class."""
    inner, member = node.child_by_field_name("object"), node.child_by_field_name("attribute")
    owner = enclosing_class(node)
    name = owner.child_by_field_name("name") if owner is not None else None
    if inner is None or member is None or name is None or source.code(inner) not in ("self", "cls"):
        return None
    return Origin("", source.code(name), source.code(member))


def literal(names: Names, node: Node) -> Node:
    """The value of a name that is set once, else the node itself."""
    meaning = names.meaning(node) if node.type == "identifier" else None
    only = meaning.only if isinstance(meaning, Bound) else None
    return only.value if only is not None and only.value is not None else node


def uses(source: Source, names: Names, calls: list[Call]) -> Iterator[Use]:
    """The columns of the query's own table that the chain names outside of a star."""
    for call in calls:
        positional = call.positional
        if not positional or any(
            keyword(source, node) in ("foreign_table", "reference_table") for node in call.arguments
        ):
            continue
        first = plain(positional[0])
        if call.name in FILTERS:
            text = (string_value(source, first) or "").partition("->")[0]
            if SIMPLE.match(text):
                yield Use(text, first.start_byte)
        elif call.name == "select":
            for node in positional:
                text = string_value(source, node) or ""
                try:
                    items = parse(text)
                except Unreadable:
                    continue
                yield from (Use(item.name, node.start_byte) for item in items if is_named(items, item))
        elif call.name in WRITES or call.name == "match":
            for given in first.named_children if first.type == "list" else [first]:
                row = literal(names, given)
                for pair in row.named_children if row.type == "dictionary" else ():
                    key = pair.child_by_field_name("key") if pair.type == "pair" else None
                    name = string_value(source, key) if key is not None else None
                    if name is not None and key is not None:
                        yield Use(name, key.start_byte)
