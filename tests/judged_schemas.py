"""What is read from SQL files beside what a real PostgreSQL makes of them, table by table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perfmod.discovery import discover
from perfmod.model import Facts
from perfmod.project import Project
from perfmod.project.schema.definition import Definition, Table
from perfmod.project.schema.sql import Located, SqlFile, SqlSchema, is_schema, sql_file
from perfmod.project.schema.sql_statements import statements
from perfmod.project.schema.sql_tables import changes_of

#: What migrations expect of the platforms that they are written for.
PLATFORM = """
CREATE SCHEMA auth; CREATE SCHEMA storage; CREATE SCHEMA extensions; CREATE SCHEMA realtime;
CREATE TABLE auth.users (id uuid PRIMARY KEY, email text, raw_user_meta_data jsonb, raw_app_meta_data jsonb,
  created_at timestamptz, last_sign_in_at timestamptz, email_confirmed_at timestamptz, phone text);
CREATE TABLE storage.buckets (id text PRIMARY KEY, name text, public boolean, file_size_limit bigint,
  allowed_mime_types text[]);
CREATE TABLE storage.objects (id uuid PRIMARY KEY, bucket_id text, name text, owner uuid, metadata jsonb);
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid';
CREATE FUNCTION auth.role() RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql AS 'SELECT NULL::jsonb';
CREATE FUNCTION public.uuid_generate_v4() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()';
CREATE DOMAIN public.vector AS text;
"""
#: What a statement needs of other trees and of extensions, and what no column's name depends on.
NEEDS = re.compile(
    r"\bREFERENCES\s+[\w.\"]+\s*(?:\([^)]*\))?"
    r"(?:\s+ON\s+(?:DELETE|UPDATE)\s+(?:CASCADE|RESTRICT|NO\s+ACTION|SET\s+\w+))*|(?<=\bvector)\s*\(\d+\)",
    re.I,
)
ROLES = ("anon", "authenticated", "service_role", "project_admin")


@dataclass(frozen=True)
class Verdict:
    """One table that a tree of SQL files creates."""

    found: Definition
    columns: tuple[str, ...]  #: in PostgreSQL; none where it was not made
    failed: tuple[str, ...]  #: statements about the table that PostgreSQL has not taken

    @property
    def kind(self) -> str:
        if self.found.problem is not None:
            return "refused"
        if self.columns == self.found.columns:
            return "equal"
        if not self.columns:
            return "not made"
        return "differs, but statements failed" if self.failed else "differs"


@dataclass(frozen=True)
class Judged:
    """What PostgreSQL says of a checkout."""

    verdicts: tuple[Verdict, ...]
    unseen: tuple[tuple[str, Table], ...]  #: tables that it has made of a tree, and that were not read there


def judge(root: Path, database: Any, *, platform: bool = False) -> Judged:
    """Every tree of SQL files, applied for real, beside what is read from it."""
    project = Project(root, discover(root, [root]).files, Facts())
    schema = SqlSchema(project)
    files = sorted((sql_file(path) for path in project.files if is_schema(path)), key=lambda file: file.order)
    verdicts: list[Verdict] = []
    unseen: list[tuple[str, Table]] = []
    for tree in dict.fromkeys(file.tree for file in files):
        empty(database, platform=platform)
        failures: list[tuple[Table, str]] = []
        for file in files:
            if file.tree == tree:
                failures += apply(project, file, database)
        own = [table for table in schema.tables if any(d.tree == tree for d in schema.definitions(table))]
        made = set(tables_in(database))
        unseen += [
            (tree, table) for table in sorted(made - set(own), key=str) if table.schema not in ("auth", "storage")
        ]
        for table in own:
            failures += apply_foreign(project, schema.changes_by_others(table, tree), database)
            found = next(d for d in schema.definitions(table) if d.tree == tree)
            failed = tuple(text for other, text in failures if other == table)
            verdicts.append(Verdict(found, tuple(columns_in(database, table)), failed))
    return Judged(tuple(verdicts), tuple(unseen))


def empty(database: Any, *, platform: bool) -> None:
    """A database as new, with what a platform brings."""
    database.execute("RESET ALL")
    for (name,) in database.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'"
    ).fetchall():
        database.execute(f'DROP SCHEMA "{name}" CASCADE')
    database.execute("CREATE SCHEMA public")
    if platform:
        for role in ROLES:
            if not database.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
                database.execute(f"CREATE ROLE {role}")
        database.execute(PLATFORM)


def apply(project: Project, file: SqlFile, database: Any) -> list[tuple[Table, str]]:
    """Runs a file as a whole, else statement by statement. What fails, with the table that it is about."""
    import psycopg

    text = project.text(file.path)
    if text is None:
        return []
    sql = text.utf8.decode()
    try:
        database.execute(sql)
    except psycopg.Error:
        return [failure for statement in statements(sql) for failure in attempt(statement, file.path, database)]
    return []


def attempt(statement: Any, path: str, database: Any) -> Iterator[tuple[Table, str]]:
    import psycopg

    try:
        database.execute(statement.code)
    except psycopg.Error as error:
        changes = list(changes_of(statement))
        try:
            database.execute(NEEDS.sub("", statement.code) if changes else "")
        except psycopg.Error:
            for change in changes:
                first = str(error).splitlines()[0]
                yield Table(change.table, change.schema or "public"), f"{path}:{statement.line} {first}"


def apply_foreign(project: Project, located: Sequence[Located], database: Any) -> list[tuple[Table, str]]:
    """Runs the statements with which other trees change a table. That they drop it says nothing of what it was."""
    failures = []
    for path, line in dict.fromkeys((item.file.path, item.change.line) for item in located):
        text = project.text(path)
        for statement in statements(text.utf8.decode()) if text is not None else ():
            if statement.line == line and "drop table" not in statement.code.lower():
                failures += list(attempt(statement, path, database))
    return failures


def tables_in(database: Any) -> list[Table]:
    rows = database.execute(
        "SELECT c.relname, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND n.nspname NOT LIKE 'pg\\_%'"
        " AND n.nspname <> 'information_schema'"
    )
    return [Table(name, schema) for name, schema in rows.fetchall()]


def columns_in(database: Any, table: Table) -> list[str]:
    """information_schema's answer; it leaves out materialized views."""
    rows = database.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
        " ORDER BY ordinal_position",
        (table.schema, table.name),
    )
    return [name for (name,) in rows.fetchall()]
