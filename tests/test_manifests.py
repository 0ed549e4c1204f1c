"""Moving a package between sections: package.json and lockfiles, every other byte kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from perfmod.discovery import discover
from perfmod.model import Facts, MovePackage
from perfmod.project import Project
from perfmod.render import CannotRender, apply_edits
from perfmod.render.manifests import move_packages

MANIFEST = """\
{
  "name": "app",
  "dependencies": {
    "a": "1",
    "eruda": "^3"
  },
  "devDependencies": {
    "vite": "7"
  }
}
"""


def moved(root: Path, files: dict[str, str], *packages: str, manifest: str = "package.json") -> dict[str, str]:
    """The files after the packages moved to devDependencies."""
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content.encode())
    project = Project(root, discover(root, [root]).files, Facts())
    intents = [MovePackage(manifest, name, "dependencies", "devDependencies") for name in packages or ("eruda",)]
    edits = sorted(move_packages(intents, project))
    made = dict(files)
    for path in {edit.span.path for edit in edits}:
        text = project.text(path)
        assert text is not None
        made[path] = apply_edits(text.utf8, [edit for edit in edits if edit.span.path == path]).decode()
    return made


def manifest(root: Path, content: str, *packages: str) -> str:
    return moved(root, {"package.json": content}, *packages)["package.json"]


def test_last_member_takes_its_comma_along(tmp_path: Path) -> None:
    assert manifest(tmp_path, MANIFEST) == MANIFEST.replace(',\n    "eruda": "^3"', "").replace(
        '    "vite"', '    "eruda": "^3",\n    "vite"'
    )


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("unit", ["\t", "    ", ""])
@pytest.mark.parametrize("end", ["", "\n"])
def test_indent_line_ends_and_final_newline_stay(tmp_path: Path, newline: str, unit: str, end: str) -> None:
    def shape(text: str) -> str:
        return text.strip("\n").replace("  ", unit).replace("\n", newline) + end

    after = (
        '{\n  "dependencies": {\n    "b": "1"\n  },\n  "devDependencies": {\n    "eruda": "^3",\n    "z": "2"\n  }\n}'
    )
    before = (
        '{\n  "dependencies": {\n    "b": "1",\n    "eruda": "^3"\n  },\n  "devDependencies": {\n    "z": "2"\n  }\n}'
    )
    assert manifest(tmp_path, shape(before)) == shape(after)


def test_new_section_stands_behind_dependencies(tmp_path: Path) -> None:
    before = '{\n\t"dependencies": {\n\t\t"a": "1",\n\t\t"eruda": "^3",\n\t\t"z": "1"\n\t},\n\t"type": "module"\n}'
    after = (
        '{\n\t"dependencies": {\n\t\t"a": "1",\n\t\t"z": "1"\n\t},\n\t"devDependencies": {\n\t\t"eruda": "^3"\n\t},\n'
        '\t"type": "module"\n}'
    )
    assert manifest(tmp_path, before) == after


def test_only_dependency_becomes_the_section(tmp_path: Path) -> None:
    before = '{ "name": "a", "dependencies": { "eruda": "^3" } }'
    assert manifest(tmp_path, before) == before.replace("dependencies", "devDependencies")


def test_emptied_section_goes(tmp_path: Path) -> None:
    before = '{\n  "dependencies": {\n    "eruda": "^3"\n  },\n  "devDependencies": {\n    "vite": "7"\n  }\n}\n'
    after = '{\n  "devDependencies": {\n    "eruda": "^3",\n    "vite": "7"\n  }\n}\n'
    assert manifest(tmp_path, before) == after


def test_empty_target(tmp_path: Path) -> None:
    before = '{"dependencies": {"a": "1", "eruda": "3"}, "devDependencies": {}}'
    assert manifest(tmp_path, before) == '{"dependencies": {"a": "1"}, "devDependencies": {"eruda": "3"}}'


def test_unsorted_section_gets_it_last(tmp_path: Path) -> None:
    before = '{"dependencies":{"eruda":"3","a":"1"},"devDependencies":{"z":"1","b":"1"}}'
    assert manifest(tmp_path, before) == '{"dependencies":{"a":"1"},"devDependencies":{"z":"1","b":"1","eruda":"3"}}'


def test_several_packages_share_the_commas(tmp_path: Path) -> None:
    before = '{\n  "dependencies": {\n    "a": "1",\n    "eruda": "3",\n    "eruda-dom": "2"\n  },\n  "x": 1\n}\n'
    after = (
        '{\n  "dependencies": {\n    "a": "1"\n  },\n  "devDependencies": {\n    "eruda": "3",\n    "eruda-dom": "2"\n'
        '  },\n  "x": 1\n}\n'
    )
    assert manifest(tmp_path, before, "eruda-dom", "eruda") == after


@pytest.mark.parametrize("shape", ['{"dependencies": {"eruda": "3", "eruda": "4"}}', '{"dependencies": []}', "[]", "{"])
def test_odd_manifest_is_refused(tmp_path: Path, shape: str) -> None:
    with pytest.raises((CannotRender, AssertionError)):
        manifest(tmp_path, shape)


PNPM = """\
lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      a:
        specifier: '1'
        version: 1.0.0
      eruda:
        specifier: ^3
        version: 3.4.3
    devDependencies:
      '@types/x':
        specifier: '1'
        version: 1.0.0
      vite:
        specifier: '7'
        version: 7.0.0

  packages/web:
    dependencies:
      eruda:
        specifier: ^3
        version: 3.4.3

