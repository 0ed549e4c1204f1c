"""Programs made at random around the cases of supervise-tasks and gate-dev-tools, for the fuzz tests."""

from __future__ import annotations

import sys

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

PRELUDES = (
    "import asyncio\n",
    "import asyncio as aio\nimport asyncio\n",
    "from asyncio import create_task, ensure_future\nimport asyncio\n",
    '"""What it does."""\nfrom __future__ import annotations\nimport asyncio\n',
    "#!/usr/bin/env python\n# a comment\nimport asyncio, sys\n",
    "try:\n    import uvloop\nexcept ImportError:\n    uvloop = None\nimport asyncio\n",
    "if True: import asyncio\n",
)
MAKERS = (
    "asyncio.create_task",
    "asyncio.create_task",
    "asyncio . create_task",
    "asyncio.ensure_future",
    "create_task",
    "ensure_future",
    "aio.create_task",
    "asyncio.get_running_loop().create_task",
    "asyncio.get_event_loop().create_task",
    "loop.create_task",
    "self.loop.create_task",
    "tg.create_task",
    "unknown.create_task",
)
COROUTINES = (
    "work()",
    "work(1, *a, **k)",
    "self.work()",
    "await make()",
    "work('é', \"quoted\", f'{x!r:>{w}}')",
    "work(lambda: (yield_ := 1))",
    "(work())",
    "work(\n        1,  # one\n        2,\n    )",
    "work() if x else other()",
    "works[0]()",
    "work(x for x in y)",
    "work('''a\n  b\n''')",
    "work(b'\\x00' rb'\\d')",
    "asyncio.sleep(0)",
    "coro",
)
SHAPES = (
    "{}({})",
    "{}( {} )",
    "{}({},)",
    "{}({}, name='n')",
    '{}({}, name=f"{{n}}")',
    "{}(\n        {}\n    )",
    "{}(  # why\n        {},  # what\n        # end\n    )",
    "{}(coro={})",
    "{}({}, context=ctx)",
    "{}({}, **options)",
    "({}({}))",
    "{} (\\\n        {})",
)
USES = (
    "{}",
    "{}",
    "t = {}",
    "_ = {}",
    "t: asyncio.Task = {}",
    "self.t = {}",
    "t = u = {}",
    "tasks.append({})",
    "[{} for n in ns]",
    "{{{} for n in ns}}",
    "await {}",
    "return {}",
    "x = 1; {}; y = 2",
    "{};",
    "{}  # fire and forget",
    "{}  # noqa: RUF006",
    "{}.add_done_callback(print)",
    "loop.call_soon(lambda: {})",
    "callback = lambda: {}",
    "print({})",
    "if (t := {}): pass",
    "{} if x else {}",
    "x and {}",
    "{}, {}",
    "assert {}",
    "del t; {}",
    "if x: {}",
    "with a as b: {}",
    "yield {}",
    'print(f"{{{}}}")',
    "*_, t = [{}]",
    "t, = {},",
)
PLAIN = (
    "pass",
    "x = 1",
    "# a comment",
    "",
    "\x0c",
    "await asyncio.sleep(0)",
    '"""text\n  with asyncio.create_task(work())\n"""',
    "global g",
    "import asyncio",
    "from asyncio import create_task",
    "asyncio_ = asyncio",
    "loop = asyncio.get_running_loop()",
    "t.cancel()",
    "print(t)",
    "async def work(*a, **k): ...",
    "lambda: 0",
)
BLOCKS = (
    ("if x:",),
    ("if x:", "elif y:", "else:"),
    ("for x in y:",),
    ("async for x in y:", "else:"),
    ("while True:",),
    ("try:", "except ValueError:", "finally:"),
    ("try:", "except* ValueError:"),
    ("with a:",),
    ("async with asyncio.TaskGroup() as tg:",),
    ("async with a as b, c as (d, e):",),
    ("def inner(*, loop: asyncio.AbstractEventLoop):",),
    ("async def inner(self, n=1):",),
    ("@decorator(1)  # why", "async def inner(a, /, b):"),
    ("class Inner(Base, metaclass=Meta):",),
    ("if x:  # comment", "else:  # other"),
)
NEWER = (("async def inner[T: int, *Ts, **P](x: T) -> T:",), ("class Inner[T](Base[T]):",))


@st.composite
def task_statements(draw: DrawFn) -> str:
    """One statement with a task in it."""
    use = draw(st.sampled_from(USES))
    made = [draw(calls()) for _ in range(use.replace("{{", "").replace("}}", "").count("{}") + use.count("{{{}"))]
    return use.format(*made) if made else use


def calls(depth: int = 1) -> SearchStrategy[str]:
    """A call that makes a task, perhaps with another one in its arguments."""
    coroutines = st.sampled_from(COROUTINES)
    if depth:
        coroutines = st.one_of(coroutines, coroutines, calls(depth - 1).map("work({})".format))
    return st.builds(
        lambda shape, maker, coroutine: shape.format(maker, coroutine),
        st.sampled_from(SHAPES),
        st.sampled_from(MAKERS),
        coroutines,
    )


@st.composite
def suites(draw: DrawFn, depth: int = 3) -> list[str]:
    """Statements, not indented; nested ones are indented by one tab, which `layout` replaces."""
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.integers(0, 5))
        if kind == 0 and depth:
            headers = draw(st.sampled_from(BLOCKS + (NEWER if sys.version_info >= (3, 12) else ())))
            for header in headers:
                lines.append(header)
                if not header.startswith("@"):
                    lines += ["\t" + line for line in draw(suites(depth - 1))]
        elif kind == 1 and depth:
            lines.append("match x:")
            for pattern in draw(st.lists(st.sampled_from(("[a, *_]", "{'k': v}", "P(x=1)", "1 | 2")), min_size=1)):
                lines += [f"\tcase {pattern}:", *("\t\t" + line for line in draw(suites(depth - 1)))]
        elif kind <= 3:
            lines.append(draw(task_statements()))
        else:
            lines.append(draw(st.sampled_from(PLAIN)))
    return [*lines, draw(st.sampled_from(("pass", "x = 2", "await work()")))]


