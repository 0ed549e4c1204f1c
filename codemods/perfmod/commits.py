"""apply --commit: one commit for each rule, so that a reviewer can read rule by rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from textwrap import fill
from typing import TYPE_CHECKING

from perfmod.compose import compose
from perfmod.errors import PerfmodError
from perfmod.explain import document_of, sections_of, title_of
from perfmod.git import STATUS, GitFailed, git, git_commit
from perfmod.model import Change, Finding, Plan, Skipped
from perfmod.reports.places import locate, printable
from perfmod.verify import put_back
from perfmod.writing import write

if TYPE_CHECKING:
    from pathlib import Path

    from perfmod.pipeline import Report

WIDTH = 72


def commit_by_rule(report: Report, plan: Plan, digests: Mapping[str, bytes]) -> Report:
    """Write and commit the fixes of one rule after the other. Stops at a commit that fails, and puts that rule back."""
    root = report.request.root
    if names := in_the_way(root, plan):
        return replace(report, changes=(), refused=f"uncommitted edits in {names[0]}: commit or stash them first")
    done: list[Finding] = []
    changes: dict[str, Change] = {}
    told: list[str] = []
    skipped: list[Skipped] = []
    refused = None
    for rule, findings, step in steps(report, plan, digests):
        outcome = write(root, step, allow_dirty=False)
        skipped += outcome.skipped
        if outcome.refused or not outcome.written:
            refused = outcome.refused
            break
        try:
            commit(root, outcome.written, message(rule, findings, report))
        except GitFailed as error:
            put_back(root, outcome.written)
            refused = f"git can't commit the fixes of {rule}: {error}"
            break
        told.append(f"committed {headline(rule, findings)}")
        done += findings
        for change in outcome.written:
            first = changes.get(change.path, change)
            changes[change.path] = replace(change, before=first.before, rules=(*first.rules, rule)[-2:])
    if refused and done:  # what is committed stays
        told.append(refused)
    return replace(
        report,
        results=tuple(replace(result, applied=result.finding in set(done)) for result in report.results),
        changes=tuple(changes[path] for path in sorted(changes)),
        skipped=tuple(sorted({*report.skipped, *skipped})),
        told=(*report.told, *told),
        refused=None if done else refused,
    )


def in_the_way(root: Path, plan: Plan) -> list[str]:
    """The files of a plan that differ from HEAD. Raises PerfmodError outside git."""
    try:
        paths = [change.path for change in plan.changes]
        status = git(root, *STATUS, "--", *paths)
    except GitFailed as error:
        raise PerfmodError(f"--commit needs a git checkout: {error}") from None
    return [line[3:] for line in status.split("\0") if line]


def steps(
    report: Report, plan: Plan, digests: Mapping[str, bytes]
) -> Iterator[tuple[str, list[Finding], tuple[Change, ...]]]:
    """For each rule: its findings, and what changes from the rule before it. All are composed before any is written."""
    ordered = [result.finding for result in report.results if result.finding in plan.paths]
    rules = sorted({finding.rule for finding in ordered})
    states: list[dict[str, Change]] = []
    for number in range(len(rules)):
        so_far = [finding for finding in ordered if finding.rule in rules[: number + 1]]
        states.append({c.path: c for c in compose(so_far, report.project, digests).changes})
    before: dict[str, Change] = {}
    for rule, state in zip(rules, states, strict=True):
        step = []
        for path, change in state.items():
            known = before.get(path)
            if known is None:
                step.append(replace(change, rules=(rule,)))
            elif known.after != change.after:
                step.append(Change(path, known.after, change.after, (rule,)))
        before = state
        yield rule, [finding for finding in ordered if finding.rule == rule], tuple(step)


def commit(root: Path, changes: Sequence[Change], text: str) -> None:
    """Commit these files and nothing else; what else is staged stays so. Raises GitFailed."""
    paths = [change.path for change in changes]
    new = [change.path for change in changes if change.before is None]
    try:
        if new:
            git(root, "add", "--", *new)
        git_commit(root, "--quiet", "--message", text, "--", *paths)
    except GitFailed:
        if new:
            git(root, "reset", "--quiet", "--", *new)
        raise


def headline(rule: str, findings: Sequence[Finding]) -> str:
    files = len({finding.span.path for finding in findings})
    return f"{rule}: {count(len(findings), 'fix', 'fixes')} in {count(files, 'file', 'files')}"


def count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def message(rule: str, findings: Sequence[Finding], report: Report) -> str:
    """What a rule did and why: its title, why it matters, and each place with what was wrong there."""
    document = document_of(rule)
    why = dict(sections_of(document)).get("Why it matters", "")
    parts = [f"perfmod: {headline(rule, findings)}", title_of(document)]
    parts += [fill(" ".join(paragraph.split()), WIDTH) for paragraph in why.split("\n\n") if paragraph.strip()]
    places = []
    for finding in findings:
        line = locate(finding.span, report.project).line
        said = f"{printable(finding.span.path)}:{line}: {printable(finding.message)}"
        places.append(fill(said, WIDTH, initial_indent="- ", subsequent_indent="  ", break_long_words=False))
    return "\n\n".join([*parts, "\n".join(places)]) + "\n"
