"""What a finding of retry-requests says about one request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfmod.source.http.requests import WRITES

if TYPE_CHECKING:
    from perfmod.source.http.facts import RequestSite

AFTER_REFUSAL = "sent again when it was refused (408, 425, 429) or never left"
AFTER_ALL = "sent again after lost connections, timeouts, 408, 425, 429, 500, 502, 503 and 504"


def prospect(site: RequestSite, *, idempotent: bool, always: bool) -> str:
    """When a request would be sent again. `idempotent`: somebody says that it is; `always`: all writes are repeated."""
    verb = site.verb or "a request"
    if site.payment:
        return f"one attempt only; as the path means a payment, {verb} would only be {AFTER_REFUSAL}"
    if site.verb is None:
        return f"one attempt only; with a retry it is {AFTER_ALL}, and POST and PATCH only as far as that is safe"
    if site.verb not in WRITES or idempotent or site.idempotent:
        return f"one attempt only; with a retry {verb} is {AFTER_ALL}{why(site)}"
    if always:
        return f"one attempt only; with a retry {verb} is {AFTER_ALL}: it may be carried out twice (retry-writes)"
    note = "; an upsert without on_conflict inserts where the row has no primary key" if site.upsert else ""
    return f"one attempt only; with a retry {verb} is {AFTER_REFUSAL}, not after a 5xx or a lost answer{note}"


def why(site: RequestSite) -> str:
    """What makes a write idempotent."""
    if site.verb not in WRITES:
        return ""
    if site.idempotent:
        return ", as its Idempotency-Key says"
    return ", as this upsert names its key" if site.keyed else ", as the option idempotent says"
