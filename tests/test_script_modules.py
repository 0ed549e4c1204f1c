"""Where imports lead: relative paths, aliases of tsconfig files, workspaces, re-exports and defaults."""

from __future__ import annotations

from pathlib import Path

import pytest

from perfmod.discovery import discover
from perfmod.model import Facts
from perfmod.project import Project
from perfmod.project.web.modules import ScriptModules

FILES = {
    "package.json": '{ "name": "all", "workspaces": ["packages/*"] }',
    "tsconfig.base.json": """{
  "compilerOptions": { "baseUrl": ".", "paths": { "#shared/*": ["packages/shared/src/*"] } }
}""",
    "packages/app/tsconfig.json": """{
  // aliases
  "compilerOptions": { "paths": { "@/*": ["./src/*",], "one": ["./src/b"] } },
}""",
    "packages/app/package.json": '{ "name": "@all/app" }',
    "packages/app/src/a.ts": "",
    "packages/app/src/b.tsx": "export default function View() {}\nexport const b = 1;\n",
    "packages/app/src/lib/index.ts": "export * from './deep';\nexport { b as renamed } from '../b';\n"
    "export { default as View } from '../b';\n",
    "packages/app/src/lib/deep.d.ts": "export interface Deep { id: string }\n",
    "packages/app/src/circle.ts": "export * from './circle';\nexport { gone } from './circle';\n",
    "packages/plain/tsconfig.json": '{ "extends": "../../tsconfig.base.json" }',
    "packages/plain/index.ts": "import { value as local } from './values';\nexport { local as exported };\n",
    "packages/plain/values.ts": "export const value = 'v';\n",
    "packages/shared/package.json": '{ "name": "@all/shared", "exports": { ".": { "types": "./src/rows.ts" } } }',
    "packages/shared/src/rows.ts": "export type Row = { id: string };\n",
}


@pytest.fixture
def modules(tmp_path: Path) -> ScriptModules:
    for path, text in FILES.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return ScriptModules(Project(tmp_path, discover(tmp_path, [tmp_path]).files, Facts()))


@pytest.mark.parametrize(
    ("specifier", "importer", "file"),
    [
        ("./b", "packages/app/src/a.ts", "packages/app/src/b.tsx"),
        ("./b.js", "packages/app/src/a.ts", "packages/app/src/b.tsx"),
        ("./lib", "packages/app/src/a.ts", "packages/app/src/lib/index.ts"),
        ("./lib/deep", "packages/app/src/a.ts", "packages/app/src/lib/deep.d.ts"),
        ("@/lib", "packages/app/src/a.ts", "packages/app/src/lib/index.ts"),
        ("one", "packages/app/src/a.ts", "packages/app/src/b.tsx"),
        ("#shared/rows", "packages/plain/index.ts", "packages/shared/src/rows.ts"),
        ("@all/shared", "packages/app/src/a.ts", "packages/shared/src/rows.ts"),
        ("@all/shared/rows", "packages/app/src/a.ts", "packages/shared/src/rows.ts"),
        ("react", "packages/app/src/a.ts", None),
        ("./missing", "packages/app/src/a.ts", None),
    ],
)
def test_specifiers_lead_to_files(modules: ScriptModules, specifier: str, importer: str, file: str | None) -> None:
    assert modules.file(specifier, importer) == file


@pytest.mark.parametrize(
    ("module", "name", "place"),
    [
        ("packages/app/src/lib/index.ts", "Deep", "packages/app/src/lib/deep.d.ts"),
        ("packages/app/src/lib/index.ts", "renamed", "packages/app/src/b.tsx"),
        ("packages/app/src/lib/index.ts", "View", "packages/app/src/b.tsx"),
        ("packages/plain/index.ts", "exported", "packages/plain/values.ts"),
        ("packages/app/src/circle.ts", "gone", None),
    ],
)
def test_exports_lead_to_declarations(modules: ScriptModules, module: str, name: str, place: str | None) -> None:
    found = modules.exported(module, name)
    assert (found.source.path if found is not None else None) == place
