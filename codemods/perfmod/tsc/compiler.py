"""Where a checkout keeps its TypeScript, and how it is asked."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from perfmod.errors import PerfmodError

TIMEOUT = 900  # seconds


def compiler_of(root: Path, path: str) -> Path | None:
    """The TypeScript package that a file of the checkout resolves to."""
    folder = (root / path).parent
    while True:
        found = folder / "node_modules" / "typescript"
        if (found / "package.json").is_file():
            return found
        if folder == root or folder.parent == folder:
            return None
        folder = folder.parent


def ask(script: str, option: str, root: Path, question: Mapping[str, Any]) -> Any:
    """What a script beside this file answers. Raises PerfmodError, in the name of the option, where it can't."""
    try:
        run = subprocess.run(
            ["node", "--max-old-space-size=4096", str(Path(__file__).with_name(script))],
            input=json.dumps({**question, "root": str(root)}).encode(),
            capture_output=True,
            timeout=TIMEOUT,
            cwd=root,
            check=False,
        )
    except FileNotFoundError:
        raise PerfmodError(f"{option} needs node on the PATH") from None
    except subprocess.TimeoutExpired:
        raise PerfmodError(f"{option}: the compiler was not done after {TIMEOUT} seconds") from None
    if run.returncode != 0:
        lines = run.stderr.decode("utf-8", "replace").strip().splitlines()
        said = next((line for line in lines if "Error" in line), lines[-1] if lines else "no message")
        raise PerfmodError(f"{option}: the compiler failed: {said}")
    return json.loads(run.stdout)
