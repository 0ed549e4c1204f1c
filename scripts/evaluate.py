"""Runs perfmod beside the linters that know the same faults, on real packages, one table per rule.

supervise-tasks stands beside ruff (RUF006) and flake8-async (ASYNC300). `ruff only` and `async only` are what
perfmod misses, `perfmod only` what both others miss. Below the tables: what a person should judge, then PASS and
FAIL lines. Exits 1 on any FAIL. Names of packages are those of PACKAGES in scripts/evaluate.py.
"""

import argparse
import ast
import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
LAPS = 3

Command = tuple[str | Path, ...]
Checks = list[tuple[bool, str]]


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


@dataclass(frozen=True, order=True)
class Hit:
    path: str
    line: int


@dataclass(frozen=True)
class Report:
    """What one table says about one checkout."""

    row: dict[str, object]
    details: list[str] = field(default_factory=list)
    checks: Checks = field(default_factory=list)


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


def ruff_command(tools: Tools, *options: str) -> Command:
    return (tools.ruff, "check", "--no-cache", "--isolated", "--select=RUF006", JSON, *options, ".")


def perfmod_command(tools: Tools, rule: str, command: str, *options: str) -> Command:
    return (tools.perfmod, command, "--isolated", f"--select={rule}", *options, ".")


def ruff_hits(tools: Tools, folder: Path, *options: str) -> set[Hit]:
    return {
        Hit(Path(hit["filename"]).relative_to(folder).as_posix(), hit["location"]["row"])
        for hit in json.loads(run(ruff_command(tools, *options), folder).stdout)
        if hit["code"] == "RUF006"
    }


def async_hits(tools: Tools, folder: Path) -> tuple[set[Hit], float]:
    """The hits and the seconds that they took.

    flake8-async takes seconds for a file, so it gets only files in which ASYNC300 can find anything,
    and what it said about the same texts before is kept.
    """
    names = [path for path in python_files(folder) if b"create_task" in (folder / path).read_bytes()]
    digest = hashlib.sha256("\0".join([*PINS, *names]).encode())
    for name in names:
        digest.update((folder / name).read_bytes())
    kept = tools.cache / "async300" / digest.hexdigest()
    if not kept.exists():
        options = ("--isolated", "--enable=ASYNC300", "--select=ASYNC300", "--format=%(row)d:%(path)s")
        started = time.perf_counter()
        output = run((tools.flake8, *options, *names), folder).stdout if names else ""
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(f"{time.perf_counter() - started}\n{output}", encoding="utf-8")
    seconds, *lines = kept.read_text(encoding="utf-8").splitlines()
    return {Hit(Path(path).as_posix(), int(row)) for row, path in (line.split(":", 1) for line in lines)}, float(
        seconds
    )


def supervise_tasks(checkout: Checkout, tools: Tools) -> Report:
    folder, check = checkout.folder, perfmod_command(tools, "supervise-tasks", "check", JSON)
    marked = ruff_hits(tools, folder, "--ignore-noqa")
    # Only in preview mode ruff honours its own new ignore comment besides noqa.
    ruff = marked & ruff_hits(tools, folder, "--preview")
    reviewed = marked - ruff
    flake8, flake8_seconds = async_hits(tools, folder)
    flake8 -= reviewed
    row: dict[str, object] = {"package": checkout.name, "files": len(python_files(folder))}
    row |= {"ruff": len(ruff), "reviewed": len(reviewed), "async": len(flake8)}
    try:
        found = json.loads(run(check, folder).stdout)["findings"]
        ruff_seconds, perfmod_seconds, ratio = race(ruff_command(tools, "--ignore-noqa"), check, folder)
    except (ToolError, ValueError) as error:
        return Report(row, checks=[(False, f"perfmod check runs: {error}")])

    findings = [each for each in found if each["rule"] == "supervise-tasks" and not each["suppressed"]]
    hits = {Hit(each["path"], each["line"]) for each in findings}
    missed, missed_async = without(ruff, hits, folder), without(flake8, hits, folder)
    alone = without(hits, ruff | flake8, folder)
    row |= {"perfmod": len(findings), "ruff only": len(missed), "async only": len(missed_async)}
    row |= {"perfmod only": len(alone)}
    row |= {safety: sum(each["safety"] == safety for each in findings) for safety in ("safe", "unsafe", "manual")}
    row |= {"ruff s": f"{ruff_seconds:.2f}", "async s": f"{flake8_seconds:.1f}", "perfmod s": f"{perfmod_seconds:.2f}"}
    row |= {"ratio": f"{ratio:.2f}"}
    details = [
        *listing("found only by ruff", missed, folder),
        *listing("found only by flake8-async", missed_async, folder),
        *listing("found only by perfmod", alone, folder),
        *listing("reviewed in the source", sorted(reviewed), folder),
        *left(findings),
    ]
    checks = [
        (not missed, "every RUF006 hit that is not marked as reviewed is found"),
        (not reviewed & hits, "nothing is reported that the source marks as reviewed"),
    ]
    return Report(row, details, checks)


