"""Which columns of a query nobody needs, proved by the checkout's own TypeScript compiler."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perfmod.discovery import language_of
from perfmod.patterns import pattern
from perfmod.source.queries.facts import Query, Select
from perfmod.tsc.compiler import ask, compiler_of
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.project import Project

SCRIPTS = ("typescript", "tsx", "javascript", "vue", "svelte")
STEM = pattern(r"(?:/index)?\.[cm]?[jt]sx?\Z")


@dataclass(frozen=True, slots=True)
class Wide:
    """A query that fetches a full list."""

    query: Query
    select: Select
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What may be left out of a list; or why nothing may."""

    dropped: tuple[str, ...] = ()
    refused: str | None = None
    utility: str = "Omit"  #: the utility type that says it in the types of the rows


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What the compiler said, query by query, and how often it was asked."""

    queries: tuple[Narrowed, ...]
    passes: int


def narrow(wide: Sequence[Wide], project: Project) -> Narrowing:
    """What each of these queries may leave out. Raises PerfmodError where there is no node, or the compiler fails."""
    refusals = [refusal(each, project) for each in wide]
    shared = Counter((each.query.path, row) for each in wide for row in {row.offset for row in each.query.rows})
    answers: dict[int, Narrowed] = {}
    asked: dict[Path, list[int]] = {}
    for number, (each, refused) in enumerate(zip(wide, refusals, strict=True)):
        compiler = compiler_of(project.root, each.query.path)
        if refused is None and any(shared[each.query.path, row.offset] > 1 for row in each.query.rows):
            refused = "another query at the site has the same row type"
        if refused is not None or compiler is None:
            missing = "the checkout has no node_modules/typescript: install its packages first"
            answers[number] = Narrowed(refused=refused or missing)
        else:
            asked.setdefault(compiler, []).append(number)
    passes = 0
    for compiler, numbers in asked.items():
        found = Asked([wide[number] for number in numbers], project, compiler)
        passes += found.passes
        answers.update(zip(numbers, found.answers(), strict=True))
    return Narrowing(tuple(answers[number] for number in range(len(wide))), passes)


def refusal(wide: Wide, project: Project) -> str | None:
    """Why a query is not even tried."""
    if language_of(wide.query.path) not in ("typescript", "tsx"):
        return "no compiler sees what reads its rows"
    if project.text(wide.query.path) is None:
        return "the file can't be read"
    return "the list has one column" if len(wide.columns) < 2 else None


class Asked:
    """One compiler, and what it says of some queries."""

    def __init__(self, wide: Sequence[Wide], project: Project, compiler: Path) -> None:
        self._wide = wide
        self._project = project
        paths = sorted({each.query.path for each in wide})
        texts = {path: text.utf8.decode() for path in paths if (text := project.text(path)) is not None}
        question = {"typescript": str(compiler), "texts": texts, "sites": [site(each) for each in wide]}
        self._answer = ask("narrow.js", "--narrow", project.root, question)
        self.passes: int = self._answer["passes"]

    def answers(self) -> Iterator[Narrowed]:
        for each, answer in zip(self._wide, self._answer["sites"], strict=True):
            yield self._narrowed(each, answer)

    def _narrowed(self, wide: Wide, answer: Mapping[str, Any]) -> Narrowed:
        """The compiler's answer, less what code may read that it does not check: JavaScript, Vue, other packages."""
        refused, dropped = answer["refused"], answer["dropped"]
        if refused is not None:
            return Narrowed(refused=refused)
        for name in self._answer["exports"].get(wide.query.path, ()):
            if name != "default" and (place := self._outside(rf"\b{re.escape(name)}\b")) is not None:
                return Narrowed(refused=f"{name} is named at {place}, which the compiler does not check with it")
        if (place := self._outside(rf"[/\"'`]{re.escape(stem_of(wide.query.path))}(?:\.\w+)?[\"'`]")) is not None:
            return Narrowed(refused=f"its file is imported at {place}, which the compiler does not check with it")
        left = tuple(column for column in dropped if self._outside(rf"\b{re.escape(column)}\b") is None)
        if not left:
            return Narrowed(refused="every column is read, or named where the compiler does not look")
        return Narrowed(left, utility=answer["utility"] if len(left) == len(dropped) else "Omit")

    def _outside(self, pattern: str) -> str | None:
        """Where a script that the compiler has not checked has a match."""
        for path, data in self._unchecked.items():
            found = re.search(pattern.encode(), data)
            if found is not None:
                line = data.count(b"\n", 0, found.start()) + 1
                return f"{path}:{line}"
        return None

    @cached_property
    def _unchecked(self) -> dict[str, bytes]:
        """The scripts of the checkout that the compiler has not checked."""
        checked = set(self._answer["checked"])
        scripts = (path for path in self._project.files if language_of(path) in SCRIPTS and path not in checked)
        return {path: self._project.raw(path) or b"" for path in scripts if not path.endswith(".d.ts")}


def site(wide: Wide) -> dict[str, object]:
    """A query as narrow.js wants it."""
    span, quote, after = wide.select.span, wide.select.quote, wide.select.after
    rows = sorted({(row.offset, row.offset + len(row.text.encode())) for row in wide.query.rows})
    listed = {"start": span.start, "end": span.end, "quote": quote, "after": after}
    return {"path": wide.query.path, "list": listed, "columns": wide.columns, "rows": rows}


def stem_of(path: str) -> str:
    """The last part of the specifiers that import a file."""
    return STEM.sub("", path).rpartition("/")[2]
