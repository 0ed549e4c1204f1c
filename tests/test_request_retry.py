"""The retry template as it stands in a checkout: every backend and form, against a real server with faults."""

import ast
import asyncio
import logging
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass
from email.utils import formatdate
from itertools import pairwise
from pathlib import Path
from unittest.mock import AsyncMock

import httpx
import pytest
from fault_server import Answer, Drop, FaultServer

from perfmod.templates.request_retry_forms import METHOD, TRANSPORT, Policy, import_lines, render_member, render_module

LIBRARIES = {"stamina": "stamina", "tenacity": "tenacity", "httpx-retries": "httpx_retries"}
READS = ("GET", "HEAD", "OPTIONS", "TRACE")
IDEMPOTENT = (*READS, "PUT", "DELETE")
WRITES = ("POST", "PATCH")
REFUSED = (408, 425, 429)
FAILED = (500, 502, 503, 504)
FINAL = (200, 201, 204, 301, 400, 401, 403, 404, 406, 409, 410, 422, 501, 505)
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
OUTCOME_UNKNOWN = (httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
NEVER = (
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.ProxyError,
    httpx.TooManyRedirects,
    httpx.InvalidURL,
)

FAST = {"base_wait": 0.01, "max_wait": 0.04}


@dataclass(frozen=True)
class Variant:
    backend: str
    form: str  #: module or member
    sync: bool

    def __str__(self):
        return f"{self.backend}-{self.form}-{'sync' if self.sync else 'async'}"

    def load(self, **options):
        """The sending function of this variant: (client, method, *args, **kwargs) -> response, or a coroutine."""
        if self.backend in LIBRARIES:
            pytest.importorskip(LIBRARIES[self.backend])
        policy = Policy(backend=self.backend, **{**FAST, **options})
        if self.form == "module":
            return vars(loaded(render_module(policy)))["request_with_retry_sync" if self.sync else "request_with_retry"]
        return getattr(loaded(class_source(policy, sync=self.sync)).Client(), METHOD)

    def send(self, base_url, method, /, *args, client=None, follow_redirects=False, **kwargs):
        """Sends one request through this variant with a client of its own, and returns the last response."""
        options = {key: kwargs.pop(key) for key in tuple(kwargs) if key in Policy.__dataclass_fields__}
        settings = {"base_url": base_url, "timeout": 0.5, "verify": False, "follow_redirects": follow_redirects}
        settings.update(client or {})
        function = self.sender(settings, options)
        if self.sync:
            with httpx.Client(**settings) as sync_client:
                return function(sync_client, method, *args, **kwargs)

        async def run():
            async with httpx.AsyncClient(**settings) as async_client:
                return await function(async_client, method, *args, **kwargs)

        return asyncio.run(run())

    def sender(self, settings, options):
        if self.backend != "httpx-retries":
            return self.load(**options)
        pytest.importorskip("httpx_retries")
        source = render_module(Policy(backend=self.backend, **{**FAST, **options}))
        transport = getattr(loaded(source), TRANSPORT)
        inner = httpx.HTTPTransport if self.sync else httpx.AsyncHTTPTransport
        settings["transport"] = transport(settings.get("transport") or inner(verify=False))

        def plain(client, method, *args, idempotent=None, **kwargs):
            return getattr(client, method)(*args, **kwargs)

        return plain


def loaded(source):
    module = type(sys)("request_retry_under_test")
    exec(compile(source, "request_retry_under_test.py", "exec"), vars(module))
    return module


def class_source(policy, *, sync=False, logger=None):
    """A file with one class that got the method."""
    member = render_member(policy, sync=sync, logger=logger)
    head = "from __future__ import annotations\n\n" + import_lines(member.imports)
    own = f"import logging\n\n{logger} = logging.getLogger('own')\n" if logger else ""
    return f"{head}{own}\n{member.definitions}\n\n\nclass Client:\n{textwrap.indent(member.method, '    ')}\n"


MODULES = [Variant(backend, "module", sync) for backend in ("inline", "stamina", "tenacity") for sync in (False, True)]
MEMBERS = [Variant(backend, "member", sync) for backend in ("inline", "stamina", "tenacity") for sync in (False, True)]
LOOPS = [*MODULES, *(v for v in MEMBERS if v.backend == "inline")]
TRANSPORTS = [Variant("httpx-retries", "module", sync) for sync in (False, True)]


def params(variants, fast):
    """All variants; the slow tests try those that repeat what the fast ones prove."""
    return [pytest.param(v, id=str(v), marks=() if fast(v) else pytest.mark.slow) for v in variants]


def is_inline_module(variant):
    return variant.backend == "inline" and variant.form == "module"


@pytest.fixture(params=params([*LOOPS, *TRANSPORTS], is_inline_module))
def variant(request):
    return request.param


@pytest.fixture(params=params(LOOPS, is_inline_module))
def loop(request):
    """The variants with a function around the call, rather than a transport below it."""
    return request.param


@pytest.fixture(params=TRANSPORTS, ids=str)
def transport(request):
    return request.param


@pytest.fixture
def server():
    with FaultServer() as running:
        yield running


def waits(server):
    times = [seen.time for seen in server.sent()]
    return [later - earlier for earlier, later in pairwise(times)]


def retries(caplog):
    return [r for r in caplog.records if r.levelno == logging.WARNING and "at attempt" in r.getMessage()]


class TestBehaviour:
    """Each line of "Behaviour" in the specification."""

    def test_success_is_sent_once(self, variant, server):
        assert variant.send(server.url, "get", "/rows").status_code == 200
        assert len(server.seen) == 1

    def test_retry_after_in_seconds_is_waited_for(self, variant, server):
        server.script("/rows", Answer(503, (("Retry-After", "1"),)), Answer())
        assert variant.send(server.url, "get", "/rows").status_code == 200
        assert 1.0 <= waits(server)[0] < 2.0

    def test_retry_after_as_a_date_is_waited_for(self, variant, server):
        date = formatdate(time.time() + 2, usegmt=True)
        server.script("/rows", Answer(429, (("Retry-After", date),)), Answer())
        assert variant.send(server.url, "post", "/rows", json={}).status_code == 200
        assert 0.9 <= waits(server)[0] < 3.0

    @pytest.mark.parametrize("value", ["soon", "-1", "", "nan", "Mon, 99 Foo 2020 99:99:99", "Mon, 01 Jan 0 0:0:0 GMT"])
    def test_an_invalid_retry_after_is_ignored(self, variant, server, value):
        server.script("/rows", Answer(503, (("Retry-After", value),)), Answer())
        assert variant.send(server.url, "get", "/rows").status_code == 200
        assert waits(server)[0] < 0.5

    def test_a_date_in_the_past_is_no_wait(self, variant, server):
        server.script("/rows", Answer(503, (("Retry-After", "Sun Nov  6 08:49:37 1994"),)), Answer())
        assert variant.send(server.url, "get", "/rows").status_code == 200
        assert waits(server)[0] < 0.5

    @pytest.mark.parametrize("value", ["3600", "inf", "Fri, 31 Dec 2100 23:59:59 GMT"])
    def test_a_long_retry_after_gives_the_response_back(self, loop, server, value):
        server.script("/rows", Answer(429, (("Retry-After", value),)))
        started = time.monotonic()
        assert loop.send(server.url, "get", "/rows").status_code == 429
        assert len(server.seen) == 1
        assert time.monotonic() - started < 4

    def test_httpx_retries_shortens_a_long_retry_after(self, transport, server):
        server.script("/rows", Answer(429, (("Retry-After", "3600"),)), Answer())
        assert transport.send(server.url, "get", "/rows", max_retry_after=0.2).status_code == 200
        assert 0.2 <= waits(server)[0] < 1

    def test_four_failures_end_in_the_last_response(self, variant, server):
        server.script("/rows", Answer(503))
        response = variant.send(server.url, "get", "/rows")
        assert len(server.seen) == 4
        with pytest.raises(httpx.HTTPStatusError, match="503"):
            response.raise_for_status()

    def test_three_failures_end_well(self, variant, server):
        server.script("/rows", Answer(500), Answer(502), Answer(504), Answer())
        assert variant.send(server.url, "get", "/rows").status_code == 200

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 406, 409, 501])
    def test_a_client_error_is_final(self, variant, server, status):
        server.script("/rows", Answer(status))
        assert variant.send(server.url, "get", "/rows").status_code == status
        assert len(server.seen) == 1

    @pytest.mark.parametrize("method", ["post", "patch"])
    def test_a_write_behind_a_502_leaves_one_row(self, variant, server, method):
        server.script("/rows", Answer(502, commits=True), Answer())
        assert variant.send(server.url, method, "/rows", json={"a": 1}).status_code == 502
        assert len(server.rows) == 1

    @pytest.mark.parametrize("status", [408, 425, 429])
    def test_a_refused_write_is_repeated(self, variant, server, status):
        server.script("/rows", Answer(status), Answer())
        assert variant.send(server.url, "post", "/rows", json={"a": 1}).status_code == 200
        assert server.rows == [(None, '{"a":1}')]

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_a_refused_connection_is_retried(self, variant, method):
        with FaultServer(listening=False) as server:
            threading.Timer(0.15, server.listen).start()
            waiting = {"base_wait": 0.3, "max_wait": 0.3, "max_retries": 20}
            assert variant.send(server.url, method, "/rows", **waiting).status_code == 200
            assert len(server.seen) == 1

    def test_a_connection_that_stays_refused_raises(self, variant):
        with FaultServer(listening=False) as server, pytest.raises(httpx.ConnectError):
            variant.send(server.url, "post", "/rows")

    @pytest.mark.parametrize("reset", [True, False])
    def test_a_drop_before_the_answer_is_retried_for_get(self, variant, server, reset):
        server.script("/rows", Drop(reset=reset), Answer())
        assert variant.send(server.url, "get", "/rows").status_code == 200

    @pytest.mark.parametrize("reset", [True, False])
    @pytest.mark.parametrize("method", ["post", "patch"])
    def test_a_drop_before_the_answer_is_not_retried_for_a_write(self, variant, server, method, reset):
        server.script("/rows", Drop(commits=True, reset=reset), Answer())
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            variant.send(server.url, method, "/rows", json={"a": 1})
        assert len(server.rows) == 1

    @pytest.mark.parametrize("reset", [True, False])
    def test_a_drop_in_the_body_is_retried_for_get(self, loop, server, reset):
        server.script("/rows", Drop(in_body=True, reset=reset), Answer())
        assert loop.send(server.url, "get", "/rows").status_code == 200
        assert len(server.seen) == 2

    def test_a_drop_in_the_body_is_not_retried_for_post(self, variant, server):
        server.script("/rows", Drop(commits=True, in_body=True), Answer())
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            variant.send(server.url, "post", "/rows", json={"a": 1})
        assert len(server.rows) == 1

    def test_httpx_retries_does_not_see_the_body(self, transport, server):
        server.script("/rows", Drop(in_body=True), Answer())
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            transport.send(server.url, "get", "/rows")
        assert len(server.seen) == 1

    def test_a_slow_answer_is_asked_for_again_by_get(self, variant, server):
        server.script("/rows", Answer(delay=0.4), Answer())
        assert variant.send(server.url, "get", "/rows", client={"timeout": 0.1}).status_code == 200

    def test_a_slow_answer_to_a_post_is_not_repeated(self, variant, server):
        server.script("/rows", Answer(delay=0.3, commits=True))
        with pytest.raises(httpx.ReadTimeout):
            variant.send(server.url, "post", "/rows", json={"a": 1}, client={"timeout": 0.1})
        time.sleep(0.3)
        assert len(server.rows) == len(server.seen) == 1

    @pytest.mark.parametrize("method", ["put", "delete"])
    def test_idempotent_writes_are_repeated(self, variant, server, method):
        server.script("/rows", Answer(502, commits=True), Drop(commits=True), Answer())
        assert variant.send(server.url, method, "/rows").status_code == 200
        assert len(server.rows) == (method == "put")

    def test_an_idempotency_key_makes_a_post_repeatable(self, variant, server):
        server.script("/rows", Answer(502), Answer())
        headers = {"idempotency-key": "k1"}
        assert variant.send(server.url, "post", "/rows", json={"a": 1}, headers=headers).status_code == 200
        assert [seen.headers["idempotency-key"] for seen in server.seen] == ["k1", "k1"]

    def test_the_callers_word_counts(self, loop, server):
        server.script("/rows", Answer(502, commits=True), Answer())
        headers = {"Prefer": "resolution=merge-duplicates"}
        assert (
            loop.send(server.url, "post", "/rows", json={"a": 1}, headers=headers, idempotent=True).status_code == 200
        )
        assert len(server.seen) == 2
        assert len(server.rows) == 1

    def test_the_caller_can_forbid(self, loop, server):
        server.script("/rows", Answer(503), Answer())
        assert loop.send(server.url, "delete", "/rows", idempotent=False).status_code == 503
        assert len(server.seen) == 1

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("get", "/payments"),
            ("put", "/v1/refunds/7"),
            ("delete", "/rpc/create_order"),
            ("post", "/createOrder"),
            ("put", "/CHARGES?a=1"),
            ("put", "/payout-runs"),
        ],
    )
    def test_a_payment_is_never_known_to_be_idempotent(self, variant, server, method, path):
        server.script(path.partition("?")[0], Answer(502, commits=True), Answer())
        headers = {"Idempotency-Key": "k"}
        assert variant.send(server.url, method, path, headers=headers, idempotent=True).status_code == 502
        assert len(server.seen) == 1

    def test_a_payment_in_the_base_url_counts(self, variant, server):
        server.script("/payments/7", Answer(502), Answer())
        assert variant.send(server.url + "/payments", "put", "/7").status_code == 502

    @pytest.mark.parametrize("path", ["/borders", "/recorder", "/discharged", "/orderly"])
    def test_other_words_are_no_payments(self, variant, server, path):
        server.script(path, Answer(502), Answer())
        assert variant.send(server.url, "get", path).status_code == 200

    def test_a_refused_payment_is_repeated(self, variant, server):
        server.script("/payments", Answer(429), Answer())
        assert variant.send(server.url, "post", "/payments").status_code == 200

    def test_a_post_whose_redirect_fails_is_not_repeated(self, variant, server):
        server.script("/rows", Answer(303, (("Location", "/result"),), commits=True))
        server.script("/result", Answer(429, (("Retry-After", "3600"),)))
        variant.send(server.url, "post", "/rows", json={"a": 1}, follow_redirects=True, max_retry_after=0.1)
        assert len(server.rows) == len(server.sent("/rows")) == 1

    def test_a_post_whose_redirect_is_unreachable_is_not_repeated(self, variant, server):
        with FaultServer(listening=False) as down:
            server.script("/rows", Answer(303, (("Location", f"{down.url}/result"),), commits=True))
            with pytest.raises(httpx.ConnectError):
                variant.send(server.url, "post", "/rows", json={"a": 1}, follow_redirects=True)
        assert len(server.rows) == 1

    def test_no_attempt_starts_after_the_deadline(self, variant, server):
        if variant.backend == "httpx-retries":
            pytest.skip("httpx-retries limits the sum of the waits instead: see the next test")
        server.script("/rows", Answer(503, delay=0.05))
        limits = {"max_elapsed": 0.4, "base_wait": 0.1, "max_wait": 0.1, "max_retries": 50}
        assert variant.send(server.url, "get", "/rows", **limits).status_code == 503
        assert len(server.seen) > 2
        assert server.seen[-1].time - server.seen[0].time < limits["max_elapsed"] + 0.3

    def test_httpx_retries_limits_the_sum_of_the_waits(self, transport, server):
        server.script("/rows", Answer(503, (("Retry-After", "1"),)))
        limits = {"max_elapsed": 0.2, "max_retries": 50}
        assert transport.send(server.url, "get", "/rows", **limits).status_code == 503
        assert sum(waits(server)) < 0.5

    def test_a_wait_that_would_pass_the_deadline_is_not_begun(self, loop, server):
        server.script("/rows", Answer(503, (("Retry-After", "5"),)))
        started = time.monotonic()
        assert loop.send(server.url, "get", "/rows", max_elapsed=1.0).status_code == 503
        assert time.monotonic() - started < 4

    def test_an_upload_of_bytes_is_sent_whole_each_time(self, variant, server):
        server.script("/rows", Answer(429), Answer(429), Answer())
        assert variant.send(server.url, "post", "/rows", files={"f": ("a.bin", b"x" * 5000)}).status_code == 200
        assert len({len(seen.body) for seen in server.seen}) == 1

    def test_request_stays_request(self, variant, server):
        server.script("/rows", Answer(503), Answer())
        assert variant.send(server.url, "request", "DELETE", "/rows", json={"a": 1}).status_code == 200
        assert [(seen.method, seen.body) for seen in server.seen] == [("DELETE", b'{"a":1}')] * 2

    def test_request_with_a_writing_verb_is_a_write(self, variant, server):
        server.script("/rows", Answer(502, commits=True), Answer())
        assert variant.send(server.url, "request", "post", url="/rows", json={"a": 1}).status_code == 502
        assert len(server.rows) == 1

    def test_no_connection_leaks(self, variant, server):
        server.script("/rows", Answer(503), Drop(), Answer(500), Answer())
        one = {"limits": httpx.Limits(max_connections=1), "timeout": 0.3}
        if variant.backend == "httpx-retries":
            one = {"timeout": 0.3}
        assert variant.send(server.url, "get", "/rows", client=one).status_code == 200


