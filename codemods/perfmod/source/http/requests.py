"""Where a Python file sends HTTP requests, and what it would take to send them again. Facts for retry-requests."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TypeAlias

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.http.bodies import (
    arguments_of,
    is_signed,
    means_payment,
    unsendable,
    upsert,
    uses_locals,
)
from perfmod.source.http.clients import MODULES, NO_NETWORK, client_kind, retries_by_itself, transport_text
from perfmod.source.http.facts import Client, Elsewhere, ModulePlace, RequestSite
from perfmod.source.http.responses import held_back
from perfmod.source.http.retry_loops import decorators, retried_by
from perfmod.source.http.retry_places import class_place, module_place
from perfmod.source.python.instances import Instance, instance_of
from perfmod.source.python.names import Imported, Names, enclosing, enclosing_function, is_async, visible_scope
from perfmod.source.python.strings import free_quote, shown_source
from perfmod.source.tree import Source, ancestors

VERBS = ("get", "post", "put", "patch", "delete", "head", "options")
SENT = pattern(rb"\.[\s\\]*(get|post|put|patch|delete|head|options|request|stream|send)[\s\\]*\(")
SINGLE_QUOTED = pattern(rb"(?<!')'[^'\"\n]+'(?!')")
DOUBLE_QUOTED = pattern(rb'(?<!")"[^\'"\n]+"(?!")')
DOTTED = pattern(r"\w+(?:\s*\.\s*\w+)*")
WRITES = ("POST", "PATCH")
MAXIMUM_DEPTH = 100

#: A client with its evidence and the text of its construction.
Found: TypeAlias = tuple[Client, Instance | None, str]


def requests_of(source: Source) -> Iterator[ModulePlace | RequestSite]:
    """The places of a file that send requests, after what it says about taking in a retry function."""
    head = source.utf8[:60]
    if head.startswith(b"# perfmod: ") and b"_retry template" in head:
        return
    sites = list(request_sites(source))
    if sites:
        yield module_place(Names(source))
        yield from sites


def request_sites(source: Source) -> Iterator[RequestSite]:
    """Every place that sends a request, in source order. `retried` ones are there for who calls them."""
    names = Names(source)
    clients = Clients(names)
    for node in source.find(SENT):
        call = call_of(node)
        if call is None:
            continue
        site = site_of(names, clients, call, source.code(node))
        if site is not None:
            yield site


def call_of(name: Node) -> Node | None:
    """The call of the method that ends in this name."""
    function = name.parent
    call = function.parent if function is not None and function.type == "attribute" else None
    if call is None or call.type != "call" or call.child_by_field_name("function") != function:
        return None
    if any(parent.type == "decorator" for parent in ancestors(call)):
        return None
    return call


def site_of(names: Names, clients: Clients, call: Node, method: str) -> RequestSite | None:
    function = call.child_by_field_name("function")
    receiver = function.child_by_field_name("object") if function is not None else None
    if receiver is None:
        return None
    found = clients.of(receiver)
    if found is None:
        return None
    client, instance, text = found
    if NO_NETWORK.search(text):
        return None
    positional, keywords, splats = arguments_of(names, call)
    if not positional and not keywords and not splats:
        return None
    verb = verb_of(names, method, positional, keywords)
    url = url_of(method, positional, keywords)
    around = enclosing_function(call)
    site = RequestSite(
        names.source.path,
        names.source.span(call),
        client,
        method,
        verb,
        receiver_text(names, receiver),
        quote_at(names.source, call),
        function_name(names, around),
        around is not None and is_async(around),
        class_place(names, call),
        retried="a transport that retries" if retries_by_itself(text) else retried_by(names, call),
        origin=elsewhere(instance),
        one_call=is_one_call(instance, call),
        bare=instance is not None and instance.origin in MODULES,
        verb_keyword=method == "request" and "method" in keywords,
        payment=means_payment(names, url),
        idempotent=True if "headers" in keywords and has_key(names, keywords["headers"]) else None,
        held=held_back(names, call, verb),
        decorators=decorator_origins(names, call),
    )
    if verb == "POST":
        is_upsert, keyed = upsert(names, keywords, url)
        site = replace(site, upsert=is_upsert, keyed=keyed)
    return limited(names, site, call, keywords, splats, url)


class Clients:
    """The clients of a file. A name means the same wherever its scope uses it."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._known: dict[tuple[bytes, int], Found | None] = {}

    def of(self, receiver: Node) -> Found | None:
        """The client that an expression is."""
        text = self._names.source.utf8[receiver.start_byte : receiver.end_byte]
        if b"(" in text:  # made for this call, maybe
            return client_of(self._names, receiver)
        key = (text, visible_scope(receiver).id)
        if key not in self._known:
            self._known[key] = client_of(self._names, receiver)
        return self._known[key]


