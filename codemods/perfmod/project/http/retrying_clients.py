"""Clients that retry by themselves: sessions of requests get adapters, httpx clients a transport of httpx-retries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from perfmod.model import AddImport, AddModule, Facts, Finding, Intent, Replace, RewriteCall, Safety, Span
from perfmod.project.http.evidence import is_test
from perfmod.project.layout.layout import NoHelper
from perfmod.source.http.facts import ClientMade

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.rules.retry_requests import RetryOptions

RULE = "retry-requests"
MESSAGE = "requests of this client are tried once: a dropped connection or a passing 503 is an error at once"
SESSION = "all requests of the session get the retries, also those that a caller repeats already"
TRANSPORT = "a client with a transport of its own reads no proxy from the environment"
BLOCKING = "a sync session inside async def: its waits would block the event loop"
#: What a transport would take the place of.
OWN = frozenset({"transport", "mounts", "proxy", "proxies", "verify", "cert", "http1", "http2", "limits", "*"})


def findings(options: RetryOptions, facts: Facts, project: Project) -> Iterator[Finding]:
    for made in facts.of(ClientMade):
        if made.retried or is_test(made.path):
            continue
        if made.client.library == "requests":
            yield finding(project, made, options, "session_retry", "session_with_retry")
        elif options.backend == "httpx-retries":
            yield finding(project, made, options, "request_retry", "RetryTransport")


def finding(project: Project, made: ClientMade, options: RetryOptions, template: str, name: str) -> Finding:
    def manual(reason: str) -> Finding:
        return Finding(RULE, made.span, MESSAGE, Safety.MANUAL, reason=reason)

    is_session = template == "session_retry"
    taken = sorted(k for k in made.keywords if k in OWN or k.startswith("*"))
    if not is_session and taken:
        return manual(f"{taken[0]}: hand it to an HTTPTransport, and that to RetryTransport(...)")
    if is_session and options.retry_writes == "always":
        return manual("retry-writes: sessions never repeat a write")
    helper = project.layout.helper(made.path, template, module=None if is_session else options.helper_module)
    if isinstance(helper, NoHelper):
        return manual(helper.reason)
    intents: tuple[Intent, ...] = (
        *(wrapped(made.span, name) if is_session else with_transport(project, made, name)),
        AddImport(made.path, helper.module, name),
        AddModule(helper.path, template, constants(options) if is_session else policy(options)),
    )
    reason = (BLOCKING if made.in_async else SESSION) if is_session else TRANSPORT
    return Finding(RULE, made.span, MESSAGE, Safety.UNSAFE, f"Let it retry with {name}()", reason, intents)


def wrapped(span: Span, name: str) -> tuple[Intent, ...]:
    start, end = Span(span.path, span.start, span.start), Span(span.path, span.end, span.end)
    return Replace(start, f"{name}("), Replace(end, ")")


def with_transport(project: Project, made: ClientMade, name: str) -> tuple[Intent, ...]:
    text = project.text(made.path)
    code = text.slice(made.span.start, made.span.end) if text is not None else ""
    return (RewriteCall(made.span, code.partition("(")[0].rstrip(), keywords=(("transport", f"{name}()"),)),)


def constants(options: RetryOptions) -> tuple[tuple[str, float], ...]:
    names = ("max_retries", "base_wait", "max_wait", "max_retry_after")
    return tuple((f"_{name.upper()}", getattr(options, name)) for name in names)


def policy(options: RetryOptions) -> tuple[tuple[str, object], ...]:
    from perfmod.templates.request_retry_forms import Policy

    return tuple(sorted((name, getattr(options, name)) for name in Policy.__dataclass_fields__))
