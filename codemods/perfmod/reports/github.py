"""Annotations of GitHub Actions: workflow commands (docs.github.com, "Workflow commands for GitHub Actions").

    ::warning file=app.py,line=1,col=2,endColumn=5,title=perfmod (rule)::message

The value of a property escapes `%`, line ends, `:` and `,`; the message `%` and line ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfmod.reports.forge import folder_in_repository, is_error
from perfmod.reports.places import locate, printable

if TYPE_CHECKING:
    from perfmod.model import Finding
    from perfmod.pipeline import Report
    from perfmod.reports import View

MESSAGE_ESCAPES = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
PROPERTY_ESCAPES = MESSAGE_ESCAPES | str.maketrans({":": "%3A", ",": "%2C"})


def render(report: Report, view: View) -> str:
    folder = folder_in_repository(report)
    return "".join(annotation(result.finding, folder, report) + "\n" for result in report.open)


def annotation(finding: Finding, folder: str, report: Report) -> str:
    place = locate(finding.span, report.project)
    properties = {"file": folder + finding.span.path, "line": place.line}
    if place.end_line == place.line:
        # GitHub takes columns only where both are of one line; its end is the last column.
        properties |= {"col": place.column, "endColumn": max(place.column, place.end_column - 1)}
    else:
        properties |= {"endLine": place.end_line}
    properties |= {"title": f"perfmod ({finding.rule})"}
    listed = ",".join(f"{name}={escaped(str(value), PROPERTY_ESCAPES)}" for name, value in properties.items())
    level = "error" if is_error(finding.rule) else "warning"
    return f"::{level} {listed}::{escaped(message_of(finding), MESSAGE_ESCAPES)}"


def message_of(finding: Finding) -> str:
    """What is wrong, then how to mend it or why that is not done."""
    lines = [finding.message]
    if finding.intents and finding.title:
        lines.append(f"Fix ({finding.safety}): {finding.title}")
    if finding.reason:
        lines.append(f"{finding.safety.capitalize()}: {finding.reason}")
    return "\n".join(lines)


def escaped(text: str, escapes: dict[int, str]) -> str:
    return printable(text.translate(escapes))
