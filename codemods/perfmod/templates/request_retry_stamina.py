"""Part of request_retry: stamina runs the attempts, and instruments them."""

from __future__ import annotations

import time
from typing import Any

import httpx
import stamina

from perfmod.templates.request_retry import (
    _FAILED,
    _MAX_ELAPSED,
    _MAX_RETRIES,
    _REFUSED,
    _describe,
    _is_repeatable,
    _log_retry,
    _may_pass,
    _wait_after,
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
    response: httpx.Response
    number = 0

    def backoff(error: Exception) -> bool | float:
        outcome = response if isinstance(error, _BadStatus) else error
        if number > _MAX_RETRIES or not _may_pass(request, outcome, repeatable):
            return False
        wait = _wait_after(outcome, number)
        if time.monotonic() + wait > last_start:
            return False
        _log_retry(request, outcome, number, wait)
        return wait

    try:
        async for attempt in stamina.retry_context(
            on=backoff,
            attempts=_MAX_RETRIES + 1,
            timeout=_MAX_ELAPSED,
        ):
            number = attempt.num
            with attempt:
                response = await getattr(client, method)(*args, **kwargs)
                if response.status_code in _REFUSED | _FAILED:
                    raise _BadStatus
    except _BadStatus:
        pass
    return response


class _BadStatus(Exception):
    """Tells stamina that the response is one of those that may be retried."""
