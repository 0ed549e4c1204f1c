"""Lists that leave out columns: secrets that nobody names, and what the compiler finds no reader of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from perfmod.model import Finding, Note, Replace, Safety, Span
from perfmod.source.queries.facts import Query, Select
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.project.queries.column_lists import ColumnList

READERLESS = "leaves out what the compiler finds no reader of"


@dataclass(frozen=True, slots=True)
class Listed:
    """A star that becomes a list, as far as the list is its table's alone."""

    query: Query
    select: Select
    columns: ColumnList
    left_out: tuple[str, ...] = ()  #: already


def without(finding: Finding, listed: Listed, left_out: Collection[str], why: str, utility: str = "Omit") -> Finding:
    """The finding with a list, and types of its rows, that lack some columns."""
    names = [column for column in listed.columns.columns if column in left_out]
    kept = [column for column in listed.columns.columns if column not in left_out]
    select = listed.select
    return replace(
        finding,
        title=f"List {len(kept)} of its {len(listed.columns.columns)} columns",
        safety=Safety.UNSAFE,
        reason="; ".join([*filter(None, [finding.reason]), f"{why}: {', '.join(names)}{saved(listed.columns, names)}"]),
        intents=(
            Replace(select.span, f"{select.quote}{', '.join(kept)}{select.quote}{select.after}"),
            *in_types(listed.query, utility, kept if utility == "Pick" else names),
        ),
    )


def in_types(query: Query, utility: str, columns: Sequence[str]) -> list[Replace]:
    """The row types at the site of a query, with or without these columns."""
    names = " | ".join(f"'{column}'" for column in columns)
    rows = dict.fromkeys((row.offset, row.text) for row in query.rows)
    spans = [(Span(query.path, offset, offset + len(text.encode())), text) for offset, text in rows]
    return [Replace(span, f"{utility}<{text}, {names}>") for span, text in spans]


def saved(columns: ColumnList, names: Sequence[str]) -> str:
    """What a row gets smaller by, where a database has measured its columns."""
    widths = columns.definitions[0].widths
    total = sum(widths.get(name, 0) for name in names)
    return f"; about {total:,} bytes of each row" if total else ""


def without_secrets(finding: Finding, listed: Listed, unread: Sequence[str]) -> tuple[Finding, Listed]:
    """The finding with a list that leaves out secrets that nobody reads."""
    if not unread or len(unread) == len(listed.columns.columns):
        return finding, listed
    why = "leaves out what no TypeScript or JavaScript of the checkout names"
    return without(finding, listed, unread, why), replace(listed, left_out=tuple(unread))


def narrowed(found: dict[Finding, Listed], project: Project) -> tuple[dict[Finding, Finding], int]:
    """What becomes of these findings when each list shrinks to what is needed, and how often the compiler was asked."""
    from perfmod.tsc.narrowing import Wide, narrow

    wide = [Wide(listed.query, listed.select, listed.columns.columns) for listed in found.values()]
    narrowing = narrow(wide, project)
    changed = {}
    for (finding, listed), answer in zip(found.items(), narrowing.queries, strict=True):
        if answer.refused is not None:
            changed[finding] = replace(finding, message=f"{finding.message}; not narrowed: {answer.refused}")
        else:
            left_out = {*answer.dropped, *listed.left_out}
            plain = replace(finding, reason=None) if listed.left_out else finding
            changed[finding] = without(plain, listed, left_out, READERLESS, answer.utility)
    return changed, narrowing.passes


def narrow(found: Sequence[Finding | Note], listed: dict[Finding, Listed], project: Project) -> list[Finding | Note]:
    """The findings with lists that hold only what is needed, and how often the compiler was asked."""
    changed, passes = narrowed(listed, project)
    first = next(iter(changed))
    shorter = sum(new.intents != old.intents for old, new in changed.items())
    message = f"tsc was asked {passes} times about {len(changed)} lists; {shorter} became shorter"
    kept = [changed.get(said, said) if isinstance(said, Finding) else said for said in found]
    return [*kept, Note("select-columns", first.span, message)]
