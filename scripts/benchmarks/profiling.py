"""Where perfmod's own time goes: imports, stages, functions."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from evaluation.checkouts import download

from benchmarks.races import Rivals
from benchmarks.trees import generate

SHOWN = 20
IMPORT = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| (.*)")
# In one process: a profiler sees nothing of workers.
PROFILED = """
import cProfile, os, pstats, sys
from perfmod.cli import exit_code_of
profiler = cProfile.Profile()
kept = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
profiler.runcall(exit_code_of, sys.argv[1:])
sys.stdout.flush()
os.dup2(kept, 1)
pstats.Stats(profiler).sort_stats("tottime").print_stats(%d)
"""


def profile(rivals: Rivals) -> None:
    """Print the costliest imports of a clean tree, and the costliest functions on a sparse and a dense package."""
    clean = generate(rivals.cache / "generated-50", 50, dense=0)
    print("start-up, microseconds of each module itself")
    print(*costly_imports(clean), sep="\n")
    for name in ("sglang", "agno"):
        folder = download(name, rivals.cache).folder
        for title, option in {
            "no cache": ("--no-cache",),
            "warm": ("--cache-dir", str(rivals.cache / "kept" / name)),
        }.items():
            command = ("check", "--isolated", "-j1", "--select", "supervise-tasks", *option, ".")
            if title == "warm":
                profiled(folder, command)
            print(f"\n{name}, {title}")
            print(profiled(folder, command))


def costly_imports(folder: Path) -> list[str]:
    command = (sys.executable, "-X", "importtime", "-m", "perfmod", "check", "--isolated", "--no-cache", ".")
    subprocess.run(command, cwd=folder, capture_output=True, check=False)  # compiles
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stderr
    found = sorted(((int(own), name.strip()) for own, _, name in IMPORT.findall(said)), reverse=True)
    return [f"{own:8} {name}" for own, name in found[:SHOWN]] + [f"{sum(own for own, _ in found):8} all {len(found)}"]


def profiled(folder: Path, command: tuple[str, ...]) -> str:
    """The table of functions, without its head and with short paths."""
    said = subprocess.run(
        (sys.executable, "-c", PROFILED % SHOWN, *command), cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    lines = [line for line in said.splitlines() if re.match(r"\s+(ncalls|\d+[/ ])", line)]
    return "\n".join(re.sub(rf"\S*{re.escape(os.sep)}(\S+{re.escape(os.sep)}\S+\.py)", r"\1", line) for line in lines)
