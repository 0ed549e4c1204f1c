"""Evidence for HTTP clients: whether a value is a client of httpx, aiohttp or requests, and how it was made."""

from __future__ import annotations

import re

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.http.facts import Client
from perfmod.source.python.instances import Instance
from perfmod.source.python.names import Bound, Names

CLIENTS = {
    "httpx.AsyncClient": Client("httpx", True),
    "httpx.Client": Client("httpx", False),
    "aiohttp.ClientSession": Client("aiohttp", True),
    "aiohttp.client.ClientSession": Client("aiohttp", True),
    "requests.Session": Client("requests", False),
    "requests.session": Client("requests", False),
    "requests.sessions.Session": Client("requests", False),
}
#: modules whose functions send a request by themselves
MODULES = {"httpx": Client("httpx", False), "requests": Client("requests", False), "aiohttp": Client("aiohttp", True)}
NO_NETWORK = pattern(r"\b(?:ASGITransport|WSGITransport|MockTransport)\b|\bapp\s*=")
RETRIES = pattern(r"retr(?:y|ies)", re.IGNORECASE)
NO_RETRIES = pattern(r"\bretries\s*=\s*0\b")


def client_kind(instance: Instance | None) -> Client | None:
    """The kind of client that an instance is, as far as this file tells."""
    if instance is None or instance.member or instance.is_value:
        return None
    return CLIENTS.get(instance.origin)


def transport_text(names: Names, construction: Node | None) -> str:
    """The text of a client's construction, with that of the variables which it is given."""
    if construction is None:
        return ""
    arguments = construction.child_by_field_name("arguments")
    parts = []
    for argument in arguments.named_children if arguments is not None else ():
        parts.append(names.source.code(argument))
        value = argument.child_by_field_name("value") or argument
        meaning = names.meaning(value) if value.type == "identifier" else None
        if isinstance(meaning, Bound):
            parts += [names.source.code(b.value) for b in meaning.bindings if b.value is not None]
    return "\n".join(parts)


def retries_by_itself(text: str) -> bool:
    return RETRIES.search(NO_RETRIES.sub("", text)) is not None
