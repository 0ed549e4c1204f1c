"""One line for each finding: `path:line:column rule message [safety]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfmod.model import Finding, Note
from perfmod.reports.places import locate, printable

if TYPE_CHECKING:
    from perfmod.pipeline import Report
    from perfmod.reports import View


def render(report: Report, view: View) -> str:
    lines = [line_of(result.finding, report) for result in report.open]
    if view.verbose:
        lines += [line_of(note, report) for note in report.notes]
    return "".join(line + "\n" for line in lines)


def line_of(said: Finding | Note, report: Report) -> str:
    place = locate(said.span, report.project)
    kind = said.safety.value if isinstance(said, Finding) else "note"
    return f"{printable(said.span.path)}:{place.line}:{place.column} {said.rule} {printable(said.message)} [{kind}]"
