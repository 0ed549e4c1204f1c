"""Which Python expressions are PostgREST clients, as far as one file says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.python.names import Binding, Bound, Imported, Names
from perfmod.source.queries.facts import Client, Origin

MAKERS = pattern(
    r"(?:\A|\.)(?:a?create_client|create_async_client|(?:Sync|Async)?(?:Supabase)?Client|(?:Sync|Async)PostgrestClient|"
    r"(?:Async)?Ins[fF]orge\w*)\Z"
)
PACKAGES = pattern(r"\A(?:supabase|postgrest|supafunc|insforge)\w*(?:\.|\Z)")
MAKER_CALL = pattern(r"\b(?:a?create_client|create_async_client|(?:Async|Sync)PostgrestClient|Ins[fF]orgeClient)\s*\(")
IMPORTS = pattern(rb"^[ \t]*(?:from|import)[ \t]+(?:supabase|postgrest|insforge)\b", re.M)
# The schema in a client's options: `ClientOptions(schema="sales")`.
SCHEMA = pattern(r"\bschema\s*=\s*(?P<value>[\"']\w+[\"'])?")
OPTIONS = pattern(r"\boptions\s*=\s*[\w.]+\s*[,)]")
NAMED = pattern(r"supabase|insforge|postgrest", re.I)
UNKNOWN = Client("unknown")
DEPTH = 6


def client_of(names: Names, node: Node, depth: int = 0) -> Client:
    """What an expression is: a client that is made or annotated as one, one by its name, or nobody knows."""
    node = plain(node)
    if depth > DEPTH:
        return UNKNOWN
    found = UNKNOWN
    if node.type == "identifier":
        meaning = names.meaning(node)
        if isinstance(meaning, Imported):
            found = imported(meaning.qualified)
        elif isinstance(meaning, Bound):
            clients = [client_of_binding(names, binding, depth) for binding in meaning.bindings]
            found = next((client for client in clients if client.evidence != "unknown"), clients[0])
    elif node.type == "call" and (function := node.child_by_field_name("function")) is not None:
        found = client_of_call(names, function, depth)
    elif node.type == "attribute":
        found = client_of_attribute(names, node, depth)
    if found.evidence == "unknown" and NAMED.search(last_name(names, node)):
        return replace(found, evidence="named")
    return found


def schema_in(code: str) -> str:
    """The schema that a client is made for, by the code that makes it. "?" where its options stand elsewhere."""
    found = SCHEMA.search(code)
    if found is not None:
        return (found["value"] or "?").strip("\"'")
    return "?" if OPTIONS.search(code) else ""


def client_of_binding(names: Names, binding: Binding, depth: int) -> Client:
    if binding.kind == "import":
        return imported(binding.qualified)
    annotation = annotation_of(binding)
    if annotation is not None:
        for part in re.findall(r"[\w.]+", names.source.code(annotation)):
            if MAKERS.search(part) and IMPORTS.search(names.source.utf8):
                return Client("typed")
    if binding.value is not None:
        return client_of(names, binding.value, depth + 1)
    if binding.kind == "function" and binding.owner is not None:
        return client_of_function(names, binding.owner)
    return UNKNOWN


def annotation_of(binding: Binding) -> Node | None:
    """The annotation of a parameter or an assigned name."""
    for place in (binding.node.parent, binding.owner):
        if place is not None and place.type in ("typed_parameter", "typed_default_parameter", "assignment"):
            return place.child_by_field_name("type")
    return None


def client_of_call(names: Names, function: Node, depth: int) -> Client:
    """A call that makes a client, or of a function that gives one."""
    meaning = names.meaning(function)
    if isinstance(meaning, Imported):
        if PACKAGES.match(meaning.qualified) and MAKERS.search(meaning.qualified):
            return Client("made", schema=schema_in(names.source.code(function.parent or function)))
        return imported(meaning.qualified)
    if function.type == "identifier" and isinstance(meaning, Bound) and meaning.only is not None:
        return client_of_binding(names, meaning.only, depth + 1)
    return UNKNOWN


def imported(qualified: str) -> Client:
    """A name of another module: one of a client's own package is none, it is the package."""
    module, _, name = qualified.rpartition(".")
    if not module:
        return UNKNOWN
    return Client("named" if NAMED.search(qualified) else "unknown", origin=Origin(module, name))


def client_of_function(names: Names, function: Node) -> Client:
    """A function whose code makes a client, or whose annotation says so."""
    returned = function.child_by_field_name("return_type")
    text = names.source.code(function)
    if IMPORTS.search(names.source.utf8) and (
        MAKER_CALL.search(text) or (returned is not None and MAKERS.search(names.source.code(returned)))
    ):
        return Client("made", schema=schema_in(text))
    return UNKNOWN


def client_of_attribute(names: Names, node: Node, depth: int) -> Client:
    """`self.client` of a file that sets it to a client; `insforge.database`."""
    inner = node.child_by_field_name("object")
    if inner is not None and last_name(names, node) == "database":
        return client_of(names, inner, depth + 1)
    for value in assigned(names, node):
        found = client_of(names, value, depth + 1)
        if found.evidence != "unknown" or found.origin is not None:
            return found
    if not IMPORTS.search(names.source.utf8):
        return UNKNOWN
    word = re.escape(last_name(names, node))
    field = re.compile(rf"\b{word}\s*:\s*(?P<type>[\w.\[\]| ]+)|\.{word}\s*=\s*(?P<value>[^\n]+)")
    for match in field.finditer(names.source.utf8.decode("utf-8", "replace")):
        parts = re.findall(r"[\w.]+", match["type"] or "")
        if any(MAKERS.search(part) for part in parts) or MAKER_CALL.search(match["value"] or ""):
            return Client("typed")
    return UNKNOWN


def assigned(names: Names, attribute: Node) -> Iterator[Node]:
    """The values that a file assigns to `self.client`."""
    word = re.escape(last_name(names, attribute)).encode()
    for target in names.source.find(re.compile(rb"\bself\.(%s)\s*(?::[^=\n]{0,300})?=(?!=)" % word)):
        node = target.parent.parent if target.parent is not None else None
        value = node.child_by_field_name("right") if node is not None and node.type == "assignment" else None
        if value is not None:
            yield value


def plain(node: Node) -> Node:
    """The expression inside parentheses and `await`."""
    while node.type in ("parenthesized_expression", "await") and node.named_children:
        node = node.named_children[0]
    return node


def last_name(names: Names, node: Node) -> str:
    """`c` of `a.b.c`, `f` of `f(x)`."""
    node = plain(node)
    if node.type == "call" and (function := node.child_by_field_name("function")) is not None:
        return last_name(names, function)
    if node.type == "attribute" and (member := node.child_by_field_name("attribute")) is not None:
        return names.source.code(member)
    return names.source.code(node) if node.type == "identifier" else ""
