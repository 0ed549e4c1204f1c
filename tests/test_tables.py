"""Schema sources: what SQL does to tables, who speaks where, and a real PostgreSQL that has the last word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fixture_cases import FIXTURES
from judged_schemas import judge

from perfmod.discovery import discover
from perfmod.project import Project
from perfmod.project.schema.definition import Definition, Table
from perfmod.project.schema.holdings import facts_about_tables
from perfmod.project.schema.sql import SqlSchema, sql_file
from perfmod.project.schema.sql_statements import statements
from perfmod.project.schema.sql_tables import changes
from perfmod.project.schema.tables import Tables
from perfmod.project.web.modules import ScriptModules

pytest_plugins = ("postgres",)

SCHEMAS = sorted({above for sql in FIXTURES.rglob("*.sql") for above in sql.parents if above.name == "before"})


def project_of(root: Path, files: dict[str, str | bytes] | None = None) -> Project:
    for path, content in (files or {}).items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = discover(root, [root]).files
    return Project(root, found, facts_about_tables(root, found))


def tables_of(root: Path, files: dict[str, str | bytes]) -> Tables:
    project = project_of(root, files)
    return Tables(project, ScriptModules(project))


def sql_columns(tmp_path: Path, *migrations: str) -> Definition:
    files: dict[str, str | bytes] = {f"migrations/{n}.sql": text for n, text in enumerate(migrations)}
    (found,) = SqlSchema(project_of(tmp_path, files)).definitions(Table("t"))
    return found


def test_statements_end_at_semicolons_that_are_code() -> None:
    text = "a 'x;y' -- ;\n; b \"p;q\"; c $$ ; $$ ; /* ; /* ; */ ; */ d E'it\\'s;' ; e $tag$ $$ ; $tag$"
    assert [statement.code.split()[0] for statement in statements(text)] == ["a", "b", "c", "d", "e"]


def test_lines_are_those_of_the_file() -> None:
    text = "-- one\n\nCREATE TABLE a (\n id int\n);\n\n\nCREATE TABLE b (id int);\n"
    assert [(change.table, change.line) for change in changes(text)] == [("a", 3), ("b", 8)]


def test_what_undoes_a_migration_is_not_read() -> None:
    for mark in ("-- +goose Down", "-- migrate:down", "-- +migrate Down"):
        assert [change.kind for change in changes(f"CREATE TABLE a (id int);\n{mark}\nDROP TABLE a;\n")] == ["create"]


@pytest.mark.parametrize(
    ("migrations", "columns"),
    [
        (["CREATE TABLE t (a int, b int)", "ALTER TABLE t DROP b"], ["a"]),
        (["CREATE TABLE t (a int)", "ALTER TABLE t ADD b int, ADD COLUMN c int"], ["a", "b", "c"]),
        (["CREATE TABLE t (a int)", 'ALTER TABLE t RENAME a TO "B"'], ["B"]),
        (["CREATE TABLE t (a int)", "DROP TABLE t; CREATE TABLE t (b int)"], ["b"]),
        (["CREATE TABLE t (a int)", "CREATE TABLE IF NOT EXISTS t (a int)"], ["a"]),
        (["CREATE TABLE t (a int CHECK (a IN (1, 2)), b numeric(3, 2), PRIMARY KEY (a, b))"], ["a", "b"]),
        (["CREATE UNLOGGED TABLE public . t (a int) PARTITION BY RANGE (a)"], ["a"]),
        (["CREATE TABLE t (a int)", "DO $$ BEGIN ALTER TABLE t ADD COLUMN a int; END $$"], ["a"]),
        (["CREATE TABLE t (a int)", "DO $$ BEGIN ALTER TABLE t DROP COLUMN IF EXISTS z; END $$"], ["a"]),
        (
            ["CREATE TABLE t (a int)", "BEGIN; ALTER TABLE t ADD b int; ROLLBACK; BEGIN; ALTER TABLE t ADD c int; END"],
            ["a", "c"],
        ),
        (["CREATE TABLE t (a int)", "SET search_path = sales, public; ALTER TABLE t ADD b int"], ["a", "b"]),
        (["CREATE TABLE t (a int)", "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE t (b int)"], ["b"]),
        ([f"CREATE TABLE t ({'x' * 70} int)", f"ALTER TABLE t ADD {'É' * 40} int"], ["x" * 63, "É" * 31]),
    ],
)
def test_columns_after_all_migrations(tmp_path: Path, migrations: list[str], columns: list[str]) -> None:
    found = sql_columns(tmp_path, *migrations)
    assert (list(found.columns), found.problem) == (columns, None)


@pytest.mark.parametrize(
    "migrations",
    [
        ["CREATE TABLE t (a int)", "DO $$ BEGIN ALTER TABLE t ADD COLUMN b int; END $$"],
        ["CREATE TABLE t (a int)", "DO $$ BEGIN IF x THEN ALTER TABLE t DROP COLUMN a; END IF; END $$"],
        ["CREATE TABLE t (a int)", "DO $$ BEGIN EXECUTE format('ALTER TABLE %I ADD COLUMN b int', 't'); END $$"],
        [
            "CREATE TABLE t (a int)",
            "DO $$ BEGIN IF x THEN PERFORM 1; IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE"
            " table_name = 't' AND column_name = 'b') THEN ALTER TABLE t ADD COLUMN b int; END IF; END IF; END $$",
        ],
        ["CREATE TABLE t (a int)", "CREATE FUNCTION f() RETURNS void AS $$ ALTER TABLE t ADD b int $$ LANGUAGE sql"],
        ["CREATE TABLE t (a int)", "CREATE TABLE t (b int)"],
        ["CREATE TABLE t (a int)", "ALTER TABLE t RENAME TO u"],
        ["CREATE TABLE u (a int)", "CREATE TABLE t (b int); ALTER TABLE u RENAME TO t"],
        ["CREATE TABLE sales.t (a int)", "ALTER TABLE sales.t SET SCHEMA public; CREATE TABLE IF NOT EXISTS t (b int)"],
        ["CREATE TABLE t (a int)", "DO $$ BEGIN DROP SCHEMA public CASCADE; END $$"],
        ["DO $$ BEGIN CREATE UNLOGGED TABLE t (a int); END $$", "CREATE TABLE IF NOT EXISTS t (b int)"],
        ["CREATE TABLE t (a int,)"],
        ["CREATE TABLE t (a int)", "ALTER TABLE t RENAME COLUMN y TO z"],
        ["CREATE TABLE t (a int)", "ALTER TABLE t INHERIT u"],
        ["CREATE TABLE t PARTITION OF u FOR VALUES IN (1)"],
        ["CREATE TABLE t AS SELECT 1 AS a"],
        ["CREATE TABLE t (LIKE u INCLUDING ALL)"],
        ["CREATE TABLE u (a int); SELECT 1 AS a INTO t"],
    ],
)
def test_what_can_not_be_followed_has_a_problem(tmp_path: Path, migrations: list[str]) -> None:
    assert sql_columns(tmp_path, *migrations).problem is not None


def test_tables_of_other_databases_are_none(tmp_path: Path) -> None:
    sql = "CREATE TABLE `t` (`a` int); CREATE TABLE t (a int AUTO_INCREMENT PRIMARY KEY);"
    assert list(SqlSchema(project_of(tmp_path, {"1.sql": sql})).definitions(Table("t"))) == []


def test_numbers_and_time_stamps_sort_as_their_tools_do() -> None:
    names = ["10_c.sql", "2_b.sql", "1_a.sql", "20240101_e.sql", "20231231235959_d.sql", "z.sql", "b.sql"]
    assert [file.path for file in sorted(map(sql_file, names), key=lambda file: file.order)] == [
        "1_a.sql", "2_b.sql", "10_c.sql", "20231231235959_d.sql", "20240101_e.sql", "b.sql", "z.sql",
    ]  # fmt: skip


def test_types_in_utf_16_with_what_the_installer_printed_above(tmp_path: Path) -> None:
    text = (
        "Need to install the following packages:\nsupabase@2.24.3\nOk to proceed? (y) export type Database = {\n"
        "  public: { Tables: { pets: { Row: { id: number; name: string | null } } } };\n};\n"
    )
    tables = tables_of(tmp_path, {"types.ts": text.replace("\n", "\r\n").encode("utf-16")})
    known = tables.known(Table("pets"), "src/a.ts")
    assert known.columns == ("id", "name")
    assert known.definition is not None
    assert known.definition.place == "types.ts:4"


def test_a_weaker_source_that_knows_less_is_no_conflict(tmp_path: Path) -> None:
    types = "export type Database = { public: { Tables: { t: { Row: { a: number; b: number } } } } };\n"
    tables = tables_of(tmp_path, {"types.ts": types, "1.sql": "CREATE TABLE t (a int);"})
    assert tables.known(Table("t"), "a.ts").columns == ("a", "b")


def test_a_weaker_source_that_knows_more_is_one(tmp_path: Path) -> None:
    types = "export type Database = { public: { Tables: { t: { Row: { a: number } } } } };\n"
    hidden = "CREATE TABLE t (a int); DO $$ BEGIN ALTER TABLE t ADD COLUMN c int; END $$;"
    for number, sql in enumerate(("CREATE TABLE t (a int, c int);", hidden)):
        tables = tables_of(tmp_path / str(number), {"types.ts": types, "1.sql": sql})
        problem = tables.known(Table("t"), "a.ts").problem
        assert problem is not None
        assert problem.startswith("sources disagree: 1.sql:1 has c")


def test_a_live_schema_is_the_strongest(tmp_path: Path) -> None:
    project = project_of(tmp_path, {"1.sql": "CREATE TABLE t (a int);"})
    live = [Definition(Table("t"), "database", "", 0, ("a", "b"))]
    assert Tables(project, ScriptModules(project), live).known(Table("t"), "a.ts").columns == ("a", "b")


# A real PostgreSQL


@pytest.mark.slow
@pytest.mark.parametrize("root", SCHEMAS, ids=lambda root: root.parent.name)
def test_postgresql_agrees(root: Path, database: Any) -> None:
    """Every tree of SQL files, applied for real, gives the columns that are read from it."""
    judged = judge(root, database)
    assert [v for v in judged.verdicts if v.kind not in ("equal", "refused")] == []
    assert any(v.kind == "equal" for v in judged.verdicts)
    assert judged.unseen == ()
