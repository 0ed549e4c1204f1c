"""Which findings count: those that no setting, comment or baseline takes out, and that lie in the scope of the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from perfmod.model import Facts, Finding, Result, Span, Suppression
from perfmod.rule import IGNORE_COMMENT, Rule, rule_id_of

if TYPE_CHECKING:
    from perfmod.config import Settings

#: Where it stands in the root it is used without being asked for.
BASELINE = "perfmod-baseline.json"

Runs = Callable[[str, str], bool]  # rule, path -> whether the rule is to look at this file


def per_file(settings: Settings) -> Runs:
    """Which rule runs where, as `per-file-ignores` says."""
    if not settings.per_file_ignores:
        return lambda _rule, _path: True
    from pathspec import GitIgnoreSpec

    specs = [(GitIgnoreSpec.from_lines([p]), set(rules)) for p, rules in settings.per_file_ignores.items()]
    return lambda rule, path: not any(rule in rules and spec.match_file(path) for spec, rules in specs)


def find_baseline(root: Path, named: str | None, *, to_write: bool = False) -> Path | None:
    """The file to compare with: the one that was named, else the default where it exists (or is `to_write`)."""
    if named is not None:
        return root / named
    default = root / BASELINE
    return default if to_write or default.is_file() else None


def suppress(
    findings: Sequence[Finding],
    facts: Facts,
    rules: Sequence[Rule],
    settings: Settings,
    *,
    is_chosen: Callable[[str], bool],
    runs: Runs,
    today: str,
) -> list[Result]:
    """Each finding and whether a comment says that it has been reviewed; with the findings about such comments."""
    spans: dict[str, list[Span]] = {}
    for finding in findings:
        spans.setdefault(finding.span.path, []).append(finding.span)
    commented = {
        path: said
        for path, said in facts.by_path(Suppression).items()
        if is_chosen(path) and any(each.own or any(map(each.covers_span, spans.get(path, ()))) for each in said)
    }
    if not commented:
        return [Result(finding) for finding in findings]
    from perfmod.suppression import Comments

    comments = Comments(commented, today)
    reviewed = {rule_id_of(rule): rule.reviewed for rule in rules}
    results = [Result(f, "comment" if comments.silence(f, reviewed.get(f.rule, ())) else None) for f in findings]
    if comments.by_path and IGNORE_COMMENT not in settings.ignore:
        from perfmod.ignore_comments import judge_comments

        about = judge_comments(comments, settings.selected, runs, require_reason=settings.require_reason)
        results += [Result(finding) for finding in about if runs(IGNORE_COMMENT, finding.span.path)]
        results.sort(key=lambda result: place(result.finding))
    return results


def place(finding: Finding) -> tuple[Span, str]:
    return finding.span, finding.rule
