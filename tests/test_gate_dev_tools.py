"""gate-dev-tools on single files and small checkouts: every numbered case of its tiers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from perfmod.config import Settings
from perfmod.model import Safety
from perfmod.pipeline import Report, Request, run
from perfmod.rules.gate_dev_tools import Options

TYPES = '/// <reference types="vite/client" />\n'
PACKAGE = {
    "name": "app",
    "scripts": {"dev": "vite", "build": "vite build"},
    "dependencies": {"eruda": "^3.4.3", "react": "^19.0.0", "vconsole": "^3.15.1"},
    "devDependencies": {"vite": "^7.0.0"},
}
WEBPACK = {
    "name": "app",
    "scripts": {"build": "webpack --mode production"},
    "dependencies": {"eruda": "^3.4.3"},
    "devDependencies": {"@types/node": "^24.0.0", "webpack": "^5.0.0"},
}


def checkout(root: Path, files: Mapping[str, str], package: Mapping[str, Any] | None = PACKAGE) -> Path:
    """A folder with these files; a vite project unless told otherwise."""
    everything = {"src/vite-env.d.ts": TYPES, **files}
    if package is not None:
        everything.setdefault("package.json", json.dumps(package, indent=2) + "\n")
    for path, content in everything.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content.encode())
    return root


def perfmod(root: Path, command: Any = "check", *, unsafe: bool = False, packages: tuple[str, ...] = ()) -> Report:
    rules = {"gate-dev-tools": Options(packages)}
    settings = Settings(select=("gate-dev-tools",), unsafe_fixes=unsafe, rules=rules)
    return run(Request(command, root, (root,), settings, allow_dirty=True))


def said(report: Report) -> list[str]:
    """One line for each finding: where, how safe, why."""
    lines = []
    for result in report.results:
        finding = result.finding
        text = report.project.text(finding.span.path)
        line = text.position(finding.span.start)[0] if text else 0
        reason = f" {finding.reason}" if finding.reason else ""
        lines.append(f"{finding.span.path}:{line} {finding.safety}{reason}")
    return lines


def fixed(root: Path, files: Mapping[str, str], package: Mapping[str, Any] | None = PACKAGE, **options: Any) -> Report:
    report = perfmod(checkout(root, files, package), "apply", unsafe=True, **options)
    again = perfmod(root, "apply", unsafe=True, **options)
    assert not again.changes
    return report


def edited(root: Path, code: str, path: str = "src/main.ts", package: Mapping[str, Any] | None = PACKAGE) -> str:
    """What `apply --unsafe-fixes` makes of one file, and that a second run leaves it."""
    fixed(root, {path: dedent(code)}, package)
    return (root / path).read_bytes().decode()


def guard(code: str) -> str:
    return "if (import.meta.env.DEV) {\n" + "".join(f"  {line}\n" for line in code.splitlines()) + "}\n"


SAFE = {
    "1 bare": "import('eruda').then((m) => m.default.init());",
    "1 without a semicolon": "import('eruda').then((m) => m.default.init())",
    "1 alone": "import('eruda');",
    "1 several lines": "import('eruda').then((m) => {\n  m.default.init();\n  console.log('on');\n});",
    "1 catch": "import('eruda').then(({ default: e }) => e.init()).catch((error) => console.error(error));",
    "2 void": "void import('eruda').then((m) => m.default.init());",
    "3 await": "await import('eruda');",
    "3 await and call": "(await import('eruda')).default.init();",
    "3 await then": "await import('eruda').then((m) => m.default.init({ tool: ['console'] }));",
    "template specifier": "import(`eruda`);",
    "local constant": "import('eruda').then((m) => {\n  const eruda = m.default;\n  eruda.init();\n});",
    "below a browser check": "typeof window !== 'undefined' && import('eruda');",
    "plugin inside": "import('eruda').then((m) => {\n  m.default.init();\n"
    "  import('eruda-dom').then((d) => m.default.add(d.default));\n});",
    "comment behind": "import('eruda'); // for phones",
    "ts-ignore above": "// @ts-ignore\nimport('eruda');",
    "template string inside": None,
}


@pytest.mark.parametrize("code", [code for code in SAFE.values() if code], ids=[n for n, c in SAFE.items() if c])
def test_statement_is_wrapped(tmp_path: Path, code: str) -> None:
    before = f"start();\n\n{code}\n\nexport {{}};\n"
    report = perfmod(checkout(tmp_path, {"src/main.ts": before}), "apply")
    assert {result.finding.safety for result in report.results} == {Safety.SAFE}
    assert (tmp_path / "src/main.ts").read_text() == f"start();\n\n{guard(code)}\nexport {{}};\n"
    assert not perfmod(tmp_path, "apply").changes


def test_lines_of_template_strings_stay(tmp_path: Path) -> None:
    code = "import('eruda').then((m) => {\n  m.default.init();\n  console.log(`a\n  b`);\n});\n"
    made = edited(tmp_path, code)
    assert made == guard(code).replace("    b`", "  b`")


INSIDE = {
    "effect": """\
        export function App() {
          useEffect(() => {
            import('eruda').then((m) => m.default.init());
          }, []);
          return null;
        }
    """,
    "browser check": """\
        if (typeof window !== 'undefined') {
          import('eruda').then((m) => m.default.init());
        }
    """,
    "function that is called": """\
        async function debug() {
          await import('eruda');
        }
        debug();
    """,
    "function called at once": """\
        (async () => {
          const x = 1;
          (await import('eruda')).default.init();
        })();
    """,
    "load event": """\
        window.addEventListener('load', () => {
          import('eruda').then((m) => m.default.init());
        });
    """,
    "try": """\
        try {
          await import('eruda');
        } catch {
          console.log('no console');
        }
    """,
}


@pytest.mark.parametrize("code", INSIDE.values(), ids=INSIDE)
def test_statement_inside_something_that_always_runs(tmp_path: Path, code: str) -> None:
    code = dedent(code)
    main = "import { App } from './App';\nApp();\n" if "App" in code else code
    files = {"src/main.ts": main, "src/App.tsx": code} if "App" in code else {"src/main.ts": code}
    report = perfmod(checkout(tmp_path, files), "apply")
    assert [result.finding.safety for result in report.results] == [Safety.SAFE], said(report)
    made = (tmp_path / ("src/App.tsx" if "App" in code else "src/main.ts")).read_text()
    line = next(line for line in code.splitlines() if "import('eruda')" in line)
    margin = line[: len(line) - len(line.lstrip())]
    wrapped = f"{margin}if (import.meta.env.DEV) {{\n  {line}\n{margin}}}"
    assert made == code.replace(line, wrapped)


def test_semicolon_of_the_next_line_stays(tmp_path: Path) -> None:
    made = edited(tmp_path, "start()\n;(await import('eruda')).default.init()\n;[1].map(String)\n")
    assert made == ("start()\n;if (import.meta.env.DEV) { (await import('eruda')).default.init() }\n;[1].map(String)\n")


def test_one_line_block(tmp_path: Path) -> None:
    made = edited(tmp_path, "function f() { import('eruda'); }\nf();\n")
    assert made == "function f() { if (import.meta.env.DEV) { import('eruda'); } }\nf();\n"


def test_branch_without_braces_keeps_its_else(tmp_path: Path) -> None:
    made = edited(tmp_path, "if (typeof window !== 'undefined') import('eruda'); else serve();\n")
    assert made == (
        "if (typeof window !== 'undefined') { if (import.meta.env.DEV) { import('eruda'); } } else serve();\n"
    )


def test_4_local_module_is_guarded_inside(tmp_path: Path) -> None:
    code = "import('eruda').then((m) => m.default.init());\n"
    report = fixed(tmp_path, {"src/main.ts": "import './debug';\n", "src/debug.ts": code})
    assert said(report) == ["src/debug.ts:1 safe"]
    assert (tmp_path / "src/debug.ts").read_text() == guard(code)


def test_5_package_moves_with_the_guard(tmp_path: Path) -> None:
    report = fixed(tmp_path, {"src/main.ts": "import('eruda');\n"})
    assert {change.path for change in report.changes} == {"package.json", "src/main.ts"}
    moved = json.loads((tmp_path / "package.json").read_text())
    assert moved["dependencies"] == {"react": "^19.0.0", "vconsole": "^3.15.1"}
    assert moved["devDependencies"] == {"eruda": "^3.4.3", "vite": "^7.0.0"}


def test_5_all_or_nothing(tmp_path: Path) -> None:
    """One finding for both imports' package: either guard brings the other, since the move needs both."""
    files = {"src/main.ts": "import './a';\nimport('eruda');\n", "src/a.ts": "import('eruda');\n"}
    report = perfmod(checkout(tmp_path, files))
    assert [len(result.finding.intents) for result in report.results] == [3, 3]


