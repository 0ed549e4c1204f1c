"""What bytes alone say about tasks: a file is only ruled out where parsing finds nothing."""

from __future__ import annotations

from pathlib import Path
from time import process_time

import pytest

from perfmod.rules.supervise_tasks import SuperviseTasks, TaskOptions
from perfmod.sieve import Sieve
from perfmod.source.text import Text, Unreadable
from perfmod.source.tree import Source

FIXTURES = sorted((Path(__file__).parent.parent / "fixtures").rglob("*.py"))

RULED_OUT = {
    "stored two lines later": "async def f():\n    t = asyncio.create_task(g())\n    a.b = c\n    a.c = t\n    end()\n",
    "awaited later": "async def f():\n    task = asyncio.create_task(g())\n    await task\n",
    "given back": "async def f():\n    task = asyncio.create_task(g())\n    return task\n",
    "gathered": "async def f():\n    ts = [asyncio.create_task(g(x)) for x in xs]\n    await asyncio.gather(*ts)\n",
    "gone through": "async def f():\n    t = [asyncio.create_task(g(x)) for x in xs]\n    for x in t:\n        pass\n",
    "an attribute": "class A:\n    async def f(self):\n        self.task = asyncio.create_task(g())\n",
    "an item": "async def f():\n    tasks[key] = asyncio.create_task(g())\n",
    "collected in an attribute": "class A:\n    async def f(self):\n        self.ts.append(asyncio.create_task(g()))\n",
    "collected in the module": "ts = set()\nasync def f():\n    t = asyncio.create_task(g())\n    ts.add(t)\n",
    "awaited": "async def f():\n    await asyncio.wait_for(asyncio.create_task(g()), 1)\n",
    "a comment": "import asyncio\n# asyncio.create_task(g())\n",
    "imported for others": "from asyncio import create_task, gather\n",
    "another method": "import asyncio\nasync def f(db):\n    db.create_task(1)\n",
}
PARSED = {
    "a statement": "async def f():\n    asyncio.create_task(g())\n",
    "unread": "async def f():\n    task = asyncio.create_task(g())\n",
    "read by another function": "async def f():\n    t = asyncio.create_task(g())\nasync def h(t):\n    await t\n",
    "read in a string": 'async def f():\n    t = asyncio.create_task(g())\n    """\n    await t\n    """\n',
    "read in a comment": "async def f():\n    t = asyncio.create_task(g())\n    # await t\n",
    "a member of that name": "async def f():\n    t = asyncio.create_task(g())\n    await self.t\n",
    "only followed": "async def f():\n    t = asyncio.create_task(g())\n    t.add_done_callback(h)\n",
    "a collection that dies": "async def f():\n    ts = set()\n    t = asyncio.create_task(g())\n    ts.add(t)\n",
    "module given another name": "import asyncio as aio\naio.create_task(g())\n",
    "function given another name": "from asyncio import create_task as spawn\nspawn(g())\n",
    "function assigned": "spawn = asyncio.create_task\nspawn(g())\n",
    "function passed": "async def f():\n    loop.call_soon(asyncio.create_task, g())\n",
    "a loop of another name": "async def f():\n    runner = asyncio.get_event_loop()\n    runner.create_task(g())\n",
    "a keyword whose value follows": "async def f():\n    t = asyncio.create_task(g())\n    await h(t=\n        1)\n",
    "an attribute of that name": "async def f():\n    t = asyncio.create_task(g())\n    await self.t\n",
    "part of another name": "async def f():\n    t = asyncio.create_task(g())\n    await tt\n",
    "another variable stored": "async def f():\n    t = asyncio.create_task(g())\n    self.t = u\n",
    "the checkout's helper": (
        "import asyncio\ntasks = set()\ndef spawn(coro):\n    task = asyncio.create_task(coro)\n    tasks.add(task)\n"
        "    task.add_done_callback(done)\n    return task\n"
    ),
}


def worth_parsing(code: str) -> bool:
    return fits(SuperviseTasks(TaskOptions()), ("import asyncio\n" + code).encode())


def fits(rule: SuperviseTasks, data: bytes) -> bool:
    return Sieve([rule]).sift("any.py", data)[0] is not None


@pytest.mark.parametrize("case", RULED_OUT)
def test_bytes_rule_out(case: str) -> None:
    assert not worth_parsing(RULED_OUT[case])


@pytest.mark.parametrize("case", PARSED)
def test_bytes_leave_to_the_parser(case: str) -> None:
    assert worth_parsing(PARSED[case])


@pytest.mark.parametrize("held", [False, True], ids=["", "held"])
def test_a_file_that_is_ruled_out_says_nothing(held: bool) -> None:
    rule = SuperviseTasks(TaskOptions(report_held=held))
    ruled_out = 0
    for path in FIXTURES:
        data = path.read_bytes()
        try:
            source = Source(Text.decode(path.name, data), "python")
        except Unreadable:
            continue
        if fits(rule, data) or source.error is not None:
            continue
        ruled_out += 1
        said = [fact for fact in rule.scan(source) if held or getattr(fact, "shape", "") != "held"]
        assert said == [], path
    assert ruled_out > 100


TASK = "async def f():\n    t = asyncio.create_task(g())\n"


@pytest.mark.parametrize(
    "code",
    [
        TASK + " " * 200_000 + "\n    ts.add(t)\n" + " " * 200_000,
        TASK + "    for " + " " * 200_000 + "\n",
        TASK + "    " + "a, " * 60_000 + "\n    ts.add(t)\n" + " ts" * 60_000,
        "    " + "a." * 100_000 + "asyncio.create_task(g())\n",
        "async def f():\n" + "    t = asyncio.create_task(g())\n" * 50_000 + "    await t\n",
    ],
    ids=["blanks", "loop", "names", "dots", "many"],
)
def test_a_hostile_text_is_told_in_no_time(code: str) -> None:
    started = process_time()
    worth_parsing(code)
    assert process_time() - started < 0.5
