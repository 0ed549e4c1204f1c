"""Programs that read files print the same before and after `apply`, and open no file more often."""

from __future__ import annotations

import ast
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from perfmod.config import Settings
from perfmod.pipeline import Request, run

PROGRAMS = int(os.environ.get("PERFMOD_PROGRAMS", "60"))
HEAD = """
import asyncio, functools, json
from pathlib import Path
HERE = Path(__file__).parent
TEXT = "text{n}.txt"
"""
READS = (
    "(HERE / TEXT).read_text()",
    "HERE.joinpath(TEXT).read_text(encoding='utf-8')",
    "(HERE / TEXT).read_bytes()",
    "open(HERE / TEXT).read()",
    "(HERE / 'none.txt').read_text()",
)
LOADERS = (
    "def load() -> str:\n    return {r}",
    "def load():\n    text = {r}\n    return len(text)",
    "def load() -> list[str]:\n    return {r}.split()",
    "def load():\n    return tuple({r}.split())",
    "def load():\n    with open(HERE / TEXT) as f:\n        return f.read().strip()",
    "def load() -> str:\n    try:\n        return {r}\n    except OSError:\n        return 'none'",
    "def load():\n    return {{'a': [{r}]}}",
    "count = 0\ndef load():\n    global count\n    count += 1\n    return {r}, count",
    "def load(name='x'):\n    return name, {r}",
    "def load():\n    for part in {r}.split():\n        yield part",
    "def inner():\n    return {r}\ndef load() -> str:\n    return inner()",
    "import time\ndef load():\n    return {r}, time.time() > 0",
    "@functools.lru_cache\ndef load():\n    return {r}",
)
USES = (
    "print(load())",
    "x = load()\nprint(type(x).__name__, x)",
    "x = load()\nif isinstance(x, list):\n    x.append('more')\nprint(x)",
    "x = load()\nif isinstance(x, dict):\n    x['a'].append(1)\nprint(x)",
    "print(load() == load())",
    "print([part for part in load()][:3])",
    "print(load('y'))",
    "(HERE / TEXT).write_text('changed by the program')\nprint(load())",
    "for n in range(2):\n    print(n, load())",
    "print(await asyncio.to_thread(load))",
)
# Opens are counted for each file, and printed behind everything else.
RUN = """
import asyncio, collections, importlib, os, sys
opens = collections.Counter()
def hook(event, arguments):
    if event == "open" and str(arguments[0]).endswith(".txt"):
        opens[os.path.basename(str(arguments[0]))] += 1
sys.addaudithook(hook)
for number in range(int(sys.argv[1])):
    print("program", number)
    module = importlib.import_module(f"app.program{number}")
    for _ in range(2):
        for name in ("go0", "go1"):
            try:
                print(name, asyncio.run(getattr(module, name)()))
            except Exception as error:
                print(name, "raises", type(error).__name__)
print("OPENED", dict(sorted(opens.items())))
"""


def program(chance: random.Random, number: int) -> str:
    lines = [HEAD.format(n=number), chance.choice(LOADERS).format(r=chance.choice(READS))]
    for go in range(2):
        lines.append(f"async def go{go}():")
        for _ in range(chance.randint(1, 3)):
            lines += ["    " + line for line in chance.choice(USES).split("\n")]
        lines.append("    return 'end'")
    return "\n".join(lines) + "\n"


def output(root: Path) -> tuple[list[str], dict[str, int]]:
    done = subprocess.run(
        [sys.executable, "-B", "-c", RUN, str(PROGRAMS)], cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    said, _, opened = done.stdout.rpartition("OPENED ")
    return re.sub(r" at 0x\w+", "", said).split("program "), ast.literal_eval(opened)


@pytest.mark.slow
def test_programs_print_the_same(tmp_path: Path) -> None:
    chance = random.Random(int(os.environ.get("PERFMOD_SEED", "1")))
    before, after = tmp_path / "before", tmp_path / "after"
    (before / "app").mkdir(parents=True)
    (before / "app/__init__.py").touch()
    for number in range(PROGRAMS):
        (before / f"app/program{number}.py").write_text(program(chance, number))
        (before / f"app/text{number}.txt").write_text(f"one two {number}")
    shutil.copytree(before, after)
    settings = Settings(select=("load-once",), unsafe_fixes=True)
    report = run(Request("apply", after, (after,), settings, allow_dirty=True))
    assert any(result.applied for result in report.results)
    (old, opened_before), (new, opened_after) = output(before), output(after)
    for number, (one, other) in enumerate(zip(old, new, strict=True)):
        assert other == one, (after / f"app/program{number - 1}.py").read_text()
    assert all(opened_after[name] <= count for name, count in opened_before.items())
    assert sum(opened_after.values()) < sum(opened_before.values())
