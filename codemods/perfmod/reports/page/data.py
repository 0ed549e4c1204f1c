"""Everything that the page knows of a run, as plain data. No time stamps, no paths of the machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from perfmod.explain import document_of, sections_of, title_of
from perfmod.fingerprint import fingerprints
from perfmod.reports.fixes import edits_of_fix
from perfmod.reports.frame import CONTEXT, clean, expanded
from perfmod.reports.page.hunks import LONGEST, by_file, hunks_of
from perfmod.reports.places import locate, printable
from perfmod.reports.summary import cause

if TYPE_CHECKING:
    from perfmod.model import Replace, Result
    from perfmod.pipeline import Report
    from perfmod.reports.places import Place
    from perfmod.source.text import Text

FOLDERS = 12  # bars of the chart
DEEPEST = 6  # names of a folder in it
MOST_LINES = 40  # of a finding without a fix


def page_data(report: Report) -> dict[str, Any]:
    findings = [result.finding for result in report.results]
    folders = folders_of([finding.span.path for finding in findings])
    prints = fingerprints(findings, report.project)
    created: dict[str, list[str]] = {}
    return {
        "findings": [
            {**finding_of(result, report, created), "folder": folders[result.finding.span.path], "id": fingerprint}
            for result, fingerprint in zip(report.results, prints, strict=True)
        ],
        "rules": {rule: about(rule) for rule in sorted({finding.rule for finding in findings})},
        "created": created,
    }


def about(rule: str) -> dict[str, Any]:
    document = document_of(rule)
    return {"title": title_of(document), "sections": sections_of(document)}


def finding_of(result: Result, report: Report, created: dict[str, list[str]]) -> dict[str, Any]:
    """One finding. What it lacks is left out; the text of a helper module stands once, in `created`."""
    finding = result.finding
    path = finding.span.path
    text = report.project.text(path)
    place = locate(finding.span, report.project)
    edits = edits_of_fix(finding, report)
    said = {
        "rule": finding.rule,
        "path": printable(path),
        "line": place.line,
        "column": place.column,
        "message": finding.message,
        "safety": finding.safety.value,
        "state": state_of(result),
        "suppressed": result.suppressed,
        "title": finding.title if finding.intents else None,
        "reason": finding.reason,
        "cause": cause(result) if state_of(result) == "open" and not result.fixable else None,
        "hunks": hunks(edits, report, created),
        "creates": [printable(edit.span.path) for edit in edits if edit.span.path in created],
        "code": None if edits or text is None else code_of(text, place),
    }
    return {key: value for key, value in said.items() if value not in (None, [])}


def state_of(result: Result) -> str:
    if result.suppressed:
        return "suppressed"
    return "fixed" if result.applied else "open"


def hunks(edits: Sequence[Replace], report: Report, created: dict[str, list[str]]) -> list[dict[str, Any]]:
    made = []
    for path, own in by_file(edits):
        text = report.project.text(path)
        if text is None:
            (hunk,) = hunks_of(None, own)
            created[path] = hunk["pieces"][0][1]
        else:
            made += [{**hunk, "path": printable(path)} for hunk in hunks_of(text, own)]
    return made


def code_of(text: Text, place: Place) -> dict[str, Any]:
    """The lines around a finding, and which part of them it is: from (line, column) to (line, column), from 0."""
    start = max(1, place.line - CONTEXT)
    end = min(text.line_count, place.end_line + CONTEXT, start + MOST_LINES)
    lines = [text.line(number) for number in range(start, end + 1)]
    mark = [
        place.line - start,
        expanded(text.line(place.line)[: place.column - 1]),
        place.end_line - start,
        expanded(text.line(place.end_line)[: place.end_column - 1]),
    ]
    return {"start": start, "lines": [clean(line)[:LONGEST] for line in lines], "mark": mark}


def folders_of(paths: Sequence[str]) -> dict[str, str]:
    """The folder that each file counts for: as deep as the chart has room for."""
    for depth in range(DEEPEST, 0, -1):
        folders = {path: "/".join(path.split("/")[:-1][:depth]) or "." for path in paths}
        if len(set(folders.values())) <= FOLDERS:
            break
    shown = {folder for folder, _ in Counter(folders[path] for path in paths).most_common(FOLDERS)}
    return {path: printable(folder) if folder in shown else "elsewhere" for path, folder in folders.items()}
