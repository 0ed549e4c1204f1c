"""Programs that supervise-tasks has rewritten, run for real: what changes, and what stays."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest
from fixture_cases import FIXTURES

from perfmod.config import load_settings
from perfmod.pipeline import Request, run

START = """
import asyncio, gc, logging, threading
from app.work import works

logging.basicConfig(level=logging.DEBUG, format="%(levelname)s %(name)s: %(message)s")
logging.getLogger("asyncio").setLevel(logging.ERROR)
"""
WORK = """
async def works(name):
    print(name, "works")
"""
PROGRAMS = {
    "collected": """
async def waits():
    await asyncio.get_running_loop().create_future()

async def main():
    asyncio.create_task(waits())
    await asyncio.sleep(0)
    gc.collect()
    print(len(asyncio.all_tasks()) - 1, "left")
""",
    "failing": """
async def fails():
    raise ValueError("out of paper")

async def main():
    asyncio.create_task(fails())
    await asyncio.sleep(0.01)
    gc.collect()
""",
    "falsy": """
class Empty(Exception):
    def __len__(self):
        return 0

async def fails():
    raise Empty("nothing there")

async def main():
    asyncio.create_task(fails())
    await asyncio.sleep(0.01)
""",
    "exiting": """
async def exits():
    raise SystemExit(3)

async def main():
    asyncio.create_task(exits())
    await asyncio.sleep(5)
    print("still there")
""",
    "cancelled": """
async def sleeps():
    await asyncio.sleep(5)

async def main():
    asyncio.create_task(sleeps())
    await asyncio.sleep(0)
""",
    "legacy_factory": """
async def main():
    asyncio.get_running_loop().set_task_factory(lambda loop, coro: asyncio.Task(coro, loop=loop))
    asyncio.create_task(works("legacy"))
    await asyncio.sleep(0.01)
""",
    "eager_factory": """
async def fails():
    raise ValueError("at once")

async def main():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    asyncio.create_task(works("eager"))
    print("after")
    asyncio.create_task(fails())
    await asyncio.sleep(0.01)
""",
    "two_loops": """
async def sleeps(name, seconds):
    await asyncio.sleep(seconds)
    print(name, "works")

async def one_loop(name, seconds):
    from app.background_tasks import drain_background_tasks

    asyncio.get_running_loop().create_task(sleeps(name, seconds))
    await asyncio.sleep(0.05)
    await drain_background_tasks()
    print(name, "drained")
    await asyncio.sleep(0.3)

