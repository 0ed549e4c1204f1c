"""Programs made at random around the cases of load-once, for the fuzz tests."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from programs import encoded, laid_out, suites

PRELUDES = (
    "import json\nfrom pathlib import Path\nHERE = Path(__file__).parent\n",
    '"""What it does."""\nfrom __future__ import annotations\nimport json, os, functools\nfrom pathlib import Path\n'
    "HERE = Path(__file__).resolve().parent\n",
    "from functools import cache\nimport json\nimport pathlib\nfrom pathlib import Path\n"
    "HERE = pathlib.Path(__file__).parent\n",
    "import json\nfrom pathlib import Path\ncache = {}\nHERE: Path = Path(__file__).parent\nCACHE = None\n",
)  # fmt: skip
PATHS = (
    "HERE / 't.txt'",
    "HERE / 't.txt'",
    "HERE.joinpath('t.txt')",
    "Path('t.txt')",
    "Path(__file__).with_name('t.txt')",
    "HERE / name",
    "HERE / f'{name}.txt'",
    "'app.log'",
)
READS = (
    "({p}).read_text()",
    "({p}).read_text(encoding='utf-8')",
    "({p}).read_bytes()",
    "open({p}).read()",
    "json.loads(({p}).read_text())",
    "json.load(open({p}))",
    "({p}).read_text().strip()",
    "({p}) . read_text ( )",
    "({p}).read_text(\n        # how\n        'utf-8',\n    )",
    "tuple(({p}).read_text().split())",
    "[x for x in ({p}).read_text()]",
    "({p}).write_text('x')",
    "Path({p}).read_text()",
    "load(name)",
    "load()",
    "cached()",
)
BODIES = (
    "return {r}",
    "return {r}  # why",
    "text = {r}\nreturn text",
    "with open({p}) as f:\n\treturn f.read()",
    "with open({p}, encoding='utf-8') as f: return json.load(f)",
    "try:\n\treturn {r}\nexcept OSError:\n\treturn ''",
    "global CACHE\nif CACHE is None:\n\tCACHE = {r}\nreturn CACHE",
    "for line in {r}:\n\tyield line",
    '"""Reads."""\nreturn {r}',
    "import time\nreturn {r}, time.time()",
)
HEADERS = (
    "def load() -> str:",
    "def load():",
    "def load(name='t') -> str:",
    "def load(name: str, *, upper: bool = False) -> str:",
    "async def load():",
    "@functools.cache\ndef load():",
    "@decorator  # why\ndef load() -> str:",
    "def load(\n        name=None,\n    ) -> tuple[str, ...]:",
)
USES = (
    "{}",
    "x = {}",
    "return {}",
    "x = {}\nx.append('1')",
    "x = {}\nx['a'] = 1",
    "print({})",
    "for line in {}: print(line)",
    "for n in range(3):\n\tx = {}",
    "x = len({}), 1",
    "await asyncio.to_thread(load)",
    "if (x := {}): pass",
    "x = [{} for n in ns]",
    "return await {}",
    "self.text = {}",
    'print(f"{{{}}}")',
    'print(t"{{{}}}")',
    "{}  # perfmod: ignore[load-once] small",
    "match {}:\n\tcase str(): pass",
    "lambda: {}",
    "yield {}",
)
CALLERS = (
    "async def handle(request, name='t'):",
    "async def handle(name: str):",
    "@app.get('/x')\nasync def handle(name):",
    "def handle(name):",
    "async def main():",
)


def reads() -> SearchStrategy[str]:
    return st.builds(lambda read, path: read.format(p=path), st.sampled_from(READS), st.sampled_from(PATHS))


@st.composite
def read_statements(draw: DrawFn) -> str:
    use = draw(st.sampled_from(USES))
    return use.format(draw(reads())) if "{}" in use else use


@st.composite
def loaders(draw: DrawFn) -> list[str]:
    body = draw(st.sampled_from(BODIES)).format(r=draw(reads()), p=draw(st.sampled_from(PATHS)))
    return [*draw(st.sampled_from(HEADERS)).split("\n"), *("\t" + line for line in body.split("\n"))]


@st.composite
def read_programs(draw: DrawFn) -> bytes:
    """A module that reads files, laid out oddly. It need not parse: most do."""
    lines = [*draw(st.sampled_from(PRELUDES)).split("\n")[:-1], "import asyncio"]
    lines += draw(loaders())
    if draw(st.booleans()):
        lines += ["class Service:", "\tdef __init__(self, name):", f"\t\tself.text = {draw(reads())}"]
        lines += ["\tasync def run(self, name):", *("\t\t" + line for line in draw(suites(read_statements(), 1)))]
    for number in range(draw(st.integers(1, 2))):
        head = draw(st.sampled_from(CALLERS)).replace("handle", f"handle{number}")
        lines += [*head.split("\n"), *("\t" + line for line in draw(suites(read_statements(), 2)))]
    return encoded(draw, laid_out(draw, lines), python=True)
