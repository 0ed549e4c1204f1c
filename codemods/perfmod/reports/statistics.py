"""Counts by rule and safety, as a table."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from perfmod.model import Safety
from perfmod.reports.colors import BOLD, paint

if TYPE_CHECKING:
    from perfmod.pipeline import Report
    from perfmod.reports import View


def render(report: Report, view: View) -> str:
    counted = [result for result in report.results if result.suppressed is None]
    counts = Counter((result.finding.rule, result.finding.safety) for result in counted)
    fixed = Counter(result.finding.rule for result in counted if result.applied)
    rows: list[list[str | int]] = []
    for rule in sorted({rule for rule, _ in counts}):
        own = [counts[rule, safety] for safety in Safety]
        rows.append([rule, *own, sum(own), fixed[rule]])
    by_safety = [sum(counts[key] for key in counts if key[1] is safety) for safety in Safety]
    rows.append(["total", *by_safety, len(counted), fixed.total()])
    head: list[str | int] = ["rule", *(safety.value for safety in Safety), "total", "fixed"]
    if report.request.command != "apply":
        head, rows = head[:-1], [row[:-1] for row in rows]
    return table([head, *rows], view)


def table(rows: list[list[str | int]], view: View) -> str:
    """Aligned columns: the first to the left, numbers to the right; the first row is the head."""
    widths = [max(len(str(cell)) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for number, row in enumerate(rows):
        cells = [str(row[0]).ljust(widths[0])]
        cells += [str(cell).rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        line = "  ".join(cells)
        lines.append(paint(line, BOLD) if view.color and number == 0 else line)
    return "\n".join(lines) + "\n"
