"""Modules made at random around the cases of gate-dev-tools, for the fuzz tests."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from programs import encoded

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
