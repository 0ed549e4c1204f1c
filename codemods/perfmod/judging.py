"""The judge stage: facts -> findings, over the whole checkout. Rules are judged side by side where that pays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from perfmod.errors import PerfmodError, TooMuch
from perfmod.model import Finding, Note
from perfmod.scanning import FILES_PER_WORKER, forks_for

if TYPE_CHECKING:
    from perfmod.cache import Cache
    from perfmod.project import Project
    from perfmod.rule import Rule

# Each costs seconds: with more files like that the run ends.
TOO_MUCH = 10


def judge_or_recall(
    rules: Sequence[Rule], project: Project, relevant: Sequence[str], cache: Cache | None, processes: int
) -> tuple[list[Finding], list[Note]]:
    """What the rules say of the checkout; what they said the last time, where nothing has changed since."""
    if cache is None or any(asks_outside(rule) for rule in rules):
        return judge(rules, project, processes)
    known = cache.verdict(project.files, relevant)
    if known is None:
        findings, notes = judge(rules, project, processes)
        if not project.too_much:
            cache.put_verdict(project.files, findings, notes, relevant)
        return findings, notes
    return list(known.findings), list(known.notes)


def processes_for(files: int, jobs: int | None) -> int:
    """How many processes judge rules side by side, in a checkout of so many files."""
    return forks_for(files, FILES_PER_WORKER, jobs)


def asks_outside(rule: Rule) -> bool:
    """Whether a rule was told to ask what can change without the checkout: a server, a compiler."""
    options = getattr(rule, "options", None)
    return any(getattr(options, name, None) for name in ("database_url", "openapi", "tsc", "narrow"))


def judge(rules: Sequence[Rule], project: Project, processes: int) -> tuple[list[Finding], list[Note]]:
    told = project.facts.modules
    rules = [rule for rule in rules if rule.judged in told]
    beside = [rule for rule in rules if not rule.spreads and not asks_outside(rule)]
    is_shared = processes > 1 and len(beside) > 1
    said: dict[Rule, list[Finding | Note]] = {}
    if is_shared:
        answers = project.spread(partial(judge_each, project), beside, processes)
        for rule, (each, too_much) in zip(beside, answers, strict=True):
            said[rule] = each
            project.too_much.update(too_much)
    for rule in rules:
        if rule not in said:
            said[rule] = judge_what_is_small(rule, project)
    if is_shared and project.too_much:  # what rules say of such a file depends on those before them
        alone = project.afresh()
        findings, notes = judge(rules, alone, processes=1)
        project.too_much = alone.too_much
        return findings, notes
    both = [each for rule in rules for each in said[rule]]
    return [each for each in both if isinstance(each, Finding)], [each for each in both if isinstance(each, Note)]


def judge_each(project: Project, rules: Sequence[Rule]) -> Iterator[tuple[list[Finding | Note], dict[str, str]]]:
    """What each rule says, and the files that would take too long, with why."""
    for rule in rules:
        yield judge_what_is_small(rule, project), project.too_much


def judge_what_is_small(rule: Rule, project: Project) -> list[Finding | Note]:
    """What a rule says. A file that would take too long is taken for one that can't be read from then on."""
    while True:
        facts = project.facts
        for path in project.too_much:
            facts = facts.without(path)
        try:
            return list(rule.judge(facts, project))
        except TooMuch as error:
            if not error.path or len(project.too_much) == TOO_MUCH:
                raise PerfmodError(f"{error.path or 'a file'}: {error}; exclude it") from None
            project.leave_out(error.path, str(error))
