"""What SQL statements do to tables: plain changes, and what can't be followed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, TypeAlias

from perfmod.patterns import pattern
from perfmod.project.schema.sql_statements import (
    IDENTIFIER,
    NAME,
    Statement,
    identifier,
    parenthesised,
    qualified,
    split_list,
    statements,
)
from perfmod.values import dataclass

Kind: TypeAlias = Literal["create", "add", "drop", "rename", "drop table", "drop schema", "taint", "view"]

CREATE = pattern(
    rf"create\s+(?P<temporary>(?:(?:global|local)\s+)?temp(?:orary)?\s+)?(?:unlogged\s+|foreign\s+)?table\s+"
    rf"(?P<lenient>if\s+not\s+exists\s+)?(?P<name>{NAME})",
    re.I,
)
ALTER = pattern(rf"alter\s+(?:foreign\s+)?table\s+(?:if\s+exists\s+)?(?:only\s+)?(?P<name>{NAME})\s*\*?", re.I)
DROP = pattern(rf"drop\s+(?:foreign\s+)?table\s+(?:if\s+exists\s+)?(?P<names>{NAME}(?:\s*,\s*{NAME})*)", re.I)
VIEW = pattern(
    rf"create\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+)?(?:recursive\s+)?(?:materialized\s+)?view\s+"
    rf"(?:if\s+not\s+exists\s+)?(?P<name>{NAME})",
    re.I,
)
INTO = pattern(rf"select\b.*?\binto\s+(?:unlogged\s+)?(?:table\s+)?(?P<name>{NAME})", re.I | re.S)
DROP_SCHEMA = pattern(
    rf"(?:drop\s+schema\s+(?:if\s+exists\s+)?|alter\s+schema\s+(?={IDENTIFIER}\s+rename\b))(?P<names>{IDENTIFIER}(?:\s*,\s*{IDENTIFIER})*)",
    re.I,
)
SEARCH_PATH = pattern(
    r"(?:set\s+(?:local\s+|session\s+)?search_path\s*(?:=|to)\s*(?P<path>[^;]*)|reset\s+(?:search_path|all)\b)", re.I
)
TRANSACTION = pattern(
    r"(?:(?P<begin>begin\b|start\s+transaction\b)|(?P<commit>commit\b|end\b)|(?:rollback|abort)\b(?!.*\bto\b))", re.I
)
CONSTRAINT = pattern(r"(?:constraint|primary\s+key|unique|check|foreign\s+key|exclude\s+using)\b|exclude\s*\(", re.I)
ADD = pattern(rf"add\s+(?:column\s+)?(?P<lenient>if\s+not\s+exists\s+)?(?P<column>{IDENTIFIER})", re.I)
DROP_COLUMN = pattern(rf"drop\s+(?:column\s+)?(?:if\s+exists\s+)?(?P<column>{IDENTIFIER})", re.I)
RENAME = pattern(rf"rename\s+(?:column\s+)?(?P<old>{IDENTIFIER})\s+to\s+(?P<new>{IDENTIFIER})", re.I)
MOVED = pattern(
    rf"(?:rename\s+to\s+(?P<new>{IDENTIFIER})|set\s+schema\s+(?P<schema>{IDENTIFIER})|inherit\b|of\b|attach\b)", re.I
)
NESTED = pattern(
    r"(?:create\s+(?:(?:unlogged|foreign)\s+)?table|(?:alter|drop)\s+(?:foreign\s+)?table|(?:drop|alter)\s+schema"
    r"|create\s+(?:or\s+replace\s+)?(?:(?:recursive|materialized)\s+)*view)\b[^;]*",
    re.I,
)
DYNAMIC = pattern(r"\b(?:add|drop|rename)\s+column\b|\bcreate\s+table\b|\bdrop\s+table\b|\brename\s+to\b", re.I)
FLOW = pattern(r"\b(?:loop|else|elsif|return|function|exception)\b", re.I)
GUARD = pattern(
    r"\A\s*(?:begin\s+|end\s+if\s*)?if\s+not\s+exists\s*\(\s*select\s+[\w*]+\s+from\s+information_schema\.columns\s+"
    r"where\s+(?:table_schema\s*=\s*'\w+'\s+and\s+)?table_name\s*=\s*'(?P<table>\w+)'\s+"
    r"and\s+column_name\s*=\s*'(?P<column>\w+)'\s*\)\s*then\s*\Z",
    re.I,
)
OTHER_DIALECT = pattern(r"`|\bAUTO_?INCREMENT\b|\bENGINE\s*=|\bDATETIME\s+(?:NOT|NULL|DEFAULT|PRIMARY|UNIQUE)\b", re.I)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a statement does to a table."""

    kind: Kind
    schema: str
    table: str
    line: int
    columns: tuple[str, ...] = ()  #: created or added ones; of a rename: the old and the new
    lenient: bool = False  #: IF NOT EXISTS
    reason: str = ""  #: of a taint, and of what may or may not be done
    perhaps: bool = False  #: stands in a block or a function: it may be done or not
    elsewhere: tuple[str, ...] = ()  #: further schemas of the search path
    guessed: bool = False  #: a block that builds SQL holds the name of the table


