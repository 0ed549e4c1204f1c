"""The baseline: findings that may stay. A file of the checkout lists them by what their code says, not by its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from perfmod.errors import PerfmodError
from perfmod.model import Result
from perfmod.reading import read_regular
from perfmod.rule import OWN_RULES
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.config import Settings
    from perfmod.discovery import Discovery
    from perfmod.project import Project


class Entry(NamedTuple):
    """A finding that may stay."""

    path: str
    rule: str
    fingerprint: str


@dataclass(frozen=True)
class Baseline:
    """A baseline file. Equal entries are that many equal findings."""

    path: Path
    entries: tuple[Entry, ...] = ()


def apply_baseline(
    results: Sequence[Result],
    path: Path,
    update: Literal["write", "prune"] | None,
    project: Project,
    discovery: Discovery,
    settings: Settings,
) -> tuple[list[Result], list[str]]:
    """The results with those marked that the baseline holds, and what to tell about it. Writes it where asked to."""

    def could_meet(entry: Entry) -> bool:
        """Whether this run would have found it, had it still been there."""
        looked_at = discovery.is_chosen(entry.path) or entry.path not in project.paths
        return looked_at and (entry.rule in settings.selected or entry.rule in OWN_RULES)

    old = Baseline(path) if update == "write" and not path.exists() else load(path)
    compared = compare(results, old, project, could_meet)
    if update is None:
        return compared, []
    kept = results if update == "write" else [r for r in compared if r.suppressed == "baseline"]
    new = updated(old, kept, project, could_meet)
    save(new)
    gone = len(old.entries) - len(new.entries)
    said = f"{count_of(new.entries)} in the baseline {path.name}"
    if update == "prune":
        said += f", {gone} removed"
    return compare(results, new, project, could_meet), [said]


def count_of(entries: Sequence[Entry]) -> str:
    return "1 finding" if len(entries) == 1 else f"{len(entries)} findings"


def load(path: Path) -> Baseline:
    """Raises PerfmodError where it can't be read."""
    try:
        document = json.loads(read_regular(path))
        if document["schema"] != 1:
            raise PerfmodError(f"{path}: schema {document['schema']} is not one that this version reads")
        return Baseline(path, tuple(Entry(e["path"], e["rule"], e["fingerprint"]) for e in document["findings"]))
    except OSError as error:
        advice = "; write one with --write-baseline" if isinstance(error, FileNotFoundError) else ""
        raise PerfmodError(f"cannot read the baseline {path}: {error.strerror}{advice}") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise PerfmodError(f"{path} is not a baseline that perfmod wrote: {type(error).__name__}") from None


def compare(
    results: Sequence[Result], baseline: Baseline, project: Project, could_meet: Callable[[Entry], bool]
) -> list[Result]:
    """The results with those marked that the baseline holds.

    An entry stands for one finding: first one in its own file; what is then left over, and whose file this run looked
    at or is gone, for an equal one elsewhere, because code moves and files are renamed.
    """
    prints = [entry_of(result, project) for result in results]
    left: list[Entry] = list(baseline.entries)
    marked: set[int] = set()
    open_ones = [number for number, result in enumerate(results) if result.suppressed is None]
    available = count(left)
    for number in open_ones:
        if available.get(prints[number], 0):
            available[prints[number]] -= 1
            marked.add(number)
    movable: dict[tuple[str, str], list[Entry]] = {}
    for entry, often in available.items():
        if could_meet(entry):
            movable.setdefault(entry[1:], []).extend([entry] * often)
    for number in open_ones:
        if number not in marked and (same := movable.get(prints[number][1:])):
            available[same.pop(0)] -= 1
            marked.add(number)
    return [replace(r, suppressed="baseline") if number in marked else r for number, r in enumerate(results)]


def count(entries: Iterable[Entry]) -> dict[Entry, int]:
    counted: dict[Entry, int] = {}
    for entry in entries:
        counted[entry] = counted.get(entry, 0) + 1
    return counted


def entry_of(result: Result, project: Project) -> Entry:
    from perfmod.fingerprint import fingerprint

    return Entry(result.finding.span.path, result.finding.rule, fingerprint(result.finding, project))


def updated(
    baseline: Baseline, results: Iterable[Result], project: Project, could_meet: Callable[[Entry], bool]
) -> Baseline:
    """The baseline with what this run found in place of what it could have met; the rest stays."""
    kept = [entry for entry in baseline.entries if not could_meet(entry)]
    now = [entry_of(result, project) for result in results if result.suppressed != "comment"]
    return replace(baseline, entries=tuple(sorted([*kept, *now])))


def save(baseline: Baseline) -> None:
    """Write it: sorted, an entry on each line, so that versions of it merge."""
    lines = ",\n".join("    " + json.dumps(as_json(entry), ensure_ascii=True) for entry in sorted(baseline.entries))
    body = f"[\n{lines}\n  ]" if lines else "[]"
    from perfmod.store import write_whole

    try:
        write_whole(baseline.path, f'{{\n  "schema": 1,\n  "findings": {body}\n}}\n'.encode())
    except OSError as error:
        raise PerfmodError(f"cannot write the baseline {baseline.path}: {error.strerror}") from None


def as_json(entry: Entry) -> dict[str, Any]:
    return entry._asdict()