def race(first: Command, second: Command, folder: Path) -> tuple[float, float, float]:
    """Median seconds of two commands, run in turns, and the median of their ratios, second to first."""

    def seconds(command: Command) -> float:
        started = time.perf_counter()
        run(command, folder)
        return time.perf_counter() - started

    laps = [(seconds(first), seconds(second)) for _ in range(LAPS)]
    ratio = statistics.median(b / a for a, b in laps)
    return statistics.median(a for a, _ in laps), statistics.median(b for _, b in laps), ratio


def without(hits: set[Hit], others: set[Hit], folder: Path) -> list[Hit]:
    """Hits that no other stands for. Tools may report different lines of one statement: these are the same hit."""
    starts = {path: statement_starts(folder / path) for path in {hit.path for hit in hits | others}}
    taken = others | {Hit(other.path, starts[other.path].get(other.line, other.line)) for other in others}
    return sorted(hit for hit in hits if not {hit, Hit(hit.path, starts[hit.path].get(hit.line, hit.line))} & taken)


def statement_starts(path: Path) -> dict[int, int]:
    """For each line the first line of the innermost statement that it belongs to."""
    starts: dict[int, int] = {}
    for node in ast.walk(parse(path) or ast.Module([], [])):
        if isinstance(node, ast.stmt):
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                starts[line] = max(starts.get(line, 0), node.lineno)
    return starts


def listing(title: str, hits: list[Hit], folder: Path) -> Iterator[str]:
    if hits:
        yield f"{title}:"
    for hit in hits:
        lines = (folder / hit.path).read_bytes().decode(errors="replace").split("\n")
        yield f"  {hit.path}:{hit.line}: {lines[hit.line - 1].strip()}"


def left(findings: list[dict[str, Any]]) -> Iterator[str]:
    """Why fixes are not safe, grouped; names in backquotes differ from one place to the next."""
    reasons = Counter(
        f"{each['safety']}: {re.sub(r'`[^`]*`', '`…`', each['reason'] or 'no reason')}"
        for each in findings
        if each["safety"] != "safe"
    )
    if reasons:
        yield "left, or fixed only with --unsafe-fixes:"
    yield from (f"  {count:4} {reason}" for reason, count in sorted(reasons.items(), key=lambda each: -each[1]))


def check_apply(checkout: Checkout, tools: Tools, rule: str) -> Checks:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve() / checkout.name
        shutil.copytree(checkout.folder, folder, symlinks=True)
        apply = perfmod_command(tools, rule, "apply", "--unsafe-fixes", "--allow-dirty", JSON)
        try:
            return list(apply_twice(apply, Checkout(checkout.name, folder, checkout.installed), checkout.folder))
        except (ToolError, ValueError) as error:
            return [(False, f"perfmod apply runs: {error}")]


def apply_twice(apply: Command, copy: Checkout, original: Path) -> Iterator[tuple[bool, str]]:
    before = hashes(copy.folder)
    first, after = run(apply, copy.folder), hashes(copy.folder)
    second, again = run(apply, copy.folder), hashes(copy.folder)
    changed = sorted(path for path in after if path.endswith(".py") and after[path] != before.get(path))

    findings = json.loads(first.stdout)["findings"]
    fixable = [each for each in findings if each["safety"] != "manual" and not each["suppressed"]]
    unfixed = [f"{each['path']}:{each['line']}" for each in fixable if not each["applied"]]
    broken = [path for path in changed if parse(original / path) and not parse(copy.folder / path)]
    lost = sorted(before.keys() - after.keys())
    unresolved = [line for path in changed for line in unresolved_imports(copy, original, path)]
    moved = sorted(path for path in again.keys() | after.keys() if again.get(path) != after.get(path))
    codes = f"{first.returncode} and {second.returncode}"
    yield not unfixed, said(f"all {len(fixable)} fixes are applied, in {len(changed)} files", unfixed)
    yield not broken and not lost, said("every changed file still parses, none is lost", broken + lost)
    yield not unresolved, said("every inserted import resolves to a file of the checkout", unresolved)
    yield not moved and first.returncode == second.returncode, said(f"a second run changes nothing ({codes})", moved)


