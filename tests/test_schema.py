"""perfmod schema, and the sources that only an option names: a database, PostgREST's description of its API."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from fixture_cases import FIXTURES

from perfmod.errors import PerfmodError
from perfmod.model import Facts
from perfmod.project import Project
from perfmod.project.schema.definition import Table
from perfmod.project.schema.live import from_database, from_openapi
from perfmod.project.schema.sql import SqlSchema
from perfmod.schema_command import describe_schema

pytest_plugins = ("postgres",)

DEALDESK = FIXTURES / "dealdesk" / "before"


def test_every_table_gets_a_line(tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / "select-columns" / "sql-unnumbered" / "before", tmp_path, dirs_exist_ok=True)
    (tmp_path / "perfmod.toml").touch()
    assert describe_schema(tmp_path, None) == (
        "halls: the columns can't be followed: a file without a number changes it, db/change_halls.sql:1,"
        " db/schema.sql:4\n"
        "prices: sources disagree: db/old/schema.sql:1 has currency, which db/schema.sql:5 lacks\n"
        "seats: the columns can't be followed: a file without a number changes it, db/change_seats.sql:1,"
        " db/schema.sql:3\n"
        "shows: 3 columns, SQL at db/old/schema.sql:2, 1 more agree\n"
        "tickets: 4 columns, SQL at db/schema.sql:1 and db/add_ticket_notes.sql:1\n"
    )


def test_one_table_says_what_corroborates_it_and_what_it_lacks(tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / "select-columns" / "stale" / "before", tmp_path, dirs_exist_ok=True)
    (tmp_path / "perfmod.toml").touch()
    assert describe_schema(tmp_path, "drinks") == (
        "drinks\n"
        "  SQL at migrations/1.sql:1\n"
        "    id, name\n"
        "  named in queries: none\n"
        "  named at src/q.ts:6, in no source: shelf\n"
        "  named at src/q.ts:3, in no source: stock\n"
    )


def test_an_unknown_table_is_an_error_with_advice(tmp_path: Path) -> None:
    (tmp_path / "perfmod.toml").touch()
    (tmp_path / "1.sql").write_text("CREATE TABLE drinks (id int);")
    with pytest.raises(PerfmodError, match="unknown table `drink`; did you mean `drinks`"):
        describe_schema(tmp_path, "drink")


@pytest.mark.parametrize("wrap", [lambda d: {"definitions": d}, lambda d: {"components": {"schemas": d}}])
def test_openapi_files(tmp_path: Path, wrap: Any) -> None:
    document = {"drinks": {"properties": {"id": {"format": "bigint"}, "name": {}}}, "empty": {"properties": {}}}
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(wrap(document)))
    assert [(d.table, d.columns) for d in from_openapi(str(file))] == [(Table("drinks"), ("id", "name"))]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"definitions": []}'])
def test_what_is_no_description_is_an_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "openapi.json"
    file.write_text(text)
    with pytest.raises(PerfmodError, match="--openapi"):
        list(from_openapi(str(file)))


@pytest.mark.slow
def test_a_database_says_what_its_migrations_say(database: Any, database_url: str) -> None:
    for migration in sorted((DEALDESK / "migrations").iterdir()):
        database.execute(migration.read_text())
    database.execute("ALTER TABLE users ADD COLUMN gone int; ALTER TABLE users DROP COLUMN gone")
    database.execute("CREATE VIEW best AS SELECT id, score FROM attempts")
    database.execute("CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS attempts FROM attempts")
    database.execute("CREATE SCHEMA audit; CREATE TABLE audit.events (id int)")
    live = {definition.table: definition.columns for definition in from_database(database_url)}
    files = sorted(f"migrations/{file.name}" for file in (DEALDESK / "migrations").iterdir())
    schema = SqlSchema(Project(DEALDESK, files, Facts()))
    assert {table: next(schema.definitions(table)).columns for table in schema.tables} == {
        table: columns for table, columns in live.items() if table.name not in ("best", "counted", "events")
    }
    assert live[Table("best")] == ("id", "score")
    assert live[Table("counted")] == ("attempts",)
    assert live[Table("events", "audit")] == ("id",)


@pytest.mark.slow
def test_a_database_that_can_not_be_reached_is_an_error(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(PerfmodError, match="--database-url"):
        list(from_database(f"postgresql://nobody@/none?host={tmp_path}"))
