"""Real package managers: a frozen install passes before and after the move, and they would write the same lockfile."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from node_tools import installed, node, program, registry, run

from perfmod.config import Settings
from perfmod.pipeline import Report, Request
from perfmod.pipeline import run as run_perfmod

pytestmark = pytest.mark.slow

GUARDED = "import('eruda').then((m) => m.default.init());\n"


@dataclass(frozen=True)
class Manager:
    """How one package manager makes a lockfile, and how it installs from one that must be right."""

    lockfile: str
    program: Callable[[], list[str]]
    lock: tuple[str, ...]
    frozen: tuple[str, ...]


def pnpm(version: str, entry: str) -> Manager:
    frozen = ("install", "--frozen-lockfile", "--ignore-scripts")
    return Manager(
        "pnpm-lock.yaml",
        lambda: node(installed() / f"pnpm-{version}" / "bin" / entry),
        ("install", "--lockfile-only"),
        frozen,
    )


def npm(version: int) -> Manager:
    lock = ("install", "--package-lock-only", "--ignore-scripts", f"--lockfile-version={version}")
    return Manager("package-lock.json", lambda: [program("npm")], lock, ("ci", "--ignore-scripts"))


MANAGERS = {
    "pnpm 9": pnpm("9", "pnpm.cjs"),
    "pnpm 10": pnpm("10", "pnpm.cjs"),
    "pnpm 12": pnpm("12", "pnpm.mjs"),
    "npm, version 2": npm(2),
    "npm, version 3": npm(3),
    "yarn": Manager(
        "yarn.lock",
        lambda: node(installed() / "@yarnpkg/cli-dist/bin/yarn.js"),
        ("install", "--mode=update-lockfile", "--no-immutable"),
        ("install", "--immutable"),
    ),
    "bun": Manager(
        "bun.lock",
        lambda: [str(installed() / "bun/bin/bun.exe")],
        ("install", "--lockfile-only"),
        ("install", "--frozen-lockfile", "--ignore-scripts"),
    ),
}


def manage(manager: Manager, arguments: tuple[str, ...], root: Path, *, check: bool = True) -> int:
    environment = {
        "YARN_NPM_REGISTRY_SERVER": registry(),
        "YARN_ENABLE_TELEMETRY": "0",
        "YARN_GLOBAL_FOLDER": str(root.parent / "yarn"),
        "YARN_NODE_LINKER": "node-modules",
        "BUN_CONFIG_REGISTRY": registry(),
        "BUN_INSTALL_CACHE_DIR": str(root.parent / "bun"),
        "npm_config_omit_lockfile_registry_resolved": "false",
    }
    return run([*manager.program(), *arguments], root, check=check, **environment).returncode


def write(root: Path, path: str, content: object) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content, indent=2) + "\n"
    (root / path).write_text(text)


def workspace(root: Path, *, vconsole: bool = True) -> None:
    """Two packages: web loads both consoles, other needs one package that vconsole needs too."""
    consoles = {"eruda": "3.4.3", **({"vconsole": "3.15.1"} if vconsole else {})}
    web = {
        "name": "web",
        "version": "1.0.0",
        "scripts": {"build": "vite build"},
        "dependencies": {**consoles, "ms": "2.1.3"},
        "devDependencies": {"kleur": "4.1.5"},
    }
    write(root, "package.json", {"name": "root", "private": True, "workspaces": ["packages/*"]})
    write(root, "pnpm-workspace.yaml", "packages:\n  - packages/*\n")
    write(root, "packages/web/package.json", web)
    write(root, "packages/web/src/main.js", GUARDED + (GUARDED.replace("eruda", "vconsole") if vconsole else ""))
    other = {"name": "other", "version": "1.0.0", "dependencies": {"mutation-observer": "1.0.3", "web": "1.0.0"}}
    write(root, "packages/other/package.json", other)


def single(root: Path) -> None:
    """One package that depends on nothing but a console."""
    write(root, "package.json", {"name": "one", "scripts": {"build": "vite build"}, "dependencies": {"eruda": "3.4.3"}})
    write(root, "src/main.js", GUARDED)


def apply(root: Path) -> Report:
    settings = Settings(select=("gate-dev-tools",))
    return run_perfmod(Request("apply", root, (root,), settings, allow_dirty=True))


@pytest.mark.parametrize("shape", [workspace, single], ids=["workspace", "single"])
@pytest.mark.parametrize("manager", MANAGERS.values(), ids=MANAGERS)
def test_frozen_install_passes_before_and_after(
    tmp_path: Path, manager: Manager, shape: Callable[[Path], None]
) -> None:
    root = tmp_path / "checkout"
    shape(root)
    if shape is workspace and manager.lockfile == "pnpm-lock.yaml":
        package = json.loads((root / "packages/other/package.json").read_text())
        package["dependencies"]["web"] = "workspace:*"
        write(root, "packages/other/package.json", package)
    if manager.lockfile == "yarn.lock":
        (root / "yarn.lock").touch()
    manage(manager, manager.lock, root)
    old = (root / manager.lockfile).read_bytes()
    manage(manager, manager.frozen, root)

    report = apply(root)
    assert [result.finding.reason for result in report.open] == []
    new = (root / manager.lockfile).read_bytes()
    assert (new == old) == (manager.lockfile == "yarn.lock")
    manage(manager, manager.frozen, root)
    manage(manager, manager.lock, root)
    assert (root / manager.lockfile).read_text() == new.decode()

    (root / manager.lockfile).write_bytes(old)
    passed = manage(manager, manager.frozen, root, check=False) == 0
    print(f"{manager.lockfile}: a frozen install {'passes' if passed else 'fails'} with the old lockfile")
    assert passed or manager.lockfile == "pnpm-lock.yaml" or manager.lockfile == "bun.lock"
