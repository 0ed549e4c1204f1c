"""Which expressions of TypeScript and JavaScript are PostgREST clients, as far as one file says."""

from __future__ import annotations

import re
from dataclasses import replace

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.queries.facts import Client, Origin
from perfmod.source.script.names import Bound, binding_of, imported_from, last_name, plain
from perfmod.source.tree import Source

MAKER = (
    r"(?:create(?:Browser|Server|Pages(?:Browser|Server)|ClientComponent|ServerComponent|RouteHandler|ServerAction|"
    r"Middleware|BrowserSupabase|ServerSupabase|MiddlewareSupabase)?Client|(?:Postgrest|Supabase|InsForge)Client|"
    r"useSupabaseClient)"
)
MAKERS = pattern(rf"\A{MAKER}\Z")
PACKAGES = pattern(r"@supabase/|@insforge/|\binsforge\b|postgrest-js|supabase-js")
TYPES = pattern(r"\b(?:SupabaseClient|PostgrestClient|InsForgeClient)\b|ReturnType<\s*typeof\s+create\w*Client")
GENERIC = pattern(r"<\s*(?P<type>[A-Za-z_$][\w$.]*)\s*[,>]")
MAKER_CALL = pattern(rf"\b{MAKER}\s*+(?:<\s*(?P<type>[A-Za-z_$][\w$.]*+)\s*+[^>(]{0, 500}>\s*+)?\(")
# The schema in a client's options or type: `db: { schema: 'sales' }`, `<Database, 'sales'>`.
SCHEMA = pattern(
    r"(?:\bdb\s*:\s*\{|PostgrestClient\b[^{}]{0,500}\{)[^{}]{0,500}?\bschema\s*(?::\s*(?P<value>[\"'`]\w+[\"'`])?|[,}])"
    r"|<[^<>()]{0,200},\s*(?P<type>[\"']\w+[\"'])"
)
OPTIONS = pattern(r"\([^,()]{1,200}+,[^,()]{1,200}+,\s*+(?:[\w.]++|\{[^{}]{0,500}?\.\.\.[^{}]{0,500}+\})\s*+,?\s*+\)")
NAMED = pattern(r"supabase|insforge|postgrest", re.I)
UNKNOWN = Client("unknown")
DEPTH = 6


def client_of(source: Source, node: Node, depth: int = 0) -> Client:
    """What an expression is: a client that is made or typed as one, one by its name, or nobody knows."""
    node = plain(node)
    if depth > DEPTH:
        return UNKNOWN
    if node.type == "identifier":
        bound = binding_of(source, node)
        found = client_of_binding(source, bound, depth) if bound is not None else UNKNOWN
    elif node.type in ("call_expression", "new_expression"):
        found = client_of_call(source, node, depth)
    elif node.type == "member_expression":
        found = client_of_member(source, node, depth)
    elif node.type == "ternary_expression":
        branches = (node.child_by_field_name("consequence"), node.child_by_field_name("alternative"))
        clients = [client_of(source, branch, depth + 1) for branch in branches if branch is not None]
        found = next((client for client in clients if client.evidence != "unknown"), UNKNOWN)
    elif node.type == "binary_expression":
        sides = (node.child_by_field_name("left"), node.child_by_field_name("right"))
        clients = [client_of(source, side, depth + 1) for side in sides if side is not None]
        found = next((client for client in clients if client.evidence != "unknown"), UNKNOWN)
    else:
        return UNKNOWN
    if found.evidence == "unknown" and NAMED.search(last_name(source, node)):
        return replace(found, evidence="named")
    return found


def schema_in(code: str) -> str:
    """The schema that a client is made for, by its code or its type. "?" where the options stand elsewhere."""
    found = SCHEMA.search(code)
    if found is not None:
        return (found["value"] or found["type"] or "?").strip("\"'`")
    return "?" if OPTIONS.search(code) else ""


def client_of_binding(source: Source, bound: Bound, depth: int) -> Client:
    annotation = bound.owner.child_by_field_name("type")
    if annotation is not None and bound.kind in ("variable", "parameter"):
        text = source.code(annotation)
        if TYPES.search(text):
            generic = GENERIC.search(text[text.find("Client") :])
            return Client("typed", generic["type"] if generic else "", schema=schema_in(text))
    if bound.kind == "import":
        found = imported_from(source, bound)
        return Client("unknown", origin=Origin(*found)) if found is not None else UNKNOWN
    if bound.kind == "variable" and bound.value is not None:
        return client_of(source, bound.value, depth + 1)
    if bound.kind in ("function", "class"):
        return client_of_function(source, bound.owner)
    if bound.kind == "destructured" and (value := bound.owner.child_by_field_name("value")) is not None:
        whole = client_of(source, value, depth + 1)
        return replace(whole, evidence="unknown")
    return UNKNOWN


def client_of_call(source: Source, call: Node, depth: int) -> Client:
    """A call that makes a client, or of a function that gives one."""
    function = call.child_by_field_name("function") or call.child_by_field_name("constructor")
    if function is None:
        return UNKNOWN
    name = last_name(source, function)
    generic = call.child_by_field_name("type_arguments")
    first = generic.named_children[0] if generic is not None and generic.named_children else None
    database = source.code(first) if first is not None else ""
    schema = schema_in(source.code(call))
    if function.type == "member_expression":
        inner = function.child_by_field_name("object")
        if name == "schema" and inner is not None:
            return client_of(source, inner, depth + 1)
        return Client("made", database, schema=schema) if MAKERS.match(name) else UNKNOWN
    if function.type != "identifier":
        return UNKNOWN
    bound = binding_of(source, function)
    if bound is None:
        return Client("made", database, schema=schema) if MAKERS.match(name) else UNKNOWN
    if bound.kind == "import":
        found = imported_from(source, bound)
        if found is None:
            return UNKNOWN
        if MAKERS.match(found[1]) and PACKAGES.search(found[0]):
            return Client("made", database, schema=schema)
        evidence = "named" if NAMED.search(f"{found[0]} {found[1]}") else "unknown"
        return Client("named" if evidence == "named" else "unknown", database, Origin(*found))
    return client_of_binding(source, bound, depth)


def client_of_function(source: Source, function: Node) -> Client:
    """A function or class whose code makes a client."""
    made = MAKER_CALL.search(source.code(function))
    if made is None or not PACKAGES.search(source.utf8.decode("utf-8", "replace")):
        return UNKNOWN
    return Client("made", made["type"] or "", schema=schema_in(source.code(function)))


def client_of_member(source: Source, node: Node, depth: int) -> Client:
    """`insforge.database`, `this.client` of a class that sets it, `context.supabase`."""
    name = last_name(source, node)
    inner = node.child_by_field_name("object")
    if inner is None:
        return UNKNOWN
    if name == "database":
        whole = client_of(source, inner, depth + 1)
        return replace(whole, evidence="made")
    if plain(inner).type == "this":
        word = re.escape(name)
        field = re.compile(rf"\b{word}[!?]?\s*:\s*(?P<type>[^;=,)\n]+)|\bthis\.{word}\s*=\s*(?P<value>[^;\n]+)")
        for match in field.finditer(source.utf8.decode("utf-8", "replace")):
            text = match["type"] or match["value"] or ""
            if (match["type"] and TYPES.search(text)) or (match["value"] and MAKER_CALL.search(text)):
                generic = GENERIC.search(text)
                return Client("typed", generic["type"] if generic else "", schema=schema_in(text))
    return UNKNOWN
