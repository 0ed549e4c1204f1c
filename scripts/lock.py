"""Writes requirements-GROUP.lock: every package that a dependency group needs, its version and the hash of its file."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def this_python() -> str:
    """What the files of a lock are for."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return f"{platform.python_implementation()} {version}, {platform.system()}, {platform.machine()}"


def lock(group: str) -> str:
    """The text of a lock. Asks pip what it would install into an empty environment."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--dry-run"]
    command += ["--ignore-installed", "--only-binary", ":all:", "--report", "-", "--group", group, "."]
    report = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    pins = []
    for package in report["install"]:
        name, version = package["metadata"]["name"], package["metadata"]["version"]
        hashes = package["download_info"].get("archive_info", {}).get("hashes", {})
        if name != "perfmod":
            pins.append(f"{name}=={version} --hash=sha256:{hashes['sha256']}")
    head = f"# scripts/lock wrote this. It is for\n# {this_python()}\n"
    return head + "\n".join(sorted(pins, key=str.lower)) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--python"]:
        print(this_python())
    else:
        (ROOT / f"requirements-{sys.argv[1]}.lock").write_text(lock(sys.argv[1]))
