"""SARIF 2.1.0, the OASIS standard for results of static analysis, with fixes.

Columns count characters. A fix is an artifactChange for each file; a helper module is an insertion into a file that
does not exist yet. Suppressed findings carry their suppression; what `apply` mended is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from perfmod import __version__
from perfmod.fingerprint import fingerprints
from perfmod.reports.fixes import edits_of_fix
from perfmod.reports.forge import folder_in_repository, is_error
from perfmod.reports.github import message_of
from perfmod.reports.json import dumps
from perfmod.reports.places import locate
from perfmod.rule import OWN_RULES

if TYPE_CHECKING:
    from perfmod.model import Replace, Result, Span
    from perfmod.pipeline import Report
    from perfmod.reports import View

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
SUPPRESSION_KINDS = {"comment": "inSource", "baseline": "external"}
REGION = ("startLine", "startColumn", "endLine", "endColumn")


def render(report: Report, view: View) -> str:
    return dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [Run(report).as_json()]})


class Run:
    """The one run of a log."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.project = report.project
        self.folder = folder_in_repository(report)
        found = {result.finding.rule for result in report.results}
        self.rules = sorted({*report.request.settings.selected, *found, *OWN_RULES})
        self.numbers = {rule: number for number, rule in enumerate(self.rules)}

    def as_json(self) -> dict[str, Any]:
        prints = fingerprints([result.finding for result in self.report.results], self.project)
        shown = [(r, p) for r, p in zip(self.report.results, prints, strict=True) if not r.applied]
        driver = {
            "name": "perfmod",
            "version": __version__,
            "semanticVersion": __version__,
            "rules": [describe(rule) for rule in self.rules],
        }
        return {
            "tool": {"driver": driver},
            "automationDetails": {"id": "perfmod/"},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The top of the checkout."}}},
            "invocations": [self.invocation()],
            "results": [self.result(result, fingerprint) for result, fingerprint in shown],
        }

    def invocation(self) -> dict[str, Any]:
        """Skipped files and notes: what is no result."""
        skipped = [
            {
                "level": "warning",
                "message": {"text": f"skipped: {each.reason}"},
                "locations": [{"physicalLocation": {"artifactLocation": self.artifact(each.path)}}],
            }
            for each in self.report.skipped
        ]
        notes = [
            {
                "level": "note",
                "message": {"text": note.message},
                "associatedRule": {"id": note.rule},
                "locations": [self.location(note.span)],
            }
            for note in self.report.notes
        ]
        said = {"toolExecutionNotifications": [*skipped, *notes]} if skipped or notes else {}
        return {"executionSuccessful": self.report.refused is None, **said}

    def result(self, result: Result, fingerprint: str) -> dict[str, Any]:
        finding = result.finding
        document: dict[str, Any] = {
            "ruleId": finding.rule,
            "ruleIndex": self.numbers[finding.rule],
            "level": level(finding.rule),
            "message": {"text": message_of(finding)},
            "locations": [self.location(finding.span)],
            "partialFingerprints": {"perfmodContent/v1": fingerprint},
            "properties": {"safety": finding.safety.value, **({"reason": finding.reason} if finding.reason else {})},
            "suppressions": list(suppressions(result)),
        }
        if changes := list(self.changes(edits_of_fix(finding, self.report))):
            title = finding.title or finding.message
            document["fixes"] = [
                {"description": {"text": f"{title} [{finding.safety}]"}, "artifactChanges": changes},
            ]
        return document

    def changes(self, edits: Sequence[Replace]) -> Iterator[dict[str, Any]]:
        """The edits of each file."""
        for path, own in groupby(sorted(edits), lambda edit: edit.span.path):
            yield {
                "artifactLocation": self.artifact(path),
                "replacements": [
                    {"deletedRegion": self.region(edit.span), "insertedContent": {"text": edit.text}} for edit in own
                ],
            }

    def location(self, span: Span) -> dict[str, Any]:
        return {
            "physicalLocation": {"artifactLocation": self.artifact(span.path), "region": self.region(span)},
        }

    def region(self, span: Span) -> dict[str, int]:
        place = locate(span, self.project)
        return dict(zip(REGION, astuple(place), strict=True))

    def artifact(self, path: str) -> dict[str, str]:
        """A file, as a relative URI: bytes that are no UTF-8 stand in it as they are on disk, percent-encoded."""
        return {"uri": quote((self.folder + path).encode("utf-8", "surrogateescape")), "uriBaseId": "%SRCROOT%"}


def suppressions(result: Result) -> Iterator[dict[str, str]]:
    if result.suppressed is not None:
        yield {"kind": SUPPRESSION_KINDS.get(result.suppressed, "external"), "status": "accepted"}


def level(rule: str) -> str:
    return "error" if is_error(rule) else "warning"


def describe(rule: str) -> dict[str, Any]:
    """What a rule's docstring says, as a reportingDescriptor."""
    from perfmod.explain import document_of, sections_of, title_of
    from perfmod.rule import load_rule

    document = document_of(rule)
    sections = sections_of(document)
    languages = [] if rule in OWN_RULES else list(load_rule(rule).languages)
    markdown = "\n\n".join(f"**{name}**\n\n{body}" for name, body in sections)
    return {
        "id": rule,
        "name": "".join(word.capitalize() for word in rule.split("-")),
        "shortDescription": {"text": title_of(document)},
        "fullDescription": {"text": dict(sections).get("Why it matters", title_of(document))},
        "help": {"text": document, "markdown": markdown or document},
        "defaultConfiguration": {"level": level(rule)},
        "properties": {"tags": ["reliability", *languages], "precision": "high", "problem.severity": level(rule)},
    }
