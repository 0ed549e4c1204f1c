"""What `diff` says on standard error beside its patch: the findings that the patch does not fix, and the summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfmod.reports.concise import line_of
from perfmod.reports.places import printable
from perfmod.reports.summary import summarise

if TYPE_CHECKING:
    from perfmod.pipeline import Report
    from perfmod.reports import View


def render(report: Report, view: View) -> str:
    lines = []
    for result in report.open:
        if not result.fixable:
            lines.append(line_of(result.finding, report))
            if result.finding.reason:
                lines.append(f"    {result.finding.safety}: {printable(result.finding.reason)}")
    return "".join(line + "\n" for line in (*lines, *summarise(report, view)))
