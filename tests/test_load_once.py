"""load-once: what a rewritten program really opens, what is said of start-up, and what is never parsed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from fixture_cases import FIXTURES

from perfmod.config import Settings
from perfmod.model import Note
from perfmod.pipeline import Report, Request, run
from perfmod.source.tree import Source

# Counts how often a program opens files whose name ends with the first argument, then says so.
COUNTING = """
import runpy, sys
count = 0
def hook(event, arguments):
    global count
    if event == "open" and str(arguments[0]).endswith(sys.argv[1]) and arguments[1] in ("r", "rb", None):
        count += 1
sys.addaudithook(hook)
sys.path.insert(0, ".")
runpy.run_path(sys.argv[2], run_name="__main__")
print("OPENED", count)
"""


def perfmod(root: Path, command: Any = "check", *, unsafe: bool = False) -> Report:
    settings = Settings(select=("load-once",), unsafe_fixes=unsafe)
    return run(Request(command, root, (root,), settings, allow_dirty=True))


def checkout(root: Path, files: dict[str, str]) -> Path:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(dedent(content))
    return root


def opened(root: Path, name: str, program: str) -> tuple[int, str]:
    """How often a program opens a file, and what it prints."""
    made = subprocess.run(
        [sys.executable, "-B", "-c", COUNTING, name, program], cwd=root, capture_output=True, text=True, check=True
    )
    said, _, count = made.stdout.rpartition("OPENED ")
    return int(count), said


def messages(report: Report) -> list[str]:
    return [result.finding.message for result in report.results]


PROGRAM = {
    "shop/__init__.py": "",
    "shop/prompt.md": "Be kind.",
    "shop/steps.json": '[{"name": "ask", "after": []}, {"name": "answer", "after": ["ask"]}]',
    "shop/texts.py": """
        from __future__ import annotations

        import json
        from dataclasses import dataclass
        from pathlib import Path

        HERE = Path(__file__).parent


        @dataclass(frozen=True)
        class Step:
            name: str
            after: tuple[str, ...]


        def load_steps() -> tuple[Step, ...]:
            with open(HERE / "steps.json") as file:
                return tuple(Step(s["name"], tuple(s["after"])) for s in json.load(file))


        def load_text(name: str) -> str:
            return (HERE / f"{name}.md").read_text()
        """,
    "main.py": """
        import asyncio

        from shop.texts import load_steps, load_text


        async def handle(number):
            names = [step.name for step in load_steps()]
            return f"{number} {load_text('prompt')} {names}"


        async def go():
            for number in range(5):
                print(await handle(number))


        asyncio.run(go())
        """,
}


@pytest.mark.parametrize("name", ["prompt.md", "steps.json"])
def test_a_file_is_opened_once_after_the_fix(tmp_path: Path, name: str) -> None:
    root = checkout(tmp_path, PROGRAM)
    before, said = opened(root, name, "main.py")
    report = perfmod(root, "apply", unsafe=True)
    assert len(report.results) == 2 and all(result.applied for result in report.results)
    after, says = opened(root, name, "main.py")
    assert (before, after) == (5, 1)
    assert says == said


def test_the_cases_of_basic_are_opened_once_each(tmp_path: Path) -> None:
    root = checkout(
        tmp_path,
        {
            f.relative_to(FIXTURES / "load-once/basic/before").as_posix(): f.read_text()
            for f in (FIXTURES / "load-once/basic/before").rglob("*.*")
        }
        | {
            "main.py": """
            import asyncio
            from shop.answers import answer, thank

            class Model:
                async def complete(self, prompt, text):
                    return prompt + text

            async def go():
                for _ in range(3):
                    print(await answer(Model(), "?"), await thank(Model()))

            asyncio.run(go())
            """
        },
    )
    before, said = opened(root, ".md", "main.py")
    perfmod(root, "apply", unsafe=True)
    assert (before, *opened(root, ".md", "main.py")) == (6, 2, said)


def test_without_unsafe_fixes_nothing_is_changed(tmp_path: Path) -> None:
    root = checkout(tmp_path, PROGRAM)
    report = perfmod(root, "apply")
    assert not report.changes
    assert {str(result.finding.safety) for result in report.results} == {"unsafe"}


def notes_of(case: str) -> list[Note]:
    return list(perfmod(FIXTURES / case).notes)


def test_a_service_that_is_loaded_once_gets_a_note() -> None:
    found = [note.message for note in notes_of("load-once/start/before")]
    way = "module level of app/main.py: <module app/main.py> -> Catalogue.__init__ -> open(catalogue.json)"
    assert any(message.endswith(way) for message in found)
    (playbook,) = [m for m in found if "app/playbook.md" in m]
    assert playbook == (
        "No re-read found: in the analysed files no call to a known blocking read, whose path resolves to "
        "app/playbook.md, can be reached through resolved calls from an async function or a registered handler; "
        "the only path starts at go(): go -> Knowledge.load -> read_text(playbook.md)"
    )
    assert len(found) == 6


def test_dealdesk_knows_its_playbook_and_reads_the_rest_again() -> None:
    report = perfmod(FIXTURES / "dealdesk/before")
    said = [(r.finding.span.path, str(r.finding.safety), r.finding.message.partition(":")[0]) for r in report.results]
    assert said == [
        ("bot/handlers/support.py", "unsafe",
         "handle_lead -> PipelineRunner.step_titles -> load_pipeline -> open(lead.json)"),
        ("bot/handlers/support.py", "unsafe", "handle_support -> load_support_prompt -> read_text(support.md)"),
        ("bot/pipeline/runner.py", "unsafe", "PipelineRunner.run -> load_pipeline -> open(lead.json)"),
    ]  # fmt: skip
    assert [note.message.rpartition("main(): ")[2] for note in report.notes] == [
        "main -> KnowledgeService.load -> read_text(playbook.md)",
        "main -> KnowledgeService.load -> read_text(objections.md)",
    ]


def test_nothing_is_called_verified() -> None:
    for folder in (*FIXTURES.glob("load-once/*/before"), FIXTURES / "dealdesk/before"):
        report = perfmod(folder)
        said = json.dumps(
            [*messages(report), *(str(r.finding.reason) for r in report.results), *map(str, report.notes)]
        )
        assert "verified" not in said.lower()


def test_a_tree_without_reads_is_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    tree = Source.tree.func  # type: ignore[attr-defined]
    monkeypatch.setattr(Source, "tree", property(lambda source: parsed.append(source.path) or tree(source)))
    files = {f"app/m{number}.py": "import os\n\n\nasync def go():\n    os.open('x', 0)\n" for number in range(9)}
    files["app/reader.py"] = "def read(path):\n    return open(path).read()\n"
    perfmod(checkout(tmp_path, files))
    assert set(parsed) <= {"app/reader.py"}


def test_the_chain_is_not_followed_beyond_the_depth(tmp_path: Path) -> None:
    links = "".join(f"def f{n}():\n    return f{n + 1}()\n\n\n" for n in range(12))
    code = links + "def f12():\n    return open('deep.txt').read()\n\n\n"
    code += "async def near():\n    f8()\n\n\nasync def far():\n    f0()\n"
    report = perfmod(checkout(tmp_path, {"app.py": code}))
    assert [m.partition(" ->")[0] for m in messages(report)] == ["near"]


def test_recursion_ends(tmp_path: Path) -> None:
    code = """
        def even(n):
            open("even.txt").read()
            return n == 0 or odd(n - 1)


        def odd(n):
            return even(n - 1)


        async def go():
            odd(3)
            await go()
        """
    assert len(messages(perfmod(checkout(tmp_path, {"app.py": code})))) == 1


def test_cached_functions_are_found_by_nobody_again(tmp_path: Path) -> None:
    root = checkout(tmp_path, PROGRAM)
    perfmod(root, "apply", unsafe=True)
    report = perfmod(root)
    assert not report.results


def test_a_comment_of_ruff_counts_as_reviewed(tmp_path: Path) -> None:
    report = perfmod(checkout(tmp_path, {"app.py": "async def go():\n    open('a.txt').read()  # noqa: ASYNC230\n"}))
    assert [result.suppressed for result in report.results] == ["comment"]


def test_what_ruff_sees_is_found_too(tmp_path: Path) -> None:
    code = """
        import json
        from pathlib import Path

        HERE = Path(__file__).parent


        async def one():
            with open(HERE / "a.json") as file:
                return json.load(file)


        async def two():
            return (HERE / "b.txt").open().read()


        async def three():
            def inner():
                return 1

            return inner(), open("c.txt", "rb").read(), open(file="d.txt").read()


        async def varies(name):
            return open(name).read()


        async def writes():
            open("e.txt", "w").write("")
        """
    root = checkout(tmp_path, {"app.py": code})
    ruff = [Path(sys.executable).parent / "ruff", "check", "--isolated", "--no-cache", "--select=ASYNC230"]
    said = subprocess.run([*ruff, "--output-format=json", "."], cwd=root, capture_output=True, text=True, check=False)
    seen = {hit["location"]["row"] for hit in json.loads(said.stdout)}
    text = Path(root, "app.py").read_bytes()
    found = {text.count(b"\n", 0, result.finding.span.start) + 1 for result in perfmod(root).results}
    lines = dedent(code).splitlines()
    not_found = {line for number, line in enumerate(lines, 1) if number in seen - found}
    assert len(seen) >= 4 and not_found == {"    return open(name).read()", '    open("e.txt", "w").write("")'}


READS = "def load():\n    return open('a.txt').read()\n\n\n"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("def show():\n    return load()\n\n\napp.add_url_rule('/', view_func=show)\n", ["show"]),
        ("from celery import shared_task\n\n\n@shared_task\ndef work():\n    load()\n", ["work"]),
        ("from aiogram import Router\nrouter = Router()\n\n\n@router.message()\ndef said(m):\n    load()\n", ["said"]),
        ("from discord.ext import commands\n\n\n@commands.command()\nasync def ping(context):\n    load()\n", ["ping"]),
        ("import fastapi\nroutes = fastapi.APIRouter()\n\n\n@routes.get('/')\ndef page():\n    load()\n", ["page"]),
        ("from flask import Flask\nweb = Flask(__name__)\n\n\n@web.route('/')\ndef page():\n    load()\n", ["page"]),
        ("import telebot\nbot = telebot.TeleBot('')\n\n\n@bot.message_handler()\ndef said(m):\n    load()\n", ["said"]),
        ("from celery import Celery\nq = Celery()\n\n\n@q.task(bind=True)\ndef work(self):\n    load()\n", ["work"]),
        ("def page():\n    load()\n\n\nrouter.add_api_route('/', page)\n", ["page"]),
        ("def tick():\n    load()\n\n\nscheduler.add_job(tick, 'interval')\n", ["tick"]),
        ("from flask import Flask\nweb = Flask(__name__)\n\n\n@web.template_filter()\ndef bold(t):\n    load()\n", []),
        ("async def go():\n    return [*load()]\n", ["go"]),
        ("application.add_handler(CommandHandler('go', go))\n\n\ndef go(u, c):\n    load()\n", ["go"]),
        ("class Bot:\n    async def setup_hook(self):\n        load()\n", []),
        ("async def warm():\n    load()\n\n\napp = Starlette(on_startup=[warm])\n", []),
        ("async def warm():\n    load()\n\n\ndispatcher.startup.register(warm)\n", []),
        ("async def main():\n    for item in items:\n        load()\n", ["main"]),
        ("import asyncio\n\n\nasync def main():\n    while True:\n"
         "        await asyncio.sleep(9)\n        load()\n", []),
        ("import click\n\n\n@click.command()\ndef cli():\n    load()\n", []),
        ("def helper():\n    load()\n", []),
        ("async def go():\n    call = lambda: load()\n    return call\n", []),
        ("import asyncio\n\n\nasync def step():\n    load()\n\n\nasync def go():\n    await step()\n\n\n"
         "asyncio.run(go())\n", []),
        ("import asyncio\n\n\nasync def step():\n    load()\n\n\nasync def go():\n    while True:\n"
         "        await step()\n\n\n"
         "asyncio.run(go())\n", ["step"]),
    ],
)  # fmt: skip
def test_who_reads_again(tmp_path: Path, code: str, found: list[str]) -> None:
    report = perfmod(checkout(tmp_path, {"app.py": READS + code}))
    assert [message.partition(" ->")[0] for message in messages(report)] == found


def test_reads_of_tests_are_left_out(tmp_path: Path) -> None:
    code = "async def go():\n    open('a.txt').read()\n"
    report = perfmod(checkout(tmp_path, {"app.py": code, "tests/helper.py": code, "test_app.py": code}))
    assert [result.finding.span.path for result in report.results] == ["app.py"]


def test_the_note_stands_in_the_json_and_in_the_verbose_report() -> None:
    command = [sys.executable, "-m", "perfmod", "check", "--isolated", "--select", "load-once"]
    folder = str(FIXTURES / "load-once/start/before")
    way = "go -> Knowledge.load -> read_text(playbook.md)"
    said = subprocess.run([*command, "--verbose", folder], capture_output=True, text=True, check=False).stdout
    assert way in " ".join(said.split())
    made = subprocess.run([*command, "--output-format=json", folder], capture_output=True, text=True, check=False)
    notes = json.loads(made.stdout)["notes"]
    assert [note["message"].endswith(way) for note in notes].count(True) == 1


@pytest.mark.parametrize("functions", [399, 420])
def test_more_functions_than_are_looked_at(tmp_path: Path, functions: int) -> None:
    """The nearest are found, and a word is said of the rest."""
    asking = "def ask{0}() -> str:\n    return load()\n\n\nasync def handle{0}() -> str:\n    return ask{0}()\n\n\n"
    load = "def load() -> str:\n    return Path(__file__).with_name('a.txt').read_text()\n\n\n"
    main = "from pathlib import Path\n\n\n" + load + "".join(map(asking.format, range(functions)))
    checkout(tmp_path, {"app/__init__.py": "", "app/a.txt": "a", "app/main.py": main})
    report = perfmod(tmp_path)
    assert len(report.results) == 399
    rest = f"too many functions have this read done: who calls {functions - 399} of them was not looked at"
    assert [note.message for note in report.notes] == ([rest] if functions > 399 else [])
