"""Checkouts of any size, in which every rule has as many sites as is asked for: in one file, or in one file each."""

from __future__ import annotations

from collections.abc import Callable

Files = dict[str, str]

PACKAGE = """{
  "name": "app",
  "scripts": { "build": "vite build" },
  "dependencies": { "eruda": "^3.4.3" },
  "devDependencies": { "vite": "^7.0.0" }
}
"""
WEB = {"package.json": PACKAGE, "src/vite-env.d.ts": '/// <reference types="vite/client" />\n'}
SCHEMA = {
    "migrations/001_t.sql": "create table t (id int, name text, size int);\n",
    "src/client.ts": "import { createClient } from '@supabase/supabase-js';\n"
    "export const supabase = createClient('u', 'k');\n",
}


def tasks(number: int) -> str:
    return f"\n\nasync def start_{number}():\n    asyncio.create_task(work({number}))\n"


def client(number: int) -> str:
    return (
        f"\n\nclass Client{number}:\n    def __init__(self) -> None:\n        self._client = httpx.AsyncClient()\n\n"
        f"    async def load(self):\n        return (await self._client.get('https://a.b/{number}')).json()\n"
    )


def request(number: int) -> str:
    return f"\n    async def load_{number}(self):\n        return (await self._client.get('https://a.b/{number}')).json()\n"


def read(number: int) -> str:
    return (
        f"\n\ndef load_{number}() -> str:\n    return Path(__file__).with_name('text{number}.txt').read_text()\n"
        f"\n\nasync def handle_{number}():\n    return load_{number}()\n"
    )


def query(number: int) -> str:
    return f"export const load{number} = () => supabase.from('t').select('*').eq('id', {number});\n"


def python_query(number: int) -> str:
    return f"\n\ndef load_{number}():\n    return client.table('t').select('*').eq('id', {number}).execute()\n"


def one_file(path: str, head: str, site: Callable[[int], str], others: Files | None = None) -> Callable[[int], Files]:
    return lambda count: {**(others or {}), path: head + "".join(map(site, range(count)))}


def many_files(path: str, head: str, site: Callable[[int], str], others: Files | None = None) -> Callable[[int], Files]:
    """`path` has a hole for the number."""
    return lambda count: {**(others or {}), **{path.format(n): head + site(n) for n in range(count)}}


HTTPX = "import httpx\n"
ASYNCIO = "import asyncio\nfrom asyncio import create_task\n\nfrom app.work import work\n"
PATHS = "from pathlib import Path\n"
SUPABASE = "import { supabase } from './client';\n\n"
PYTHON_SUPABASE = "from supabase import create_client\n\nclient = create_client('u', 'k')\n"
APP = {"app/__init__.py": "", "app/work.py": "async def work(n): ...\n"}


def packages(count: int) -> Files:
    one = {**WEB, "src/a.ts": "import('eruda');\n"}
    return {f"p{number}/{path}": text for number in range(count) for path, text in one.items()}


def named_task(number: int) -> str:
    return f"\n\nasync def start_{number}():\n    task = asyncio.create_task(work({number}))\n"


def session(number: int) -> str:
    return (
        f"\n\nasync def load_{number}():\n    async with aiohttp.ClientSession() as session:\n"
        f"        async with session.get('https://a.b/{number}') as response:\n"
        "            return await response.json()\n"
    )


def builder(number: int) -> str:
    return (
        f"export async function load{number}() {{\n  let query = supabase.from('t').select('*');\n"
        f"  query = query.eq('id', {number});\n  const {{ data }} = await query;\n  return data;\n}}\n"
    )


def remark(number: int) -> str:
    return f"x = {number}  # perfmod: ignore[supervise-tasks] because of {number}\n"


def page(count: int) -> Files:
    scripts = (f"<script>eruda.init({number});</script>\n" for number in range(4 * count))
    address = "<script src='https://cdn.jsdelivr.net/npm/eruda'></script>\n"
    return {**WEB, "index.html": f"<html><body>\n{address}{''.join(scripts)}</body></html>\n"}


