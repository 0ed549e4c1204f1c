"""Part of request_retry: writes are repeated too, by decision of the project."""

from __future__ import annotations

from typing import Any

from perfmod.templates.request_retry import _PAYMENT


def _is_repeatable(request: str, idempotent: bool | None, headers: Any) -> bool:
    """Whether to send a request again that may have been carried out.

    Writes too, unless the caller forbids it, and no payments.
    """
    return idempotent is not False and not _PAYMENT.search(request)
