"""Programs that send requests print the same before and after `apply`, where nothing fails; where something fails for
a moment, they print what they print where nothing fails. The server is a real one, and really fails."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from fault_server import Answer, FaultServer

from perfmod.config import Settings
from perfmod.pipeline import Request, run
from perfmod.rules.retry_requests import RetryOptions

PROGRAMS = int(os.environ.get("PERFMOD_PROGRAMS", "40"))
HEAD = """
import asyncio
import httpx


class Base:
    async def _get_client(self) -> httpx.AsyncClient:
        print("client")
        return self._client


class Service(Base):
    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=url)
        self.url = url

    async def close(self) -> None:
        await self._client.aclose()
"""
RUN = """
import asyncio, importlib, logging, sys
logging.disable(logging.CRITICAL)
async def main(number):
    print("program", number)
    module = importlib.import_module(f"app.program{number}")
    service = module.Service(sys.argv[1])
    for name in ("step0", "step1", "step2"):
        try:
            print(name, await getattr(service, name)(1))
        except Exception as error:
            print(name, "raises", type(error).__name__, getattr(getattr(error, "response", None), "status_code", ""))
    await service.close()
for number in range(int(sys.argv[2])):
    asyncio.run(main(number))
"""
CALLS = (
    'await self._client.get("/{g}p{n}")',
    'await (await self._get_client()).get("/{g}p{n}", params={{"a": x}})',
    'await self._client.request("GET", "/{g}p{n}")',
    'await self._client.put("/{g}p{n}", json={{"x": x}})',
    'await self._client.post("/{g}p{n}", json={{"x": x}})',
    'await self._client.delete("/{g}p{n}")',
    'await self._client.head("/{g}p{n}")',
)
STATEMENTS = (
    'print("before"); r = {}; print("after", r.status_code)',
    "r = {}\nr.raise_for_status()\nprint(r.json())",
    "print(({}).text)",
    'print("got", len(({}).content))',
    "r = {}\nif r.status_code == 404:\n    return None\nprint(r.is_success)",
    "try:\n    r = {}\n    r.raise_for_status()\nexcept httpx.HTTPStatusError as error:\n"
    '    print("status", error.response.status_code)',
    "try:\n    print(({}).status_code)\nexcept httpx.TransportError as error:\n    print(type(error).__name__)",
    "for y in range(2):\n    r = {}\n    print(y, r.status_code)",
    "print([(({}).status_code, y) for y in range(2)])",
    'print(f"{{x}}", (r := {}).request.method)',
    "return ({}).status_code",
    'async with httpx.AsyncClient(base_url=self.url) as client:\n    r = await client.get("/q")\n'
    "    print(r.status_code)",
)
#: What fails for a moment, and then not any more; every method of CALLS is sent again then.
PASSING = (Answer(429), Answer(425), Answer(408))
#: What never passes: the caller sees it, as before.
LASTING = (Answer(404), Answer(400), Answer(501))


def program(chance: random.Random, group: int) -> str:
    lines = [HEAD]
    for number in range(3):
        lines.append(f"    async def step{number}(self, x):\n")
        for _ in range(chance.randint(1, 3)):
            statement = chance.choice(STATEMENTS)
            if "{}" in statement:
                statement = statement.format(chance.choice(CALLS).format(g=group, n=chance.randrange(3)))
            lines += [f"        {line}\n" for line in statement.split("\n")]
        lines.append("        return 'end'\n\n")
    return "".join(lines)


def output(root: Path, script: Mapping[str, tuple[Answer, ...]]) -> tuple[list[str], int]:
    """What each program prints, and how many requests the server saw."""
    with FaultServer() as server:
        for path, faults in script.items():
            server.script(path, *faults)
        done = subprocess.run(
            [sys.executable, "-B", "-c", RUN, server.url, str(PROGRAMS)],
            cwd=root, capture_output=True, text=True, timeout=600, check=True,
        )  # fmt: skip
        return done.stdout.split("program "), len(server.seen)


@pytest.mark.slow
def test_programs_print_the_same(tmp_path: Path) -> None:
    chance = random.Random(int(os.environ.get("PERFMOD_SEED", "1")))
    before, after = tmp_path / "before", tmp_path / "after"
    (before / "app").mkdir(parents=True)
    (before / "app/__init__.py").touch()
    for number in range(PROGRAMS):
        (before / f"app/program{number}.py").write_text(program(chance, number))
    shutil.copytree(before, after)
    options = RetryOptions(base_wait=0.001, max_wait=0.002)
    settings = Settings(select=("retry-requests",), rules={"retry-requests": options})
    report = run(Request("apply", after, (after,), settings, allow_dirty=True))
    assert sum(result.applied for result in report.results) > PROGRAMS

    paths = [f"/{number}p{n}" for number in range(PROGRAMS) for n in range(3)]
    plain, requests = output(before, {})
    assert output(after, {}) == (plain, requests)
    lasting = {path: (chance.choice(LASTING),) for path in paths}
    assert output(after, lasting) == output(before, lasting)
    said, more = output(after, {path: (chance.choice(PASSING), Answer()) for path in paths})
    assert said == plain, "what fails for a moment is seen by the caller"
    assert more > requests
