"""Responses of aiohttp through the helper that perfmod writes, against a real server that fails on purpose."""

from __future__ import annotations

import ast
import asyncio
import logging
import subprocess
import sys
import threading
import time
from contextlib import suppress
from email.utils import formatdate
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fault_server import Answer, Drop, FaultServer

from perfmod.templates import render_response_retry

aiohttp = pytest.importorskip("aiohttp")
FAST = {"_BASE_WAIT": 0.01, "_MAX_WAIT": 0.04}


@pytest.fixture
def server() -> Any:
    with FaultServer() as running:
        yield running


def helper(constants: Any = ()) -> Any:
    module: dict[str, Any] = {"__name__": "response_retry"}
    exec(compile(render_response_retry(**{**FAST, **dict(constants)}), "response_retry.py", "exec"), module)
    return module["response_with_retry"]


async def sent(server: FaultServer, method: str, path: str = "/rows", *, constants: Any = (), **kwargs: Any) -> Any:
    options = {name: kwargs.pop(name) for name in ("timeout", "raise_for_status") if name in kwargs}
    options["timeout"] = aiohttp.ClientTimeout(total=options.get("timeout", 2))
    async with (
        aiohttp.ClientSession(**options) as session,
        helper(constants)(session, method, server.url + path, **kwargs) as response,
    ):
        await response.read()
        return response.status


def send(*args: Any, **kwargs: Any) -> Any:
    return asyncio.run(sent(*args, **kwargs))


def waits(server: FaultServer) -> list[float]:
    return [b.time - a.time for a, b in pairwise(server.seen)]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_read_is_sent_again(server: FaultServer, status: int) -> None:
    server.script("/rows", Answer(status), Answer())
    assert send(server, "get") == 200


@pytest.mark.parametrize("status", [408, 425, 429])
def test_a_refused_write_is_sent_again(server: FaultServer, status: int) -> None:
    server.script("/rows", Answer(status), Answer())
    assert send(server, "post", json={}) == 200
    assert len(server.rows) == 1


@pytest.mark.parametrize(
    "fault", [Answer(502, commits=True), Drop(commits=True), Drop(commits=True, reset=False), Drop(True, in_body=True)]
)
@pytest.mark.parametrize("method", ["post", "patch"])
def test_a_write_leaves_one_row(server: FaultServer, method: str, fault: Any) -> None:
    server.script("/rows", fault, Answer())
    with suppress(aiohttp.ClientError):
        assert send(server, method, json={}) == 502
    assert len(server.rows) == len(server.seen) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 406, 409, 501])
def test_a_client_error_is_final(server: FaultServer, status: int) -> None:
    server.script("/rows", Answer(status))
    assert send(server, "get") == status
    assert len(server.seen) == 1


@pytest.mark.parametrize("fault", [Drop(), Drop(reset=False), Drop(in_body=True), Drop(in_body=True, reset=False)])
def test_a_lost_answer_is_asked_for_again_by_get(server: FaultServer, fault: Drop) -> None:
    server.script("/rows", fault, Answer())
    assert send(server, "get") == 200


def test_four_failures_end_in_the_last_response(server: FaultServer) -> None:
    server.script("/rows", Answer(503))
    assert send(server, "get") == 503
    assert len(server.seen) == 4


@pytest.mark.parametrize("again", [Answer(), Answer(503)])
def test_a_session_that_raises_for_status_is_retried(server: FaultServer, again: Answer) -> None:
    server.script("/rows", Answer(503), again)
    with suppress(aiohttp.ClientResponseError) if again.status == 503 else pytest.MonkeyPatch.context():
        assert send(server, "get", raise_for_status=True) == 200
    assert len(server.seen) == (4 if again.status == 503 else 2)


def test_retry_after_is_waited_for(server: FaultServer) -> None:
    server.script("/rows", Answer(503, (("Retry-After", "1"),)), Answer())
    assert send(server, "get") == 200
    assert 1.0 <= waits(server)[0] < 2.0


def test_retry_after_as_a_date_is_waited_for(server: FaultServer) -> None:
    server.script("/rows", Answer(429, (("Retry-After", formatdate(time.time() + 2, usegmt=True)),)), Answer())
    assert send(server, "post", json={}) == 200
    assert 0.9 <= waits(server)[0] < 3.0


@pytest.mark.parametrize("value", ["soon", "-1", "nan"])
def test_an_invalid_retry_after_is_ignored(server: FaultServer, value: str) -> None:
    server.script("/rows", Answer(503, (("Retry-After", value),)), Answer())
    assert send(server, "get") == 200
    assert waits(server)[0] < 0.5


