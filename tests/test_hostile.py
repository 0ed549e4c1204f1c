"""Checkouts that mean harm: bounded time, nothing of them is run, nothing is written outside the root."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from perfmod.cli import exit_code_of
from perfmod.reading import MAXIMUM_SIZE

JOB = "import asyncio\nasync def work(*a): ...\nasync def main():\n    asyncio.create_task(work())\n"
START = "import asyncio\nasync def work(*a): ...\nasync def main():\n"
LOAD = "import('eruda').then((m) => m.default.init());\n"
PACKAGE = '{"scripts": {"build": "vite build"}, "dependencies": {"eruda": "^3"}, "devDependencies": {"vite": "^7"}}\n'
LOCK = "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      eruda:\n        specifier: ^3\n"
MANY = 10_000
SECONDS = 20.0  # of processor time; about 5 on an idle machine


def put(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def perfmod(*arguments: str | Path) -> int:
    return exit_code_of([str(argument) for argument in arguments])


def in_time(command: str, root: Path) -> int:
    """Runs in this process; the exit code."""
    begun = time.process_time()
    code = perfmod(command, "--isolated", "--output-format", "json", root)
    assert time.process_time() - begun < SECONDS
    assert code in (0, 1)
    return code


def nested(before: str, middle: str, after: str, count: int = MANY) -> str:
    return before * count + middle + after * count


BILLION = "a: &a [x]\n" + "".join(
    f"{chr(c)}: &{chr(c)} [{', '.join([f'*{chr(c - 1)}'] * 9)}]\n" for c in range(ord("b"), ord("z"))
)
PYTHON = {
    "calls": START + "    asyncio.create_task(" + nested("work(", "", ")") + ")\n",
    "tasks": START + "    " + nested("asyncio.create_task(", "work()", ")") + "\n",
    "chain": START + "    asyncio.create_task(work()" + ".a()" * MANY + ")\n",
    "parentheses": JOB + "x = " + nested("(", "1", ")") + "\n",
    "list": JOB + "x = " + nested("[", "asyncio.create_task(work())", "]") + "\n",
    "lambdas": START + "    x = " + "lambda: " * MANY + "asyncio.create_task(work())\n",
    "sum": START + "    asyncio.create_task(work(1" + " + 1" * MANY + "))\n",
    "blocks": START
    + "".join(" " * n + "if x:\n" for n in range(4, 1500))
    + " " * 1500
    + "asyncio.create_task(work())\n",
    "spaces": START + "    asyncio" + " " * 1_900_000 + ".create_task(work())\n",
    "words": JOB + "a " * 900_000 + "\n",
    "comments": JOB + "# perfmod: ignore\n" * 50_000,
    "continued": START + "    asyncio" + "\\\n" * 100_000 + ".create_task(work())\n",
    "codes": JOB + "# perfmod: ignore[" + "a," * 500_000 + "]\n",
    "noqa": START + "    asyncio.create_task(work())  # noqa: " + "RUF006 " * 200_000 + "\n",
    "open": JOB + "asyncio.create_task( " * 50_000,
    "attributes": "import asyncio\nclass A:\n"
    + "".join(f"    async def f{n}(self):\n        self.t = asyncio.create_task(self.f0())\n" for n in range(3000)),
    "names": START + "".join(f"    t{n} = asyncio.create_task(work())\n" for n in range(6000)),
    "one name": START + "    t = asyncio.create_task(work())\n" * 6000,
    "imports": START + "    asyncio.create_task(work())\n" + "from" + " " * 1_000_000 + "\n",
}
WEB = {
    "blocks": {"src/main.ts": nested("{", LOAD, "}")},
    "else if": {"src/main.ts": "if (x) {} else " * MANY + "{" + LOAD + "}"},
    "then": {"src/main.tsx": "import('eruda')" + ".then((m) => m)" * MANY},
    "jsx": {"src/main.tsx": LOAD + "const x = " + nested("<a>", "", "</a>") + ";\n"},
    "and": {"src/main.ts": nested("(x && ", "import('eruda')", ")", 3000)},
    "uses": {"src/main.ts": "import eruda from 'eruda';\n" + "eruda.init();\n" * 20_000},
    "imports": {"src/main.ts": LOAD * 20_000},
    "imports below the limit": {"src/main.ts": LOAD * 900},
    "early exits": {"src/main.ts": "function f() {\n" + ("if (a) return;\n" + LOAD) * 900 + "}\nf();\n"},
    "side effects": {"src/main.ts": "import 'eruda';\n" * 20_000 + "window.eruda.init();\n" * 20_000},
    "imports in a page": {"index.html": f"<script type=module>{LOAD * 30_000}</script>"},
    "scripts in a page": {"index.html": f"<script type=module>{LOAD}</script>\n" * 20_000},
    "import of comments": {"src/main.ts": LOAD + "/**/" * 200_000 + "'use clien'"},
    "configuration of comments": {"tsconfig.json": '{"compilerOptions": {"paths": {},' + "//" * 500_000},
    "slashes": {"src/main.ts": LOAD + "//" * 900_000},
    "open comments": {"src/main.ts": LOAD + "/*" * 900_000},
    "disabled": {"src/main.ts": LOAD + "/* eslint-disable */" * 50_000},
    "html": {"index.html": "<script src='https://cdn/eruda'></script>" + "<div>" * 100_000},
    "json lists": {"package.json": '{"dependencies": {"eruda": "1"}, "a": ' + nested("[", "", "]", 100_000) + "}"},
    "json objects": {
        "package.json": '{"dependencies": {"eruda": "1"}, "a": ' + nested('{"a":', "1", "}", 100_000) + "}"
    },
    "build": {"package.json": json.dumps({"scripts": {"build": "vite " * 300_000}, "dependencies": {"eruda": "1"}})},
    "workspaces": {
        "package.json": json.dumps({"workspaces": ["**/" * 50 + "x", "*" * 5000], "dependencies": {"eruda": "1"}})
    },
    "npm lists": {"package-lock.json": '{"lockfileVersion": 3, "packages": [{}]}'},
    "npm entries": {
        "package-lock.json": '{"lockfileVersion": 3, "packages": {"": {"dependencies": {"eruda": "^3"}}, "a": [],'
        ' "b": {"link": 1},'
        ' "node_modules/eruda": {"dependencies": ["a"], "peerDependenciesMeta": [1]}}}'
    },
    "npm depth": {
        "package-lock.json": '{"lockfileVersion": 3, "packages": ' + nested('{"a":', "1", "}", 100_000) + "}"
    },
    "a billion laughs": {
        "pnpm-lock.yaml": BILLION + LOCK,
        "pnpm-workspace.yaml": BILLION + "packages: [a]\n",
        ".github/workflows/ci.yml": BILLION + "env:\n  NODE_ENV: development\n",
    },
    "yaml lists": {
        "pnpm-lock.yaml": "a: " + nested("[", "", "]") + "\n",
        "pnpm-workspace.yaml": "packages: " + "[" * MANY,
    },
    "yaml dashes": {"pnpm-lock.yaml": "- " * MANY + "a\n"},
}


@pytest.mark.parametrize("text", PYTHON.values(), ids=PYTHON.keys())
def test_python_that_no_person_wrote(tmp_path: Path, text: str) -> None:
    put(tmp_path, {"app/main.py": text})
    in_time("check", tmp_path)


QUERIES = {
    "calls": nested("f(", "db.from('t').select('*')", ")"),
    "parentheses": "const a = " + nested("(", "db", ")") + ".from('t').select('*');\n",
    "chain": "db.from('t')" + ".eq('a', 1)" * MANY + ".select('*');\n",
    "queries": "db.from('t').select('*');\n" * 20_000,
    "queries below the limit": "const a = await db.from('t').select('*');\n" * 900,
    "sums": "const a = x" + " + x" * MANY + ";\ndb.from('t').select('*');\n",
    "open comments": "select(" + "//" * 200_000,
    "types": "interface T { a: " + nested("(", "string", ")") + " }\ndb.from('t').select('*').returns<T[]>();\n",
}


@pytest.mark.parametrize("text", QUERIES.values(), ids=QUERIES.keys())
def test_queries_that_no_person_wrote(tmp_path: Path, text: str) -> None:
    start = "import { createClient } from '@supabase/supabase-js';\nconst db = createClient('', '');\n"
    put(tmp_path, {"src/main.ts": start + text, "migrations/1.sql": "create table t (a int);\n"})
    in_time("diff", tmp_path)


READ = "import json\n\n\ndef load():\n    return json.loads(open('data.json').read())\n\n\n"
READS = {
    "calls": READ + "async def main():\n    return " + nested("f(", "load()", ")") + "\n",
    "awaits": READ + "async def main():\n    return " + nested("(await f(", "load()", "))") + "\n",
    "callers": READ + "".join(f"async def f{n}():\n    return load()\n" for n in range(5_000)),
    "reads": "async def main():\n" + "    open('data.json').read()\n" * 20_000,
    "and": READ + "async def main():\n    return " + "a and " * MANY + "load()\n",
    "conditions": "async def main():\n" + "    if a is None:\n        open('data.json').read()\n" * 900,
    "early exits": "async def main():\n" + "    if a is None:\n        return\n    open('data.json').read()\n" * 900,
}


@pytest.mark.parametrize("text", READS.values(), ids=READS.keys())
def test_reads_that_no_person_wrote(tmp_path: Path, text: str) -> None:
    put(tmp_path, {"app/__init__.py": "", "app/main.py": text, "app/data.json": "{}"})
    in_time("diff", tmp_path)


def test_a_file_that_a_rule_meets_late(tmp_path: Path) -> None:
    """The callers of a read are looked for in files that hold no trigger: one that is too deep is left out."""
    deep = "from app.main import load\nasync def f():\n    return " + nested("g(", "load()", ")", 300) + "\n"
    put(tmp_path, {"app/__init__.py": "", "app/main.py": READ, "app/other.py": deep, "app/data.json": "{}"})
    assert in_time("diff", tmp_path) in (0, 1)


@pytest.mark.parametrize("files", WEB.values(), ids=WEB.keys())
def test_a_web_package_that_no_person_wrote(tmp_path: Path, files: dict[str, str]) -> None:
    put(tmp_path, {"src/main.ts": LOAD, "package.json": PACKAGE, "pnpm-lock.yaml": LOCK, **files})
    in_time("diff", tmp_path)


def test_a_large_file(tmp_path: Path) -> None:
    put(tmp_path, {"main.py": JOB, "package.json": PACKAGE, "src/main.ts": LOAD})
    for name in ("large.py", "pnpm-lock.yaml"):
        with open(tmp_path / name, "wb") as file:
            file.truncate(50 * MAXIMUM_SIZE)
    assert in_time("diff", tmp_path) == 1


def test_many_empty_folders(tmp_path: Path) -> None:
    for number in range(5_000):
        (tmp_path / f"{number % 50}/{number}").mkdir(parents=True)
    deep = tmp_path.joinpath(*["d"] * 500)
    deep.mkdir(parents=True)
    assert in_time("check", tmp_path) == 0


# Links, pipes, names


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    put(tmp_path / "outside", {"main.py": JOB, "package.json": PACKAGE, "src/main.ts": LOAD})
    return tmp_path / "outside"


def everything(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_links_that_leave_the_root(tmp_path: Path, outside: Path) -> None:
    root = tmp_path / "root"
    put(root, {"main.py": JOB, "src/main.ts": LOAD})
    (root / "away").symlink_to(outside)
    (root / "main2.py").symlink_to(outside / "main.py")
    (root / "package.json").symlink_to(outside / "package.json")
    (root / "loop").symlink_to(root)
    (root / "self.py").symlink_to("self.py")
    (root / "dev.py").symlink_to("/dev/zero")
    os.mkfifo(root / "pipe.py")
    before = everything(outside)
    for command in ("check", "diff", "apply"):
        assert in_time(command, root) == 1
    assert everything(outside) == before


def test_a_linked_folder_of_git(tmp_path: Path, outside: Path) -> None:
    root = tmp_path / "root"
    put(root, {"main.py": JOB})
    (root / "app").symlink_to(outside)
    (root / "package.json").symlink_to(outside / "package.json")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)
    before = everything(outside)
    assert perfmod("apply", "--allow-dirty", root) == 1
    assert perfmod("apply", "--allow-dirty", root / "app") in (1, 2)
    assert everything(outside) == before


NAMES = (
    b"a\nb.py",
    b"quote\"'.py",
    b"\xff\xfe.py",
    b"\x1b[31m.py",
    b"back\\slash.py",
    b" lead.py",
    b"-rf.py",
    b"$(x)`.py",
)


@pytest.mark.parametrize("form", ["text", "concise", "json", "patch", "sarif", "html", "junit", "github", "markdown"])
def test_odd_names(tmp_path: Path, form: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    for name in NAMES:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text(JOB)
    assert perfmod("diff", "--isolated", "--output-format", form, tmp_path) == 1
    out, err = capfdbinary.readouterr()
    assert b"\x1b" not in out + err
    if form in ("json", "sarif"):
        json.loads(out)
    if form == "concise":
        assert out.count(b"\n") == len(NAMES)


# Nothing of the target runs

CONFIG = """
[core]
    fsmonitor = {run}
    hooksPath = {root}/hooks
    pager = {run}
    editor = {run}
    sshCommand = {run}
