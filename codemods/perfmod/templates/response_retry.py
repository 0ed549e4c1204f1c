# perfmod: response_retry template 1
"""Responses of aiohttp, asked for again after failures that may pass.

A request that was refused, or that never left, is sent again. One that failed in
the server, or whose answer was lost, may have been carried out: it is sent again
only where _is_repeatable says that this does no harm.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from email.utils import mktime_tz, parsedate_tz
from typing import Any

import aiohttp
from yarl import URL

_logger = logging.getLogger(__name__)

_MAX_RETRIES = 3
_BASE_WAIT = 0.5  # seconds, as are the next three; doubles with each retry
_MAX_WAIT = 8.0
_MAX_RETRY_AFTER = 30.0  # a server that asks for more gets no retry
_MAX_ELAPSED = 60.0  # no attempt starts later than this after the first

_REFUSED = {408, 425, 429}
_FAILED = {500, 502, 503, 504}
_NOT_SENT = (aiohttp.ClientConnectorError,)
_TRANSIENT = (
    asyncio.TimeoutError,
    aiohttp.ClientOSError,
    aiohttp.ClientPayloadError,
    aiohttp.ServerConnectionError,
)
_IDEMPOTENT = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}
_PAYMENT = re.compile(
    r"(?:\b|_|(?<=[a-z])(?=[A-Z]))"
    r"(?i:payment|refund|order|charge|transfer|payout)s?(?![a-z])"
)


@asynccontextmanager
async def response_with_retry(
    session: aiohttp.ClientSession,
    method: str,
    *args: Any,
    idempotent: bool | None = None,
    **kwargs: Any,
) -> AsyncIterator[aiohttp.ClientResponse]:
    """Enter ``session.<method>(*args, **kwargs)``, again after passing failures.

    Yields the last response, whatever its status, with its body read. ``idempotent``
    tells whether the request may be carried out twice; None leaves that to
    _is_repeatable.
    """
    verb, url = _target(session, method, args, kwargs)
    repeatable = _is_repeatable(verb, url, idempotent, kwargs.get("headers"))
    last_start = time.monotonic() + _MAX_ELAPSED
    attempt = 0
    while True:
        attempt += 1
        outcome: aiohttp.ClientResponse | Exception
        async with AsyncExitStack() as stack:
            try:
                request = getattr(session, method)(*args, **kwargs)
                response = await stack.enter_async_context(request)
                await response.read()
                outcome = response
            except (*_TRANSIENT, aiohttp.ClientResponseError) as error:
                outcome = error
            may_pass = _may_pass(verb, url, outcome, repeatable)
            again = may_pass and attempt <= _MAX_RETRIES
            wait = _wait_after(outcome, attempt) if again else 0.0
            if not again or time.monotonic() + wait > last_start:
                if isinstance(outcome, Exception):
                    raise outcome
                yield outcome
                return
        _log_retry(verb, url, outcome, attempt, wait)
        await asyncio.sleep(wait)


def _target(session: Any, method: str, args: Any, kwargs: Any) -> tuple[str, URL]:
    """The verb and the whole URL of a request."""
    verb = args[0] if method == "request" else method
    url = URL(str(kwargs.get("url", args[-1] if args else "")))
    base = getattr(session, "_base_url", None)
    return verb.upper(), base.join(url) if isinstance(base, URL) else url


def _is_repeatable(verb: str, url: URL, idempotent: bool | None, headers: Any) -> bool:
    """Whether doing a request twice does no more than doing it once: no payment does.

    Without the caller's word, its verb and its Idempotency-Key tell.
    """
    if _PAYMENT.search(url.path):
        return False
    if idempotent is None:
        has_key = any(str(name).lower() == "idempotency-key" for name in headers or ())
        return has_key or verb in _IDEMPOTENT
    return idempotent


def _may_pass(verb: str, url: URL, outcome: Any, repeatable: bool) -> bool:
    """Whether this is a failure after which sending the request again does no harm."""
    if not repeatable and _is_redirected(verb, url, outcome):
        return False  # only the redirect's target failed: the request itself was done
    status = getattr(outcome, "status", None)
    if status is None:
        return isinstance(outcome, _TRANSIENT if repeatable else _NOT_SENT)
    statuses = _REFUSED | _FAILED if repeatable else _REFUSED
    return status in statuses and _retry_after(outcome) <= _MAX_RETRY_AFTER


def _is_redirected(verb: str, url: URL, outcome: Any) -> bool:
    if isinstance(outcome, aiohttp.ClientConnectorError):
        return (outcome.host, outcome.port) != (url.raw_host, url.port)
    return getattr(getattr(outcome, "request_info", None), "method", verb) != verb


def _wait_after(outcome: Any, attempt: int) -> float:
    """Seconds until the next attempt."""
    backoff = random.uniform(0, min(_MAX_WAIT, _BASE_WAIT * 2 ** (attempt - 1)))
    return max(backoff, _retry_after(outcome))


def _retry_after(outcome: Any) -> float:
    """Seconds that the server asks to wait; 0 where it says nothing valid."""
    value = (getattr(outcome, "headers", None) or {}).get("Retry-After", "")
    try:
        date = parsedate_tz(value)
        seconds = mktime_tz(date) - time.time() if date else float(value)
    except (IndexError, OverflowError, TypeError, ValueError):
        return 0.0
    return max(0.0, seconds)


def _log_retry(verb: str, url: URL, outcome: Any, attempt: int, wait: float) -> None:
    problem = getattr(outcome, "status", outcome)
    text = "%s %s: %r at attempt %d, next in %.1f s"
    _logger.warning(text, verb, url.path, problem, attempt, wait)