def client_of(names: Names, receiver: Node) -> Found | None:
    if receiver.type == "identifier":
        meaning = names.meaning(receiver)
        if isinstance(meaning, Imported) and meaning.qualified in MODULES:
            return MODULES[meaning.qualified], Instance(meaning.qualified), ""
    instance = instance_of(names, receiver)
    client = client_kind(instance)
    if instance is None or not instance.origin:
        return None
    if client is None:
        top = instance.origin.partition(".")[0]
        if "." not in instance.origin or top in MODULES or top in sys.stdlib_module_names:
            return None
        return Client("httpx", True), instance, ""
    return client, instance, transport_text(names, instance.construction)


def elsewhere(instance: Instance | None) -> Elsewhere | None:
    if instance is None or instance.origin in MODULES or client_kind(instance) is not None:
        return None
    return instance.origin, instance.member, instance.is_value


def is_one_call(instance: Instance | None, call: Node) -> bool:
    """Whether the client lives no longer than the function around the call."""
    if instance is None or instance.origin in MODULES:
        return True
    if not instance.origin.rpartition(".")[2][:1].isupper():
        return False  # a function of another file: it may share the client
    made, around = instance.construction, enclosing_function(call)
    return made is not None and around is not None and around.start_byte <= made.start_byte < around.end_byte


def verb_of(names: Names, method: str, positional: list[Node], keywords: dict[str, Node]) -> str | None:
    if method != "request":
        return method.upper()
    node = positional[0] if positional else keywords.get("method")
    if node is None or node.type != "string" or any(c.type == "interpolation" for c in node.named_children):
        return None
    return names.source.code(node).strip("\"'").upper()


def url_of(method: str, positional: list[Node], keywords: dict[str, Node]) -> Node | None:
    at = 1 if method == "request" else 0
    return positional[at] if len(positional) > at else keywords.get("url")


def limited(
    names: Names, site: RequestSite, call: Node, keywords: dict[str, Node], splats: list[str], url: Node | None
) -> RequestSite:
    """The site with why it can't be routed, or not without a doubt."""
    manual, doubt = unsendable(names, keywords)
    if site.method == "stream":
        manual = "a stream: its body is read later, so a second attempt can't be hidden"
    elif site.method == "send":
        manual = "send() of a request that was made before: retry where it is made"
    elif (shown := shown_source(call)) is not None:
        manual = shown
    elif is_signed(names, keywords, url):
        manual = "signed or dated beforehand: a second attempt needs a new signature, nonce or time"
    elif uses_locals(names, call):
        manual = "locals() is read in this function: nothing may be added to it"
    elif site.method == "request" and not has_verb_first(call, names):
        manual = "the verb is not the first argument"
    elif any(splat.startswith("*") and not splat.startswith("**") for splat in splats):
        manual = "*args hide the verb and the URL"
    elif depth_of(call) > MAXIMUM_DEPTH:
        manual = "nested too deeply to be rewritten"
    elif not site.quote:
        manual = "inside an f-string with no free quote for the verb"
    if doubt is None and splats and site.method in ("post", "put", "patch", "request"):
        doubt = f"{splats[0]} may hold a stream or an open file, which can't be sent twice"
    return replace(site, manual=manual, unsafe=doubt, upload="files" in keywords)


def quote_at(source: Source, call: Node) -> str:
    """The quote for the verb: what the file prefers, inside f-strings one that is free; "" where none is."""
    free = free_quote(source, call)
    in_string = any(parent.type == "string" for parent in ancestors(call))
    if free is None or in_string:
        return free or ""
    return preferred_quote(source.utf8)


@lru_cache(maxsize=1)
def preferred_quote(utf8: bytes) -> str:
    return "'" if len(SINGLE_QUOTED.findall(utf8)) > len(DOUBLE_QUOTED.findall(utf8)) else '"'


def has_verb_first(call: Node, names: Names) -> bool:
    arguments = call.child_by_field_name("arguments")
    first = next((a for a in arguments.named_children if a.type != "comment"), None) if arguments is not None else None
    if first is None or first.type in ("list_splat", "dictionary_splat"):
        return False
    return first.type != "keyword_argument" or names.source.code(first).startswith("method")


def receiver_text(names: Names, receiver: Node) -> str:
    """The client as an argument: without the parentheses that it needed as a receiver."""
    node = receiver
    while node.type == "parenthesized_expression" and len(node.named_children) == 1:
        node = node.named_children[0]
    text = names.source.code(node)
    if DOTTED.fullmatch(text):
        return "".join(text.split())
    return f"({text})" if "\n" in text else text


def function_name(names: Names, function: Node | None) -> str:
    name = function.child_by_field_name("name") if function is not None else None
    return names.source.code(name) if name is not None else ""


def has_key(names: Names, headers: Node) -> bool:
    return re.search(r"idempotency-key", names.source.code(headers), re.IGNORECASE) is not None


def decorator_origins(names: Names, call: Node) -> tuple[str, ...]:
    found = []
    function = enclosing_function(call)
    while function is not None:
        for decorator in decorators(function):
            target = decorator.named_children[0]
            target = target.child_by_field_name("function") or target
            meaning = names.meaning(target)
            if isinstance(meaning, Imported):
                found.append(meaning.qualified)
        function = enclosing(function, "function_definition")
    return tuple(found)


def depth_of(node: Node) -> int:
    return sum(1 for _ in ancestors(node))
