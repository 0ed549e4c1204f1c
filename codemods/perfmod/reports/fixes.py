"""The text edits of findings, for reports that carry fixes. Rendered once for all reports of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from perfmod.model import AddModule, Replace, Span

if TYPE_CHECKING:
    from perfmod.model import Finding
    from perfmod.pipeline import Report
    from perfmod.project import Project

_rendered: WeakKeyDictionary[Project, dict[Finding, list[Replace]]] = WeakKeyDictionary()


def edits_of_fix(finding: Finding, report: Report) -> list[Replace]:
    """The edits of one finding by itself; a helper module that it creates is an edit of an empty file.

    Empty where there is no fix, and after `apply`, when the files are no longer those that the edits are about.
    """
    if not finding.intents or report.request.command == "apply":
        return []
    known = _rendered.setdefault(report.project, {})
    if finding not in known:
        known[finding] = render_edits(finding, report.project)
    return known[finding]


def render_edits(finding: Finding, project: Project) -> list[Replace]:
    from perfmod.compose import edits_of, line_end, render_module

    edits = edits_of(finding, project)
    for intent in finding.intents:
        if isinstance(intent, AddModule) and project.raw(intent.path) is None:
            text = render_module([intent], line_end(intent.path, [finding], project)).decode()
            edits.append(Replace(Span(intent.path, 0, 0), text))
    return edits
