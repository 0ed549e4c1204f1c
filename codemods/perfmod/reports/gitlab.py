"""GitLab's code quality report (docs.gitlab.com/ci/testing/code_quality, "Code quality report format").

An array of objects with description, check_name, fingerprint, severity and location. No two fingerprints may be equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perfmod.fingerprint import fingerprints
from perfmod.reports.forge import folder_in_repository, is_error
from perfmod.reports.json import dumps
from perfmod.reports.places import locate

if TYPE_CHECKING:
    from perfmod.model import Result
    from perfmod.pipeline import Report
    from perfmod.reports import View


def render(report: Report, view: View) -> str:
    folder = folder_in_repository(report)
    prints = fingerprints([result.finding for result in report.results], report.project)
    shown = set(map(id, report.open))
    return dumps(
        [
            issue(result, fingerprint, folder, report)
            for result, fingerprint in zip(report.results, prints, strict=True)
            if id(result) in shown
        ]
    )


def issue(result: Result, fingerprint: str, folder: str, report: Report) -> dict[str, Any]:
    finding = result.finding
    place = locate(finding.span, report.project)
    return {
        "type": "issue",
        "description": finding.message,
        "check_name": finding.rule,
        "categories": ["Bug Risk"],
        "fingerprint": fingerprint,
        "severity": "critical" if is_error(finding.rule) else "major",
        "location": {"path": folder + finding.span.path, "lines": {"begin": place.line, "end": place.end_line}},
    }
