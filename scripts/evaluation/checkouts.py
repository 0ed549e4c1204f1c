"""The packages that are looked at, the tools that look, and how both get here."""

import ast
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGES = {
    "sglang": "0.5.23",
    "agno": "3.1.10",
    "chia_blockchain": "2.7.5",
    "aiogram": "3.31.0",
    "pipecat_ai": "1.14.0",
    "open_webui": "0.12.4",
    "mitmproxy": "12.3.1",
    "textual": "8.2.8",
    "red_discordbot": "3.5.24",
    "distributed": "2026.8.0",
    "browser_use": "0.13.14",
    "chainlit": "2.12.0",
    "insforge": "0.1.0",
}
#: For scripts/bench alone: too large to be looked at by a person.
LARGE = {"homeassistant": "2026.11.0"}
PINS = ("ruff==0.17.6", "flake8==7.5.0", "flake8-async==26.8.1")
# One wheel for every machine, so that the counts are the same everywhere.
WHEEL = ("--implementation=cp", "--python-version=3.11", "--platform=manylinux_2_34_x86_64", "--only-binary=:all:")
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
JSON = "--output-format=json"

Command = tuple[str | Path, ...]


@dataclass(frozen=True)
class Checkout:
    name: str
    folder: Path
    installed: bool
    """The folder is an import root, as site-packages is."""


@dataclass(frozen=True)
class Tools:
    cache: Path
    ruff: Path
    flake8: Path
    perfmod: Path


class ToolError(Exception):
    """A tool did not run to its end."""


def run(command: Command, cwd: Path | None = None, accept: Iterable[int] = (0, 1)) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, encoding="utf-8", errors="replace")
    if done.returncode not in accept:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise ToolError(f"{Path(command[0]).name} ended with {done.returncode}: {''.join(last)}")
    return done


def make_tools(cache: Path) -> Tools:
    programs = make_environment(cache / "tools", PINS)
    return Tools(cache, programs / "ruff", programs / "flake8", Path(sys.executable).parent / "perfmod")


def make_environment(folder: Path, pins: tuple[str, ...]) -> Path:
    """The folder of the programs of a virtual environment with these packages, made once for these pins."""
    stamp, programs = folder / "pins", folder / ("Scripts" if os.name == "nt" else "bin")
    if not stamp.exists() or stamp.read_text() != " ".join(pins):
        say(f"preparing {', '.join(re.split('[=<>]', pin)[0] for pin in pins)}")
        run((sys.executable, "-m", "venv", "--clear", folder), accept=(0,))
        run((programs / "python", *PIP[1:], "install", *pins), accept=(0,))
        stamp.write_text(" ".join(pins))
    return programs


def download(name: str, cache: Path) -> Checkout:
    version = {**PACKAGES, **LARGE}[name]
    folder = cache / "packages" / f"{name}-{version}"
    if not folder.exists():
        say(f"downloading {name} {version}")
        folder.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as temporary:
            fetch = (*PIP, "download", "--no-deps", "--ignore-requires-python", *WHEEL, "--dest", temporary)
            run((*fetch, f"{name}=={version}"), accept=(0,))
            (wheel,) = Path(temporary).glob("*.whl")
            unpacked = Path(temporary, "unpacked")
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(unpacked)
            make_repository(unpacked)
            unpacked.rename(folder)
    return Checkout(name, folder, installed=True)


def make_repository(folder: Path) -> None:
    """Without one of its own, the package would count as an ignored folder of our repository."""
    settings = ("core.autocrlf=false", "commit.gpgsign=false", "user.name=evaluate", "user.email=evaluate@localhost")
    git = ("git", *(word for setting in settings for word in ("-c", setting)))
    for arguments in (("init",), ("add", "--force", "--all"), ("commit", "--quiet", "--message=As published")):
        run((*git, *arguments), folder, accept=(0,))


def perfmod_command(tools: Tools, rule: str, command: str, *options: str) -> Command:
    return (tools.perfmod, command, "--isolated", f"--select={rule}", *options, ".")


def files(folder: Path, pattern: str) -> Iterator[Path]:
    return (path for path in folder.rglob(pattern) if ".git" not in path.relative_to(folder).parts)


def python_files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in files(folder, "*.py") if path.is_file())


def parse(path: Path) -> ast.Module | None:
    try:
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None


def say(message: str) -> None:
    print(f"evaluate: {message} ...", file=sys.stderr, flush=True)
