"""JUnit XML as Jenkins and GitLab read it (junit-10.xsd of Jenkins' xUnit plugin).

A file with findings is a suite; a finding is a failed test, a suppressed one a skipped test. A clean run is one test
that passed, because many readers take a report without tests for a fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from perfmod.patterns import pattern
from perfmod.reports.github import message_of
from perfmod.reports.places import locate, printable

if TYPE_CHECKING:
    from perfmod.model import Finding, Result
    from perfmod.pipeline import Report
    from perfmod.reports import View

# What XML 1.0 does not allow, not even as a reference.
NO_CHARACTER = pattern("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report, view: View) -> str:
    shown = [result for result in report.results if not result.applied]
    suites = [(path, list(results)) for path, results in groupby(shown, lambda result: result.finding.span.path)]
    counts = attributes(tests=max(1, len(shown)), failures=failures(shown), errors=0)
    lines = ['<?xml version="1.0" encoding="utf-8"?>', f'<testsuites name="perfmod" {counts}>']
    for path, results in suites:
        lines += suite(path, results, report)
    if not suites:
        lines += ['  <testsuite name="perfmod" tests="1" failures="0" errors="0" skipped="0">']
        lines += ['    <testcase name="no findings" classname="perfmod"/>', "  </testsuite>"]
    return "\n".join([*lines, "</testsuites>", ""])


def suite(path: str, results: Sequence[Result], report: Report) -> Iterator[str]:
    failed = failures(results)
    counts = attributes(tests=len(results), failures=failed, errors=0, skipped=len(results) - failed)
    yield f"  <testsuite {attributes(name=path)} {counts}>"
    for result in results:
        yield from case(result, report)
    yield "  </testsuite>"


def case(result: Result, report: Report) -> Iterator[str]:
    finding = result.finding
    place = locate(finding.span, report.project)
    name = f"{finding.rule} at {place.line}:{place.column}"
    yield f"    <testcase {attributes(name=name, classname=finding.span.path)}>"
    if result.suppressed:
        yield f"      <skipped {attributes(message=f'suppressed by {result.suppressed}')}/>"
    else:
        body = f"{finding.span.path}:{place.line}:{place.column}: {message_of(finding)}"
        head = attributes(type=type_of(finding), message=finding.message)
        yield f"      <failure {head}>{escape(valid(body))}</failure>"
    yield "    </testcase>"


def type_of(finding: Finding) -> str:
    return f"{finding.rule} [{finding.safety}]"


def failures(results: Sequence[Result]) -> int:
    return sum(result.suppressed is None for result in results)


def attributes(**values: str | int) -> str:
    return " ".join(f"{name}={quoteattr(valid(str(value)))}" for name, value in values.items())


def valid(text: str) -> str:
    """`text` with what no XML may hold written as an escape."""
    return NO_CHARACTER.sub(lambda match: printable(match[0]), text)
