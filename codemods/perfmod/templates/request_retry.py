# perfmod: request_retry template 1
"""HTTP requests with httpx, sent again after failures that may pass.

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
from email.utils import mktime_tz, parsedate_tz
from typing import Any

import httpx

_logger = logging.getLogger(__name__)

_MAX_RETRIES = 3
_BASE_WAIT = 0.5  # seconds, as are the next three; doubles with each retry
_MAX_WAIT = 8.0
_MAX_RETRY_AFTER = 30.0  # a server that asks for more gets no retry
_MAX_ELAPSED = 60.0  # no attempt starts later than this after the first

_REFUSED = {408, 425, 429}
_FAILED = {500, 502, 503, 504}
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_TRANSIENT = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError)
_IDEMPOTENT = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}
_PAYMENT = re.compile(
    r"(?:\b|_|(?<=[a-z])(?=[A-Z]))"
    r"(?i:payment|refund|order|charge|transfer|payout)s?(?![a-z])"
)


async def request_with_retry(
    client: httpx.AsyncClient,
    method: str,
    *args: Any,
    idempotent: bool | None = None,
    **kwargs: Any,
) -> httpx.Response:
    """Await ``client.<method>(*args, **kwargs)``, again after passing failures.

    Returns the last response, whatever its status. ``idempotent`` tells whether the
    request may be carried out twice; None leaves that to _is_repeatable.
    """
    request = _describe(client, method, args, kwargs)
    repeatable = _is_repeatable(request, idempotent, kwargs.get("headers"))
    last_start = time.monotonic() + _MAX_ELAPSED
    attempt = 0
    while True:
        attempt += 1
        outcome: httpx.Response | Exception
        try:
            outcome = await getattr(client, method)(*args, **kwargs)
        except _TRANSIENT as error:
            outcome = error
        again = attempt <= _MAX_RETRIES and _may_pass(request, outcome, repeatable)
        wait = _wait_after(outcome, attempt) if again else 0.0
        if not again or time.monotonic() + wait > last_start:
            if isinstance(outcome, Exception):
                raise outcome
            return outcome
        _log_retry(request, outcome, attempt, wait)
        await asyncio.sleep(wait)


def _describe(client: object, method: str, args: Any, kwargs: dict[str, Any]) -> str:
    """The verb and the path of a request: ``GET /leads``."""
    verb = args[0] if method == "request" else method
    url = str(kwargs.get("url", args[-1] if args else ""))
    if "://" not in url:
        url = str(getattr(client, "base_url", "")).rstrip("/") + f"/{url.lstrip('/')}"
    return f"{verb} ".upper() + re.sub(r"^\w+://[^/?#]*|[?#].*", "", url, flags=re.S)


def _is_repeatable(request: str, idempotent: bool | None, headers: Any) -> bool:
    """Whether doing a request twice does no more than doing it once: no payment does.

    Without the caller's word, its verb and its Idempotency-Key tell.
    """
    if _PAYMENT.search(request):
        return False
    if idempotent is None:
        has_key = "Idempotency-Key" in httpx.Headers(headers)
        return has_key or request.split()[0] in _IDEMPOTENT
    return idempotent


def _may_pass(request: str, outcome: Any, repeatable: bool) -> bool:
    """Whether this is a failure after which sending the request again does no harm."""
    try:
        redirected = outcome.request.method != request.split()[0]
    except (AttributeError, RuntimeError):  # made by hand, without a request
        redirected = False
    if redirected and not repeatable:
        return False  # only the redirect's GET failed: the request itself was done
    if isinstance(outcome, BaseException):
        return isinstance(outcome, _TRANSIENT if repeatable else _NOT_SENT)
    statuses = _REFUSED | _FAILED if repeatable else _REFUSED
    return outcome.status_code in statuses and _retry_after(outcome) <= _MAX_RETRY_AFTER


def _wait_after(outcome: Any, attempt: int) -> float:
    """Seconds until the next attempt."""
    backoff = random.uniform(0, min(_MAX_WAIT, _BASE_WAIT * 2 ** (attempt - 1)))
    return max(backoff, _retry_after(outcome))


def _retry_after(outcome: Any) -> float:
    """Seconds that the server asks to wait; 0 where it says nothing valid."""
    value = getattr(outcome, "headers", {}).get("Retry-After", "")
    try:
        date = parsedate_tz(value)
        seconds = mktime_tz(date) - time.time() if date else float(value)
    except (IndexError, OverflowError, TypeError, ValueError):
        return 0.0
    return max(0.0, seconds)


def _log_retry(request: str, outcome: Any, attempt: int, wait: float) -> None:
    problem = getattr(outcome, "status_code", outcome)
    text = "%s: %r at attempt %d, next in %.1f s"
    _logger.warning(text, request, problem, attempt, wait)
