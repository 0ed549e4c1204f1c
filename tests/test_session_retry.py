"""Sessions of requests with the adapters that perfmod mounts, against a real server that fails on purpose."""

from __future__ import annotations

import ast
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

from perfmod.templates import render_session_retry

requests = pytest.importorskip("requests")
FAST = {"_BASE_WAIT": 0.01, "_MAX_WAIT": 0.04}


@pytest.fixture
def server() -> Any:
    with FaultServer() as running:
        yield running


def send(server: FaultServer, method: str, path: str = "/rows", *, constants: Any = (), **kwargs: Any) -> Any:
    module: dict[str, Any] = {}
    exec(compile(render_session_retry(**{**FAST, **dict(constants)}), "session_retry.py", "exec"), module)
    with module["session_with_retry"](requests.Session()) as session:
        return session.request(method, server.url + path, timeout=0.5, **kwargs)


def waits(server: FaultServer) -> list[float]:
    return [b.time - a.time for a, b in pairwise(server.seen)]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_read_is_sent_again(server: FaultServer, status: int) -> None:
    server.script("/rows", Answer(status), Answer())
    assert send(server, "get").status_code == 200


@pytest.mark.parametrize("status", [408, 425, 429])
def test_a_refused_write_is_sent_again(server: FaultServer, status: int) -> None:
    server.script("/rows", Answer(status), Answer())
    assert send(server, "post", json={}).status_code == 200
    assert len(server.rows) == 1


@pytest.mark.parametrize("fault", [Answer(502, commits=True), Drop(commits=True), Drop(commits=True, reset=False)])
@pytest.mark.parametrize("method", ["post", "patch"])
def test_a_write_leaves_one_row(server: FaultServer, method: str, fault: Any) -> None:
    server.script("/rows", fault, Answer())
    with suppress(requests.ConnectionError):
        assert send(server, method, json={}).status_code == 502
    assert len(server.rows) == len(server.seen) == 1


@pytest.mark.parametrize("fault", [Answer(502, commits=True), Drop(commits=True)])
@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_a_payment_is_sent_once(server: FaultServer, method: str, fault: Any) -> None:
    server.script("/payments/7", fault, Answer())
    with suppress(requests.ConnectionError):
        assert send(server, method, "/payments/7").status_code == 502
    assert len(server.seen) == 1


def test_four_failures_end_in_the_last_response(server: FaultServer) -> None:
    server.script("/rows", Answer(503))
    assert send(server, "get").status_code == 503
    assert len(server.seen) == 4


@pytest.mark.parametrize("status", [400, 401, 404, 409, 501])
def test_other_failures_are_final(server: FaultServer, status: int) -> None:
    server.script("/rows", Answer(status))
    assert send(server, "get").status_code == status
    assert len(server.seen) == 1


def test_retry_after_is_waited_for(server: FaultServer) -> None:
    server.script("/rows", Answer(503, (("Retry-After", "1"),)), Answer())
    assert send(server, "get").status_code == 200
    assert waits(server)[0] >= 1


def test_retry_after_as_a_date_is_waited_for(server: FaultServer) -> None:
    server.script("/rows", Answer(503, (("Retry-After", formatdate(time.time() + 2, usegmt=True)),)), Answer())
    assert send(server, "get").status_code == 200
    assert waits(server)[0] > 0.5


@pytest.mark.parametrize("value", ["soon", "-1", ""])
def test_an_invalid_retry_after_is_ignored(server: FaultServer, value: str) -> None:
    server.script("/rows", Answer(503, (("Retry-After", value),)), Answer())
    assert send(server, "get").status_code == 200


def test_a_long_retry_after_gives_the_response_back(server: FaultServer) -> None:
    server.script("/rows", Answer(429, (("Retry-After", "3600"),)))
    assert send(server, "get").status_code == 429
    assert len(server.seen) == 1


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_refused_connection_is_retried(method: str) -> None:
    with FaultServer(listening=False) as server:
        threading.Timer(0.2, server.listen).start()
        slow = {"_BASE_WAIT": 0.3, "_MAX_WAIT": 0.3, "_MAX_RETRIES": 20}
        assert send(server, method, constants=slow).status_code == 200


def test_a_drop_is_retried_for_get(server: FaultServer) -> None:
    server.script("/rows", Drop(), Drop(reset=False), Answer(delay=0.7), Answer())
    assert send(server, "get").status_code == 200


def test_a_drop_in_the_body_is_not_seen(server: FaultServer) -> None:
    server.script("/rows", Drop(in_body=True), Answer())
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        send(server, "get")
    assert len(server.seen) == 1


def test_the_text(tmp_path: Path) -> None:
    source = render_session_retry()
    assert source.startswith("# perfmod: session_retry template 1\n")
    ast.parse(source, feature_version=(3, 8))
    (tmp_path / "session_retry.py").write_text(source, "utf-8")
    for command in (["format", "--diff"], ["check"]):
        run = [sys.executable, "-m", "ruff", *command, "--isolated", "--line-length", "88", str(tmp_path)]
        done = subprocess.run(run, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