[diff]
    external = {run}
[diff "evil"]
    textconv = {run}
    command = {run}
[filter "evil"]
    clean = {run}
    smudge = {run}
    process = {run}
    required = true
[filter "e=vil"]
    clean = {run}
[include]
    path = {root}/more.config
[alias]
    status = !{run}
    ls-files = !{run}
"""


def test_git_configuration_runs_nothing(tmp_path: Path) -> None:
    root, ran = tmp_path / "root", tmp_path / "ran"
    put(root, {"app/__init__.py": "", "app/main.py": JOB, "app/other.py": JOB})
    run = tmp_path / "run"
    run.write_text(f"#!/bin/sh\necho \"$0 $*\" >> '{ran}'\ncat\n")
    run.chmod(0o755)
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "-m", "all"]):
        subprocess.run(["git", *arguments], cwd=root, check=True)
    put(root, {".gitattributes": "*.py filter=evil diff=evil\nother.py filter=e=vil\n", "hooks/x": ""})
    for hook in ("post-index-change", "pre-commit", "post-commit"):
        (root / "hooks" / hook).symlink_to(run)
    put(root, {"more.config": f'[filter "more"]\n  clean = {run}\n'})
    with open(root / ".git/config", "a") as file:
        file.write(CONFIG.format(run=run, root=root))
    put(root, {"app/main.py": JOB + "\n"})
    for arguments in (["check"], ["check", "--since", "HEAD"], ["check", "--staged"], ["diff"], ["apply"]):
        perfmod(*arguments, root)
    perfmod("apply", "--allow-dirty", root)
    assert not ran.exists(), ran.read_text()
    assert "create_background_task" in (root / "app/main.py").read_text()


def test_a_git_file_that_points_elsewhere(tmp_path: Path, outside: Path) -> None:
    root = tmp_path / "root"
    put(root, {"app/__init__.py": "", "app/main.py": JOB, ".git": f"gitdir: {outside}\n"})
    before = everything(outside)
    assert perfmod("check", root) == 1
    assert perfmod("apply", root) == 2
    assert everything(outside) == before


def test_nothing_of_the_target_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = tmp_path / "ran"
    evil = f"open({str(ran)!r}, 'a').write(__file__)\n"
    root = tmp_path / "root"
    names = (
        "click",
        "rich",
        "libcst",
        "tree_sitter",
        "sitecustomize",
        "setup",
        "conftest",
        "json",
        "asyncio",
        "perfmod",
    )
    put(root, {f"{name}.py": evil + JOB for name in names} | {"app/__init__.py": evil, "app/main.py": JOB})
    for command in ("check", "diff", "apply"):
        script = "import sys; from perfmod.cli import main; main(sys.argv[1:])"
        arguments = [sys.executable, "-P", "-c", script, command, "."]
        subprocess.run(arguments, cwd=root, capture_output=True, check=False)
    assert not ran.exists()


@pytest.mark.parametrize(
    "text",
    [
        'extend = "perfmod.toml"',
        'extend = "/dev/zero"',
        'extend = "../outside/main.py"',
        'extend = "."',
        "select = " + "[" * 5000,
        "a." * 2_000 + "b = 1",
        '[rules.supervise-tasks]\nhelper-module = "../outside"',
        '[rules.supervise-tasks]\nhelper-module = "os; import evil"',
        'baseline = "../outside/main.py"',
        'exclude = ["' + "**/" * 3000 + '"]',
        'exclude = ["' + "*a" * 3000 + '"]',
        "rules = 1",
        '[rules]\n"../../os" = {}',
    ],
)
def test_odd_settings(tmp_path: Path, outside: Path, text: str) -> None:
    root = tmp_path / "root"
    put(root, {"app/__init__.py": "", "app/main.py": JOB, "perfmod.toml": text + "\n"})
    before = everything(outside)
    begun = time.process_time()
    assert perfmod("apply", root) in (0, 1, 2)
    assert time.process_time() - begun < SECONDS
    assert everything(outside) == before
    assert not [path for path in tmp_path.iterdir() if path.name not in ("root", "outside")]
