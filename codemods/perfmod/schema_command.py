"""`perfmod schema`: what is known of each table, from where, who agrees, and which columns queries name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from perfmod.config import config_file, find_root, load_settings
from perfmod.discovery import discover
from perfmod.errors import PerfmodError
from perfmod.project import Project
from perfmod.project.queries.queries import Queries
from perfmod.project.schema.definition import Definition, Table
from perfmod.project.schema.holdings import facts_about_tables
from perfmod.project.schema.live import live_definitions
from perfmod.project.schema.tables import Tables, disagreement, listed
from perfmod.project.web.modules import ScriptModules

NAMES = {
    "database": "the live schema",
    "openapi": "the API's description",
    "types": "generated types",
    "sql": "SQL",
    "drizzle": "Drizzle",
    "prisma": "Prisma",
}


def describe_schema(
    start: Path, wanted: str | None, database_url: str | None = None, openapi: str | None = None
) -> str:
    """What `perfmod schema [TABLE]` prints for the checkout around `start`."""
    root = find_root(start)
    settings = load_settings(config_file(root))
    discovery = discover(root, [root], settings.exclude, settings.extend_exclude)
    project = Project(root, discovery.files, facts_about_tables(root, discovery.files))
    modules = ScriptModules(project)
    tables = Tables(project, modules, live_definitions(database_url, openapi))
    if wanted is None:
        lines = [line for table in tables.tables for line in summary(tables, table)]
        return "".join(f"{line}\n" for line in lines) or "no schema source was found\n"
    found = [table for table in tables.tables if wanted in (table.name, str(table))]
    if not found:
        from perfmod.config import suggestion

        raise PerfmodError(f"unknown table `{wanted}`{suggestion(wanted, map(str, tables.tables))}")
    queries = Queries(project, modules, tables.holdings)
    return "\n".join("".join(f"{line}\n" for line in details(tables, queries, table)) for table in found)


def summary(tables: Tables, table: Table) -> Iterator[str]:
    """One line for a table."""
    known = tables.known(table, "")
    if known.problem is not None:
        yield f"{table}: {known.problem}"
    elif known.definition is not None:
        count = len(known.definition.columns)
        more = f", {len(known.agreeing)} more agree" if known.agreeing else ""
        yield f"{table}: {count} column{'s' if count != 1 else ''}, {source_of(known.definition)}{more}"


def details(tables: Tables, queries: Queries, table: Table) -> Iterator[str]:
    """Everything that is known of a table."""
    known = tables.known(table, "")
    yield str(table)
    if known.problem is not None:
        yield f"  {known.problem}"
    definitions = tables.definitions(table)
    for definition in definitions:
        yield f"  {source_of(definition)}"
        yield f"    {', '.join(definition.columns) or 'no columns'}"
        if definition.problem is not None:
            yield f"    can't be followed: {definition.problem}"
        best = known.definition
        if best is not None and definition is not best and (problem := disagreement(best, definition)) is not None:
            yield f"    {problem}"
    yield from corroboration(definitions, queries, table)


def corroboration(definitions: Sequence[Definition], queries: Queries, table: Table) -> Iterator[str]:
    """Which columns the queries of the checkout name."""
    named = {use.column: use for use in reversed(queries.named_columns(table))}
    columns = dict.fromkeys(column for definition in definitions for column in definition.columns)
    used = [column for column in columns if column in named]
    lacking = [use for column, use in sorted(named.items()) if column not in columns]
    yield f"  named in queries: {listed(used, 40) or 'none'}"
    for use in lacking:
        yield f"  named at {use.place}, in no source: {use.column}"


def source_of(definition: Definition) -> str:
    name = NAMES[definition.origin]
    return f"{name} at {definition.places}" if definition.path else name