@pytest.mark.parametrize("member", MEMBERS, ids=str)
def test_the_method_of_each_backend(member, server):
    server.script("/rows", Answer(502), Drop(), Answer())
    assert member.send(server.url, "get", "/rows").status_code == 200
    server.script("/rows", Answer(429), Answer(502, commits=True), Answer())
    assert member.send(server.url, "post", "/rows", json={}).status_code == 502
    assert len(server.rows) == 1


class TestLog:
    def test_each_retry_is_a_warning(self, loop, server, caplog):
        server.script("/rows", Answer(503), Drop(), Answer())
        loop.send(server.url, "get", "/rows?token=secret", params={"token": "secret"})
        first, second = (record.getMessage() for record in retries(caplog))
        assert first.startswith("GET /rows: 503 at attempt 1, next in 0.0")
        assert second.startswith("GET /rows: Re") and "at attempt 2" in second
        assert "secret" not in first + second

    def test_the_path_has_no_host(self, loop, server, caplog):
        server.script("/a/b", Answer(503), Answer())
        loop.send("", "request", "get", f"{server.url}/a/b?x#y")
        assert retries(caplog)[0].getMessage().startswith("GET /a/b: 503")

    def test_what_is_not_retried_is_not_logged(self, loop, server, caplog):
        server.script("/rows", Answer(503))
        loop.send(server.url, "get", "/rows")
        assert len(retries(caplog)) == 3

    def test_httpx_retries_logs_at_debug_only(self, transport, server, caplog):
        caplog.set_level(logging.DEBUG, logger="httpx_retries")
        server.script("/rows", Answer(503), Answer())
        transport.send(server.url, "get", "/rows")
        records = [r for r in caplog.records if r.name.startswith("httpx_retries")]
        assert records and {r.levelno for r in records} == {logging.DEBUG}

    def test_the_modules_own_logger_is_used(self, server, caplog):
        server.script("/rows", Answer(503), Answer())
        send = getattr(loaded(class_source(Policy(**FAST), sync=True, logger="log")).Client(), METHOD)
        with httpx.Client(base_url=server.url) as client:
            send(client, "get", "/rows")
        assert retries(caplog)[0].name == "own"