async def main():
    threads = [threading.Thread(target=asyncio.run, args=(one_loop(*it),)) for it in (("A", 0.01), ("B", 0.2))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
""",
    "order": """
class Owner:
    loop: asyncio.AbstractEventLoop

    async def start(self):
        self.loop = asyncio.get_running_loop()
        task = asyncio.create_task(works("kept"), name="mine")
        self.loop.create_task(works("on the loop"))
        self.loop.call_soon_threadsafe(lambda n="callback": asyncio.create_task(works(n)))
        [asyncio.ensure_future(works(n)) for n in "ab"]
        await asyncio.sleep(0.01)

async def main():
    await Owner().start()
""",
}


@dataclass(frozen=True)
class Checkouts:
    """The same programs before and after `apply`."""

    before: Path
    after: Path


@pytest.fixture(scope="module")
def checkouts(tmp_path_factory: pytest.TempPathFactory) -> Checkouts:
    before = tmp_path_factory.mktemp("programs") / "before"
    (before / "app").mkdir(parents=True)
    (before / "perfmod.toml").write_text("[rules.supervise-tasks]\ndrain = true\n")
    (before / "app" / "__init__.py").write_text("")
    (before / "app" / "work.py").write_text(WORK)
    for name, code in PROGRAMS.items():
        (before / "app" / f"{name}.py").write_text(START + code)
    after = before.with_name("after")
    shutil.copytree(before, after)
    apply(after)
    return Checkouts(before, after)


def apply(root: Path) -> None:
    config = root / "perfmod.toml"
    settings = replace(load_settings(config if config.exists() else None), select=("supervise-tasks",))
    report = run(Request("apply", root, (root,), settings, allow_dirty=True))
    assert report.changes
    assert all(result.applied for result in report.results if result.finding.safety == "safe")


def python(root: Path, *arguments: str, program: str = sys.executable) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [program, *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=60, check=False)


def main_of(root: Path, name: str, program: str = sys.executable) -> subprocess.CompletedProcess[str]:
    return python(root, "-c", f"import asyncio, app.{name}; asyncio.run(app.{name}.main())", program=program)


def test_a_task_that_the_collector_would_take_survives(checkouts: Checkouts) -> None:
    before = main_of(checkouts.before, "collected")
    assert before.stdout == "0 left\n"
    assert "Task was destroyed but it is pending!" in before.stderr
    after = main_of(checkouts.after, "collected")
    assert after.stdout == "1 left\n"
    assert "destroyed" not in after.stderr


def test_a_failure_is_logged_once_with_its_traceback(checkouts: Checkouts) -> None:
    after = main_of(checkouts.after, "failing")
    assert after.stderr.count("ERROR app.background_tasks: Background task 'fails' failed\nTraceback") == 1
    assert after.stderr.count("ValueError: out of paper") == 1
    assert "never retrieved" not in after.stderr


def test_a_falsy_exception_is_logged(checkouts: Checkouts) -> None:
    assert "nothing there" in main_of(checkouts.after, "falsy").stderr


def test_system_exit_still_exits_and_is_not_logged(checkouts: Checkouts) -> None:
    assert main_of(checkouts.before, "exiting").returncode == 3
    after = main_of(checkouts.after, "exiting")
    assert (after.returncode, after.stdout) == (3, "")
    assert "ERROR" not in after.stderr


def test_a_cancelled_task_is_a_debug_line(checkouts: Checkouts) -> None:
    after = main_of(checkouts.after, "cancelled")
    assert after.stderr == "DEBUG app.background_tasks: Background task 'sleeps' was cancelled\n"


def test_a_task_factory_without_keywords_works(checkouts: Checkouts) -> None:
    after = main_of(checkouts.after, "legacy_factory")
    assert (after.stdout, after.stderr) == ("legacy works\n", "")


def test_two_loops_drain_only_their_own_tasks(checkouts: Checkouts) -> None:
    assert main_of(checkouts.after, "two_loops").stdout.split("\n")[:4] == [
        "A works",
        "A drained",
        "B works",
        "B drained",
    ]


def test_the_order_of_the_tasks_stays(checkouts: Checkouts) -> None:
    before, after = main_of(checkouts.before, "order"), main_of(checkouts.after, "order")
    assert before.stdout.splitlines() == [f"{n} works" for n in ("kept", "on the loop", "a", "b", "callback")]
    assert after.stdout == before.stdout
    assert "asyncio.create_task" not in (checkouts.after / "app" / "order.py").read_text()


def test_the_eager_task_factory_works(checkouts: Checkouts) -> None:
    program = newer_python()
    if program is None:
        pytest.skip("no Python 3.12 here")
    after = main_of(checkouts.after, "eager_factory", program=program)
    assert after.stdout == "eager works\nafter\n"
    assert after.stderr.count("ValueError: at once") == 1


@cache
def newer_python() -> str | None:
    """A Python that has asyncio.eager_task_factory: this one, one of the PATH, or one of pyenv's."""
    return next((program for program in pythons() if has_eager_tasks(program)), None)


def pythons() -> Iterator[str]:
    yield sys.executable
    yield from filter(None, (shutil.which(f"python3.{minor}") for minor in range(14, 11, -1)))
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    yield from map(str, sorted(versions.glob("3.*/bin/python"), reverse=True))


def has_eager_tasks(program: str) -> bool:
    test = "import asyncio; asyncio.eager_task_factory"
    return subprocess.run([program, "-c", test], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not (FIXTURES / "dealdesk").is_dir(), reason="no dealdesk fixture")
def test_dealdesk_runs_as_before(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    for root in (before, after):
        shutil.copytree(FIXTURES / "dealdesk" / "before", root)
    apply(after)
    results = [python(root, "-m", "bot.main", "--once") for root in (before, after)]
    assert [result.returncode for result in results] == [0, 0], results[1].stderr
    assert results[1].stdout == results[0].stdout
