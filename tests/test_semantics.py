"""Programs with tasks print the same before and after `apply`: effects in order, results, exceptions."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

from perfmod.config import Settings
from perfmod.pipeline import Request, run

PROGRAMS = int(os.environ.get("PERFMOD_PROGRAMS", "150"))
START = """
import asyncio
from asyncio import create_task
from app.words import say


async def works(name, ticks=0, fails=None):
    say(name, "starts")
    try:
        for _ in range(ticks):
            await asyncio.sleep(0)
    except asyncio.CancelledError:
        say(name, "is cancelled")
        raise
    if fails is not None:
        say(name, "fails")
        raise fails(name)
    say(name, "ends")
    return name


async def nests(name, ticks):
    MAKER(works(name + "-inner", ticks))
    await works(name, ticks)


"""
WORDS = """
def say(*words):
    print(*words)
    return 0
"""
RUN = """
import asyncio, importlib, sys, logging
logging.disable(logging.CRITICAL)
for number in range(int(sys.argv[1])):
    print("program", number)
    module = importlib.import_module(f"app.program{number}")
    try:
        print("result", asyncio.run(module.main(), debug=False))
    except BaseException as error:
        print("raises", type(error).__name__, error)
"""
MAKERS = (
    "asyncio.create_task",
    "create_task",
    "asyncio.ensure_future",
    "asyncio.get_running_loop().create_task",
    "loop.create_task",
)
ERRORS = ("None", "None", "None", "ValueError", "KeyError", "asyncio.CancelledError")


def statement(chance: random.Random, number: int, depth: int) -> list[str]:
    """One statement of a coroutine; those with MAKER drop a task."""
    name, ticks, error = f"'t{number}'", chance.randrange(4), chance.choice(ERRORS)
    call = f"works({name}, {ticks}, {error})"
    plain = [
        f"MAKER({call})",
        f"MAKER(works(MAKER.__name__ and {name}, say('argument')))",
        f"asyncio.create_task({call}, name={name})",
        f"t = MAKER({call})",
        f"_ = MAKER({call})",
        f"MAKER(nests({name}, {ticks}))",
        f"MAKER(coro) if (coro := {call}) else None",
        f"say('before'); MAKER({call}); say('after')",
        f"[MAKER(works(f'{{n}}{number}', n)) for n in range({ticks})]",
        f"loop.call_soon(lambda: MAKER({call}))",
        f"kept.append(asyncio.create_task({call}))",
        f"say(await asyncio.create_task(works({name}, {ticks})))",
        f"say(await asyncio.gather(*kept, {call}, return_exceptions=True))",
        "await asyncio.sleep(0)",
        "await asyncio.sleep(0); await asyncio.sleep(0)",
        "kept and kept[-1].cancel()",
        "say(len(asyncio.all_tasks()), 'tasks')",
        f"MAKER(\n    works(  # one\n        {name},\n        {ticks},\n    )\n)",
    ]
    kind = chance.randrange(len(plain) + 4)
    if kind < len(plain):
        return plain[kind].split("\n")
    inner = ["    " + line for line in block(chance, number * 10, depth + 1)] if depth < 2 else ["    pass"]
    if kind == len(plain):
        return [
            "try:",
            *inner,
            f"    await works({name}, 1, {error})",
            "except (ValueError, KeyError) as error:",
            "    say(repr(error))",
        ]
    if kind == len(plain) + 1:
        return ["try:", *inner, "finally:", f"    MAKER({call})"]
    if kind == len(plain) + 2:
        return [f"for n in range({ticks}):", *inner]
    return ["async with asyncio.TaskGroup() as group:", f"    group.create_task(works({name}, {ticks}))", *inner]


def block(chance: random.Random, number: int, depth: int) -> list[str]:
    return [line for n in range(chance.randint(1, 5)) for line in statement(chance, number + n, depth)]


def program(chance: random.Random) -> str:
    lines = ["async def main():", "    loop = asyncio.get_running_loop()", "    kept = []"]
    lines += ["    " + line for line in block(chance, 1, 0)]
    lines += [
        "    for _ in range(60):",
        "        await asyncio.sleep(0)",
        "    say('end of main')",
        "    return len(kept)",
    ]
    text = START + "\n".join(lines) + "\n"
    while "MAKER" in text:
        text = text.replace("MAKER.__name__", "'x'", 1) if "MAKER.__name__" in text else text
        text = text.replace(
            "MAKER", chance.choice(MAKERS if "loop = " in text.partition("MAKER")[0] else MAKERS[:4]), 1
        )
    return text


def output(root: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(PROGRAMS)], cwd=root, capture_output=True, text=True, timeout=300, check=True
    )
    return done.stdout.split("program ")


def test_programs_print_the_same(tmp_path: Path) -> None:
    chance = random.Random(int(os.environ.get("PERFMOD_SEED", "1")))
    before, after = tmp_path / "before", tmp_path / "after"
    (before / "app").mkdir(parents=True)
    (before / "app/__init__.py").touch()
    (before / "app/words.py").write_text(WORDS)
    for number in range(PROGRAMS):
        (before / f"app/program{number}.py").write_text(program(chance))
    shutil.copytree(before, after)
    report = run(Request("apply", after, (after,), Settings(select=("supervise-tasks",)), allow_dirty=True))
    assert sum(result.applied for result in report.results) > PROGRAMS
    for number, (old, new) in enumerate(zip(output(before), output(after), strict=True)):
        assert new == old, (before / f"app/program{number - 1}.py").read_text()
