"""For reading: each finding with its code, why it matters, what the fix does, and what it all comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfmod.model import Safety
from perfmod.reports.colors import BOLD, DIM, GREEN, RED, YELLOW, paint
from perfmod.reports.places import locate, printable
from perfmod.reports.summary import summarise

if TYPE_CHECKING:
    from perfmod.model import Finding, Result
    from perfmod.pipeline import Report
    from perfmod.reports import View

LABEL = len("unsafe")  # the longest
COLORS = {Safety.SAFE: GREEN, Safety.UNSAFE: YELLOW, Safety.MANUAL: RED}


def render(report: Report, view: View) -> str:
    lines = []
    for result in report.open:
        lines += [*block(result, report, view), ""]
    if not view.quiet:
        lines += summarise(report, view)
    return "".join(line + "\n" for line in lines)


def block(result: Result, report: Report, view: View) -> list[str]:
    """One finding."""
    from perfmod.reports.frame import code_frame

    finding = result.finding
    place = locate(finding.span, report.project)
    text = report.project.text(finding.span.path)
    lines = [heading(finding, f"{printable(finding.span.path)}:{place.line}:{place.column}", view)]
    if text is not None:
        lines += code_frame(text, place, view)
    lines += paragraph("why", finding.message, view)
    if finding.title and finding.intents:
        lines += paragraph("fix", finding.title, view)
    if finding.reason:
        lines += paragraph(finding.safety.value, finding.reason, view)
    return lines


def heading(finding: Finding, where: str, view: View) -> str:
    if not view.color:
        return f"{where} {finding.rule} [{finding.safety}]"
    return f"{where} {paint(finding.rule, BOLD)} {paint(f'[{finding.safety}]', COLORS[finding.safety])}"


def paragraph(label: str, text: str, view: View) -> list[str]:
    """A labelled text, wrapped with a hanging indent."""
    indent = " " * (LABEL + 3)
    first, *rest = wrapped(printable(text), view.width, indent)
    named = paint(label, DIM) + " " * (LABEL - len(label)) if view.color else label.ljust(LABEL)
    return [f"  {named} {first[LABEL + 3 :]}", *rest]


def wrapped(text: str, width: int, indent: str) -> list[str]:
    """The lines of a text, each with an indent. One line needs no textwrap, which is slow to import and to use."""
    if text and text == text.strip() and len(indent) + len(text) <= width:
        return [indent + text]
    from textwrap import wrap

    return wrap(text, width, initial_indent=indent, subsequent_indent=indent) or [indent]
