"""retry-requests: requests that are tried once get one safe retry method."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from perfmod.model import Fact, Facts, Finding, Note
from perfmod.rule import Triggers
from perfmod.source.http.words import clients_taken, may_send_requests
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.source.tree import Source


@dataclass(frozen=True, slots=True)
class RetryOptions:
    """The options of retry-requests."""

    backend: Literal["inline", "stamina", "tenacity", "httpx-retries"] = "inline"
    """what runs the attempts: a loop of its own, or a library that you have or will install"""
    retry_writes: Literal["idempotent", "always"] = "idempotent"
    """always: POST and PATCH are sent again even where they may have been carried out"""
    idempotent: tuple[str, ...] = ()
    """methods whose requests may be carried out twice, as "Class.method" """
    uploads: bool = False
    """route uploads of bytes too"""
    helper_module: str | None = None
    """the dotted module for the helper, where the default does not suit"""
    max_retries: int = 3
    """how often a request is sent again"""
    base_wait: float = 0.5
    """seconds: the first wait is random below this, the next below twice as much, ..."""
    max_wait: float = 8.0
    """seconds: no wait of its own is longer"""
    max_retry_after: float = 30.0
    """seconds: where a server asks for a longer wait, its response is given back"""
    max_elapsed: float = 60.0
    """seconds: no attempt starts later than this after the first"""


class RetryRequests:
    """HTTP requests that are tried once get one safe retry method.

    What it finds:
        Calls of httpx, aiohttp and requests clients that make a single attempt. A client is known by evidence: how it
        was made, annotations, `with` items, getters, base classes. A name alone is none.

    Why it matters:
        Networks drop connections, servers restart, gateways answer 503 for a second. One attempt turns each of these
        into an error of your program. A loop that repeats everything is worse: it stores rows twice.

    What it changes:
        The call goes through a method (or function) that sends the request again where that is safe:

            failure                                            GET HEAD OPTIONS TRACE PUT DELETE   POST PATCH
            ConnectError, ConnectTimeout, PoolTimeout          yes                                 yes
            408, 425, 429                                      yes                                 yes
            500, 502, 503, 504                                 yes                                 if idempotent
            ReadTimeout, ReadError, WriteError, a lost answer  yes                                 if idempotent
            other 4xx, cancellation, invalid requests          no                                  no

        Idempotent are a POST with an Idempotency-Key, an upsert that sends on_conflict, and what the option
        `idempotent` names; never a path that means a payment. It waits with full jitter, at least as long as
        Retry-After says, gives the last response back and never raises for a status. One class gets a method, several
        share a helper module. The option `backend` writes it with stamina or tenacity, which follow the whole policy
        (stamina logs each retry a second time, through its instrumentation), or gives clients a transport of
        httpx-retries, which waits max-retry-after where the server asks for more, counts waits instead of starts
        against max-elapsed, does not see a body that breaks off, and logs at debug level. A Session of requests gets
        adapters that retry by the same table; they know no max-elapsed, do not see a body that breaks off, and a read
        that times out for the last time is a ConnectionError. `async with session.get(...) as response:` of aiohttp
        goes through response_with_retry(), whose policy is the same; a write that could not connect in time is not
        repeated there, as nobody can tell whether it was redirected.

    When the fix is unsafe:
        A client made for one call in a function, or httpx.get(): nobody knows who calls it how often. A sync client
        in `async def`, whose wait blocks the loop. A body that may be a stream. A Session, and a client that gets a
        transport, as these retry whatever is sent through them. aiohttp, as the body is read before the block begins.

    Leaves alone:
        Streams, open files and signed requests, which can't be sent twice; responses of aiohttp that leave their block
        or are not read in it; uploads; requests that are repeated
        already, by a loop, a decorator, the transport or every caller; SDKs; tests.
    """

    Options = RetryOptions
    languages = ("python",)
    triggers = Triggers(
        ((b"httpx",), (b"aiohttp",), (b"requests",), (b"await ",), (b"async with",)),
        may_send_requests,
        clients_taken,
    )
    reviewed = ()
    scanners = ()
    judged = "perfmod.source.http.facts"
    spreads = True

    def __init__(self, options: RetryOptions) -> None:
        self.options = options

    def scan(self, source: Source) -> Iterator[Fact]:
        from perfmod.source.http.constructions import clients_made
        from perfmod.source.http.giving import clients_given
        from perfmod.source.http.requests import requests_of

        yield from clients_given(source)
        yield from requests_of(source)
        yield from clients_made(source)

    def judge(self, facts: Facts, project: Project) -> Iterator[Finding | Note]:
        from perfmod.source.http.facts import ClientMade, ClientsGiven, RequestSite

        kinds: tuple[type[Any], ...] = (RequestSite, ClientsGiven)
        if any(facts.of(kind) for kind in kinds):
            from perfmod.project.http.retries import Judgement

            yield from Judgement(self.options, facts, project).findings()
        if facts.of(ClientMade):
            from perfmod.project.http.retrying_clients import findings

            yield from findings(self.options, facts, project)
