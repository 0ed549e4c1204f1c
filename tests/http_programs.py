"""Programs made at random around the cases of retry-requests, for the fuzz tests."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from programs import encoded, laid_out, suites

PRELUDES = (
    "import httpx\n",
    "import asyncio\nimport httpx as http\nimport httpx\n",
    "import httpx, logging\n_logger = logging.getLogger(__name__)\n",
    '"""What it does."""\nfrom __future__ import annotations\nimport httpx\nfrom httpx import AsyncClient\n',
    "import aiohttp, httpx\nimport requests\n",
    "try:\n    import httpx\nexcept ImportError:\n    httpx = None\n",
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import httpx\n",
)
CLIENTS = (
    "self._client",
    "self._client",
    "(await self._get_client())",
    "self. _client",
    "client",
    "httpx.AsyncClient()",
    "httpx",
    "requests",
    "self.session",
    "unknown",
    "given",
)
CALLS = (
    "{c}.get({u})",
    "{c}.get({u})",
    "{c}.get({u}, params={{'a': 1}}, headers=h,)",
    "{c}.get(\n        {u},  # where\n        timeout=5.0,\n        # end\n    )",
    "{c} . post ( {u} , json = {{'a': 'é'}} )",
    "{c}.post({u}, content=body())",
    "{c}.post({u}, data=open('f', 'rb'))",
    "{c}.post({u}, files={{'f': ('n', b'')}})",
    "{c}.put(url={u})",
    "{c}.delete({u}, **options)",
    "{c}.patch(*args)",
    "{c}.request('GET', {u})",
    "{c}.request(verb, {u}, headers={{'Idempotency-Key': key}})",
    "{c}.request(\n        method='POST', url={u},\n    )",
    "{c}.head({u}).raise_for_status()",
    "{c}.stream('GET', {u})",
    "{c}.send(request)",
    "{c}\\\n        .get({u})",
    "getattr({c}, 'get')({u})",
)
URLS = (
    "u",
    "'/a'",
    "f'{base}/orders/{n}'",
    "str(t'{base}/{n}')",
    "'https://a.b/?sign=' + sign()",
    "base + path",
    "(u)",
    "'a' 'b'",
    "u if u else v",
)
USES = (
    "await {}",
    "r = await {}",
    "r = await {}\nr.raise_for_status()",
    "return await {}",
    "return (await {}).json()",
    "(await {}).json()",
    "r: httpx.Response = await {}",
    "async with {} as r: x = await r.json()",
    "async with {} as r:\n\tx = await r.json()\n\tprint(r.status)",
    "with {} as r:\n\tpass",
    "{}",
    "x = {}",
    "await asyncio.gather({}, {})",
    "print(await {}, 1)",
    'print(f"{{await {}}}")',
    'print(f"{{await {} = }}")',
    'print(t"{{await {}}}")',
    "if (r := await {}).status_code == 406: return None",
    "x = [await {} for n in ns]",
    "yield await {}",
    "lambda: {}",
    "for _ in range(3):\n\ttry:\n\t\tr = await {}\n\t\tbreak\n\texcept httpx.HTTPError:\n\t\tawait asyncio.sleep(1)",
    "while True:\n\tr = await {}\n\tif r.status_code != 429: break",
    "async with httpx.AsyncClient() as client:\n\tr = await {}",
    "async with httpx.AsyncClient() as client: r = await {}",
    "with httpx.Client() as client:\n\tr = {}",
    "async with aiohttp.ClientSession() as client:\n\tasync with {} as r:\n\t\treturn await r.text()",
    "await {}; x = 1",
    "await {}  # perfmod: ignore[retry-requests] once is enough",
    "match await {}:\n\tcase r: pass",
)  # fmt: skip
DECORATORS = ("", "", "", "@retry(stop=3)\n", "@staticmethod\n", "@property\n", "@decorator  # why\n")
HEADERS = (
    "async def {n}(self, u, client: httpx.AsyncClient, *args, **options):",
    "async def {n}(self, u: str, *, client: 'httpx.AsyncClient | None' = None) -> None:",
    "def {n}(self, u, client: httpx.Client):",
    "async def {n}(self, u):",
    "async def {n}(\n        self,\n        u,  # where\n    ):",
)
CLASSES = (
    "class Service:",
    "class Service(Base, metaclass=Meta):",
    "@dataclass\nclass Service:",
    'class Service:\n\t"""Talks."""',
    "class Service:\n\t_client: httpx.AsyncClient",
)
MAKERS = (
    "def __init__(self):\n\tself._client = httpx.AsyncClient()",
    "def __init__(self, client: httpx.AsyncClient) -> None:\n\tself._client = client",
    "def __init__(self): self._client = httpx.Client(timeout=3)",
    "def __init__(self):\n\tself._client: httpx.AsyncClient | None = None",
    "def __init__(self):\n\tself._client = httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=3))",
    "def __init__(self):\n\tself.session = requests.Session()\n\tself._client = self.session",
    "async def start(self):\n\tself._client = aiohttp.ClientSession()",
    "_client = httpx.AsyncClient()",
)
GETTERS = (
    "",
    "async def _get_client(self) -> httpx.AsyncClient:\n\treturn self._client",
    "async def _get_client(self):\n\tif self._client is None:\n\t\tself._client = httpx.AsyncClient()\n"
    "\treturn self._client",
    "async def _request_with_retry(self, *args):\n\tpass",
)


def calls() -> SearchStrategy[str]:
    return st.builds(
        lambda call, client, url: call.format(c=client, u=url),
        st.sampled_from(CALLS),
        st.sampled_from(CLIENTS),
        st.sampled_from(URLS),
    )


@st.composite
def request_statements(draw: DrawFn) -> str:
    use = draw(st.sampled_from(USES))
    return use.format(*(draw(calls()) for _ in range(use.count("{}"))))


@st.composite
def functions(draw: DrawFn, name: str) -> list[str]:
    head = draw(st.sampled_from(DECORATORS)) + draw(st.sampled_from(HEADERS)).format(n=name)
    return [*head.split("\n"), *("\t" + line for line in draw(suites(request_statements(), 2)))]


@st.composite
def http_programs(draw: DrawFn) -> bytes:
    """A module with clients in it, laid out oddly. It need not parse: most do."""
    lines = draw(st.sampled_from(PRELUDES)).split("\n")[:-1]
    for _ in range(draw(st.integers(1, 2))):
        lines += draw(st.sampled_from(CLASSES)).split("\n")
        body = [*draw(st.sampled_from(MAKERS)).split("\n"), *draw(st.sampled_from(GETTERS)).split("\n")]
        for number in range(draw(st.integers(1, 3))):
            body += draw(functions(f"load{number}"))
        lines += ["\t" + line for line in body]
    if draw(st.booleans()):
        lines += draw(functions("fetch"))
    return encoded(draw, laid_out(draw, lines), python=True)
