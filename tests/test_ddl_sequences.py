"""Sequences of DDL that nobody wrote: what is read from them is what PostgreSQL makes of them, or it is refused."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judged_schemas import columns_in

from perfmod.discovery import discover
from perfmod.model import Facts
from perfmod.project import Project
from perfmod.project.schema.sql import SqlSchema

pytest_plugins = ("postgres",)

EXAMPLES = int(os.environ.get("PERFMOD_DDL_EXAMPLES", "150"))
SCHEMAS = ("public", "sales")
# Without tables to begin with, PostgreSQL refuses most of what is drawn.
START = """\
CREATE TABLE t (a int, b text, check_in date, "order" int, foreign_key int);
CREATE TABLE u (a int, "B" numeric(3, 2), unique_id int, "q""r" text, column_kind text);
CREATE TABLE sales.t (a int, "x(y" int, primary_color text);
"""
names = st.sampled_from(["t", "u", "T", '"T"', "public.t", "sales.t", "sales . u", '"public"."u"'])
columns = st.sampled_from(
    ["a", "b", "B", '"B"', "check_in", "unique_id", "primary_color", "like_count", "exclude_tax", "constraint_kind",
     '"order"', '"a b"', '"x(y"', '"q""r"', "foreign_key", "column_kind", "a$1"]
)  # fmt: skip
types = st.sampled_from(
    ["int", "text", "numeric(10, 2)", "varchar(3)[]", "timestamp(3) with time zone", "interval day to second(2)",
     "double precision", "bit varying(5)", "jsonb", "text COLLATE \"C\"", "int GENERATED ALWAYS AS (1 + (2)) STORED"]
)  # fmt: skip
modifiers = st.sampled_from(
    ["", " NOT NULL", " DEFAULT NULL", " UNIQUE", " CONSTRAINT named NOT NULL", " /* , c int */", " -- ), d int\n"]
)
gaps = st.sampled_from([" ", "\n", "  -- a; 'b\n", " /* x; /* y */ ( */ "])
noise = st.sampled_from(
    [
        "SELECT 'CREATE TABLE t (zz int);'",
        "COMMENT ON SCHEMA public IS 'ALTER TABLE t ADD COLUMN zz int'",
        "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS $f$ SELECT 1; -- ALTER TABLE\n $f$",
        "SELECT $$; DROP TABLE t; $$ || E'\\'; DROP TABLE t;'",
        "SET search_path = sales, public",
        "SET search_path TO 'public'",
        "RESET search_path",
        "DROP SCHEMA IF EXISTS nothing CASCADE",
        "CREATE TEMPORARY TABLE passing (a int)",
    ]
)


@st.composite
def creations(draw: st.DrawFn) -> str:
    elements = [f"{draw(columns)}{draw(gaps)}{draw(types)}{draw(modifiers)}" for _ in range(draw(st.integers(1, 4)))]
    constraints = [
        "CHECK (1 IN (1, 2))",
        "CONSTRAINT odd CHECK ('a, b int' <> '(')",
        "EXCLUDE USING btree ((1) WITH =)",
    ]
    elements += draw(st.lists(st.sampled_from(constraints), max_size=1))
    listed = f",{draw(gaps)}".join(draw(st.permutations(elements)))
    kind = draw(st.sampled_from(["TABLE", "table", "UNLOGGED TABLE", "TABLE IF NOT EXISTS"]))
    end = draw(st.sampled_from(["", " WITH (fillfactor = 70)", " INHERITS (u)"]))
    return f"CREATE{draw(gaps)}{kind} {draw(names)}{draw(gaps)}({listed}){end}"


@st.composite
def actions(draw: st.DrawFn) -> str:
    column, other = draw(columns), draw(columns)
    return draw(
        st.sampled_from(
            [
                f"ADD COLUMN {column} {draw(types)}",
                f"ADD {column} int DEFAULT 1",
                f"ADD COLUMN IF NOT EXISTS {column} text DEFAULT 'a, DROP COLUMN a'",
                f"DROP COLUMN {column}",
                f"DROP COLUMN IF EXISTS {column} CASCADE",
                f"DROP {column}",
                f"ALTER COLUMN {column} DROP NOT NULL",
                f"ALTER {column} TYPE text USING (coalesce(NULL, 'x, y'))",
                f"ADD CONSTRAINT {other} CHECK (true)",
                "ENABLE ROW LEVEL SECURITY",
            ]
        )
    )


@st.composite
def alterations(draw: st.DrawFn) -> str:
    head = draw(st.sampled_from(["ALTER TABLE", "alter table only", "ALTER TABLE IF EXISTS"]))
    several = f",{draw(gaps)}".join(draw(st.lists(actions(), min_size=1, max_size=3)))
    renamed = f"RENAME{draw(st.sampled_from([' ', ' COLUMN ']))}{draw(columns)} TO {draw(columns)}"
    whole = f"RENAME TO {draw(st.sampled_from(['t', 'u', 'v']))}"
    what = draw(st.sampled_from([several, several, renamed, renamed, whole, "SET SCHEMA sales"]))
    return f"{head} {draw(names)}{draw(gaps)}{what}"


@st.composite
def others(draw: st.DrawFn) -> str:
    name, column = draw(names), draw(columns)
    bare = name.replace('"', "").rpartition(".")[2].strip()
    return draw(
        st.sampled_from(
            [
                f"DROP TABLE IF EXISTS {name} CASCADE",
                f"DROP TABLE {name}, {draw(names)}",
                f"CREATE TABLE {name} AS SELECT 1 AS a, 2 AS b",
                f"CREATE TABLE {name} (LIKE u INCLUDING ALL, z int)",
                f"CREATE TABLE {name} (a int, b date) PARTITION BY RANGE (b)",
                f"CREATE VIEW {name} AS SELECT 1 AS a",
                f"SELECT 1 AS a INTO {name}",
                f"DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = '{bare}'"
                f" AND column_name = '{column}') THEN ALTER TABLE {bare} ADD COLUMN {column} int; END IF; END $$",
                f"DO $x$ BEGIN EXECUTE 'ALTER TABLE {name} ADD COLUMN hidden int'; END $x$",
                "DROP SCHEMA sales CASCADE; CREATE SCHEMA sales",
            ]
        )
    )


statements = st.one_of(creations(), creations(), alterations(), alterations(), alterations(), others(), noise)


@st.composite
def chunks(draw: st.DrawFn) -> str:
    """One or more statements that go together."""
    statement = draw(statements)
    form = draw(st.sampled_from(["plain", "plain", "plain", "block", "commit", "rollback"]))
    if form == "block":
        return f"DO $block$ BEGIN {statement}; END $block$;\n"
    if form == "plain":
        return f"{statement};\n"
    return f"BEGIN;\n{statement};\n{draw(statements)};\n{form.upper()};\n"


def migrate(database: Any, files: list[list[str]]) -> list[str]:
    """Runs the chunks of each file in a new database. Gives what it takes: a migration that fails is none."""
    import psycopg

    database.execute("".join(f"DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name};" for name in SCHEMAS))
    texts = []
    for file in files:
        database.execute("RESET ALL; DISCARD TEMP")  # what ends with a session
        taken = []
        for chunk in file:
            try:
                database.execute(chunk)
                taken.append(chunk)
            except psycopg.Error:
                database.rollback()
        texts.append("".join(taken))
    return texts


@pytest.mark.slow
def test_what_is_read_is_what_postgresql_makes(database: Any) -> None:
    kinds: Counter[str] = Counter()
    database.prepare_threshold = None

    @settings(
        max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=EXAMPLES < 1000
    )
    @given(st.lists(st.lists(chunks(), min_size=1, max_size=6), min_size=1, max_size=3))
    def judge(files: list[list[str]]) -> None:
        texts = migrate(database, [[START, *files[0]], *files[1:]])
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for number, text in enumerate(texts):
                (root / f"{number}.sql").write_text(text)
            schema = SqlSchema(Project(root, discover(root, [root]).files, Facts()))
            for table in schema.tables:
                (found,) = schema.definitions(table)
                kinds["refused" if found.problem else "equal"] += 1
                if found.problem is None:
                    assert list(found.columns) == columns_in(database, table), f"{table}\n" + "---\n".join(texts)

    judge()
    print(kinds)
    assert kinds["equal"] > EXAMPLES, kinds
