"""Real builds: a console is in the bundle before the fix and out after it, and the build works without the package."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from node_tools import installed, node, run

from perfmod.config import Settings
from perfmod.pipeline import Request
from perfmod.pipeline import run as run_perfmod

pytestmark = pytest.mark.slow

BUNDLERS = ("vite-5", "vite-7", "vite-8", "webpack")
FORMS: dict[str, dict[str, str]] = {
    "1 bare": {"src/main.js": "import('eruda').then((m) => m.default.init());\n"},
    "2 void": {"src/main.js": "void import('eruda').then((m) => m.default.init());\n"},
    "3 await": {"src/main.js": "export {};\nawait import('eruda');\n"},
    "3 await and call": {"src/main.js": "export {};\n(await import('eruda')).default.init();\n"},
    "4 local module": {
        "src/main.js": "import './debug';\n",
        "src/debug.js": "import('eruda').then((m) => m.default.init());\n",
    },
    "in a function": {
        "src/main.js": "async function debug() {\n"
        "  if (typeof window !== 'undefined') await import('eruda');\n}\ndebug();\n",
    },
    "11 static": {"src/main.js": "import eruda from 'eruda';\neruda.init();\n"},
    "11 namespace": {"src/main.js": "import * as eruda from 'eruda';\neruda.init();\n"},
    "11 constructor": {"src/main.js": "import VConsole from 'vconsole';\nconst v = new VConsole();\n"},
    "11 under the guard": {"src/main.js": "import eruda from 'eruda';\nif (GUARD) eruda.init();\n"},
    "11 other module": {
        "src/main.js": "import { start } from './start';\nstart();\n",
        "src/start.js": "import eruda from 'eruda';\nexport const start = () => {\n  eruda.init();\n};\n",
    },
    "12 global": {"src/main.js": "import 'eruda';\nif (window.eruda) window.eruda.init();\n"},
    "13 module": {
        "src/main.js": "import './console';\n",
        "src/console.js": "import VConsole from 'vconsole';\nnew VConsole();\n",
    },
    "13a run": {"src/main.js": "export {};\nconst m = await import('eruda');\nm.default.init();\n"},
    "13b require": {"src/main.js": "require('eruda').init();\n"},
}
CASES = [(b, f) for f in FORMS for b in BUNDLERS if b == "webpack" or not f.startswith("13b")]


def make(root: Path, bundler: str, form: str) -> None:
    """A small application that this bundler builds, with the consoles installed."""
    webpack = bundler == "webpack"
    guard = "process.env.NODE_ENV !== 'production'" if webpack else "import.meta.env.DEV"
    for path, code in FORMS[form].items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        ending = "console.log('application');\n" if path == "src/main.js" else ""
        (root / path).write_text(code.replace("GUARD", guard) + ending)
    (root / "index.html").write_text('<!doctype html>\n<script type="module" src="/src/main.js"></script>\n')
    if not webpack:
        (root / "vite.config.js").write_text("export default { build: { target: 'esnext' } };\n")
    package: dict[str, Any] = {
        "name": "application",
        "scripts": {"build": "webpack --mode production" if webpack else "vite build"},
        "dependencies": {"eruda": "^3.4.3", "vconsole": "^3.15.1"},
    }
    (root / "package.json").write_text(json.dumps(package, indent=2) + "\n")
    (root / "node_modules").mkdir()
    for name in ("eruda", "vconsole", "@babel", "copy-text-to-clipboard", "core-js", "mutation-observer"):
        (root / "node_modules" / name).symlink_to(installed() / name)


WEBPACK = """\
const webpack = require(process.argv[2]);
const config = {
  mode: 'production', context: process.cwd(), entry: './src/main.js', performance: false,
  output: { path: process.cwd() + '/dist' }, module: { rules: [{ test: /main/, type: 'javascript/auto' }] },
};
webpack(config, (error, stats) => {
  if (error || stats.hasErrors()) { console.error(String(error || stats)); process.exit(1); }
});
"""


def build(root: Path, bundler: str) -> bytes:
    """Everything that the bundler wrote."""
    shutil.rmtree(root / "dist", ignore_errors=True)
    if bundler == "webpack":
        (root / "build.cjs").write_text(WEBPACK)
        run(node(root / "build.cjs", str(installed() / "webpack")), root)
        (root / "build.cjs").unlink()
    else:
        run(node(installed() / bundler / "bin/vite.js", "build", "--logLevel", "error"), root)
    return b"".join(file.read_bytes() for file in sorted((root / "dist").rglob("*")) if file.is_file())


def holds_console(bundle: bytes) -> bool:
    return re.search(rb"eruda|vconsole", bundle, re.I) is not None


def apply(root: Path) -> list[str]:
    settings = Settings(select=("gate-dev-tools",), unsafe_fixes=True)
    report = run_perfmod(Request("apply", root, (root,), settings, allow_dirty=True))
    return [change.path for change in report.changes]


@pytest.mark.parametrize(("bundler", "form"), CASES, ids=[f"{form} {bundler}" for bundler, form in CASES])
def test_console_leaves_the_bundle(tmp_path: Path, bundler: str, form: str) -> None:
    make(tmp_path, bundler, form)
    before = build(tmp_path, bundler)
    assert holds_console(before)
    assert "package.json" in apply(tmp_path)
    after = build(tmp_path, bundler)
    assert not holds_console(after)
    for link in (tmp_path / "node_modules").iterdir():
        if link.is_symlink():
            link.unlink()
    assert build(tmp_path, bundler) == after
    print(f"{form} under {bundler}: {len(before):,} bytes before, {len(after):,} after")
    assert len(after) < len(before) / 10


def test_typescript_still_compiles(tmp_path: Path) -> None:
    """Every form at once, in strict TypeScript."""
    forms = {form: files for form, files in FORMS.items() if not form.startswith(("13b", "11 namespace"))}
    for number, files in enumerate(forms.values()):
        for path, code in files.items():
            target = tmp_path / f"src/{number}" / Path(path).name.replace(".js", ".ts")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(
                code.replace("GUARD", "import.meta.env.DEV").replace("window.eruda", "(window as any).eruda")
            )
    (tmp_path / "src/vite-env.d.ts").write_text('/// <reference types="vite/client" />\n')
    package = {"name": "a", "scripts": {"build": "vite build"}, "dependencies": {"eruda": "3", "vconsole": "3"}}
    (tmp_path / "package.json").write_text(json.dumps(package))
    options = {"strict": True, "noEmit": True, "module": "esnext", "target": "es2022", "moduleResolution": "bundler"}
    options |= {"noUnusedParameters": True, "isolatedModules": True, "verbatimModuleSyntax": True, "types": []}
    options |= {"skipLibCheck": True, "moduleDetection": "force"}
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "include": ["src"]}))
    (tmp_path / "node_modules").mkdir()
    for name, target_name in {"eruda": "eruda", "vconsole": "vconsole", "vite": "vite-7"}.items():
        (tmp_path / "node_modules" / name).symlink_to(installed() / target_name)
    tsc = node(installed() / "typescript/bin/tsc", "--project", ".")
    run(tsc, tmp_path)
    assert len(apply(tmp_path)) > len(forms)
    run(tsc, tmp_path)
