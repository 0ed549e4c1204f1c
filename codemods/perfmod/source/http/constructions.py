"""Where a Python file makes clients of httpx and sessions of requests. Facts for retry-requests."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.http.bodies import arguments_of
from perfmod.source.http.clients import CLIENTS, NO_NETWORK, retries_by_itself, transport_text
from perfmod.source.http.facts import ClientMade
from perfmod.source.http.requests import call_of
from perfmod.source.http.retry_loops import retried_by
from perfmod.source.python.names import Imported, Names, enclosing_function, is_async
from perfmod.source.tree import Source

MADE = pattern(rb"\b(AsyncClient|Client|[Ss]ession)\s*\(")


def clients_made(source: Source) -> Iterator[ClientMade]:
    """Every place that makes a client of httpx or a session of requests."""
    names = Names(source)
    for node in source.find(MADE):
        member = node.parent if node.parent is not None and node.parent.type == "attribute" else node
        call = member.parent
        if call is None or call.type != "call" or call.child_by_field_name("function") != member:
            continue
        meaning = names.meaning(member)
        client = CLIENTS.get(meaning.qualified) if isinstance(meaning, Imported) else None
        text = transport_text(names, call)
        if client is None or client.library == "aiohttp" or NO_NETWORK.search(text):
            continue
        positional, keywords, splats = arguments_of(names, call)
        mounted = client.library == "requests" and (b".mount(" in source.utf8 or is_used_in_loops(names, call))
        around = enclosing_function(call)
        yield ClientMade(
            source.path,
            source.span(call),
            client,
            frozenset([*keywords, *splats, *(["*"] if positional else [])]),
            around is not None and is_async(around),
            mounted or retries_by_itself(text) or retried_by(names, call) is not None,
        )


def is_used_in_loops(names: Names, made: Node) -> bool:
    """Whether all requests of a client that a function keeps to itself are repeated already."""
    above = made.parent
    target = above.child_by_field_name("left") if above is not None and above.type == "assignment" else None
    if above is not None and above.type == "as_pattern":
        target = above.named_children[-1].named_children[0]
    function = enclosing_function(made)
    if target is None or target.type != "identifier" or function is None:
        return False
    mentions = names.occurrences(names.source.code(target), function)
    uses = [n for n in mentions if n != target and enclosing_function(n) == function]
    calls = [call_of(n.next_named_sibling) if n.next_named_sibling is not None else None for n in uses]
    return bool(calls) and all(call is not None and retried_by(names, call) is not None for call in calls)
