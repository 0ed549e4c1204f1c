"""select-columns with a live schema: a real PostgreSQL, and PostgREST's description of its API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, TypeAlias

import pytest
from test_select_columns import CLIENTS, TSCONFIG, checkout, modules
from type_checker import environment

from perfmod.cli import exit_code_of

__all__ = ["modules"]
pytest_plugins = ("postgres",)

Check: TypeAlias = Callable[..., tuple[int, Any]]
QUERY = "import { createClient } from '@supabase/supabase-js';\nconst db = createClient('u', 'k');\n"
DESCRIPTION = {"definitions": {"pets": {"properties": {"id": {}, "name": {}, "born": {}}}}}
FILES = {
    "1.sql": "CREATE TABLE pets (id int, name text);",
    "q.ts": f"{QUERY}export const pets = () => db.from('pets').select('*');\n",
}


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Check:
    """`perfmod check`: the exit code, and the report or what is said instead."""
    return partial(run, capsys)


def run(capsys: pytest.CaptureFixture[str], root: Path, *arguments: str) -> tuple[int, Any]:
    command = ["check", "--isolated", "--select", "select-columns", "--no-cache", "--output-format", "json"]
    code = exit_code_of([*command, *arguments, str(root)])
    said = capsys.readouterr()
    return code, json.loads(said.out) if said.out else said.err


def applied(root: Path, *arguments: str) -> str:
    command = ["apply", "--isolated", "--select", "select-columns", "--no-cache", "--allow-dirty"]
    exit_code_of([*command, *arguments, str(root)])
    return (root / "q.ts").read_text()


@pytest.mark.slow
def test_a_database_has_the_last_word(check: Check, tmp_path: Path, database: Any, database_url: str) -> None:
    database.execute("CREATE TABLE pets (gone int, id int, name text); ALTER TABLE pets DROP gone, ADD born date")
    database.execute("CREATE VIEW old_pets AS SELECT id, born FROM pets")
    views = {"v.ts": f"{QUERY}export const old = () => db.from('old_pets').select('*');\n"}
    root = checkout(tmp_path, {**FILES, **views})
    code, report = check(root, "--database-url", database_url)
    assert code == 1
    assert [f["safety"] for f in report["findings"]] == ["safe", "safe"]
    assert all(f["message"].endswith("the list stands in the live schema") for f in report["findings"])
    assert "select('id, name, born')" in applied(root, "--database-url", database_url)
    assert "select('id, born')" in (root / "v.ts").read_text()


@pytest.mark.slow
def test_sql_that_the_database_contradicts_is_a_conflict(
    check: Check, tmp_path: Path, database: Any, database_url: str
) -> None:
    database.execute("CREATE TABLE pets (id int)")
    _, report = check(checkout(tmp_path, FILES), "--database-url", database_url)
    (finding,) = report["findings"]
    assert (finding["safety"], finding["reason"]) == (
        "manual",
        "sources disagree: 1.sql:1 has name, which the database lacks",
    )


@pytest.mark.slow
def test_narrowing_says_what_a_row_gets_smaller_by(
    check: Check, tmp_path: Path, database: Any, database_url: str, modules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", environment()["PATH"])
    database.execute("CREATE TABLE pets (id int, name text, portrait text)")
    database.execute(
        "INSERT INTO pets SELECT n, 'pet', repeat('x', 1000) FROM generate_series(1, 50) AS n; ANALYZE pets"
    )
    query = "import { db } from './client';\nexport const names = async () =>\n"
    query += "  ((await db.from('pets').select('*')).data ?? []).map((pet) => pet.name);\n"
    root = checkout(tmp_path, {"tsconfig.json": TSCONFIG, "src/client.ts": CLIENTS["untyped"], "src/q.ts": query})
    (root / "node_modules").symlink_to(modules)
    _, report = check(root, "--database-url", database_url, "--narrow")
    (finding,) = report["findings"]
    assert finding["reason"].endswith("finds no reader of: id, portrait; about 1,008 bytes of each row")


def test_the_api_describes_itself_in_a_file(check: Check, tmp_path: Path) -> None:
    root = checkout(tmp_path, {**FILES, "api.json": json.dumps(DESCRIPTION)})
    _, report = check(root, "--openapi", str(root / "api.json"))
    assert report["findings"][0]["message"].endswith("the list stands in the API's description")
    assert "select('id, name, born')" in applied(root, "--openapi", str(root / "api.json"))


class Api(BaseHTTPRequestHandler):
    """PostgREST's root: its description at /, anything else is an error."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/?apikey=secret" else 401)
        self.end_headers()
        self.wfile.write(json.dumps(DESCRIPTION).encode())

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def api() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def test_the_api_describes_itself_over_http(check: Check, tmp_path: Path, api: str) -> None:
    root = checkout(tmp_path, FILES)
    _, report = check(root, "--openapi", f"{api}?apikey=secret")
    assert report["findings"][0]["message"].endswith("the list stands in the API's description")


@pytest.mark.parametrize("place", ["{0}?apikey=wrong", "http://127.0.0.1:9/", "missing.json"])
def test_what_can_not_be_had_is_one_line_without_the_key(check: Check, tmp_path: Path, api: str, place: str) -> None:
    code, said = check(checkout(tmp_path, FILES), "--openapi", place.format(api))
    assert code == 2
    assert "--openapi" in said
    assert "wrong" not in said