def test_a_long_retry_after_gives_the_response_back(server: FaultServer) -> None:
    server.script("/rows", Answer(429, (("Retry-After", "3600"),)))
    assert send(server, "get") == 429
    assert len(server.seen) == 1


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_refused_connection_is_retried(method: str) -> None:
    with FaultServer(listening=False) as server:
        threading.Timer(0.15, server.listen).start()
        patience = {"_BASE_WAIT": 0.3, "_MAX_WAIT": 0.3, "_MAX_RETRIES": 20}
        assert send(server, method, constants=patience) == 200
        assert len(server.seen) == 1


def test_a_slow_answer_is_asked_for_again_by_get_alone(server: FaultServer) -> None:
    server.script("/rows", Answer(delay=0.4, commits=True), Answer())
    assert send(server, "get", timeout=0.15) == 200
    server.script("/rows", Answer(delay=0.4, commits=True))
    with pytest.raises(asyncio.TimeoutError):
        send(server, "post", timeout=0.15)
    assert len(server.seen) == 3


def test_an_idempotency_key_and_the_callers_word_count(server: FaultServer) -> None:
    server.script("/rows", Answer(502), Answer())
    assert send(server, "post", headers={"idempotency-key": "k"}) == 200
    server.script("/rows", Answer(502), Answer())
    assert send(server, "post", idempotent=True) == 200


def test_a_payment_is_repeated_only_when_it_was_refused(server: FaultServer) -> None:
    server.script("/payments", Answer(502), Answer())
    assert send(server, "put", "/payments", idempotent=True) == 502
    server.script("/payments", Answer(429), Answer())
    assert send(server, "post", "/payments") == 200


def test_a_post_whose_redirect_fails_is_not_repeated(server: FaultServer) -> None:
    server.script("/result", Answer(429))
    server.script("/rows", Answer(303, (("Location", "/result"),), commits=True))
    assert send(server, "post", json={}) == 429
    with FaultServer(listening=False) as down:
        server.script("/rows", Answer(303, (("Location", f"{down.url}/result"),), commits=True))
        with pytest.raises(aiohttp.ClientConnectorError):
            send(server, "post", json={})
    assert len(server.rows) == 2


def test_no_attempt_starts_after_the_deadline(server: FaultServer) -> None:
    server.script("/rows", Answer(503, delay=0.05))
    limits = {"_MAX_ELAPSED": 0.4, "_BASE_WAIT": 0.1, "_MAX_WAIT": 0.1, "_MAX_RETRIES": 50}
    assert send(server, "get", constants=limits) == 503
    assert len(server.seen) > 2
    assert server.seen[-1].time - server.seen[0].time < 0.7


def test_cancellation_passes_during_the_wait(server: FaultServer) -> None:
    server.script("/rows", Answer(503, (("Retry-After", "5"),)))

    async def main() -> None:
        async with asyncio.timeout(0.4):
            await sent(server, "get")

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert len(server.seen) == 1


def test_the_connection_is_free_during_the_wait(server: FaultServer) -> None:
    server.script("/rows", Answer(503), Drop(), Answer())

    async def main() -> None:
        connector = aiohttp.TCPConnector(limit=1)
        async with (
            aiohttp.ClientSession(server.url, connector=connector, timeout=aiohttp.ClientTimeout(2)) as session,
            helper()(session, "request", "GET", url="/rows") as response,
        ):
            assert response.ok and await response.text() and await response.json() == [] and await response.read()

    asyncio.run(main())


def test_what_the_block_raises_is_no_failure_of_the_request(server: FaultServer) -> None:
    async def main() -> None:
        async with aiohttp.ClientSession() as session, helper()(session, "get", server.url + "/rows"):
            raise aiohttp.ClientPayloadError("the caller's own")

    with pytest.raises(aiohttp.ClientPayloadError, match="own"):
        asyncio.run(main())
    assert len(server.seen) == 1


def test_each_retry_is_a_warning_without_the_query(server: FaultServer, caplog: Any) -> None:
    server.script("/rows", Answer(503), Answer())
    send(server, "get", "/rows?token=secret")
    (record,) = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert record.getMessage().startswith("GET /rows: 503 at attempt 1, next in 0.0")


def test_the_tools_of_the_field_accept_it(tmp_path: Path) -> None:
    source = render_response_retry()
    ast.parse(source, feature_version=(3, 9))
    (tmp_path / "response_retry.py").write_text(source, "utf-8")
    for command in (
        ["ruff", "format", "--diff", "--isolated", "--line-length", "88"],
        ["ruff", "check", "--isolated", "--select", "E,F,I,B,W"],
        ["mypy", "--strict", "--cache-dir", str(tmp_path / "cache")],
    ):
        done = subprocess.run([sys.executable, "-m", *command, str(tmp_path)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