class TestAlways:
    """retry-writes = "always"."""

    @pytest.mark.parametrize("fault", [Answer(502, commits=True), Drop(commits=True)])
    def test_writes_are_repeated(self, variant, server, fault):
        server.script("/rows", fault, Answer())
        assert variant.send(server.url, "post", "/rows", json={}, retry_writes="always").status_code == 200
        assert len(server.rows) == 2

    def test_payments_are_not(self, variant, server):
        server.script("/payments", Answer(502, commits=True), Answer())
        assert variant.send(server.url, "post", "/payments", json={}, retry_writes="always").status_code == 502
        assert len(server.rows) == 1

    def test_the_caller_can_forbid(self, loop, server):
        server.script("/rows", Answer(502, commits=True), Answer())
        options = {"retry_writes": "always", "idempotent": False}
        assert loop.send(server.url, "post", "/rows", json={}, **options).status_code == 502
        assert len(server.rows) == 1


def attempts(variant, verb, outcome):
    """How many times a request is sent where every attempt ends in this status or exception."""
    sent = []

    def handler(request):
        sent.append(request)
        if isinstance(outcome, int):
            return httpx.Response(outcome)
        raise outcome("made up")

    settings = {"transport": httpx.MockTransport(handler)}
    with nullcontext() if isinstance(outcome, int) else pytest.raises(outcome):
        response = variant.send("http://test", "request", verb, "/x", client=settings, base_wait=0.0)
        assert response.status_code == outcome
    return len(sent)


