"""Findings about perfmod's own ignore comments: unused, expired, misspelt, or without a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from perfmod.model import Finding, Replace, Safety, Span, Suppression
from perfmod.patterns import pattern
from perfmod.rule import IGNORE_COMMENT, OWN_RULES, rule_ids
from perfmod.suppression import Comments, meant

DAY = pattern(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])\Z")


def judge_comments(
    comments: Comments, selected: Iterable[str], runs: Callable[[str, str], bool], *, require_reason: bool
) -> Iterator[Finding]:
    """What is wrong with the comments of a run. Only of rules that ran can be said that a comment is unused."""
    for path in sorted(comments.by_path):
        ran = {rule for rule in selected if runs(rule, path)}
        for suppression in comments.by_path[path]:
            if suppression.own:
                yield from judge(suppression, comments, ran, require_reason)


def judge(suppression: Suppression, comments: Comments, ran: set[str], require_reason: bool) -> Iterator[Finding]:
    """What is wrong with one comment: the gravest only, because a fix of one may mend the other."""
    until = suppression.until
    if not suppression.codes:
        yield found(suppression, "names no rule, so it ignores nothing: write ignore[rule]")
        return
    known = {code: meant(code) for code in suppression.codes}
    if until is not None and not DAY.match(until):
        yield found(suppression, f"has no valid date: until={until}; write until=YYYY-MM-DD")
        return
    if until is not None and until < comments.today:
        if ran & set(known.values()):
            yield removal(suppression, f"expired: it held until {until}", "Remove the comment")
        return
    problems = []
    kept = []
    for code, rule in known.items():
        if code in rule_ids() or code in OWN_RULES:
            if code in ran and (suppression, code) not in comments.used:
                problems.append(f"`{code}` finds nothing here")
            else:
                kept.append(code)
        elif rule is None:
            problems.append(f"there is no rule `{code}`")
        elif rule in ran and (suppression, code) not in comments.used:
            problems.append(f"there is no rule `{code}`, and `{rule}` finds nothing here")
        else:
            problems.append(f"there is no rule `{code}`; it is taken for `{rule}`")
            kept.append(rule)
    if problems:
        yield correction(suppression, "; ".join(problems), tuple(dict.fromkeys(kept)))
    elif require_reason and not suppression.reason:
        yield found(suppression, "gives no reason, and `require-reason` asks for one")


def found(suppression: Suppression, problem: str) -> Finding:
    """A finding that only a person can mend."""
    return Finding(
        IGNORE_COMMENT,
        suppression.comment,
        f"This ignore comment {problem}.",
        Safety.MANUAL,
        reason="only you know what it should say",
    )


def removal(suppression: Suppression, problem: str, title: str) -> Finding:
    assert suppression.removal is not None
    intents = (Replace(suppression.removal, ""),)
    finding = Finding(IGNORE_COMMENT, suppression.comment, f"This ignore comment has {problem}.", Safety.SAFE)
    return replace(finding, title=title, intents=intents)


def correction(suppression: Suppression, problem: str, kept: tuple[str, ...]) -> Finding:
    """A finding that is mended by leaving only the rules `kept` in the brackets, or by removing the comment."""
    finding = Finding(
        IGNORE_COMMENT, suppression.comment, f"This ignore comment is out of date: {problem}.", Safety.SAFE
    )
    if not kept:
        assert suppression.removal is not None
        return replace(finding, title="Remove the comment", intents=(Replace(suppression.removal, ""),))
    brackets: Span | None = suppression.brackets
    assert brackets is not None
    return replace(finding, title="Correct the comment", intents=(Replace(brackets, ", ".join(kept)),))
