"""Which Python files are worth parsing for HTTP requests, told from their bytes."""

import pytest

from perfmod.source.http.words import clients_taken, may_send_requests, takes_one_of

GIVEN = frozenset({b"shared", b"http", b"Base"})


@pytest.mark.parametrize(
    "text",
    [
        "import httpx\nhttpx.get(url)",
        "import httpx as h\nh.get(url)",
        "from httpx import AsyncClient",
        "from httpx import (\n    Client as C,\n)",
        "import aiohttp\ns: aiohttp.ClientSession",
        "import requests\ns = requests.Session()",
    ],
)
def test_a_file_that_names_a_client_is_parsed(text):
    assert may_send_requests(text.encode())


@pytest.mark.parametrize("text", ["import httpx\nd.get('a')", "import requests", "# requests of a session", "x.get(u)"])
def test_a_file_that_names_none_is_not(text):
    assert not may_send_requests(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "from app import shared\nawait shared().get(u)",
        "from app import shared\nclient = shared()\nawait client.get(u)",
        "from app import (\n    shared,\n)\nclient = other or shared()\nclient.get(u)",
        "from app import shared as s\nawait s().get(u)",
        "import app\nawait app.shared().get(u)",
        "await self.pool.http.get(u)",
        "client = self.pool.http\nawait client.get(u)",
        "from app import shared\nasync with shared(\n    1,\n) as client:\n    await client.get(u)",
        "from app import Base\ndef f(client: Base):\n    client.get(u)",
        "from app import Base\ndef f(client: 'Base | None' = None):\n    client.get(u)",
        "def own():\n    return pool.http\nawait own().get(u)",
        "class A:\n    def own(self):\n        return self.pool.http\n    def f(self):\n        self.own().get(u)",
        "await (await self.pool.http()).get(u)",
        "self.pool.http \\\n    .get(u)",
        "self.mine = pool.http\nself.mine.get(u)",
    ],
)
def test_a_client_of_another_file_is_followed(text):
    assert takes_one_of(text.encode(), GIVEN)


@pytest.mark.parametrize(
    "text",
    [
        "http = {}\nhttp.get('a')",
        "from app import shared\nx = load(shared)\nx.get('a')",
        "data = {}\ndata.get('a')",
        "self.pool.http.close()\ndata.get('a')",
    ],
)
def test_what_is_no_client_of_another_file_is_not(text):
    assert not takes_one_of(text.encode(), GIVEN)


def test_a_glance_needs_a_library_or_an_awaited_verb():
    assert list(clients_taken("a.py", b"import httpx\nx.get(u)"))
    assert list(clients_taken("a.py", b"await x.get(u)"))
    assert list(clients_taken("a.py", b"async with x.get(u) as r:"))
    assert list(clients_taken("a.py", b"async with (\n    self.x.get(u) as r,\n):"))
    assert not list(clients_taken("a.py", b"x.get(u)"))