class TestTable:
    """The table of the specification, cell by cell."""

    @pytest.mark.parametrize("outcome", [*REFUSED, *NOT_SENT])
    def test_refused_or_not_sent(self, variant, outcome):
        assert {attempts(variant, verb, outcome) for verb in (*IDEMPOTENT, *WRITES)} == {4}

    @pytest.mark.parametrize("outcome", [*FAILED, *OUTCOME_UNKNOWN])
    def test_may_have_been_carried_out(self, variant, outcome):
        assert {attempts(variant, verb, outcome) for verb in IDEMPOTENT} == {4}
        assert {attempts(variant, verb, outcome) for verb in WRITES} == {1}

    @pytest.mark.parametrize("outcome", [*FINAL, *NEVER])
    def test_never(self, variant, outcome):
        assert {attempts(variant, verb, outcome) for verb in (*IDEMPOTENT, *WRITES)} == {1}

    def test_a_closed_client(self, loop):
        send = loop.load()
        client = httpx.Client() if loop.sync else httpx.AsyncClient()
        with pytest.raises(RuntimeError, match="closed"):
            if loop.sync:
                client.close()
                send(client, "get", "http://test/x")
            else:
                asyncio.run(closed(client, send))


async def closed(client, send):
    await client.aclose()
    await send(client, "get", "http://test/x")


