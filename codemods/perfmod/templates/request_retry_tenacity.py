"""Part of request_retry: tenacity runs the attempts."""

from __future__ import annotations

from typing import Any

import httpx
import tenacity

from perfmod.templates.request_retry import (
    _BASE_WAIT,
    _MAX_ELAPSED,
    _MAX_RETRIES,
    _MAX_WAIT,
    _describe,
    _is_repeatable,
    _log_retry,
    _may_pass,
    _retry_after,
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

    def log_retry(state: tenacity.RetryCallState) -> None:
        number, wait = state.attempt_number, state.upcoming_sleep
        _log_retry(request, _outcome(state), number, wait)

    response: httpx.Response = await tenacity.AsyncRetrying(
        retry=lambda state: _may_pass(request, _outcome(state), repeatable),
        wait=_wait,
        stop=_STOP,
        before_sleep=log_retry,
        retry_error_callback=_last_outcome,
    )(getattr(client, method), *args, **kwargs)
    return response


_STOP = tenacity.stop_any(
    tenacity.stop_after_attempt(_MAX_RETRIES + 1),
    tenacity.stop_before_delay(_MAX_ELAPSED),
)


def _wait(state: tenacity.RetryCallState) -> float:
    backoff = tenacity.wait_random_exponential(multiplier=_BASE_WAIT, max=_MAX_WAIT)
    return max(backoff(state), _retry_after(_outcome(state)))


def _outcome(state: tenacity.RetryCallState) -> Any:
    """The response or the exception of the attempt that is over."""
    assert state.outcome is not None
    return state.outcome.exception() or state.outcome.result()


def _last_outcome(state: tenacity.RetryCallState) -> Any:
    """Return the last response, or raise the last exception."""
    assert state.outcome is not None
    return state.outcome.result()
