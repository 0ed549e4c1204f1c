"""The client of the dealdesk fixture as retry-requests rewrites it, against a real server that fails on purpose."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import logging
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import httpx
import pytest
from fault_server import Answer, Drop, FaultServer
from fixture_cases import FIXTURES

from perfmod.config import Settings
from perfmod.pipeline import Report, Request, run
from perfmod.rules.retry_requests import RetryOptions, RetryRequests

RECORDS = "/api/database/records/leads"
RPC = "/api/database/rpc/score"
BACKENDS = ("inline", "stamina", "tenacity")
FAST = RetryOptions(base_wait=0.01, max_wait=0.04)


def apply(root: Path, options: RetryOptions, *, unsafe: bool = False) -> Report:
    settings = Settings(select=("retry-requests",), unsafe_fixes=unsafe, rules={"retry-requests": options})
    return run(Request("apply", root, (root,), settings, allow_dirty=True))


def rewritten(folder: Path, options: RetryOptions) -> Any:
    """The class InsForgeClient of a rewritten copy of the checkout."""
    root = folder / "checkout"
    shutil.copytree(FIXTURES / "dealdesk" / "before", root)
    report = apply(root, options)
    assert len([r for r in report.results if r.applied]) == 6
    spec = importlib.util.spec_from_file_location("insforge_client", root / "bot" / "storage" / "insforge_client.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.InsForgeClient


@pytest.fixture(scope="module", params=BACKENDS)
def client_class(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    if request.param != "inline":
        pytest.importorskip(request.param)
    return rewritten(tmp_path_factory.mktemp(request.param), replace(FAST, backend=request.param))


@pytest.fixture
def server() -> Any:
    with FaultServer() as running:
        yield running


def use(client_class: Any, server: FaultServer, method: str, *args: Any, **kwargs: Any) -> Any:
    async def main() -> Any:
        async with client_class(server.url, "key") as client:
            return await getattr(client, method)(*args, **kwargs)

    return asyncio.run(main())


def waited(server: FaultServer) -> float:
    return server.seen[1].time - server.seen[0].time


def test_retry_after_is_waited_for(client_class: Any, server: FaultServer) -> None:
    server.script(RECORDS, Answer(503, (("Retry-After", "1"),)), Answer())
    assert use(client_class, server, "query", "leads") == []
    assert waited(server) >= 1


def test_retry_after_as_a_date_is_waited_for(client_class: Any, server: FaultServer) -> None:
    server.script(RECORDS, Answer(503, (("Retry-After", formatdate(time.time() + 2, usegmt=True)),)), Answer())
    use(client_class, server, "query", "leads")
    assert waited(server) > 0.5


@pytest.mark.parametrize("value", ["soon", "-1"])
def test_an_invalid_retry_after_is_ignored(client_class: Any, server: FaultServer, value: str) -> None:
    server.script(RECORDS, Answer(503, (("Retry-After", value),)), Answer())
    use(client_class, server, "query", "leads")
    assert len(server.seen) == 2


def test_a_long_retry_after_is_the_sites_usual_error(client_class: Any, server: FaultServer) -> None:
    server.script(RECORDS, Answer(429, (("Retry-After", "3600"),)))
    with pytest.raises(httpx.HTTPStatusError, match="429"):
        use(client_class, server, "query", "leads")
    assert len(server.seen) == 1


def test_four_failures_are_the_sites_usual_error(client_class: Any, server: FaultServer) -> None:
    server.script(RECORDS, Answer(503))
    with pytest.raises(httpx.HTTPStatusError, match="503"):
        use(client_class, server, "query", "leads")
    assert len(server.seen) == 4


def test_a_missing_table_is_asked_for_once(client_class: Any, server: FaultServer) -> None:
    server.script(RECORDS, Answer(404))
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        use(client_class, server, "query", "leads")
    assert len(server.seen) == 1


def test_no_single_row_is_none(client_class: Any, server: FaultServer) -> None:
    server.script(RECORDS, Answer(406))
    assert use(client_class, server, "query", "leads", single=True) is None
    assert len(server.seen) == 1


@pytest.mark.parametrize("fault", [Answer(502, commits=True), Drop(commits=True), Drop(commits=True, in_body=True)])
@pytest.mark.parametrize(
    ("method", "path", "args"),
    [
        ("create", RECORDS, ("leads", {"a": 1})),
        ("rpc", RPC, ("score", {"a": 1})),
        ("update", RECORDS, ("leads", {"a": 1})),
    ],
)
def test_a_write_leaves_one_row(
    client_class: Any, server: FaultServer, method: str, path: str, args: Any, fault: Any
) -> None:
    server.script(path, fault, Answer())
    with pytest.raises(httpx.HTTPError):
        use(client_class, server, method, *args, **({"filters": {"id": "eq.1"}} if method == "update" else {}))
    assert len(server.rows) == len(server.seen) == 1


@pytest.mark.parametrize("fault", [Answer(502, commits=True), Drop(commits=True)])
def test_an_upsert_is_repeated_and_leaves_one_row(client_class: Any, server: FaultServer, fault: Any) -> None:
    server.script(RECORDS, fault, Answer(body='[{"id": 1}]'))
    assert use(client_class, server, "upsert", "leads", {"a": 1}, on_conflict="email") == {"id": 1}
    assert len(server.seen) == 2
    assert len(server.rows) == 1


def test_a_refused_write_is_repeated(client_class: Any, server: FaultServer) -> None:
    server.script(RPC, Answer(429), Answer(body="7"))
    assert use(client_class, server, "rpc", "score", {"a": 1}) == 7
    assert len(server.rows) == 1


def test_a_delete_is_repeated(client_class: Any, server: FaultServer) -> None:
    server.script(RECORDS, Answer(502, commits=True), Drop(), Answer())
    use(client_class, server, "delete", "leads", filters={"id": "eq.1"})
    assert [seen.method for seen in server.seen] == ["DELETE"] * 3


def test_a_dropped_connection_is_retried_for_a_query(client_class: Any, server: FaultServer) -> None:
    server.script(RECORDS, Drop(), Drop(in_body=True), Answer())
    assert use(client_class, server, "query", "leads") == []


def test_an_upload_is_sent_once(client_class: Any, server: FaultServer) -> None:
    path = "/api/storage/buckets/b/objects"
    server.script(path, Answer(503))
    with pytest.raises(httpx.HTTPStatusError):
        use(client_class, server, "upload_file", "b", "a.txt", b"x")
    assert len(server.sent(path)) == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_refused_connection_is_retried(tmp_path: Path, backend: Any) -> None:
    client_class = rewritten(tmp_path, replace(FAST, base_wait=0.2, max_wait=0.2, max_retries=30, backend=backend))
    with FaultServer(listening=False) as server:
        threading.Timer(0.2, server.listen).start()
        assert use(client_class, server, "query", "leads") == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_attempt_starts_after_the_deadline(tmp_path: Path, server: FaultServer, backend: Any) -> None:
    limits = replace(FAST, base_wait=0.1, max_wait=0.1, max_retries=50, max_elapsed=0.4, backend=backend)
    client_class = rewritten(tmp_path, limits)
    server.script(RECORDS, Answer(503))
    with pytest.raises(httpx.HTTPStatusError):
        use(client_class, server, "query", "leads")
    assert server.seen[-1].time - server.seen[0].time < limits.max_elapsed + 0.3


def test_cancellation_passes_during_the_wait(client_class: Any, server: FaultServer) -> None:
    server.script(RECORDS, Answer(503, (("Retry-After", "5"),)))

    async def main() -> None:
        async with client_class(server.url, "key") as client:
            task = asyncio.create_task(client.query("leads"))
            while not server.seen:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert len(server.seen) == 1


def times_out(client_class: Any, server: FaultServer) -> None:
    """A deadline of asyncio ends the wait for the next attempt."""
    server.script(RECORDS, Answer(503, (("Retry-After", "5"),)))

    async def main() -> None:
        async with client_class(server.url, "key") as client, asyncio.timeout(0.4):
            await client.query("leads")

    started = time.monotonic()
    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert time.monotonic() - started < 4
    assert len(server.seen) == 1


def test_a_timeout_around_the_call_holds(client_class: Any, server: FaultServer) -> None:
    times_out(client_class, server)


def test_always_repeats_writes(tmp_path: Path, server: FaultServer) -> None:
    client_class = rewritten(tmp_path, replace(FAST, retry_writes="always"))
    server.script(RECORDS, Answer(502, commits=True), Answer(body='[{"id": 2}]', commits=True))
    assert use(client_class, server, "create", "leads", {"a": 1}) == {"id": 2}
    assert len(server.rows) == 2


def test_each_retry_is_logged(client_class: Any, server: FaultServer, caplog: pytest.LogCaptureFixture) -> None:
    server.script(RECORDS, Answer(503), Answer())
    use(client_class, server, "query", "leads", filters={"email": "eq.secret"})
    messages = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING and r.name == "insforge_client"]
    assert len(messages) == 1
    assert messages[0].startswith(f"GET {RECORDS}: 503 at attempt 1, next in ")


def test_mocked_clients_still_work(client_class: Any) -> None:
    async def main() -> None:
        client = client_class("http://test", "key")
        client._client = AsyncMock(is_closed=False)
        client._client.get.return_value = httpx.Response(200, json=[1], request=httpx.Request("GET", "http://test"))
        assert await client.query("leads") == [1]
        client._client.get.assert_awaited_once()
        async with client_class("http://test", "key") as patched:
            real = await patched._get_client()
            real.get = AsyncMock(return_value=client._client.get.return_value)
            assert await patched.query("leads") == [1]
            real.get.assert_awaited_once()

    asyncio.run(main())


@pytest.fixture(scope="module")
def transport_class(tmp_path_factory: pytest.TempPathFactory) -> Any:
    pytest.importorskip("httpx_retries")
    root = tmp_path_factory.mktemp("transport") / "checkout"
    shutil.copytree(FIXTURES / "dealdesk" / "before", root)
    report = apply(root, replace(FAST, backend="httpx-retries"), unsafe=True)
    assert [c.path for c in report.changes if c.kind == "modify"] == ["bot/storage/insforge_client.py"]
    program = "import sys; from bot.storage.insforge_client import InsForgeClient"
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root))
        yield importlib.import_module("bot.storage.insforge_client").InsForgeClient
    for name in [name for name in sys.modules if name == "bot" or name.startswith("bot.")]:
        del sys.modules[name]


class TestTransport:
    """The client of the checkout with a transport of httpx-retries."""

    def test_a_query_waits_as_it_is_told(self, transport_class: Any, server: FaultServer) -> None:
        server.script(RECORDS, Answer(503, (("Retry-After", "1"),)), Answer())
        assert use(transport_class, server, "query", "leads") == []
        assert waited(server) >= 1

    def test_retry_after_as_a_date_is_waited_for(self, transport_class: Any, server: FaultServer) -> None:
        server.script(RECORDS, Answer(503, (("Retry-After", formatdate(time.time() + 2, usegmt=True)),)), Answer())
        use(transport_class, server, "query", "leads")
        assert waited(server) > 0.5

    @pytest.mark.parametrize("value", ["soon", "-1"])
    def test_an_invalid_retry_after_is_ignored(self, transport_class: Any, server: FaultServer, value: str) -> None:
        server.script(RECORDS, Answer(503, (("Retry-After", value),)), Answer())
        use(transport_class, server, "query", "leads")
        assert waited(server) < 0.5

    def test_a_missing_table_is_asked_for_once(self, transport_class: Any, server: FaultServer) -> None:
        server.script(RECORDS, Answer(404))
        with pytest.raises(httpx.HTTPStatusError, match="404"):
            use(transport_class, server, "query", "leads")
        assert len(server.seen) == 1

    def test_a_dropped_connection_is_retried_for_a_query(self, transport_class: Any, server: FaultServer) -> None:
        server.script(RECORDS, Drop(), Drop(reset=False), Answer())
        assert use(transport_class, server, "query", "leads") == []

    def test_a_timeout_around_the_call_holds(self, transport_class: Any, server: FaultServer) -> None:
        times_out(transport_class, server)

    def test_four_failures_are_the_sites_usual_error(self, transport_class: Any, server: FaultServer) -> None:
        server.script(RECORDS, Answer(503))
        with pytest.raises(httpx.HTTPStatusError, match="503"):
            use(transport_class, server, "query", "leads")
        assert len(server.seen) == 4

    def test_no_single_row_is_none(self, transport_class: Any, server: FaultServer) -> None:
        server.script(RECORDS, Answer(406))
        assert use(transport_class, server, "query", "leads", single=True) is None
        assert len(server.seen) == 1

    @pytest.mark.parametrize("fault", [Answer(502, commits=True), Drop(commits=True), Drop(commits=True, in_body=True)])
    @pytest.mark.parametrize(
        ("method", "path", "args"), [("create", RECORDS, ("leads", {"a": 1})), ("rpc", RPC, ("score", {"a": 1}))]
    )
    def test_a_write_leaves_one_row(
        self, transport_class: Any, server: FaultServer, method: str, path: str, args: Any, fault: Any
    ) -> None:
        server.script(path, fault, Answer())
        with pytest.raises(httpx.HTTPError):
            use(transport_class, server, method, *args)
        assert len(server.rows) == len(server.seen) == 1

    def test_a_refused_write_is_repeated(self, transport_class: Any, server: FaultServer) -> None:
        server.script(RPC, Answer(429), Answer(body="7"))
        assert use(transport_class, server, "rpc", "score", {"a": 1}) == 7
        assert len(server.rows) == 1

    def test_a_delete_is_repeated(self, transport_class: Any, server: FaultServer) -> None:
        server.script(RECORDS, Answer(502, commits=True), Drop(), Answer())
        use(transport_class, server, "delete", "leads", filters={"id": "eq.1"})
        assert [seen.method for seen in server.seen] == ["DELETE"] * 3


class TestOptions:
    def files(self, root: Path, text: str) -> Path:
        (root / "api").mkdir(parents=True)
        (root / "api" / "__init__.py").write_text("")
        (root / "api" / "use.py").write_text("from api.client import Api\n")
        path = root / "api" / "client.py"
        path.write_text(text)
        return path

    TEXT = (
        "import httpx\n\n\n"
        "class Api:\n"
        "    def __init__(self) -> None:\n"
        "        self.client = httpx.AsyncClient()\n\n"
        "    async def send(self, url: str, data: bytes):\n"
        '        return await self.client.post(url, files={"f": ("a", data)})\n'
    )

    def test_uploads_are_routed_if_wanted(self, tmp_path: Path) -> None:
        path = self.files(tmp_path, self.TEXT)
        assert not apply(tmp_path, FAST).changes
        assert apply(tmp_path, replace(FAST, uploads=True)).changes
        assert '_request_with_retry(self.client, "post", url, files=' in path.read_text()

    def test_the_users_word_counts(self, tmp_path: Path) -> None:
        path = self.files(tmp_path, self.TEXT.replace('files={"f": ("a", data)}', "content=data"))
        apply(tmp_path, replace(FAST, idempotent=("Api.send",)))
        assert "content=data, idempotent=True)" in path.read_text()

    def test_always_says_so_at_each_write(self, tmp_path: Path) -> None:
        self.files(tmp_path, self.TEXT.replace('files={"f": ("a", data)}', "content=data"))
        (result,) = apply(tmp_path, replace(FAST, retry_writes="always")).results
        assert result.applied
        assert result.finding.message.endswith("it may be carried out twice (retry-writes)")

    def test_unions_are_quoted_where_old_pythons_evaluate_them(self, tmp_path: Path) -> None:
        path = self.files(tmp_path, self.TEXT.replace('files={"f": ("a", data)}', "content=data"))
        apply(tmp_path, FAST)
        assert 'idempotent: "bool | None" = None' in path.read_text()

    def test_a_name_that_is_taken_means_a_helper_module(self, tmp_path: Path) -> None:
        text = self.TEXT.replace("import httpx\n", "import httpx\n\n_describe = 1\n")
        path = self.files(tmp_path, text.replace('files={"f": ("a", data)}', "content=data"))
        apply(tmp_path, FAST)
        assert "from api.request_retry import request_with_retry\n" in path.read_text()
        assert (tmp_path / "api" / "request_retry.py").exists()


def test_a_second_run_uses_the_method_that_is_there(tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    shutil.copytree(FIXTURES / "retry-requests" / "basic" / "before", root)
    apply(root, FAST)
    path = root / "app" / "weather.py"
    path.write_text(
        path.read_text()
        + "\n    async def more(self) -> None:\n        await (await self._get_client()).delete('/x')\n"
    )
    apply(root, FAST)
    assert "await self._request_with_retry(await self._get_client(), \"delete\", '/x')" in path.read_text()
    assert path.read_text().count("def _request_with_retry") == 1


def test_the_method_of_an_async_client_is_none_of_a_sync_one(tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    shutil.copytree(FIXTURES / "retry-requests" / "basic" / "before", root)
    apply(root, FAST)
    path = root / "app" / "weather.py"
    path.write_text(path.read_text() + "\n    def now(self, client: httpx.Client):\n        return client.get('/x')\n")
    apply(root, FAST)
    assert "return request_with_retry_sync(client, \"get\", '/x')" in path.read_text()
    assert path.read_text().count("def _request_with_retry") == 1


def test_the_function_of_a_sync_client_is_none_of_an_async_one(tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    shutil.copytree(FIXTURES / "retry-requests" / "functions" / "before", root)
    apply(root, FAST)
    path = root / "fetch.py"
    path.write_text(
        path.read_text() + "\n\nasync def third(client: httpx.AsyncClient):\n    return await client.get('/')\n"
    )
    report = apply(root, FAST)
    assert [r.finding.safety.name for r in report.results] == ["MANUAL"]
    assert path.read_text().endswith("return await client.get('/')\n")


def test_the_policy_table_is_explained() -> None:
    assert "500, 502, 503, 504" in (RetryRequests.__doc__ or "")
