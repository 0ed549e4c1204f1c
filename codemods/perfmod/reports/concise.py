"""One line for each finding: `path:line:column rule message [safety]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfmod.reports.places import locate, printable

if TYPE_CHECKING:
    from perfmod.model import Finding
    from perfmod.pipeline import Report
    from perfmod.reports import View


def render(report: Report, view: View) -> str:
    return "".join(line_of(result.finding, report) + "\n" for result in report.open)


def line_of(finding: Finding, report: Report) -> str:
    place = locate(finding.span, report.project)
    path = printable(finding.span.path)
    return f"{path}:{place.line}:{place.column} {finding.rule} {printable(finding.message)} [{finding.safety}]"