def changes(sql: str) -> Iterator[Change]:
    """What a file of SQL does to tables, in order. A transaction that is rolled back does nothing."""
    path = ["public"]
    open_transaction: list[Change] | None = None
    for statement in statements(sql):
        if named := SEARCH_PATH.match(statement.code):
            parts = [part.strip().strip("'\"") for part in (named["path"] or "public").split(",")]
            path = [part for part in parts if part not in ("", "pg_catalog", "$user")] or ["public"]
        word = TRANSACTION.match(statement.code)
        if word is None:
            done = [in_path(change, path) for change in changes_of(statement)]
            if open_transaction is None:
                yield from done
            else:
                open_transaction += done
        elif word["begin"]:
            open_transaction = open_transaction or []
        else:
            yield from open_transaction or () if word["commit"] else ()
            open_transaction = None
    yield from open_transaction or ()


def in_path(change: Change, path: list[str]) -> Change:
    """The change with its schema: the first of the search path, or another one where the table is known."""
    return change if change.schema else replace(change, schema=path[0], elsewhere=tuple(path[1:]))


def changes_of(statement: Statement) -> Iterator[Change]:
    """What one statement does. An empty schema is the current one."""
    code, line = statement.code, statement.line
    if created := CREATE.match(code):
        if not created["temporary"]:
            yield create(statement, created)
    elif altered := ALTER.match(code):
        schema, table = qualified(altered["name"])
        rest, mask = code[altered.end() :], statement.mask[altered.end() :]
        yield from alter(schema or "", table, line, split_list(rest, mask))
    elif dropped := DROP.match(code):
        for name in re.findall(NAME, dropped["names"]):
            schema, table = qualified(name)
            yield Change("drop table", schema or "", table, line)
    elif schemas := DROP_SCHEMA.match(code):
        for name in re.findall(IDENTIFIER, schemas["names"]):
            yield Change("drop schema", identifier(name), "", line)
    elif view := VIEW.match(code):
        schema, table = qualified(view["name"])
        yield Change("view", schema or "", table, line)
    elif into := INTO.match(statement.mask):
        schema, table = qualified(into["name"])
        yield Change("taint", schema or "", table, line, reason="SELECT INTO")
    for body in statement.bodies:
        yield from hidden(body, line, "a DO block" if re.match(r"do\b", code, re.I) else "a function")