@pytest.mark.parametrize("loop", params([v for v in LOOPS if not v.sync], is_inline_module))
class TestAsyncio:
    def test_cancellation_passes_during_the_wait(self, loop, server):
        server.script("/rows", Answer(503, (("Retry-After", "5"),)))

        async def main():
            async with httpx.AsyncClient(verify=False, base_url=server.url) as client:
                task = asyncio.create_task(loop.load()(client, "get", "/rows"))
                while not server.seen:
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.05)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task

        asyncio.run(main())
        assert len(server.seen) == 1

    def test_cancellation_passes_during_the_request(self, loop, server):
        server.script("/rows", Answer(delay=0.3))

        async def main():
            async with httpx.AsyncClient(verify=False, base_url=server.url) as client:
                task = asyncio.create_task(loop.load()(client, "get", "/rows"))
                while not server.seen:
                    await asyncio.sleep(0.01)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task

        asyncio.run(main())
        assert len(server.seen) == 1

    def test_a_timeout_around_the_call_holds(self, loop, server):
        server.script("/rows", Answer(503, (("Retry-After", "5"),)))

        send = loop.load()

        async def main():
            async with httpx.AsyncClient(verify=False, base_url=server.url) as client, asyncio.timeout(0.5):
                await send(client, "get", "/rows")

        started = time.monotonic()
        with pytest.raises(TimeoutError):
            asyncio.run(main())
        assert time.monotonic() - started < 4
        assert len(server.seen) == 1

    def test_a_full_pool_is_retried(self, loop, server):
        server.script("/slow", Answer(delay=0.3))

        async def main():
            limits = httpx.Limits(max_connections=1)
            async with httpx.AsyncClient(verify=False, base_url=server.url, limits=limits, timeout=5) as client:
                slow = asyncio.create_task(client.get("/slow"))
                while not server.seen:
                    await asyncio.sleep(0.01)
                timeout = httpx.Timeout(5, pool=0.1)
                response = await loop.load(max_retries=20)(client, "post", "/rows", timeout=timeout)
                await slow
                return response

        assert asyncio.run(main()).status_code == 200
        assert len(server.sent("/rows")) == 1

    def test_a_mocked_client_still_works(self, loop):
        client = AsyncMock()
        client.get.side_effect = [httpx.ConnectError("down"), httpx.Response(503), httpx.Response(200)]
        assert asyncio.run(loop.load()(client, "get", "/rows", params={"a": 1})).status_code == 200
        assert client.get.await_args.args == ("/rows",) and client.get.await_args.kwargs == {"params": {"a": 1}}
        assert client.get.await_count == 3

    def test_a_mocked_response_is_given_back(self, loop):
        client = AsyncMock()
        assert asyncio.run(loop.load()(client, "post", "/rows")) is client.post.return_value
        client.post.assert_awaited_once()

    def test_an_overridden_verb_is_called(self, loop, server):
        server.script("/v2/rows", Answer(503), Answer())

        class Versioned(httpx.AsyncClient):
            async def get(self, url, **kwargs):
                return await super().get(f"/v2{url}", **kwargs)

        async def main():
            async with Versioned(base_url=server.url) as client:
                return await loop.load()(client, "get", "/rows")

        assert asyncio.run(main()).status_code == 200
        assert len(server.sent("/v2/rows")) == 2


