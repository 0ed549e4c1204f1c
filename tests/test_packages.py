"""package.json files: owners, workspaces, bundlers, lockfiles, and who imports a module."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from perfmod.discovery import discover
from perfmod.model import Facts
from perfmod.project import Project
from perfmod.project.web.packages import glob


def project(root: Path, files: dict[str, Any]) -> Project:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content if isinstance(content, str) else json.dumps(content))
    return Project(root, discover(root, [root]).files, Facts())


def test_owner_is_the_nearest_real_package(tmp_path: Path) -> None:
    packages = project(
        tmp_path,
        {
            "package.json": {"name": "root"},
            "web/package.json": {"dependencies": {"a": "1"}},
            "web/src/package.json": {"type": "module"},
            "broken/package.json": "{",
        },
    ).packages
    assert [packages.owner(f"{p}x.ts").path for p in ("", "web/", "web/src/", "broken/")] == [  # type: ignore[union-attr]
        "package.json",
        "web/package.json",
        "web/package.json",
        "package.json",
    ]
    assert project(tmp_path / "empty", {"a.ts": ""}).packages.owner("a.ts") is None


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("packages/*", "packages/a", True),
        ("packages/*", "packages/a/b", False),
        ("./packages/*/", "packages/a", True),
        ("packages/**", "packages/a/b", True),
        ("**/web", "a/b/web", True),
        ("**/web", "web", True),
        ("apps/web", "apps/web", True),
        ("apps/w.b", "apps/web", False),
    ],
)
def test_workspace_patterns(pattern: str, path: str, fits: bool) -> None:
    assert bool(glob(pattern).fullmatch(path)) is fits


@pytest.mark.parametrize(
    "listing",
    [
        {"package.json": {"workspaces": ["packages/*", "!packages/old"]}},
        {"package.json": {"workspaces": {"packages": ["packages/*", "!packages/old"]}}},
        {"package.json": {}, "pnpm-workspace.yaml": "packages:\n  # all\n  - 'packages/*'\n  - \"!packages/old\"\n"},
        {"package.json": {}, "pnpm-workspace.yaml": "packages: ['packages/*', '!packages/old']\n"},
    ],
)
def test_lockfile_of_a_workspace(tmp_path: Path, listing: dict[str, Any]) -> None:
    packages = project(
        tmp_path,
        {
            **listing,
            "pnpm-lock.yaml": "",
            "packages/a/package.json": {},
            "packages/old/package.json": {},
            "packages/own/package.json": {},
            "packages/own/yarn.lock": "",
        },
    ).packages
    found = [packages.lockfiles(packages.manifest(f"packages/{n}")) for n in ("a", "old", "own")]  # type: ignore[arg-type]
    assert found == [["pnpm-lock.yaml"], [], ["packages/own/yarn.lock"]]


@pytest.mark.parametrize(
    ("package", "files", "bundler"),
    [
        ({"devDependencies": {"vite": "7"}}, [], "vite"),
        ({"devDependencies": {"vite": "7", "webpack": "5"}}, [], None),
        ({"devDependencies": {"vite": "7", "webpack": "5"}}, ["webpack.config.js"], "webpack"),
        ({"devDependencies": {"vite": "7"}, "scripts": {"build": "next build"}}, ["vite.config.ts"], "next"),
        ({"scripts": {"build": "tsc && vite build --mode x"}}, [], "vite"),
        ({"scripts": {"build": "cross-env CI=1 craco build"}}, [], "react-scripts"),
        ({"scripts": {"build": "vite build", "build:server": "webpack"}}, [], None),
        ({"scripts": {"build": "vitest build"}}, [], None),
        ({"scripts": {"dev": "vite"}}, ["vite.config.mts"], "vite"),
        ({"devDependencies": {"vitest": "3"}}, ["vitest.config.ts"], None),
        ({}, [], None),
    ],
)
def test_bundler_by_evidence(tmp_path: Path, package: dict[str, Any], files: list[str], bundler: str | None) -> None:
    packages = project(tmp_path, {"package.json": package, **dict.fromkeys(files, "")}).packages
    assert packages.bundler(packages.manifest("")) == bundler  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("specifier", "path", "target", "leads"),
    [
        ("./eruda", "src/main.ts", "src/eruda.ts", True),
        ("./eruda.js", "src/main.ts", "src/eruda.ts", True),
        ("./eruda", "src/main.ts", "src/lib/eruda.ts", False),
        ("../eruda", "src/a/b.ts", "src/eruda/index.ts", True),
        (".", "src/eruda/b.ts", "src/eruda/index.ts", True),
        ("/src/main.tsx", "index.html", "src/main.tsx", True),
        ("@/lib/eruda", "src/main.ts", "src/lib/eruda.ts", True),
        ("@/types/eruda", "src/main.ts", "src/lib/eruda.ts", False),
        ("src/eruda", "src/main.ts", "src/eruda.ts", True),
        ("eruda", "src/main.ts", "src/eruda.ts", False),
        ("react-dom/client", "src/main.ts", "src/client.ts", False),
        ("shop", "other/x.ts", "src/index.ts", True),
    ],
)
def test_specifier_leads_to_module(tmp_path: Path, specifier: str, path: str, target: str, leads: bool) -> None:
    package = {"name": "shop", "dependencies": {"eruda": "3", "react-dom": "19"}}
    assert project(tmp_path, {"package.json": package}).modules.leads_to(specifier, path, target) is leads


def test_importers_of_a_module(tmp_path: Path) -> None:
    files = {
        "package.json": {"name": "shop"},
        "index.html": '<script type="module" src="/src/main.ts"></script>',
        "src/main.ts": "import './debug';\nimport type { D } from './debug';\n// import './debug'\n",
        "src/lazy.ts": "const load = () => import(/* chunk */ './debug');\n",
        "src/all.ts": "const all = import.meta.glob('./*.ts');\n",
        "src/App.vue": "<script setup>\nimport { on } from '@/debug'\non()\n</script>\n",
        "src/debug.test.ts": "import './debug';\n",
        "src/debug.ts": "export const on = () => {};\n",
    }
    modules = project(tmp_path, files).modules
    assert sorted((i.path, i.kind) for i in modules.importers("src/debug.ts")) == [
        ("src/App.vue", "static"),
        ("src/all.ts", "glob"),
        ("src/lazy.ts", "dynamic"),
        ("src/main.ts", "side-effect"),
    ]
    assert [(i.path, i.kind) for i in modules.importers("src/main.ts")] == [
        ("index.html", "page"),
        ("src/all.ts", "glob"),
    ]