def hashes(folder: Path) -> dict[str, str]:
    paths = [path for path in files(folder, "*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def unresolved_imports(copy: Checkout, original: Path, path: str) -> Iterator[str]:
    old, new = parse(original / path), parse(copy.folder / path)
    present = set(imports(old)) if old else set()
    roots = [copy.folder] if copy.installed else import_roots(copy.folder, path, present)
    for module, name in sorted(set(imports(new)) - present) if new else ():
        if not resolves(module, name, (copy.folder / path).parent, roots):
            yield f"{path}: from {module} import {name}"


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(module, name) of every import, without the standard library; relative modules keep their dots."""
    for node in ast.walk(tree):
        pairs: list[tuple[str, str]] = []
        if isinstance(node, ast.ImportFrom):
            pairs = [("." * node.level + (node.module or ""), alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            pairs = [(alias.name, "") for alias in node.names]
        yield from (pair for pair in pairs if pair[0].split(".")[0] not in sys.stdlib_module_names)


def import_roots(root: Path, path: str, present: set[tuple[str, str]]) -> list[Path]:
    """The folders above a file from which its own imports resolve, or all of them where it has none."""
    above = [root / parent for parent in Path(path).parents]
    absolute = [module.replace(".", "/") for module, _ in present if module[:1] != "."]
    proved = [at for at in above if any((at / each).is_dir() or (at / f"{each}.py").exists() for each in absolute)]
    return proved or above


def resolves(module: str, name: str, here: Path, roots: list[Path]) -> bool:
    """The module is a file below a root, and that file binds the name."""
    dots = len(module) - len(module.lstrip("."))
    starts = [here.joinpath(*[".."] * (dots - 1))] if dots else roots
    targets = [start.joinpath(*filter(None, module.split("."))) for start in starts]
    places = [place for at in targets for place in (at.parent / f"{at.name}.py", at / "__init__.py", at / f"{name}.py")]
    return any(place.is_file() and (not name or place.stem == name or binds(place, name)) for place in places)


def binds(path: Path, name: str) -> bool:
    nodes = ast.walk(parse(path) or ast.Module([], []))
    return any(name in (getattr(node, "asname", None), getattr(node, "name", None)) for node in nodes)


def files(folder: Path, pattern: str) -> Iterator[Path]:
    return (path for path in folder.rglob(pattern) if ".git" not in path.relative_to(folder).parts)


def python_files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in files(folder, "*.py") if path.is_file())


def parse(path: Path) -> ast.Module | None:
    try:
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None


def said(sentence: str, faults: list[str]) -> str:
    return f"{sentence}; not so: {', '.join(faults[:5])}" if faults else sentence


def say(message: str) -> None:
    print(f"evaluate: {message} ...", file=sys.stderr, flush=True)


def format_table(rows: list[dict[str, object]]) -> str:
    """A Markdown table; its last row is the sum of all numbers."""
    columns = list({column: None for row in sorted(rows, key=len, reverse=True) for column in row})
    numbers = {column: [value for row in rows if isinstance(value := row.get(column), int)] for column in columns}
    total = ["all", *(str(sum(numbers[column])) if numbers[column] else "" for column in columns[1:])]
    cells = [columns, *([str(row.get(column, "-")) for column in columns] for row in rows), total]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, ["-" * width for width in widths])
    lines = ([text.ljust(width) for text, width in zip(line, widths, strict=True)] for line in cells)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_diff(checkout: Checkout, tools: Tools, rule: str, folder: Path) -> Checks:
    """Writes the patch in bytes, because files end their lines and are encoded in many ways."""
    folder.mkdir(parents=True, exist_ok=True)
    place = folder.resolve() / f"{checkout.name}-{rule}.patch"
    diff = perfmod_command(tools, rule, "diff", "--unsafe-fixes", "--output-format=patch")
    done = subprocess.run(diff, cwd=checkout.folder, capture_output=True)
    place.write_bytes(done.stdout)
    accepts = ("git", "apply", "--check", place)
    fits = not done.stdout or subprocess.run(accepts, cwd=checkout.folder, capture_output=True).returncode == 0
    return [(done.returncode in (0, 1) and fits, "git accepts the patch of perfmod diff")]


TABLES: dict[str, Callable[[Checkout, Tools], Report]] = {"supervise-tasks": supervise_tasks}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cache = Path(__file__).resolve().parent.parent / ".cache" / "corpora"
    parser.add_argument("--packages", nargs="*", choices=PACKAGES, default=list(PACKAGES), metavar="NAME")
    parser.add_argument("--checkouts", type=Path, metavar="DIR", help="evaluate the folders in DIR as well")
    parser.add_argument("--cache", type=Path, default=cache, metavar="DIR", help="default: .cache/corpora")
    parser.add_argument("--diffs", type=Path, metavar="DIR", help="write one patch per package into DIR")
    parser.add_argument("--apply", action="store_true", help="apply all fixes to a copy and check the result")
    options = parser.parse_args()

    cache = options.cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    tools = make_tools(cache)
    checkouts = [download(name, cache) for name in options.packages]
    if options.checkouts:
        folders = sorted(path.resolve() for path in options.checkouts.iterdir() if path.is_dir())
        checkouts += [Checkout(folder.name, folder, installed=False) for folder in folders]

    checks: Checks = []
    for rule, table in TABLES.items():
        reports = []
        for checkout in checkouts:
            say(f"{rule}: {checkout.name}")
            report = table(checkout, tools)
            reports.append(report)
            results = list(report.checks)
            results += check_apply(checkout, tools, rule) if options.apply else []
            results += write_diff(checkout, tools, rule, options.diffs) if options.diffs else []
            checks += [(passed, f"{checkout.name}: {sentence}") for passed, sentence in results]
        print(f"{rule}\n\n{format_table([report.row for report in reports])}\n")
        for report in reports:
            if report.details:
                print(report.row["package"], *report.details, sep="\n  ", end="\n\n")
    for passed, sentence in checks:
        print("PASS" if passed else "FAIL", sentence)
    return 0 if all(passed for passed, _ in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
