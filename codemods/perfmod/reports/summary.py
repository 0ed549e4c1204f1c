"""What a run comes to: counts, what can be fixed and how, the reasons of what is left, what was changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from perfmod.config import git_top_level
from perfmod.model import Safety
from perfmod.reports.colors import BOLD, paint
from perfmod.reports.places import locate, printable

if TYPE_CHECKING:
    from perfmod.model import Result
    from perfmod.pipeline import Report
    from perfmod.reports import View

SHOWN_SKIPPED = 5


def summarise(report: Report, view: View) -> list[str]:
    """The lines below the findings."""
    aside = [*notes(report, view), *skipped(report, view)]
    if report.request.command == "apply":
        heads = [*changed(report), *left(report)] or [found(report)]
        rest = advice(report)
    else:
        heads = [found(report), *reasons(result for result in report.open if not result.fixable)]
        rest = fixable(report)
    return [*aside, *(emphasise(line, view) for line in heads), *rest]


def emphasise(line: str, view: View) -> str:
    """Bold where it begins a part of the summary."""
    return paint(line, BOLD) if view.color and not line.startswith(" ") else line


def found(report: Report) -> str:
    suppressed = sum(result.suppressed is not None for result in report.results)
    aside = f" ({suppressed} suppressed)" if suppressed else ""
    if not report.files:
        return "0 findings: no files here that perfmod reads."
    if not report.open:
        return f"0 findings in {count(report.files, 'file')}{aside}."
    places = {result.finding.span.path for result in report.open}
    return f"{count(len(report.open), 'finding')} in {len(places)} of {count(report.files, 'file')}{aside}."


def fixable(report: Report) -> list[str]:
    """How many `apply` would fix, and how many more it could."""
    now = sum(result.fixable for result in report.open)
    more = sum(is_held_back(result) for result in report.open)
    option = " --unsafe-fixes" if report.request.settings.unsafe_fixes else ""
    if now:
        rest = f", {more} more with --unsafe-fixes" if more else ""
        return [f"{now} fixable with `perfmod apply{option}`{rest}."]
    return [f"{more} fixable with `perfmod apply --unsafe-fixes`."] if more else []


def is_held_back(result: Result) -> bool:
    """Whether only --unsafe-fixes is missing."""
    return not result.fixable and bool(result.finding.intents) and result.finding.safety is Safety.UNSAFE


def changed(report: Report) -> list[str]:
    """What `apply` did."""
    if not report.changes:
        return []
    applied = sum(result.applied for result in report.results)
    words = {"create": "created", "modify": "modified"}
    done = "Fixed" if report.request.add_ignore is None else "Marked as reviewed:"
    lines = [f"{done} {count(applied, 'finding')} in {count(len(report.changes), 'file')}:"]
    lines += [f"  {words[change.kind]:8}  {printable(change.path)}" for change in report.changes]
    return lines


def advice(report: Report) -> list[str]:
    """What to do after `apply`."""
    if not report.changes:
        return []
    read = "Read the changes with `git diff`, then run" if git_top_level(report.request.root) else "Run"
    return [f"{read} the tests."]


def left(report: Report) -> list[str]:
    """What `apply` left, and why."""
    if not report.open:
        return []
    held = sum(is_held_back(result) for result in report.open)
    share = "" if held == len(report.open) else f"{held} of them "
    option = f", {share}fixable with --unsafe-fixes" if held else ""
    return [f"{count(len(report.open), 'finding')} left{option}:", *reasons(report.open)]


def reasons(results: Iterable[Result]) -> list[str]:
    """The causes of what stays, grouped: the part of a reason before its detail."""
    causes = Counter((cause(result), is_held_back(result)) for result in results)
    ordered = sorted(causes.items(), key=lambda item: (item[0][1], -item[1], item[0][0]))
    return [f"  {number} {'unsafe' if held else 'left'}: {printable(why)}" for (why, held), number in ordered]


def cause(result: Result) -> str:
    reason = result.finding.reason
    if reason is None:
        return "not written" if result.fixable else "no fix"
    return reason.partition(": ")[0]


def notes(report: Report, view: View) -> list[str]:
    if not view.verbose:
        return []
    return [
        f"note: {printable(note.span.path)}:{locate(note.span, report.project).line} {note.rule} {note.message}"
        for note in report.notes
    ]


def skipped(report: Report, view: View) -> list[str]:
    lines = [f"skipped: {printable(each.path)}: {each.reason}" for each in report.skipped]
    if view.verbose or len(lines) <= SHOWN_SKIPPED:
        return lines
    return [*lines[:SHOWN_SKIPPED], f"skipped: {len(lines) - SHOWN_SKIPPED} more; -v lists all"]


def count(number: int, noun: str, nouns: str = "") -> str:
    return f"{number} {noun if number == 1 else nouns or noun + 's'}"
