"""What a fleet comes to: the counts over all repositories, as JSON, as CSV and as a table."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from perfmod import __version__
from perfmod.fleet.job import Record
from perfmod.model import Safety
from perfmod.reports.colors import BOLD, RED, paint
from perfmod.reports.json import dumps
from perfmod.reports.summary import count

SHOWN = 40  # rows of the table
NAME = 48  # characters of a name in it
FAILURES = 10


def by_rule(records: Sequence[Record]) -> dict[str, Counter[str]]:
    """Findings of each rule and safety over all repositories."""
    rules: dict[str, Counter[str]] = {}
    for record in records:
        for rule, counts in record.findings.items():
            rules.setdefault(rule, Counter()).update(counts)
    return dict(sorted(rules.items()))


def left(records: Sequence[Record]) -> Counter[str]:
    """Why findings are left, over all repositories."""
    causes: Counter[str] = Counter()
    for record in records:
        causes.update(record.left)
    return Counter(dict(sorted(causes.items(), key=lambda item: (-item[1], item[0]))))


def totals(records: Sequence[Record]) -> dict[str, int]:
    """The numbers of the whole fleet, by name."""
    done = [record for record in records if record.status == "done"]
    return {
        "repositories": len(records),
        "failed": len(records) - len(done),
        "with_findings": sum(record.open > 0 for record in done),
        "files": sum(record.files for record in done),
        "findings": sum(record.total for record in done),
        "fixable": sum(record.fixable for record in done),
        "applied": sum(record.applied for record in done),
        "branches": sum(record.branch is not None for record in done),
    }


def exit_code(records: Sequence[Record]) -> int:
    """0 clean, 1 findings (with apply: findings left), 2 where a repository could not be done."""
    if any(record.status == "failed" for record in records):
        return 2
    return 1 if any(record.open for record in records) else 0


def as_json(command: str, records: Sequence[Record]) -> str:
    return dumps(
        {
            "schema": 1,
            "version": __version__,
            "command": command,
            "summary": totals(records),
            "rules": {rule: dict(sorted(counts.items())) for rule, counts in by_rule(records).items()},
            "left": dict(left(records)),
            "repositories": [without_key(asdict(record)) for record in records],
        }
    )


def without_key(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in ("key", "until")}


def as_csv(records: Sequence[Record]) -> str:
    """One row for each repository, with a column for each rule that found something."""
    rules = list(by_rule(records))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    numbers = ("files", "findings", *Safety, "fixable", "applied", "suppressed", "changes", "skipped")
    writer.writerow(["name", "location", "ref", "commit", "status", "reason", *numbers, *rules])
    for record in records:
        words = (record.name, record.location, record.ref, record.commit, record.status, record.reason)
        safeties = (record.of_safety(safety) for safety in Safety)
        ends = (record.fixable, record.applied, record.suppressed, record.changes, record.skipped)
        own = (sum(record.findings.get(rule, {}).values()) for rule in rules)
        writer.writerow([*map(cell, words), record.files, record.total, *safeties, *ends, *own])
    return text.getvalue()


def cell(word: str | None) -> str:
    """A word that no spreadsheet takes for a formula."""
    if word is None:
        return ""
    return "'" + word if word.startswith(("=", "+", "-", "@", "\t", "\r")) else word


def as_text(command: str, records: Sequence[Record], *, color: bool, verbose: bool) -> str:
    """The table: repositories with findings, most first; those that failed, and why; the counts over all."""
    open_ones = sorted((r for r in records if r.open or r.applied), key=lambda r: (-r.open, -r.applied, r.name))
    shown = open_ones if verbose else open_ones[:SHOWN]
    lines = list(table(command, shown)) if shown else []
    if len(shown) < len(open_ones):
        lines.append(f"… and {len(open_ones) - len(shown)} more with findings; -v lists all")
    lines += ["", *rules_table(records)] if shown else []
    lines += failures(records, color=color, verbose=verbose)
    head = said(command, records)
    lines += ["", paint(head, BOLD) if color else head] if lines else [head]
    lines += [f"  {number} left: {cause}" for cause, number in list(left(records).items())[: None if verbose else 8]]
    return "".join(line.rstrip() + "\n" for line in lines)


def table(command: str, records: Sequence[Record]) -> Iterator[str]:
    last = "fixed" if command == "apply" else "fixable"
    yield from aligned(
        [
            ["repository", "files", "findings", *Safety, last],
            *(
                [short(r.name), f"{r.files:,}", f"{r.total:,}"]
                + [f"{r.of_safety(safety):,}" for safety in Safety]
                + [f"{r.applied if command == 'apply' else r.fixable:,}"]
                for r in records
            ),
        ]
    )


def rules_table(records: Sequence[Record]) -> Iterator[str]:
    rows = [
        [rule, f"{sum(rule in r.findings for r in records):,}", f"{counts.total():,}"]
        + [f"{counts[safety]:,}" for safety in Safety]
        for rule, counts in by_rule(records).items()
    ]
    yield from aligned([["rule", "repositories", "findings", *Safety], *rows])


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows with the first column to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = (text.rjust(width) for text, width in zip(others, widths[1:], strict=True))
        yield "  ".join([first.ljust(widths[0]), *cells])


def short(name: str) -> str:
    return name if len(name) <= NAME else "…" + name[1 - NAME :]


def failures(records: Sequence[Record], *, color: bool, verbose: bool) -> list[str]:
    lines = [
        f"{paint('failed', RED) if color else 'failed'}: {record.name}: {record.reason}"
        for record in records
        if record.status == "failed"
    ]
    if verbose or len(lines) <= FAILURES:
        return lines
    return [*lines[:FAILURES], f"failed: {len(lines) - FAILURES} more; -v lists all"]


def said(command: str, records: Sequence[Record]) -> str:
    """The fleet in one sentence."""
    numbers = totals(records)
    failed = f", {numbers['failed']} failed" if numbers["failed"] else ""
    among = f"{count(numbers['repositories'], 'repository', 'repositories')}{failed}"
    if command == "apply":
        fixed = f"Fixed {count(numbers['applied'], 'finding')} on {count(numbers['branches'], 'branch', 'branches')}"
        return f"{fixed}, {numbers['findings'] - numbers['applied']} left; {among}."
    places = f"in {numbers['with_findings']} of {among}, {count(numbers['files'], 'file')}"
    return f"{count(numbers['findings'], 'finding')} {places}; {numbers['fixable']} fixable."