POLICIES = [
    Policy(backend=backend, retry_writes=writes)
    for backend in ("inline", "stamina", "tenacity", "httpx-retries")
    for writes in ("idempotent", "always")
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Every variant of the helper module."""
    folder = tmp_path_factory.mktemp("texts")
    for number, policy in enumerate(POLICIES):
        (folder / f"module_{number}.py").write_text(render_module(policy), "utf-8")
    return folder


class TestText:
    """What perfmod writes is code that the field's tools accept as it is."""

    def test_the_first_line_is_the_mark(self):
        for policy in POLICIES:
            assert render_module(policy).startswith("# perfmod: request_retry template 1\n")

    def test_options_are_constants(self):
        source = render_module(
            Policy(max_retries=7, base_wait=1.25, max_wait=9.0, max_retry_after=3.0, max_elapsed=5.0)
        )
        module = loaded(source)
        assert (module._MAX_RETRIES, module._BASE_WAIT, module._MAX_WAIT) == (7, 1.25, 9.0)
        assert (module._MAX_RETRY_AFTER, module._MAX_ELAPSED) == (3.0, 5.0)

    def test_the_default_is_the_template_and_its_twin(self):
        template = Path(render_module.__code__.co_filename).with_name("request_retry.py").read_text("utf-8")
        rendered = render_module(Policy())
        start, end = rendered.index("def request_with_retry_sync"), rendered.index("def _describe")
        assert rendered[:start] + rendered[end:] == template

    def test_all_parses_as_python_3_8(self):
        for policy in POLICIES:
            ast.parse(render_module(policy), feature_version=(3, 8))

    def test_ruff_accepts_it(self, folder):
        options = ["--isolated", "--line-length", "88"]
        run("ruff", "format", "--diff", *options, folder)
        run("ruff", "check", "--select", "E,F,I,B,UP,W", *options, folder)

    @pytest.mark.slow
    def test_mypy_accepts_it(self, folder):
        for library in LIBRARIES.values():
            pytest.importorskip(library)
        run("mypy", "--strict", "--cache-dir", folder / "cache", folder)

    def test_the_method_fits_a_class_of_88_columns(self, tmp_path):
        for backend in ("inline", "stamina", "tenacity"):
            for sync in (False, True):
                source = class_source(Policy(backend=backend), sync=sync)
                assert [line for line in source.splitlines() if len(line) > 88] == []
                (tmp_path / f"{backend}_{sync}.py").write_text(source, "utf-8")
        run("ruff", "format", "--diff", "--isolated", tmp_path)


def run(tool, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", tool, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