packages:

  eruda@3.4.3:
    resolution: {integrity: sha512-x}
"""
ENTRY = "      eruda:\n        specifier: ^3\n        version: 3.4.3\n"


def test_pnpm_moves_the_lines_of_the_right_importer(tmp_path: Path) -> None:
    made = moved(tmp_path, {"package.json": MANIFEST, "pnpm-lock.yaml": PNPM})["pnpm-lock.yaml"]
    head, _, tail = PNPM.partition(ENTRY)
    assert made == head + tail.replace("      vite:\n", ENTRY + "      vite:\n")


def test_pnpm_workspace(tmp_path: Path) -> None:
    files = {
        "package.json": '{"name": "root"}',
        "pnpm-workspace.yaml": "packages:\n  - packages/*\n",
        "packages/web/package.json": '{"dependencies": {"eruda": "^3"}}',
        "pnpm-lock.yaml": PNPM.replace("\n", "\r\n"),
    }
    made = moved(tmp_path, files, manifest="packages/web/package.json")
    head, _, tail = files["pnpm-lock.yaml"].partition("packages/web:\r\n    ")
    assert made["pnpm-lock.yaml"] == f"{head}packages/web:\r\n    devDependencies{tail.removeprefix('dependencies')}"


def test_pnpm_new_section_behind_optional_dependencies(tmp_path: Path) -> None:
    lock = (
        "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      a:\n        specifier: '1'\n"
        f"        version: 1.0.0\n{ENTRY}    optionalDependencies:\n"
        "      o:\n        specifier: '1'\n        version: 1.0.0\n"
    )
    package = '{"dependencies": {"a": "1", "eruda": "^3"}}'
    made = moved(tmp_path, {"package.json": package, "pnpm-lock.yaml": lock})["pnpm-lock.yaml"]
    assert made == lock.replace(ENTRY, "") + "    devDependencies:\n" + ENTRY


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("pnpm-lock.yaml", "lockfileVersion: '6.0'\n\ndependencies:\n  eruda: 1\n", "has version 6.0"),
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n\nimporters:\n\n  .: {}\n", "does not hold the package"),
        ("pnpm-lock.yaml", "a: [\n", "does not hold the package"),
        ("bun.lockb", "binary", "is binary"),
        ("package-lock.json", '{"lockfileVersion": 1, "dependencies": {}}', "has version 1"),
        ("package-lock.json", '{"lockfileVersion": 3, "packages": {"": {}}}', "does not hold the package"),
        ("bun.lock", '{"workspaces": {}}', "does not hold the package"),
    ],
)
def test_lockfile_that_is_not_edited_says_what_to_run(tmp_path: Path, name: str, content: str, why: str) -> None:
    with pytest.raises(CannotRender) as refused:
        moved(tmp_path, {"package.json": MANIFEST, name: content})
    command = {"p": "pnpm install --lockfile-only", "b": "bun install"}[name[0]] if name[1] != "a" else "npm install"
    assert why in str(refused.value)
    assert "move eruda to devDependencies of package.json, then run" in str(refused.value)
    assert command in str(refused.value)


def test_yarn_needs_no_edit(tmp_path: Path) -> None:
    lock = 'eruda@^3:\n  version "3.4.3"\n'
    assert moved(tmp_path, {"package.json": MANIFEST, "yarn.lock": lock})["yarn.lock"] == lock


def test_bun(tmp_path: Path) -> None:
    lock = (
        '{\n  "lockfileVersion": 1,\n  "workspaces": {\n    "": {\n      "name": "app",\n      "dependencies": {\n'
        '        "a": "1",\n        "eruda": "^3",\n      },\n'
        '      "devDependencies": {\n        "vite": "7",\n      },\n'
        '    },\n  },\n  "packages": {\n    "a": ["a@1.0.0", "", {}, "sha512-x"],\n  }\n}\n'
    )
    made = moved(tmp_path, {"package.json": MANIFEST, "bun.lock": lock})["bun.lock"]
    assert made == lock.replace('        "eruda": "^3",\n', "").replace(
        '        "vite"', '        "eruda": "^3",\n        "vite"'
    )


def npm_lock(packages: dict[str, Any], version: int = 3) -> str:
    lock: dict[str, Any] = {"name": "app", "lockfileVersion": version, "requires": True, "packages": packages}
    return json.dumps(lock, indent=2) + "\n"


def npm_root(**sections: dict[str, str]) -> dict[str, Any]:
    root = {"name": "app", "dependencies": {"a": "1", "eruda": "^3"}, "devDependencies": {"vite": "7"}}
    return {**root, **sections}


def flags(lock: str) -> list[str]:
    return [path for path, entry in json.loads(lock)["packages"].items() if entry.get("dev")]


def npm(root: Path, packages: dict[str, Any], version: int = 3) -> str:
    lock = npm_lock(packages, version)
    return moved(root, {"package.json": MANIFEST, "package-lock.json": lock})["package-lock.json"]


def test_npm_flags_what_only_it_needs(tmp_path: Path) -> None:
    made = npm(
        tmp_path,
        {
            "": npm_root(),
            "node_modules/a": {"version": "1.0.0", "license": "MIT", "dependencies": {"shared": "1"}},
            "node_modules/eruda": {
                "version": "3.4.3",
                "integrity": "x",
                "license": "MIT",
                "dependencies": {"own": "1", "shared": "1"},
            },
            "node_modules/own": {"version": "1.0.0", "cpu": ["x64"], "engines": {"node": "1"}},
            "node_modules/shared": {"version": "1.0.0"},
            "node_modules/vite": {"version": "7.0.0", "dev": True},
        },
    )
    assert flags(made) == ["node_modules/eruda", "node_modules/own", "node_modules/vite"]
    packages = json.loads(made)["packages"]
    assert list(packages["node_modules/eruda"]) == ["version", "integrity", "dev", "license", "dependencies"]
    assert list(packages["node_modules/own"]) == ["version", "cpu", "dev", "engines"]
    assert packages[""]["devDependencies"] == {"eruda": "^3", "vite": "7"}


def test_npm_nested_versions_are_resolved_as_node_does(tmp_path: Path) -> None:
    made = npm(
        tmp_path,
        {
            "": npm_root(),
            "node_modules/a": {"version": "1.0.0", "dependencies": {"x": "1"}},
            "node_modules/eruda": {"version": "3.4.3", "dependencies": {"x": "2"}},
            "node_modules/eruda/node_modules/x": {"version": "2.0.0"},
            "node_modules/vite": {"version": "7.0.0", "dev": True},
            "node_modules/x": {"version": "1.0.0"},
        },
    )
    assert flags(made) == ["node_modules/eruda", "node_modules/eruda/node_modules/x", "node_modules/vite"]


def test_npm_another_workspace_or_package_needs_it(tmp_path: Path) -> None:
    made = npm(
        tmp_path,
        {
            "": npm_root(),
            "node_modules/a": {"version": "1.0.0"},
            "node_modules/eruda": {"version": "3.4.3"},
            "node_modules/other": {"resolved": "other", "link": True},
            "node_modules/vite": {"version": "7.0.0", "dev": True},
            "other": {"name": "other", "dependencies": {"eruda": "^3"}},
        },
    )
    assert flags(made) == ["node_modules/vite"]


def test_npm_refuses_other_flags(tmp_path: Path) -> None:
    with pytest.raises(CannotRender, match="several flags"):
        npm(
            tmp_path,
            {
                "": npm_root(),
                "node_modules/a": {"version": "1.0.0"},
                "node_modules/eruda": {"version": "3.4.3", "optionalDependencies": {"o": "1"}},
                "node_modules/o": {"version": "1.0.0", "optional": True},
            },
        )


def test_npm_version_2_has_two_trees(tmp_path: Path) -> None:
    packages = {"": npm_root(), "node_modules/a": {"version": "1.0.0"}, "node_modules/eruda": {"version": "3.4.3"}}
    lock = json.loads(npm_lock(packages, 2))
    lock["dependencies"] = {"a": {"version": "1.0.0"}, "eruda": {"version": "3.4.3", "requires": {}}}
    text = json.dumps(lock, indent=4)
    made = moved(tmp_path, {"package.json": MANIFEST, "package-lock.json": text})["package-lock.json"]
    assert flags(made) == ["node_modules/eruda"]
    assert json.loads(made)["dependencies"]["eruda"] == {"version": "3.4.3", "dev": True, "requires": {}}
