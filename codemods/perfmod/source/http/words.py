"""Whether a Python file is worth parsing for HTTP requests."""

from __future__ import annotations

import re

CALL = re.compile(rb"\.\s*(?:get|post|put|patch|delete|head|options|request|stream|send|[Ss]ession)\s*\(")
AWAITED = re.compile(rb"await [\w.() ]+\.\s*(?:get|post|put|patch|delete|head|options|request)\s*\(")


def may_send_requests(data: bytes) -> bool:
    """Whether a file calls what may be a client's verb."""
    pattern = CALL if b"httpx" in data or b"aiohttp" in data or b"requests" in data else AWAITED
    return pattern.search(data) is not None
