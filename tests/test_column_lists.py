"""What decides about a star, case by case: words in comments and names, kinds of schemas, clients of Python."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_select_columns import checkout, perfmod

from perfmod.config import Settings
from perfmod.pipeline import Request, run
from perfmod.rules.select_columns import RunOptions
from perfmod.source.queries.facts import is_sensitive

SQL = {"1.sql": "CREATE TABLE pets (id int, name text);"}
STAR = "supabase.from('pets').select('*')"
DATABASE = "export type Database = { public: { Tables: { pets: { Row: { id: number; name: string } } } } };\n"


def outcome(root: Path, files: dict[str, str]) -> tuple[str, str | None, str]:
    """Safety, reason and new text of the only finding."""
    (result,) = perfmod(checkout(root, files)).results
    finding = result.finding
    text = finding.intents[0].text if finding.intents else ""  # type: ignore[union-attr]
    return str(finding.safety), finding.reason, text


@pytest.mark.parametrize(
    "comment",
    ["avoid lists", "Avoiding lists", "intentional", "intentionally", "deliberate", "deliberately", "on purpose",
     "all columns", "all the columns", "every column", "do not narrow", "don't narrow", "must stay"],
)  # fmt: skip
@pytest.mark.parametrize("place", ["export const a = () => {0}; // {1}", "// {1}\nexport const a = () => {0};"])
def test_a_comment_that_means_the_star(tmp_path: Path, comment: str, place: str) -> None:
    safety, reason, _ = outcome(tmp_path, {**SQL, "q.ts": place.replace("{0}", STAR).replace("{1}", comment) + "\n"})
    assert safety == "manual"
    assert reason == f"a comment says that the star is meant: {comment}"


@pytest.mark.parametrize("comment", ["avoided", "small columns", "purpose: pets", "mustard", "once"])
def test_other_comments(tmp_path: Path, comment: str) -> None:
    wanted = "manual" if comment == "avoided" else "safe"
    assert outcome(tmp_path, {**SQL, "q.ts": f"export const a = () => {STAR}; // {comment}\n"})[0] == wanted


@pytest.mark.parametrize(
    ("path", "safety"),
    [("gdpr.ts", "manual"), ("data-export.ts", "manual"), ("jobs/backup/run.ts", "manual"), ("db_dump.ts", "manual"),
     ("exporter.ts", "safe"), ("dumpling.ts", "safe"), ("exports.ts", "safe")],
)  # fmt: skip
def test_data_exports_keep_their_stars(tmp_path: Path, path: str, safety: str) -> None:
    assert outcome(tmp_path, {**SQL, path: f"export const a = () => {STAR};\n"})[0] == safety


@pytest.mark.parametrize(
    ("column", "sensitive"),
    [("encrypted", True), ("encrypted_notes", True), ("password", True), ("passwd", True), ("client_secret", True),
     ("reset_token", True), ("api_key", True), ("apiKey", True), ("apikey", True), ("password_hash", True),
     ("ssn", True), ("salt", True), ("private_key", True), ("privateKeyPem", True),
     ("tokens_used", False), ("hashtags", False), ("salty", False), ("session", False), ("key", False),
     ("secretary", False), ("public_key", False)],
)  # fmt: skip
def test_words_that_look_like_secrets(column: str, *, sensitive: bool) -> None:
    assert is_sensitive(column) is sensitive


@pytest.mark.parametrize("name", ["first-name", "cost$", "größe", "first name"])
def test_names_that_the_sdk_can_not_read(tmp_path: Path, name: str) -> None:
    files = {"1.sql": f'CREATE TABLE pets (id int, "{name}" int);', "q.ts": f"export const a = () => {STAR};\n"}
    assert outcome(tmp_path, files)[:2] == ("manual", f"column names that the SDK's types can't read: {name}")


@pytest.mark.parametrize(
    "files",
    [
        {"types.ts": DATABASE},
        {"schema.ts": "import { pgTable, serial, text } from 'drizzle-orm/pg-core';\n"
            "export const pets = pgTable('pets', { key: serial('id'), name: text() });\n"},
        {"schema.prisma": 'datasource db {\n  provider = "postgresql"\n}\nmodel Pet {\n  key Int @id @map("id")\n'
            '  name String\n  owner Owner[]\n  @@map("pets")\n}\nmodel Owner {\n  id Int @id\n}\n'},
        {"db/1.sql": "CREATE TABLE pets (id int);", "later/0.sql": "ALTER TABLE pets ADD COLUMN name text;"},
    ],
    ids=["types", "drizzle", "prisma", "another tree's ALTER"],
)  # fmt: skip
@pytest.mark.parametrize("query", ["q.ts", "q.py"])
def test_sources_serve_both_languages(tmp_path: Path, files: dict[str, str], query: str) -> None:
    texts = {
        "q.ts": f"export const a = () => {STAR};\n",
        "q.py": 'def a(supabase):\n    return supabase.table("pets").select("*").execute()\n',
    }
    safety, reason, text = outcome(tmp_path, {**files, query: texts[query]})
    assert (safety, reason, text.strip("'\"")) == ("safe", None, "id, name")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_sql_with_a_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "1.sql").write_bytes("CREATE TABLE pets (id int, name text);\r\n".encode(encoding))
    assert outcome(tmp_path, {"q.ts": f"export const a = () => {STAR};\n"})[::2] == ("safe", "'id, name'")


# The head of a file, the client's parameter, and whether it is known to be one.
PYTHON_CLIENTS = {
    "made": ("from supabase import create_client\nclient = create_client('u', 'k')", "", True),
    "an alias": ("import supabase as s\nclient = s.create_client('u', 'k')", "", True),
    "annotated": ("from supabase import Client", "client: Client", True),
    "annotated, for later": ("from supabase import AsyncClient", "client: 'AsyncClient | None'", True),
    "a constructor": ("from postgrest import SyncPostgrestClient\nclient = SyncPostgrestClient('u')", "", True),
    "insforge": ("from insforge import InsforgeClient\nclient = InsforgeClient('u', 'k').database", "", True),
    "insforge, annotated": ("from insforge import InsforgeClient", "client: InsforgeClient", True),
    "a function": ("from app.db import get\nclient = get()", "", True),
    "nobody knows": ("", "client", False),
    "another package": ("from pypika import Client", "client: Client", False),
}


@pytest.mark.parametrize("client", PYTHON_CLIENTS)
def test_clients_of_python(tmp_path: Path, client: str) -> None:
    head, parameter, known = PYTHON_CLIENTS[client]
    name = "client.database" if client == "insforge, annotated" else "client"
    query = f"def a({parameter}):\n    return {name}.from_('pets').select('*').execute()\n"
    made = "from supabase import Client, create_client\n\n\ndef get() -> Client:\n    return create_client('u', 'k')\n"
    files = {**SQL, "requirements.txt": "supabase\n", "app/db.py": made, "app/q.py": f"{head}\n\n\n{query}"}
    assert outcome(tmp_path, files)[0] == ("safe" if known else "manual")


def test_pydantic_models_are_no_schema(tmp_path: Path) -> None:
    code = (
        "from pydantic import BaseModel\nfrom supabase import Client\n\n\n"
        "class Pet(BaseModel):\n    id: int\n    name: str\n\n\n"
        "def a(client: Client) -> list[Pet]:\n"
        "    return [Pet(**row) for row in client.table('pets').select('*').execute().data]\n"
    )
    safety, reason, _ = outcome(tmp_path, {"q.py": code})
    assert (safety, reason) == ("manual", "unknown table: no schema source of the checkout has pets")


@pytest.mark.parametrize(
    ("uses", "safety"),
    [
        (".eq('id', 1).order('name').gt('born_on', 1)", "safe"),
        (".eq('id', 1)", "unsafe"),
        ("", "manual"),
        (".eq('id', 1).eq('owner', 2)", "manual"),
    ],
)
def test_a_row_type_needs_corroboration(tmp_path: Path, uses: str, safety: str) -> None:
    code = (
        "interface Pet { id: number; name: string; born_on: string }\nexport async function a() {\n"
        f"  const {{ data }} = await supabase.from('pets').select('*'){uses};\n  return data as Pet[];\n}}\n"
    )
    assert outcome(tmp_path, {"q.ts": code})[0] == safety


def test_a_row_type_in_another_spelling_is_none(tmp_path: Path) -> None:
    code = (
        "interface Pet { id: number; bornOn: string }\nexport async function a() {\n"
        "  const { data } = await supabase.from('pets').select('*').eq('id', 1);\n  return data as Pet[];\n}\n"
    )
    safety, reason, _ = outcome(tmp_path, {"q.ts": code})
    assert safety == "manual"
    assert reason is not None
    assert reason.startswith("row type without corroboration: only the row type at q.ts:1 names bornOn")


@pytest.mark.parametrize("folder", ["supabase/functions/mail", "server", "src"])
def test_secrets_are_left_out_in_browsers_only(tmp_path: Path, folder: str) -> None:
    files = {
        "1.sql": "CREATE TABLE pets (id int, name text, chip_secret text);",
        "package.json": '{ "name": "a", "devDependencies": { "vite": "7" } }',
        "server/package.json": '{ "name": "b", "dependencies": { "express": "5" } }',
        f"{folder}/index.ts": f"export const a = () => {STAR};\n",
    }
    options = {"select-columns": RunOptions(exclude_sensitive=True)}
    root = checkout(tmp_path, files)
    (result,) = run(Request("check", root, (root,), Settings(select=("select-columns",), rules=options))).results
    text = result.finding.intents[0].text  # type: ignore[union-attr]
    assert text == ("'id, name'" if folder == "src" else "'id, name, chip_secret'")
