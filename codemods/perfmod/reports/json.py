"""JSON, schema 1: design, section 8."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from perfmod import __version__
from perfmod.fingerprint import fingerprints
from perfmod.patterns import pattern
from perfmod.reports.places import locate

if TYPE_CHECKING:
    from perfmod.model import Finding, Result
    from perfmod.pipeline import Report
    from perfmod.reports import View

LONE_SURROGATE = pattern("[\ud800-\udfff]")


def render(report: Report, view: View) -> str:
    prints = fingerprints([result.finding for result in report.results], report.project)
    counted = [result for result in report.results if result.suppressed is None]
    document = {
        "schema": 1,
        "version": __version__,
        "root": ".",
        "findings": [finding_of(r, fingerprint, report) for r, fingerprint in zip(report.results, prints, strict=True)],
        "changes": [{"path": c.path, "kind": c.kind, "rules": list(c.rules)} for c in report.changes],
        "skipped": [{"path": s.path, "reason": s.reason} for s in report.skipped],
        "notes": [
            {
                "rule": note.rule,
                "path": note.span.path,
                "line": locate(note.span, report.project).line,
                "message": note.message,
            }
            for note in report.notes
        ],
        "summary": {
            "files": report.files,
            "findings": len(counted),
            "fixable": sum(result.fixable for result in counted),
            "applied": sum(result.applied for result in counted),
        },
    }
    return dumps(document)


def dumps(document: Any, indent: int | None = 2) -> str:
    """JSON with a line end. A name that is not UTF-8 on disk is escaped, because raw bytes would be no JSON."""
    text = json.dumps(document, ensure_ascii=False, indent=indent) + "\n"
    return LONE_SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def finding_of(result: Result, fingerprint: str, report: Report) -> dict[str, Any]:
    finding = result.finding
    return {
        "rule": finding.rule,
        "path": finding.span.path,
        **asdict(locate(finding.span, report.project)),
        "message": finding.message,
        "safety": finding.safety.value,
        "applied": result.applied,
        "reason": finding.reason,
        "fix": fix_of(finding, report),
        "fingerprint": fingerprint,
        "suppressed": result.suppressed,
    }


def fix_of(finding: Finding, report: Report) -> dict[str, Any] | None:
    """The fix with its edits; only `diff` renders them, so that `check` stays cheap."""
    if not finding.intents:
        return None
    edits: list[dict[str, Any]] = []
    if report.request.command == "diff":
        from perfmod.reports.fixes import edits_of_fix

        rendered = edits_of_fix(finding, report)
        edits = [{"path": e.span.path, "start": e.span.start, "end": e.span.end, "text": e.text} for e in rendered]
    return {"title": finding.title or finding.message, "edits": edits}