def test_6_guarded_but_in_dependencies(tmp_path: Path) -> None:
    report = fixed(tmp_path, {"src/main.ts": guard("import('eruda');")})
    assert said(report) == ["package.json:8 safe"]
    assert [change.path for change in report.changes] == ["package.json"]


def test_7_in_dev_dependencies_but_not_guarded(tmp_path: Path) -> None:
    package = {**PACKAGE, "dependencies": {}, "devDependencies": {"eruda": "3", "vite": "7"}}
    report = fixed(tmp_path, {"src/main.ts": "import('eruda');\n"}, package)
    assert [change.path for change in report.changes] == ["src/main.ts"]


@pytest.mark.parametrize("bundler", ["webpack", "next", "react-scripts"])
def test_8_guard_of_other_bundlers(tmp_path: Path, bundler: str) -> None:
    build = {"webpack": "webpack", "next": "next build", "react-scripts": "react-scripts build"}[bundler]
    package = {**WEBPACK, "scripts": {"build": build}}
    made = edited(tmp_path, "import('eruda');\n", package=package)
    assert made == "if (process.env.NODE_ENV !== 'production') {\n  import('eruda');\n}\n"


def test_10_tabs_crlf_and_no_final_newline(tmp_path: Path) -> None:
    code = "function a() {\r\n\tb();\r\n}\r\na();\r\nimport('eruda')"
    made = edited(tmp_path, code)
    assert made == code.replace("import('eruda')", "if (import.meta.env.DEV) {\r\n\timport('eruda')\r\n}")


