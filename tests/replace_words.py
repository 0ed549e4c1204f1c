"""A stand-in rule for the tests of everything around rules: it needs no rendering but text.

`old_safe` is replaced, `old_unsafe` with --unsafe-fixes, `old_manual` never; `old_helper` also creates a module,
`old_note` is only noted, and `old_crash` is a fault in the rule itself.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import perfmod.config
import perfmod.rule
from perfmod.model import AddModule, Facts, Finding, Note, Replace, Safety, Span
from perfmod.project import Project
from perfmod.rule import Scanner, Triggers
from perfmod.source.tree import Source

RULE = "replace-words"


@dataclass(frozen=True, slots=True)
class Word:
    span: Span
    word: str

    @property
    def path(self) -> str:
        return self.span.path


@dataclass(frozen=True, slots=True)
class Options:
    replacement: str = "new"  #: what stands there afterwards
    #: How often
    #: it may happen.
    limit: int | None = None


class ReplaceWords:
    """Replace old words by new ones.

    What it finds
        Words that begin with `old_`.

    Why it matters
        Old words are out of date.
    """

    languages: ClassVar[tuple[str, ...]] = ("python", "typescript", "tsx", "vue")
    triggers: ClassVar[Triggers] = Triggers(((b"old_",),))
    Options: ClassVar[type] = Options
    reviewed: ClassVar[tuple[str, ...]] = ("OLD001",)
    scanners: ClassVar[tuple[Scanner, ...]] = ()
    judged: ClassVar[str] = __name__
    spreads: ClassVar[bool] = False

    def __init__(self, options: Any) -> None:
        self.options = options

    def scan(self, source: Source) -> Iterator[Word]:
        for match in re.finditer(rb"old_(\w+)(?:\((?:[^()]*)\))?", source.utf8):
            if match[1] == b"crash":
                raise KeyError("crash")
            yield Word(Span(source.path, match.start(), match.end()), match[1].decode())

    def judge(self, facts: Facts, project: Project) -> Iterator[Finding | Note]:
        for fact in facts.of(Word):
            if fact.word == "note":
                yield Note(RULE, fact.span, "an old word that may stay")
            else:
                yield self.finding(fact)

    def finding(self, fact: Word) -> Finding:
        message = f"`old_{fact.word}` is out of date."
        replace = Replace(Span(fact.path, fact.span.start, fact.span.start + 3), self.options.replacement)
        title = f"Write `{self.options.replacement}` instead of `old`"
        if fact.word == "manual":
            return Finding(RULE, fact.span, message, Safety.MANUAL, reason="inside `__del__`: `Runner.__del__`")
        if fact.word == "unsafe":
            return Finding(RULE, fact.span, message, Safety.UNSAFE, title, "its type is unknown: `loop`", (replace,))
        helper = (AddModule("background_tasks.py", "background_tasks"),) if fact.word == "helper" else ()
        return Finding(RULE, fact.span, message, Safety.SAFE, title, None, (replace, *helper))


def install() -> None:
    """Make this the only rule of this process."""
    sys.modules["perfmod.rules.replace_words"] = sys.modules[__name__]
    for module in (perfmod.rule, perfmod.config):
        module.rule_ids = lambda: (RULE,)  # type: ignore[attr-defined]
