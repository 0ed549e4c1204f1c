# perfmod: session_retry template 1
"""Sessions of requests that send a request again after failures that may pass.

A request that was refused, or that never left, is sent again. One that failed in
the server, or whose answer was lost, may have been carried out: it is sent again
only where doing it twice does no more than doing it once: no payment does.
"""

from __future__ import annotations

import random
import re
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, InvalidHeader, NewConnectionError
from urllib3.util import Retry

_MAX_RETRIES = 3
_BASE_WAIT = 0.5  # seconds, as are the next two; doubles with each retry
_MAX_WAIT = 8.0
_MAX_RETRY_AFTER = 30.0  # a server that asks for more gets no retry

_REFUSED = {408, 425, 429}
_FAILED = {500, 502, 503, 504}
_IDEMPOTENT = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}
_PAYMENT = re.compile(
    r"(?:\b|_|(?<=[a-z])(?=[A-Z]))"
    r"(?i:payment|refund|order|charge|transfer|payout)s?(?![a-z])"
)


def session_with_retry(session: requests.Session) -> requests.Session:
    """Mount adapters that retry, and return the session."""
    retry = _Retry(
        total=_MAX_RETRIES,
        allowed_methods=_IDEMPOTENT,
        status_forcelist=_REFUSED | _FAILED,
        raise_on_status=False,
    )
    for prefix in ("https://", "http://"):
        session.mount(prefix, HTTPAdapter(max_retries=retry))
    return session


class _Retry(Retry):
    def is_retry(self, method: str, status_code: int, *_: object) -> bool:
        repeatable = method.upper() in _IDEMPOTENT
        return status_code in (_REFUSED | _FAILED if repeatable else _REFUSED)

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: Any = None,
        error: Exception | None = None,
        *rest: Any,
        **named: Any,
    ) -> _Retry:
        if response is None:
            asked = 0.0
            refused = isinstance(error, (ConnectTimeoutError, NewConnectionError))
        else:
            asked = self.get_retry_after(response) or 0.0
            refused = response.status in _REFUSED
        retry = self
        if asked > _MAX_RETRY_AFTER or (not refused and _PAYMENT.search(url or "")):
            retry = self.new(total=0)  # this was the last attempt
        count = super(_Retry, retry).increment
        return count(method, url, response, error, *rest, **named)

    def get_backoff_time(self) -> float:
        failures = max(0, len(self.history) - 1)
        return random.uniform(0, min(_MAX_WAIT, _BASE_WAIT * 2**failures))

    def get_retry_after(self, response: Any) -> float | None:
        try:
            return super().get_retry_after(response)
        except (InvalidHeader, OverflowError, ValueError):  # says nothing valid
            return None