def create(statement: Statement, match: re.Match[str]) -> Change:
    """The change that a CREATE TABLE makes; a taint where it does not list its columns."""
    schema, table = qualified(match["name"])
    made = Change("create", schema or "", table, statement.line, lenient=bool(match["lenient"]))
    code, mask = statement.code, statement.mask
    rest = mask[match.end() :].lstrip()
    if OTHER_DIALECT.search(mask):
        return replace(made, kind="taint", reason="not written for PostgreSQL")
    inside = parenthesised(code, mask, match.end()) if rest.startswith("(") else None
    if inside is None:
        how = next((word for word in ("partition of", "as", "of") if rest.lower().startswith(word)), "without columns")
        return replace(made, kind="taint", reason=f"CREATE TABLE {how.upper()}")
    columns = []
    for element in split_list(code[inside[0] : inside[1]], mask[inside[0] : inside[1]]):
        if re.match(r"like\b", element, re.I):
            return replace(made, kind="taint", reason="CREATE TABLE with LIKE")
        if CONSTRAINT.match(element):
            continue
        name = re.match(IDENTIFIER, element)
        if name is None:
            return replace(made, kind="taint", reason=f"CREATE TABLE with `{(element.splitlines() or [''])[0]}`")
        columns.append(identifier(name[0]))
    after = mask[inside[1] + 1 :]
    if re.match(r"\s*(?:inherits\b|as\b)", after, re.I):
        return replace(made, kind="taint", reason="CREATE TABLE with INHERITS or AS")
    return replace(made, columns=tuple(columns))


def alter(schema: str, table: str, line: int, actions: list[str]) -> Iterator[Change]:
    """The changes of an ALTER TABLE; what touches no column is no change."""
    for action in actions:
        rest = re.sub(r"\Aadd\s+", "", action, flags=re.I)
        if rest != action and CONSTRAINT.match(rest):
            continue
        if moved := MOVED.match(action):
            yield Change("taint", schema, table, line, reason="the table is renamed or moved")
            if moved["new"]:
                yield Change("taint", schema, identifier(moved["new"]), line, reason="another table is renamed to it")
            if moved["schema"]:
                yield Change("taint", identifier(moved["schema"]), table, line, reason="another table is moved to it")
        elif added := ADD.match(action):
            yield Change("add", schema, table, line, (identifier(added["column"]),), bool(added["lenient"]))
        elif re.match(r"drop\s+constraint\b", action, re.I):
            continue
        elif dropped := DROP_COLUMN.match(action):
            yield Change("drop", schema, table, line, (identifier(dropped["column"]),))
        elif (renamed := RENAME.match(action)) and not re.match(r"rename\s+constraint\b", action, re.I):
            yield Change("rename", schema, table, line, (identifier(renamed["old"]), identifier(renamed["new"])))


def hidden(body: str, line: int, where: str) -> Iterator[Change]:
    """What a block or a function may do to tables."""
    depth = 0
    for inner in statements(body):
        for found in NESTED.finditer(inner.code):
            before = inner.code[: found.start()]
            alone = depth + nesting(before) == 1
            piece = Statement(inner.line, found[0], inner.mask[found.start() : found.end()])
            for change in changes_of(piece):
                if alone and is_guarded_add(body, before, change):
                    yield replace(change, line=line, lenient=True)
                else:
                    yield replace(change, line=line, perhaps=True, reason=change.reason or f"{where} changes it")
        depth += nesting(inner.code)
    if re.search(r"\bexecute\b", body, re.I) and DYNAMIC.search(body):
        for word in sorted(set(re.findall(r"[a-z_][a-z0-9_]*", body))):
            yield Change("taint", "", word, line, reason=f"{where} builds SQL that may change it", guessed=True)


def nesting(code: str) -> int:
    """How many IFs a piece of PL/pgSQL opens more than it closes."""
    return len(re.findall(r"\bthen\b", code, re.I)) - len(re.findall(r"\bend\s+(?:if|case)\b", code, re.I))


def is_guarded_add(body: str, before: str, change: Change) -> bool:
    """Whether an ADD COLUMN is the whole of `IF NOT EXISTS (<its column in information_schema>) THEN`.

    Whatever the answer, the column is there afterwards: the same as ADD COLUMN IF NOT EXISTS.
    """
    if change.kind != "add" or FLOW.search(body):
        return False
    guard = GUARD.search(before)
    return guard is not None and guard["column"] == change.columns[0] and guard["table"] == change.table
