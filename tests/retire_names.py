"""A second stand-in rule, for the tests that need two: `bad_...` becomes `good_...`; `bad_helper` creates a module."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from perfmod.model import AddModule, Facts, Finding, Replace, Safety, Span
from perfmod.project import Project
from perfmod.rule import Scanner, Triggers
from perfmod.source.tree import Source

RULE = "retire-names"


@dataclass(frozen=True, slots=True)
class Name:
    span: Span
    name: str

    @property
    def path(self) -> str:
        return self.span.path


@dataclass(frozen=True, slots=True)
class Options:
    pass


class RetireNames:
    """Retire bad names.

    What it finds:
        Names that begin with `bad_`.

    Why it matters:
        Bad names mislead. They do so every day, to everyone who reads them, and they are copied
        into new code.
    """

    languages: ClassVar[tuple[str, ...]] = ("python",)
    triggers: ClassVar[Triggers] = Triggers(((b"bad_",),))
    Options: ClassVar[type] = Options
    reviewed: ClassVar[tuple[str, ...]] = ()
    scanners: ClassVar[tuple[Scanner, ...]] = ()
    judged: ClassVar[str] = __name__
    spreads: ClassVar[bool] = False

    def __init__(self, options: Any) -> None:
        self.options = options

    def scan(self, source: Source) -> Iterator[Name]:
        for match in re.finditer(rb"\bbad_(\w+)", source.utf8):
            yield Name(Span(source.path, match.start(), match.end()), match[1].decode())

    def judge(self, facts: Facts, project: Project) -> Iterator[Finding]:
        for fact in facts.of(Name):
            start = fact.span.start
            replace = Replace(Span(fact.path, start, start + 3), "good")
            helper = (AddModule("pkg/background_tasks.py", "background_tasks"),) if fact.name == "helper" else ()
            said = f"`bad_{fact.name}` is a bad name."
            yield Finding(RULE, fact.span, said, Safety.SAFE, "Write `good`", None, (replace, *helper))
