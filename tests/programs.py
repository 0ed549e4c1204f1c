"""Programs made at random around the cases of supervise-tasks, and what those of every rule on Python are made of."""

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
    "work(t'{x!r:>{w}} {y=}')",
    "work(rt\"{f'{x}'}\n  {{\\d}}\")",
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
    'print(f"{{{}=}}")',
    'print(t"{{{}}}", t"{{x:{{{}}}}}")',
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
    "x = t'{x}' if x else tr'{x!s}'",
    "x = (t'{x}'\n    t'{y}')",
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
def suites(draw: DrawFn, statements: SearchStrategy[str], depth: int = 3) -> list[str]:
    """Statements, not indented; nested ones are indented by one tab, which `indented` replaces."""
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.integers(0, 5))
        if kind == 0 and depth:
            headers = draw(st.sampled_from(BLOCKS + (NEWER if sys.version_info >= (3, 12) else ())))
            for header in headers:
                lines.append(header)
                if not header.startswith("@"):
                    lines += ["\t" + line for line in draw(suites(statements, depth - 1))]
        elif kind == 1 and depth:
            lines.append("match x:")
            for pattern in draw(st.lists(st.sampled_from(("[a, *_]", "{'k': v}", "P(x=1)", "1 | 2")), min_size=1)):
                lines += [f"\tcase {pattern}:", *("\t\t" + line for line in draw(suites(statements, depth - 1)))]
        elif kind <= 3:
            lines += draw(statements).split("\n")
        else:
            lines.append(draw(st.sampled_from(PLAIN)))
    return [*lines, draw(st.sampled_from(("pass", "x = 2", "await work()")))]


@st.composite
def python_programs(draw: DrawFn) -> bytes:
    """A module with coroutines in it, laid out oddly. It need not parse: most do."""
    lines = draw(st.sampled_from(PRELUDES)).split("\n")[:-1]
    lines += ["async def work(*a, **k): ...", ""]
    for number in range(draw(st.integers(1, 3))):
        lines += [
            f"async def main{number}(self, loop, *a, **k):",
            *("\t" + line for line in draw(suites(task_statements()))),
        ]
    if draw(st.booleans()):
        lines += [
            "class Service:",
            "\tasync def start(self):",
            *("\t\t" + line for line in draw(suites(task_statements()))),
        ]
    return encoded(draw, laid_out(draw, lines), python=True)


def laid_out(draw: DrawFn, lines: list[str]) -> str:
    """Lines with one kind of indentation, and some end of file."""
    indent = draw(st.sampled_from(("    ", "  ", "\t")))
    end = draw(st.sampled_from(("\n", "", "\n\n  \n", "\n# end")))
    return "\n".join(indented(line, indent) for line in lines) + end


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
