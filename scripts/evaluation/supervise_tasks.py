"""supervise-tasks beside the linters that know the same fault: ruff (RUF006) and flake8-async (ASYNC300)."""

import ast
import hashlib
import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evaluation.checkouts import (
    JSON,
    PINS,
    Checkout,
    Command,
    ToolError,
    Tools,
    parse,
    perfmod_command,
    python_files,
    run,
)
from evaluation.reports import Report, left

LAPS = 3


@dataclass(frozen=True, order=True)
class Hit:
    path: str
    line: int


def ruff_command(tools: Tools, *options: str) -> Command:
    return (tools.ruff, "check", "--no-cache", "--isolated", "--select=RUF006", JSON, *options, ".")


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
