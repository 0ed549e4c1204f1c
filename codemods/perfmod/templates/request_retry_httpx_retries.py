"""Part of request_retry: a transport of httpx-retries, to give to the clients."""

from __future__ import annotations

import random

import httpx
import httpx_retries

from perfmod.templates.request_retry import (
    _BASE_WAIT,
    _FAILED,
    _IDEMPOTENT,
    _MAX_ELAPSED,
    _MAX_RETRIES,
    _MAX_RETRY_AFTER,
    _MAX_WAIT,
    _NOT_SENT,
    _REFUSED,
    _TRANSIENT,
    _is_repeatable,
)


class RetryTransport(httpx_retries.RetryTransport):
    """Sends a request again after failures that may pass, as far as that is safe.

    A request with the extension "retry" goes by that one instead.
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions.setdefault("retry", _retry_for(request))
        return super().handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions.setdefault("retry", _retry_for(request))
        return await super().handle_async_request(request)


def _retry_for(request: httpx.Request) -> httpx_retries.Retry:
    line = f"{request.method} {request.url.path}"
    repeatable = _is_repeatable(line, None, request.headers)
    return _Retry(
        total=_MAX_RETRIES,
        allowed_methods=_IDEMPOTENT | {"POST", "PATCH"},
        status_forcelist=_REFUSED | _FAILED if repeatable else _REFUSED,
        retry_on_exceptions=_TRANSIENT if repeatable else _NOT_SENT,
        max_backoff_wait=_MAX_RETRY_AFTER,
        total_timeout=_MAX_ELAPSED,
    )


class _Retry(httpx_retries.Retry):
    def backoff_strategy(self) -> float:
        high = min(_MAX_WAIT, _BASE_WAIT * 2 ** (self.attempts_made - 1))
        return random.uniform(0, high)
