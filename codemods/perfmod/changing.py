"""The last stages of diff and apply: findings -> changes -> files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from perfmod.compose import compose, path_of
from perfmod.model import Finding, MovePackage, Plan, Result, Safety
from perfmod.moving import moved
from perfmod.writing import Outcome, write

if TYPE_CHECKING:
    from perfmod.pipeline import Progress, Report

OTHER_FILES = "the fix changes other files too: run `perfmod apply` on the file itself"


def change(report: Report, digests: Mapping[str, bytes], progress: Progress | None) -> Report:
    """Compose and render what can be mended; with `apply`, write it."""
    request = report.request
    if request.stdin is not None and request.command == "apply":
        alone = with_reasons(
            report.results, {f: OTHER_FILES for f in fixes_of(report) if reaches_out(f, request.stdin)}
        )
        report = replace(report, results=tuple(alone))
    if request.interactive:
        from perfmod.interactive import choose

        report = choose(report, digests)
    plan = compose(fixes_of(report), report.project, digests, progress)
    report = replace(report, results=tuple(with_reasons(report.results, dict(plan.refused))), changes=plan.changes)
    if request.command == "diff" or not plan.changes:
        return report
    if request.stdin is not None:
        return applied(report, plan, Outcome(plan.changes))
    outcome = None
    if request.verify is not None:
        from perfmod.verify import put_back, verify

        verified = verify(report, plan, digests, request.verify)
        plan, outcome = verified.plan, verified.outcome
        report = replace(report, results=tuple(with_reasons(report.results, verified.culprits)), changes=plan.changes)
        if verified.refused:
            return replace(report, refused=verified.refused)
        if request.commit and outcome is not None:
            put_back(request.root, outcome.written)
    if request.commit:
        from perfmod.commits import commit_by_rule

        return commit_by_rule(report, plan, digests)
    outcome = outcome or write(
        request.root,
        plan.changes,
        plan.paths.values(),
        allow_dirty=request.allow_dirty,
        allow_staged=request.staged,
    )
    return applied(report, plan, outcome)


def fixes_of(report: Report) -> list[Finding]:
    return [result.finding for result in report.results if result.fixable]


def reaches_out(finding: Finding, path: str) -> bool:
    """Whether a fix needs another file than this one."""
    return any(isinstance(intent, MovePackage) or path_of(intent) != path for intent in finding.intents)


def applied(report: Report, plan: Plan, outcome: Outcome) -> Report:
    """The report after writing."""
    written = {change.path for change in outcome.written}
    touched = {finding for finding, paths in plan.paths.items() if paths <= written}
    results = [replace(r, applied=r.finding in touched) for r in report.results]
    report.project.take_over(outcome.written)
    return replace(
        report,
        results=tuple(moved(results, outcome.written)),
        changes=outcome.written,
        skipped=tuple(sorted((*report.skipped, *outcome.skipped))),
        refused=outcome.refused,
    )


def with_reasons(results: Iterable[Result], reasons: Mapping[Finding, str]) -> Iterable[Result]:
    """The results, with what can't be fixed turned into MANUAL findings that say why."""
    for result in results:
        reason = reasons.get(result.finding)
        if reason is None:
            yield result
        else:
            finding = replace(result.finding, safety=Safety.MANUAL, reason=reason, intents=())
            yield replace(result, finding=finding, fixable=False)
