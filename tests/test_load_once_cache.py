"""load-once: what is cached behaves as before, and what would not is left with the reason."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from test_load_once import opened

from perfmod.config import Settings
from perfmod.pipeline import Report, Request, run

HEAD = """
import asyncio, json
from pathlib import Path
HERE = Path(__file__).parent
"""
TAIL = """
async def main():
    for _ in range(3):
        print(await go())
asyncio.run(main())
"""
TEXT = "def load() -> str:\n    return (HERE / 't.txt').read_text()\n"
LINES = "def load() -> list[str]:\n    return (HERE / 't.txt').read_text().splitlines()\n"
DATA = "def load():\n    return json.loads((HERE / 'd.json').read_text())\n"
ROWS = "def load() -> list[list[str]]:\n    return [l.split() for l in (HERE / 't.txt').read_text().splitlines()]\n"
GO = "async def go():\n    return load()\n"
MODULE = {"texts.py": "from pathlib import Path\nNAME = 't.txt'\n\n\ndef load() -> str:\n"
                      "    return (Path(__file__).parent / NAME).read_text()\n"}  # fmt: skip


def applied(root: Path, code: str, files: dict[str, str] | None = None) -> Report:
    every = {"t.txt": "one\ntwo\n", "n.txt": "7", "d.json": '{"a": [1, 2], "b": {"c": 3}}', **(files or {})}
    for path, content in {**every, "main.py": HEAD + code + TAIL}.items():
        (root / path).write_text(dedent(content))
    settings = Settings(select=("load-once",), unsafe_fixes=True)
    return run(Request("apply", root, (root,), settings, allow_dirty=True))


CACHED = {
    "the plain case": TEXT + GO,
    "cache is a variable": "cache = {}\n" + TEXT + "async def go():\n    cache['x'] = load()\n    return cache\n",
    "both names are taken": "cache = 1\nfunctools_cache = 2\n" + TEXT
    + "async def go():\n    return load(), cache, functools_cache\n",
    "a star import brings a cache": "from shadow import *\n" + TEXT + "async def go():\n    return load(), cache\n",
    "a star import below": TEXT + "from shadow import *\nasync def go():\n    return load(), cache\n",
    "functools is rebound": "import functools\nfunctools = 3\n" + TEXT + GO,
    "functools is imported below": TEXT + "import functools\nasync def go():\n    return load(), functools.__name__\n",
    "functools is deleted": "import functools\ndel functools\n" + TEXT + GO,
    "one line": "def load() -> str: return (HERE / 't.txt').read_text()\n" + GO,
    "a comment above": "# about load\n" + TEXT + GO,
    "a missing file": "def load() -> str:\n    try:\n        return (HERE / 'none.txt').read_text()\n"
    "    except OSError:\n        return 'none'\n" + GO,
    "an error is not kept": "def load() -> str:\n    return (HERE / 'none.txt').read_text()\n"
    "async def go():\n    try:\n        return load()\n    except OSError:\n        return 'no'\n",
    "called at the start too": TEXT + "T = load()\nasync def go():\n    return load() == T\n",
    "a keyword": "def load(name: str, *, upper: bool = False) -> str:\n    text = (HERE / name).read_text()\n"
    "    return text.upper() if upper else text\n"
    "async def go():\n    return load('t.txt'), load('t.txt', upper=True)\n",
    "a pure helper": "def clean(text: str) -> str:\n    return text.strip()\n"
    "def load() -> str:\n    return clean((HERE / 't.txt').read_text())\n" + GO,
    "a pattern": "import re\nGAP = re.compile('e')\n"
    "def load() -> str:\n    return GAP.sub('', (HERE / 't.txt').read_text())\n" + GO,
    "a part of a file": "def load() -> str:\n    with open(HERE / 't.txt') as f:\n        f.readline()\n"
    "        return f.readline()\n" + GO,
    "bytes": "def load() -> bytes:\n    return (HERE / 't.txt').read_bytes()\n" + GO,
    "a number": "def load() -> int:\n    return int((HERE / 'n.txt').read_text())\n" + GO,
    "a set that stays": "def load() -> frozenset[str]:\n    return frozenset((HERE / 't.txt').read_text().split())\n"
    "async def go():\n    return sorted(load())\n",
    "a named tuple": "from typing import NamedTuple\nclass P(NamedTuple):\n    a: str\n    b: int\n"
    "def load() -> P:\n    return P((HERE / 't.txt').read_text(), 1)\n" + GO,
    "a dict that is looked at": "def load() -> dict[str, int]:\n    return json.loads((HERE / 'j.txt').read_text())\n"
    "async def go():\n    return load()['a'], load().get('b'), len(load())\n",
    "a list that is looked at": LINES + "async def go():\n    return len(load()), [*map(len, ())], 'one' in load()\n",
}  # fmt: skip


# How often a file is opened by a program that is cached, where that is not once: an error is not kept.
OPENED = {"an error is not kept": 3, "a keyword": 2}


@pytest.mark.parametrize("name", CACHED)
def test_a_cached_program_says_the_same_and_opens_its_file_once(tmp_path: Path, name: str) -> None:
    report = applied(tmp_path, CACHED[name], {"shadow.py": "cache = 5\n", "j.txt": '{"a": 1, "b": 2}'})
    assert report.results and all(result.applied for result in report.results)
    after, says = opened(tmp_path, ".txt", "main.py")
    (tmp_path / "main.py").write_text(HEAD + CACHED[name] + TAIL)
    before, said = opened(tmp_path, ".txt", "main.py")
    assert says == said
    assert before >= 3 and after == OPENED.get(name, 1)


def using(load: str, *statements: str) -> str:
    return load + "async def go():\n" + "".join(f"    {statement}\n" for statement in statements)


LEFT = {
    "an alias": (using(DATA, "x = load()", "y = x", "y['z'] = 1", "return y"), "mutated"),
    "an attribute": ("class S: pass\ns = S()\n" + using(DATA, "s.d = load()", "return s.d"), "may be changed"),
    "items of items": (using(DATA, "for v in load().values():", "    v.append(1)"), "mutated"),
    "an item of the smallest": (using(ROWS, "m = min(load())", "m.append('1')", "return m"), "mutated"),
    "unpacked into": (using(LINES, "x = load()", "x[0], y = 'p', 1", "return x[0]"), "mutated"),
    "a with target": ("import contextlib\n" + using(LINES, "x = load()", "with contextlib.nullcontext() as x[0]:",
                             "    pass"), "mutated"),
    "a slice": (using(LINES, "x = load()", "x[:1] = []", "return len(x)"), "mutated"),
    "an operator": (using(LINES, "x = load()", "x *= 2", "return len(x)"), "mutated"),
    "a match": (using(DATA, "match load():", "    case {'a': a}:", "        a.append(1)"), "may be changed"),
    "a lambda": (using(LINES, "x = load()", "f = lambda: x.append('1')", "f()", "return len(x)"), "result"),
    "a response": (using(DATA, "return load()"), "may be changed"),
    "shuffled": ("import random\n" + using(LINES, "x = load()", "random.shuffle(x)", "return x"), "may be changed"),
    "a default": (using(LINES, "load()", "return use()") + "def use(x=load()):\n    x.append('1')\n", "result"),
    "by its name": (using(LINES, "return len(load())") + "globals()['load']().append('1')\n", "another way"),
    "a module by its name": (using(LINES, "return len(load())") + "import importlib\n"
                             "importlib.import_module('main').load().append('1')\n", "another way"),
    "a tuple of lists": (using("def load() -> tuple:\n    return tuple(json.loads((HERE / 'd.json').read_text()))\n",
                               "return load()"), "may not be shared"),
    "a tuple of split lines": (using("def load():\n    return tuple(l.split() for l in open(HERE / 't.txt'))\n",
                                     "return load()"), "may not be shared"),
    "a generator": (using("def load():\n    yield from open(HERE / 't.txt')\n", "return [*load()]"), "generator"),
    "an open file": (using("def load():\n    return open(HERE / 't.txt')\n", "return load().read()"), "shared"),
    "a frozen class of a bare tuple": (
        "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass P:\n    a: tuple\n"
        + using("def load() -> P:\n    return P(json.loads((HERE / 'd.json').read_text()))\n", "return load().a"),
        "may not be shared"),
    "a counter in a list": ("N = []\ndef load() -> str:\n    N.append(1)\n"
                            "    return (HERE / 't.txt').read_text()\n" + GO, "N.append()"),
    "a default that changes": ("def load(seen=[]) -> str:\n    seen.append(1)\n"
                               "    return (HERE / 't.txt').read_text() + str(len(seen))\n" + GO, "seen.append()"),
    "a global that is set": ("NAME = 't.txt'\ndef load() -> str:\n    return (HERE / NAME).read_text()\n" + GO
                             + "def switch():\n    global NAME\n    NAME = 'n.txt'\n", "NAME, which may change"),
    "a table that is changed": ("LANG = {'l': 'en'}\ndef load() -> str:\n"
                                "    return (HERE / 't.txt').read_text() + LANG['l']\n" + GO
                                + "def switch():\n    LANG['l'] = 'de'\n", "LANG, which is changed in main.py"),
    "an object": ("class S: l = 'en'\nLANG = S()\ndef load() -> str:\n"
                  "    return (HERE / 't.txt').read_text() + LANG.l\n" + GO, "LANG, which may change"),
    "a class": ("class S: l = 'en'\ndef load() -> str:\n    return (HERE / 't.txt').read_text() + S.l\n" + GO,
                "S.l, which may change"),
    "a callback": ("SEEN = []\ndef see(d):\n    SEEN.append(1)\n    return d\ndef load() -> str:\n"
                   "    return str(json.loads((HERE / 'd.json').read_text(), object_hook=see))\n" + GO, "calls see()"),
    "a second file": ("def load() -> str:\n    return (HERE / 't.txt').read_text() + (HERE / 'n.txt').read_text()\n"
                      + GO + "def bump():\n    (HERE / 'n.txt').write_text('8')\n", "another file"),
    "a flag on disk": ("def load() -> str:\n    return (HERE / 't.txt').read_text() + str((HERE / 'f').exists())\n"
                       + GO, "whether another file is there"),
    "the working directory": ("import os\ndef load() -> str:\n    return open('t.txt').read()\n"
                              + using("", "a = load()", "os.chdir('/')", "return a"), "working directory"),
    "numbers that are equal": ("def load(flag=0) -> str:\n    return (HERE / 't.txt').read_text() + str(flag)\n"
                               + using("", "return load(1), load(True)"), "True and 1"),
    "a module's constant that is set": ("import texts\n" + using("", "a = texts.load()", "texts.NAME = 'n.txt'",
                                                                 "return a"), "NAME, which is changed in main.py"),
    "a constant that is patched": ("import texts\nfrom unittest import mock\n"
                                   + using("", "with mock.patch.object(texts, 'NAME', 'n.txt'):",
                                           "    return texts.load()"), "NAME, which is changed in main.py"),
}  # fmt: skip


@pytest.mark.parametrize("name", LEFT)
def test_what_would_change_is_left(tmp_path: Path, name: str) -> None:
    code, reason = LEFT[name]
    report = applied(tmp_path, code, MODULE if "texts" in code else None)
    assert report.results and not report.changes
    assert all(reason in str(result.finding.reason) for result in report.results), report.results[0].finding.reason


@pytest.mark.parametrize(
    "code",
    [
        "import os\n" + TEXT.replace("t.txt", "n.txt") + GO
        + "def bump():\n    os.write(os.open(HERE / 'n.txt', os.O_WRONLY), b'9')\n",
        TEXT.replace("t.txt", "n.txt") + GO + "def bump():\n    (HERE / 'n.txt').write_text('9')\n",
    ],
)  # fmt: skip
def test_a_file_that_is_written_is_no_finding(tmp_path: Path, code: str) -> None:
    assert not applied(tmp_path, code).results