@st.composite
def python_programs(draw: DrawFn) -> bytes:
    """A module with coroutines in it, laid out oddly. It need not parse: most do."""
    lines = draw(st.sampled_from(PRELUDES)).split("\n")[:-1]
    lines += ["async def work(*a, **k): ...", ""]
    for number in range(draw(st.integers(1, 3))):
        lines += [f"async def main{number}(self, loop, *a, **k):", *("\t" + line for line in draw(suites()))]
    if draw(st.booleans()):
        lines += ["class Service:", "\tasync def start(self):", *("\t\t" + line for line in draw(suites()))]
    indent = draw(st.sampled_from(("    ", "  ", "\t")))
    text = "\n".join(indented(line, indent) for line in lines) + draw(
        st.sampled_from(("\n", "", "\n\n  \n", "\n# end"))
    )
    return encoded(draw, text, python=True)


def indented(line: str, indent: str) -> str:
    body = line.lstrip("\t")
    return indent * (len(line) - len(body)) + body


def encoded(draw: DrawFn, text: str, *, python: bool) -> bytes:
    """The bytes of a text: with one kind of line end, and perhaps a mark or a cookie."""
    newline = draw(st.sampled_from(("\n", "\n", "\r\n")))
    text = text.replace("\n", newline)
    encodings = ("utf-8", "utf-8", "utf-8-sig", "latin-1" if python else "utf-16")
    encoding = draw(st.sampled_from(encodings))
    cookie = f"# -*- coding: latin-1 -*-{newline}" if encoding == "latin-1" else ""
    return (cookie + text).encode(encoding)


# TypeScript

CONSOLES = ("eruda", "vconsole", "eruda-dom", "react-scan", "stats.js")
IMPORTS = (
    "import {n} from '{p}';",
    'import {n} from "{p}"',
    "import * as {n} from '{p}';",
    "import '{p}';",
    "import type {n} from '{p}';",
    "import {{ default as {n} }} from '{p}';",
    "import {n}, {{ other }} from '{p}'; // why",
    "const {n} = require('{p}');",
    "export * from '{p}';",
)
CONSOLE_STATEMENTS = (
    "import('{p}').then((m) => m.default.init());",
    "import('{p}')",
    "void import('{p}');",
    "await import('{p}');",
    "(await import('{p}')).default.init();",
    "const m = await import('{p}');\nm.default.init();",
    "import('{p}').then(({{ default: x }}) => {{\n  x.init({{ a: `\n ${{1}}` }});\n}}).catch(console.error);",
    "// Always on\nimport('{p}');",
    "/* a */ import('{p}') /* b */; // c",
    "if (import.meta.env.DEV) import('{p}');",
    "if (window.debug) import('{p}');",
    "window.debug && import('{p}');",
    "const load = () => import('{p}');",
    "// @ts-expect-error\nimport('{p}');",
    "// perfmod: ignore[gate-dev-tools] wanted\nimport('{p}');",
    "eruda.init();",
    "new vconsole();",
    "eruda.add(thing), start();",
    "window.eruda?.init();",
    "x = 1; import('{p}'); y = 2;",
    "label: import('{p}');",
)
FILLERS = (
    "start();",
    "const a = <T,>(x: T) => x as const;",
    "let s = `import('eruda')`;",
    "// eruda",
    "",
    "type A = {{ b: string }};",
    "enum E {{ A }}",
    "x satisfies Y;",
    "foo\n(bar)",
)
WRAPPERS = (
    "function f() {{\n{}\n}}",
    "async function* f<T>() {{\n{}\n}}",
    "useEffect(() => {{\n{}\n}}, []);",
    "if (x) {{\n{}\n}} else {{\n{}\n}}",
    "try {{\n{}\n}} catch (e) {{\n{}\n}}",
    "class A {{ @dec() m() {{\n{}\n}} static {{ }} }}",
    "for (const x of y) {{\n{}\n}}",
    "switch (x) {{ case 1:\n{}\n break; default: }}",
    "export const g = async () => {{\n{}\n}};",
    "{{\n{}\n}}",
    "export default function App() {{\n{}\n  return null;\n}}",
)


@st.composite
def typescript_blocks(draw: DrawFn, depth: int = 2) -> str:
    """Statements, some of which load a console."""
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.integers(0, 4))
        if kind == 0 and depth:
            wrapper = draw(st.sampled_from(WRAPPERS))
            inner = [draw(typescript_blocks(depth - 1)) for _ in range(wrapper.count("{}"))]
            parts.append(wrapper.format(*inner))
        elif kind <= 3:
            parts.append(draw(st.sampled_from(CONSOLE_STATEMENTS)).format(p=draw(st.sampled_from(CONSOLES))))
        else:
            parts.append(draw(st.sampled_from(FILLERS)).format())
    return draw(st.sampled_from(("\n", "\n\n", "\n  "))).join(parts)


@st.composite
def typescript_programs(draw: DrawFn) -> bytes:
    """A module that loads debug consoles, laid out oddly. It need not parse: most do."""
    imports = [
        draw(st.sampled_from(IMPORTS)).format(n=draw(st.sampled_from(("eruda", "vconsole"))), p=package)
        for package in draw(st.lists(st.sampled_from(CONSOLES), max_size=2, unique=True))
    ]
    return encoded(draw, "\n".join([*imports, draw(typescript_blocks())]) + "\n", python=False)