UNSAFE = {
    "11 default": (
        "import eruda from 'eruda';\nimport a from './a';\n\neruda.init();\na();\n",
        "import a from './a';\n\nif (import.meta.env.DEV) {\n"
        "  import('eruda').then(({ default: eruda }) => eruda.init());\n}\na();\n",
    ),
    "11 named and renamed": (
        'import a from "./a"\nimport { init as on } from "eruda"\non({ x: 1 })\n',
        'import a from "./a"\nif (import.meta.env.DEV) {\n  import("eruda").then(({ init: on }) => on({ x: 1 }))\n}\n',
    ),
    "11 namespace": (
        "import * as eruda from 'eruda';\nimport a from './a';\neruda.init();\n",
        "import a from './a';\nif (import.meta.env.DEV) {\n  import('eruda').then((eruda) => eruda.init());\n}\n",
    ),
    "11 constructor": (
        "import a from './a';\nimport VConsole from 'vconsole';\nconst console_ = new VConsole({ theme: 'dark' });\n",
        "import a from './a';\nif (import.meta.env.DEV) {\n"
        "  import('vconsole').then(({ default: VConsole }) => new VConsole({ theme: 'dark' }));\n}\n",
    ),
    "11 used under the guard": (
        "import eruda from 'eruda';\nexport const a = 1;\nif (import.meta.env.DEV) eruda.init();\n",
        "export const a = 1;\nif (import.meta.env.DEV) import('eruda').then(({ default: eruda }) => eruda.init());\n",
    ),
    "11 in a function of another module": (
        "import eruda from 'eruda';\nexport function start() {\n  eruda.init();\n}\nstart();\n",
        "export function start() {\n  if (import.meta.env.DEV) {\n"
        "    import('eruda').then(({ default: eruda }) => eruda.init());\n  }\n}\nstart();\n",
    ),
    "11 behind && of the guard": (
        "import eruda from 'eruda';\nexport const a = 1;\nimport.meta.env.DEV && eruda.init();\n",
        "export const a = 1;\nimport.meta.env.DEV && import('eruda').then(({ default: eruda }) => eruda.init());\n",
    ),
    "11 behind && of a browser check": (
        "import eruda from 'eruda';\nexport const a = 1;\ntypeof window !== 'undefined' && eruda.init();\n",
        "export const a = 1;\nif (import.meta.env.DEV) {\n  typeof window !== 'undefined'"
        " && import('eruda').then(({ default: eruda }) => eruda.init());\n}\n",
    ),
    "11 several lines": (
        "import { scan } from 'eruda'; // first\nexport const a = 1;\nscan({\n  text: `a\nb`,\n}); // on\n",
        "export const a = 1;\nif (import.meta.env.DEV) {\n  // first\n"
        "  import('eruda').then(({ scan }) => scan({\n    text: `a\nb`,\n  })); // on\n}\n",
    ),
    "11 no semicolons": (
        "import a from './a'\nimport eruda from 'eruda'\neruda.init()\n;[a].map(String)\n",
        "import a from './a'\nif (import.meta.env.DEV) {\n"
        "  import('eruda').then(({ default: eruda }) => eruda.init())\n}\n;[a].map(String)\n",
    ),
    "11 on the line of the import": (
        "import eruda from 'eruda'; eruda.init(); // on\nimport a from './a';\na();\n",
        "if (import.meta.env.DEV) { import('eruda').then(({ default: eruda }) => eruda.init()); } // on\n"
        "import a from './a';\na();\n",
    ),
    "12 global": (
        "import 'eruda';\nexport const a = 1;\nif (window.eruda) window.eruda.init();\n",
        "export const a = 1;\nif (import.meta.env.DEV) {\n  import('eruda').then(() => {\n"
        "    if (window.eruda) window.eruda.init();\n  });\n}\n",
    ),
    "12 import alone": (
        "import a from './a';\nimport 'eruda'; // on\nimport b from './b';\n\na(b);\n",
        "import a from './a';\nimport b from './b';\n\n"
        "if (import.meta.env.DEV) {\n  import('eruda'); // on\n}\n\na(b);\n",
    ),
    "13a run of statements": (
        "export {};\nconst m = await import('eruda');\nm.default.init();\nconsole.log(m);\nstart();\n",
        "export {};\nif (import.meta.env.DEV) {\n  const m = await import('eruda');\n  m.default.init();\n"
        "  console.log(m);\n}\nstart();\n",
    ),
    "13a destructured": (
        "export {};\nconst { default: eruda } = await import('eruda');\neruda.init();\n",
        "export {};\nif (import.meta.env.DEV) {\n  const { default: eruda } = await import('eruda');\n"
        "  eruda.init();\n}\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), UNSAFE.values(), ids=UNSAFE)
def test_unsafe(tmp_path: Path, before: str, after: str) -> None:
    root = checkout(tmp_path, {"src/main.ts": before, "src/a.ts": "export default () => {};\n"})
    report = perfmod(root)
    assert {result.finding.safety for result in report.results} == {Safety.UNSAFE}, said(report)
    assert not perfmod(root, "apply").changes
    assert edited(tmp_path, before) == after


def test_13_module_that_does_nothing_else(tmp_path: Path) -> None:
    files = {
        "src/main.ts": "import './vconsole';\nimport { app } from './app';\n\napp();\n",
        "src/app.ts": "export const app = () => {};\n",
        "src/vconsole.ts": "import VConsole from 'vconsole';\nnew VConsole();\n",
    }
    report = fixed(tmp_path, files)
    assert [line.partition(" the")[0] for line in said(report)] == ["src/main.ts:1 unsafe"]
    assert (tmp_path / "src/vconsole.ts").read_text() == files["src/vconsole.ts"]
    assert (tmp_path / "src/main.ts").read_text() == (
        "import { app } from './app';\n\nif (import.meta.env.DEV) {\n  import('./vconsole');\n}\n\napp();\n"
    )
    assert "vconsole" in json.loads((tmp_path / "package.json").read_text())["devDependencies"]


def test_12_global_that_another_file_uses(tmp_path: Path) -> None:
    files = {"src/main.ts": "import './other';\nimport 'eruda';\n", "src/other.ts": "(window as any).eruda.init();\n"}
    assert said(fixed(tmp_path, files)) == ["src/main.ts:2 manual another file uses the console: src/other.ts"]


def test_13b_require_under_webpack(tmp_path: Path) -> None:
    made = edited(tmp_path, "require('eruda').init();\n", "src/main.js", WEBPACK)
    assert made == "if (process.env.NODE_ENV !== 'production') {\n  require('eruda').init();\n}\n"
    assert said(perfmod(checkout(tmp_path, {"src/main.js": "require('eruda').init();\n", "package.json": "{}"}))) == [
        "src/main.js:1 manual it is not clear what bundles this"
    ]


MANUAL = {
    "14 several places": (
        "import eruda from 'eruda';\neruda.init();\neruda.show();\n",
        "`eruda` is used in several places",
    ),
    "14 used later": ("import V from 'vconsole';\nconst v = new V();\nv.show();\n", "the console is used later: `v`"),
    "14 compiled on condition": (
        "// #ifdef H5\nimport 'vconsole';\n// #endif\nimport a from './a';\na();\n",
        "comments compile parts of this file on condition",
    ),
    "14 several names": ("import V, { x } from 'vconsole';\nnew V(x);\n", "several names are imported"),
    "14 as a type": ("import V from 'vconsole';\nlet v: V;\nnew V();\n", "`V` is also used as a type"),
    "15 constant": ("const isDev = import.meta.env.DEV;\nif (isDev) import('eruda');\n", "the guard is indirect"),
    "15 early return": (
        "function f() {\n  if (!import.meta.env.DEV) return;\n  import('eruda');\n}\nf();\n",
        "the guard is indirect",
    ),
    "15 called under the guard": (
        "function f() {\n  import('eruda');\n}\nif (import.meta.env.DEV) f();\n",
        "the guard is indirect",
    ),
    "16 or": ("if (import.meta.env.DEV || window.flag) import('eruda');\n", "the guard is leaky"),
    "18 returned": ("export const load = () => import('eruda');\nload();\n", "the module is passed on"),
    "18 in a variable": (
        "const eruda = import('eruda');\neruda.then((m) => m.default.init());\n",
        "the module is passed on",
    ),
    "18 exported": ("export { default } from 'eruda';\n", "the module is passed on"),
    "18 promise": ("Promise.all([import('eruda')]).then(start);\n", "the module is passed on"),
    "21 component": (
        "import { Locator } from 'vconsole';\nrender(<Locator><App /></Locator>);\n",
        "the console wraps or stands in the page",
    ),
    "starts the app": (
        "import('eruda').then((m) => {\n  m.default.init();\n  start();\n});\n",
        "the statement does more",
    ),
    "starts the app afterwards": ("import('eruda').finally(() => import('./app'));\n", "the statement does more"),
    "sets a flag": ("let on = false;\nimport('eruda').then(() => { on = true; });\n", "the statement does more"),
    "sets a global": ("import('eruda').then((m) => { window.eruda = m.default; });\n", "the statement does more"),
    "changes the log": ("import('eruda').then((m) => { console.log = m.log; });\n", "the statement does more"),
    "attributes": ("import eruda from 'eruda' with { type: 'js' };\neruda.init();\n", "the import has attributes"),
    "in a loop": ("for (const x of y) { import('eruda'); }\n", "it is not known when this runs"),
    "in a method": (
        "class A {\n  start() {\n    import('eruda');\n  }\n}\nnew A();\n",
        "it is not known when this runs",
    ),
    "in a callback": ("register(() => {\n  import('eruda');\n});\n", "it is not known when this runs"),
    "function that nobody calls": ("function f() {\n  import('eruda');\n}\n", "it is not known when this runs"),
    "unused": ("import eruda from 'eruda';\n", "`eruda` is imported and not used"),
    "address": (
        "const s = document.createElement('script');\ns.src = 'https://cdn.example/npm/eruda@3';\n",
        "loaded from an address",
    ),
    "directive above the import": (
        "// @ts-ignore\nimport eruda from 'eruda';\neruda.init();\n",
        "a directive in a comment",
    ),
    "require in vite": ("require('eruda').init();\n", "require() is not for modules that vite builds"),
}


@pytest.mark.parametrize(("code", "reason"), MANUAL.values(), ids=MANUAL)
def test_manual(tmp_path: Path, code: str, reason: str) -> None:
    files = {"src/main.tsx": code, "src/app.ts": "export {};\n"}
    report = fixed(tmp_path, files)
    assert not report.changes
    findings = [result.finding for result in report.results]
    assert [finding.safety for finding in findings] == [Safety.MANUAL]
    assert (findings[0].reason or "").startswith(reason)


def test_14a_bundler_configuration_names_the_package(tmp_path: Path) -> None:
    config = "export default { build: { rollupOptions: { output: { manualChunks: { debug: ['eruda'] } } } } };\n"
    report = fixed(tmp_path, {"src/main.ts": "import('eruda');\n", "vite.config.ts": config})
    assert said(report) == ["src/main.ts:1 manual the bundler configuration names the package: vite.config.ts"]


def test_17_script_element(tmp_path: Path) -> None:
    page = '<!doctype html>\n<script src="//cdn.jsdelivr.net/npm/eruda"></script>\n<script>eruda.init();</script>\n'
    report = fixed(tmp_path, {"index.html": page, "dumps/step.html": page})
    assert said(report) == ["index.html:2 manual a script element: load it from the entry module under the guard"]


def test_19_no_bundler(tmp_path: Path) -> None:
    report = fixed(tmp_path, {"src/main.ts": "import('eruda');\n"}, {"name": "a", "dependencies": {"eruda": "3"}})
    assert said(report) == ["src/main.ts:1 manual it is not clear what bundles this"]


def test_19_two_bundlers(tmp_path: Path) -> None:
    package = {**PACKAGE, "scripts": {"build": "vite build && webpack"}}
    report = fixed(tmp_path, {"src/main.ts": "import('eruda');\n"}, package)
    assert said(report) == ["src/main.ts:1 manual it is not clear what bundles this"]


def test_19_library(tmp_path: Path) -> None:
    config = "export default { build: { lib: { entry: 'src/main.ts' } } };\n"
    report = fixed(tmp_path, {"src/main.ts": "import('eruda');\n", "vite.config.ts": config})
    assert "built as a library" in said(report)[0]


def test_19_no_types(tmp_path: Path) -> None:
    report = fixed(tmp_path, {"src/main.ts": "import('eruda');\n", "src/vite-env.d.ts": ""})
    assert "add the types of vite/client" in said(report)[0]
    (tmp_path / "src/main.ts").rename(tmp_path / "src/main.js")
    assert said(perfmod(tmp_path)) == ["src/main.js:1 safe"]


@pytest.mark.parametrize("suffix", ["vue", "svelte"])
def test_20_vue_and_svelte(tmp_path: Path, suffix: str) -> None:
    code = '<script lang="ts">\n// import("eruda")\nimport("eruda").then((m) => m.default.init());\n</script>'
    report = fixed(tmp_path, {f"src/App.{suffix}": code})
    assert said(report) == [f"src/App.{suffix}:3 manual in a script of {suffix}"]
    guarded = code.replace('import("eruda").then', 'if (import.meta.env.DEV) import("eruda").then')
    assert said(perfmod(checkout(tmp_path, {f"src/App.{suffix}": guarded}))) == ["package.json:8 safe"]


def test_22_development_builds(tmp_path: Path) -> None:
    package = {**PACKAGE, "scripts": {"build": "NODE_ENV=development vite build"}}
    workflow = "jobs:\n  build:\n    env:\n      # NODE_ENV: development\n      NODE_ENV: development\n    run: build\n"
    files = {"src/main.ts": guard("import('eruda');"), ".github/workflows/ci.yml": workflow}
    report = perfmod(checkout(tmp_path, files, package))
    assert said(report) == [
        ".github/workflows/ci.yml:5 manual build with NODE_ENV=production",
        "package.json:4 manual build with NODE_ENV=production",
        "package.json:7 safe",
    ]


GUARDED = {
    "if": "if (import.meta.env.DEV) import('eruda');",
    "and": "import.meta.env.DEV && import('eruda');",
    "and more": "if (window.flag && import.meta.env.DEV) import('eruda');",
    "else of PROD": "if (import.meta.env.PROD) { start(); } else { import('eruda'); }",
    "not PROD": "if (!import.meta.env.PROD) import('eruda');",
    "ternary": "const e = import.meta.env.DEV ? await import('eruda') : null;",
    "mode": "if (import.meta.env.MODE === 'development') import('eruda');",
    "not production": "if (import.meta.env.MODE !== 'production') import('eruda');",
    "node": "if (process.env.NODE_ENV !== 'production') import('eruda');",
    "callback": "if (import.meta.env.DEV) { addEventListener('click', () => import('eruda')); }",
    "compared": "if (import.meta.env.DEV === true) import('eruda');",
    "twice negated": "if (!!import.meta.env.DEV) import('eruda');",
    "local module": "if (import.meta.env.DEV) import('./debug');",
    "two modules": "if (import.meta.env.DEV) import('./outer');",
}


@pytest.mark.parametrize("code", GUARDED.values(), ids=GUARDED)
def test_23_guarded(tmp_path: Path, code: str) -> None:
    files = {"src/main.ts": code + "\n"}
    if "./" in code:
        files |= {"src/debug.ts": "import eruda from 'eruda';\neruda.init();\n"}
    if "outer" in code:
        files |= {"src/outer.ts": "import './debug';\nexport const x = 1;\n"}
    report = fixed(tmp_path, files)
    assert said(report) == ["package.json:8 safe"]
    assert not report.notes


SWITCHES = {
    "query": "if (location.search.includes('debug')) import('eruda');",
    "storage": "localStorage.getItem('debug') && import('eruda').then((m) => m.default.init());",
    "variable": "if (import.meta.env.VITE_DEBUG) import('eruda');",
    "helper": "if (isDebug()) import('eruda');",
    "early return": "function f() {\n  if (!wanted()) return;\n  import('eruda');\n}\nf();",
    "function called behind it": "function f() {\n  import('eruda');\n}\nif (wanted()) f();",
    "event": "button.addEventListener('click', () => {\n  import('eruda');\n});",
    "handler": "button.onclick = () => {\n  import('eruda');\n};",
    "static, started behind it": "import eruda from 'eruda';\nif (wanted()) eruda.init();",
    "case": "switch (x) {\n  case 1:\n    import('eruda');\n}",
    "ternary": "wanted() ? import('eruda') : null;",
    "address": "if (wanted()) {\n  load('https://cdn.example/npm/eruda');\n}",
}


@pytest.mark.parametrize("code", SWITCHES.values(), ids=SWITCHES)
def test_24_switch_is_noted_and_left(tmp_path: Path, code: str) -> None:
    report = fixed(tmp_path, {"src/main.ts": code + "\n"})
    assert (report.results, report.changes) == ((), ())
    assert len(report.notes) == 1
    assert "behind a switch" in report.notes[0].message


def test_24_switch_in_another_module(tmp_path: Path) -> None:
    """The module, the function or the component is what stands behind the switch."""
    files = {
        "src/main.tsx": "import { go } from './go';\nimport { Panel } from './Panel';\n"
        "if (location.hash === '#debug') {\n  import('./debug');\n  go();\n}\n"
        "function App() {\n  return <main>{wanted && <Panel />}</main>;\n}\ncreateRoot(x).render(<App />);\n",
        "src/debug.ts": "import('eruda');\n",
        "src/go.ts": "export function go() {\n  import('eruda');\n}\n",
        "src/Panel.tsx": "export function Panel() {\n  useEffect(() => {\n    import('eruda');\n  }, []);\n}\n",
    }
    report = fixed(tmp_path, files)
    assert (report.results, report.changes) == ((), ())
    assert len(report.notes) == 3


NEVER = {
    "25 type": "import type { Eruda } from 'eruda';\nlet x: typeof import('eruda');\n",
    "25 only types": "import { type Eruda } from 'eruda';\n",
    "29 comment": "// import('eruda');\n/* import eruda from 'eruda'; */\n",
    "string": "const name = 'eruda';\nconsole.log(\"import('eruda')\");\n",
    "other package": "import('eruda2');\nimport('my-eruda');\n",
}


@pytest.mark.parametrize("code", NEVER.values(), ids=NEVER)
def test_never(tmp_path: Path, code: str) -> None:
    report = fixed(tmp_path, {"src/main.ts": code})
    assert (report.results, report.notes) == ((), ())


@pytest.mark.parametrize(
    "path",
    ["src/main.test.ts", "src/__tests__/a.ts", "src/A.stories.tsx", "vite.config.ts", "src/eruda.d.ts", "dist/a.js"],
)
def test_26_and_27_not_shipped(tmp_path: Path, path: str) -> None:
    report = fixed(tmp_path, {path: "import eruda from 'eruda';\neruda.init();\n"})
    assert (report.results, report.notes) == ((), ())


@pytest.mark.parametrize("section", ["peerDependencies", "optionalDependencies", "bundledDependencies"])
def test_28_other_sections_do_not_move(tmp_path: Path, section: str) -> None:
    other: Any = ["eruda"] if section.startswith("bundled") else {"eruda": "*"}
    report = fixed(tmp_path, {"src/main.ts": guard("import('eruda');")}, {**PACKAGE, section: other})
    assert not report.results


def test_28_another_workspace_counts_on_it(tmp_path: Path) -> None:
    files = {
        "package.json": json.dumps({"name": "root", "workspaces": ["a", "b"]}),
        "a/package.json": json.dumps({**PACKAGE, "name": "a"}),
        "a/src/env.d.ts": TYPES,
        "a/src/main.ts": "import('eruda');\n",
        "b/package.json": json.dumps({"name": "b"}),
        "b/src/main.ts": "import eruda from 'eruda';\neruda.init();\n",
    }
    report = fixed(tmp_path, files)
    assert [change.path for change in report.changes] == ["a/src/main.ts"]


def test_no_move_while_an_import_is_left(tmp_path: Path) -> None:
    files = {"src/main.ts": "import './b';\nimport('eruda');\n", "src/b.ts": "export const e = import('eruda');\n"}
    report = fixed(tmp_path, files)
    assert [change.path for change in report.changes] == ["src/main.ts"]


def test_no_move_past_a_reviewed_import(tmp_path: Path) -> None:
    code = "import('eruda'); // perfmod: ignore[gate-dev-tools] support needs it\n"
    report = fixed(tmp_path, {"src/main.ts": "import './b';\nimport('eruda');\n", "src/b.ts": code})
    assert [change.path for change in report.changes] == ["src/main.ts"]


def test_no_move_where_a_script_builds_in_that_mode(tmp_path: Path) -> None:
    package = {**PACKAGE, "scripts": {"build": "vite build", "build:dev": "vite build --mode development"}}
    code = "if (import.meta.env.MODE === 'development') import('eruda');\n"
    assert not fixed(tmp_path, {"src/main.ts": code}, package).results
    assert said(perfmod(checkout(tmp_path, {"src/main.ts": guard("import('eruda');")}, package)))


def test_comment_is_repeated(tmp_path: Path) -> None:
    report = perfmod(checkout(tmp_path, {"src/main.ts": "// always on: support needs it\nimport('eruda');\n"}))
    assert report.results[0].finding.message.endswith('the comment there says: "always on: support needs it"')


def test_option_adds_packages(tmp_path: Path) -> None:
    files = {"src/main.ts": "import('my-console');\n"}
    assert not perfmod(checkout(tmp_path, files)).results
    assert said(perfmod(tmp_path, packages=("my-console",))) == ["src/main.ts:1 safe"]


def test_file_that_does_not_parse(tmp_path: Path) -> None:
    report = perfmod(checkout(tmp_path, {"src/main.ts": "import('eruda'\n"}), "apply")
    assert [result.finding.rule for result in report.results] == ["parse-error"]
