"""Markdown for a step summary or a comment on a pull request (GitHub Flavored Markdown).

Names and messages come from the checkout: whatever could be read as markup, a link or a mention is escaped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from perfmod.model import Safety
from perfmod.patterns import pattern
from perfmod.reports.places import locate, printable
from perfmod.reports.summary import count, fixable, found, reasons

if TYPE_CHECKING:
    from perfmod.model import Result
    from perfmod.pipeline import Report
    from perfmod.reports import View

LIMIT = 60_000  # characters: GitHub takes 65,536 in a comment
CODE = pattern(r"`([^`]+)`")
# An underscore is markup only at the edge of a word.
MARKUP = pattern(r"[\\`*{}\[\]<>#|~!&$]|(?<![^\W_])_+|_+(?![^\W_])|(?<=www)\.|:(?=//)")
NO_MENTION = "@\u200b"  # a zero-width space after it


def render(report: Report, view: View) -> str:
    lines = [f"## perfmod: {found(report).rstrip('.')}", ""]
    if report.open:
        lines += [*counts_by_rule(report.open), ""]
    if applied := sum(result.applied for result in report.results):
        lines += [f"Fixed {count(applied, 'finding')} in {count(len(report.changes), 'file')}.", ""]
    lines += [line for text in fixable(report) for line in (escaped(text), "")]
    left = [result for result in report.open if not result.fixable]
    if causes := list(reasons(left)):
        lines += ["<details><summary>Why findings are left</summary>", ""]
        lines += [f"- {escaped(cause.strip())}" for cause in causes]
        lines += ["", "</details>", ""]
    if report.open:
        lines += findings(report, LIMIT - sum(len(line) + 1 for line in lines))
    if report.skipped:
        lines += ["<details><summary>Skipped files</summary>", ""]
        lines += [f"- {code(each.path)}: {escaped(each.reason)}" for each in report.skipped[:20]]
        lines += [f"- and {len(report.skipped) - 20} more"] if len(report.skipped) > 20 else []
        lines += ["", "</details>", ""]
    return "\n".join(lines)


def counts_by_rule(results: Sequence[Result]) -> Iterator[str]:
    counts = Counter((result.finding.rule, result.finding.safety) for result in results)
    yield f"| rule | {' | '.join(Safety)} | total |"
    yield f"| --- |{' ---: |' * (len(Safety) + 1)}"
    for rule in sorted({rule for rule, _ in counts}):
        own = [counts[rule, safety] for safety in Safety]
        yield f"| {code(rule)} | {' | '.join(map(str, own))} | {sum(own)} |"


def findings(report: Report, room: int) -> list[str]:
    """The table of findings, as far as it fits."""
    lines = ["| place | rule | finding |", "| --- | --- | --- |"]
    room -= sum(map(len, lines)) + 400  # for the lines that end it
    for number, result in enumerate(report.open):
        line = row(result, report)
        room -= len(line) + 1
        if room < 0:
            left = len(report.open) - number
            return [*lines, "", f"… and {left} more: run `perfmod check` to see them all.", ""]
        lines.append(line)
    return [*lines, ""]


def row(result: Result, report: Report) -> str:
    finding = result.finding
    place = locate(finding.span, report.project)
    why = escaped(finding.message)
    if finding.intents and finding.title:
        why += f"<br>Fix: {escaped(finding.title)}"
    if finding.reason:
        why += f"<br>{finding.safety.capitalize()}: {escaped(finding.reason)}"
    return f"| {code(f'{finding.span.path}:{place.line}')} | {code(finding.rule)} | {why} |"


def escaped(text: str) -> str:
    """A sentence: what stands between backticks is code, nothing else is markup."""
    pieces = CODE.split(printable(text))
    pieces[::2] = [MARKUP.sub(backslashed, piece).replace("@", NO_MENTION) for piece in pieces[::2]]
    pieces[1::2] = [code(piece) for piece in pieces[1::2]]
    return "".join(pieces)


def backslashed(match: re.Match[str]) -> str:
    return "".join("\\" + sign for sign in match[0])


def code(text: str) -> str:
    """A code span that also holds in a table. Its fence is longer than any run of backticks inside."""
    text = printable(text).replace("|", "\\|")
    runs = re.findall("`+", text)
    fence = "`" * (max(map(len, runs), default=0) + 1)
    pad = " " if runs or text[:1] == " " == text[-1:] else ""
    return f"{fence}{pad}{text}{pad}{fence}"