def workspace(count: int) -> Files:
    members = (
        f',"p{number}":{{"name":"p{number}","dependencies":{{"eruda":"^3.4.3"}},"devDependencies":{{"vite":"^7.0.0"}}}}'
        for number in range(count)
    )
    lock = (
        f'{{"name":"top","lockfileVersion":3,"packages":{{"":{{"name":"top","workspaces":["p*"]}}{"".join(members)}}}}}'
    )
    top = '{"name":"top","private":true,"workspaces":["p*"]}\n'
    return {**packages(count), "package.json": top, "package-lock.json": lock}


#: rule, and the checkout for so many sites
GROWING: dict[str, tuple[str, Callable[[int], Files]]] = {
    "tasks in a file": ("supervise-tasks", one_file("app/main.py", ASYNCIO, tasks, APP)),
    "tasks in a function": (
        "supervise-tasks",
        one_file("app/main.py", f"{ASYNCIO}\n\nasync def start():\n", "    create_task(work({}))\n".format, APP),
    ),
    "tasks in files": ("supervise-tasks", many_files("app/m{}.py", ASYNCIO, tasks, APP)),
    "clients in a file": ("retry-requests", one_file("app/main.py", HTTPX, client, APP)),
    "requests in a class": ("retry-requests", one_file("app/main.py", HTTPX + client(0), request, APP)),
    "clients in files": ("retry-requests", many_files("app/m{}.py", HTTPX, client, APP)),
    "queries in a file": ("select-columns", one_file("src/a.ts", SUPABASE, query, SCHEMA)),
    "queries in files": ("select-columns", many_files("src/a{}.ts", SUPABASE, query, SCHEMA)),
    "queries in a module": ("select-columns", one_file("app/a.py", PYTHON_SUPABASE, python_query, SCHEMA)),
    "queries in modules": ("select-columns", many_files("app/a{}.py", PYTHON_SUPABASE, python_query, SCHEMA)),
    "tables in files": (
        "select-columns",
        many_files(
            "migrations/{}_t.sql", "", "create table t{0} (id int, a{0} text);\n".format,
            {**SCHEMA, "src/a.ts": SUPABASE + query(1)},
        ),
    ),
    "consoles in a file": ("gate-dev-tools", one_file("src/a.ts", "", "import('eruda'); // {}\n".format, WEB)),
    "consoles in files": (
        "gate-dev-tools",
        many_files("src/a{}.ts", "", "import('eruda').then((m) => m.default.init()); // {}\n".format, WEB),
    ),
    "static consoles in files": (
        "gate-dev-tools",
        many_files("src/a{}.ts", "import eruda from 'eruda';\n", "eruda.init(); // {}\n".format, WEB),
    ),
    "bare consoles in files": ("gate-dev-tools", many_files("src/a{}.ts", "", "import 'eruda'; // {}\n".format, WEB)),
    "consoles in packages": ("gate-dev-tools", packages),
    "reads in a file": ("load-once", one_file("app/main.py", PATHS, read, APP)),
    "reads in files": ("load-once", many_files("app/m{}.py", PATHS, read, APP)),
    "reads of one helper": (
        "load-once",
        one_file(
            "app/main.py", PATHS + read(0), "\n\nasync def use_{}():\n    return load_0()\n".format, APP
        ),
    ),
    "tasks of one name": ("supervise-tasks", one_file("app/main.py", ASYNCIO, named_task, APP)),
    "remarks": ("supervise-tasks", one_file("app/main.py", ASYNCIO + tasks(0), remark, APP)),
    "sessions in a file": ("retry-requests", one_file("app/main.py", "import aiohttp\n", session, APP)),
    "builders of one name": ("select-columns", one_file("src/a.ts", SUPABASE, builder, SCHEMA)),
    "scripts in a page": ("gate-dev-tools", page),
    "consoles in a workspace": ("gate-dev-tools", workspace),
    "readers of one helper, beyond the bound": (
        "load-once",
        one_file(
            "app/main.py", PATHS + read(0),
            "\n\ndef ask_{0}():\n    return load_0()\n\n\nasync def use_{0}():\n    return ask_{0}()\n".format, APP,
        ),
    ),
}  # fmt: skip
