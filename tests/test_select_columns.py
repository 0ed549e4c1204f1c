"""select-columns against the real TypeScript compiler and the real SDKs, and what fixtures can't say."""

from __future__ import annotations

import shutil
from itertools import product
from pathlib import Path

import pytest
from fixture_cases import FIXTURES
from type_checker import environment, node_modules, type_errors

from perfmod.config import Settings, config_file, load_settings
from perfmod.errors import PerfmodError
from perfmod.model import Note
from perfmod.pipeline import Report, Request, run
from perfmod.rules.select_columns import RunOptions

DATABASE = """\
export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];
export type Database = {
  public: {
    Tables: {
      posts: {
        Row: { id: string; author_id: string; title: string; body: string | null; extra: Json };
        Insert: { id?: string; author_id: string; title: string; body?: string | null; extra?: Json };
        Update: { id?: string; author_id?: string; title?: string; body?: string | null; extra?: Json };
        Relationships: [
          {
            foreignKeyName: 'posts_author_id_fkey';
            columns: ['author_id'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
        ];
      };
      profiles: {
        Row: { id: string; name: string; avatar_url: string | null };
        Insert: { id?: string; name: string; avatar_url?: string | null };
        Update: { id?: string; name?: string; avatar_url?: string | null };
        Relationships: [];
      };
    };
    Views: { [_ in never]: never };
    Functions: { [_ in never]: never };
    Enums: { [_ in never]: never };
    CompositeTypes: { [_ in never]: never };
  };
};
"""
CLIENTS = {
    "typed": "import { createClient } from '@supabase/supabase-js';\nimport type { Database } from './database';\n"
    "export const db = createClient<Database>('https://a.example', 'key');\n",
    "untyped": "import { createClient } from '@supabase/supabase-js';\n"
    "export const db = createClient('https://a.example', 'key');\n",
    "insforge": "import { createClient } from '@insforge/sdk';\n"
    "export const db = createClient({ baseUrl: 'https://a.example', anonKey: 'key' }).database;\n",
}
STARTS = (
    "db.from('posts').select('*')",
    "db.from('posts').select()",
    "db.from('posts').insert({ author_id: 'a', title: 'b' }).select('*')",
    "db.from('posts').update({ title: 'b' }).eq('id', id).select()",
    "db.from('posts').select(`*`, { count: 'exact' }).eq('id', id)",
)
ROW = "interface Post { id: string; author_id: string; title: string; body: string | null; extra: unknown }\n"
ENDS = (
    "  const { data } = await {0};\n  return data as Post[];\n",
    "  const { data, error } = await {0}.single();\n  if (error) throw error;\n  const post: Post = data;\n"
    "  return post;\n",
    "  const { data } = await {0}.maybeSingle();\n  return (data ?? null) as Post | null;\n",
    "  const { data } = await {0}.returns<Post[]>();\n  return data?.map((post) => post.title);\n",
    "  const [{ data }] = await Promise.all([{0}.limit(1)]);\n"
    "  return (data ?? []).map((post) => post.title.length);\n",
    "  let query = {0}.order('id');\n  if (id) query = query.limit(1);\n  const { data } = await query;\n"
    "  return data?.[0]?.title;\n",
    "  return {0}.then(({ data }) => (data ?? []).map((post: Post) => post.id));\n",
)
EMBEDS = (
    "  const { data } = await db.from('posts').select('*, profiles(*)').eq('id', id).single();\n"
    "  return data?.profiles;\n",
    "  const { data } = await db.from('posts').select('*, author:profiles!author_id(name)');\n"
    "  return data?.map((post) => post.author);\n",
    "  const { data } = await db.from('profiles').select('id, posts(*)');\n"
    "  return data?.map((profile) => profile.posts.length);\n",
)
TSCONFIG = """\
{ "compilerOptions": { "target": "ES2022", "module": "ESNext", "moduleResolution": "bundler", "strict": true,
  "noEmit": true, "skipLibCheck": true, "lib": ["ES2022", "DOM"], "types": [] }, "include": ["src"] }
"""


def perfmod(root: Path, command: str = "check", *, unsafe: bool = False) -> Report:
    settings = load_settings(config_file(root)) if config_file(root) else Settings()
    settings = Settings(select=("select-columns",), unsafe_fixes=unsafe, rules=settings.rules)
    return run(Request(command, root, (root,), settings, allow_dirty=True))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    cache = request.config.cache
    return node_modules(cache.mkdir("typescript") if cache is not None else tmp_path_factory.mktemp("typescript"))


def dealdesk(folder: Path, modules: Path) -> Path:
    """The checkout with its packages installed."""
    root = folder / "dealdesk"
    shutil.copytree(FIXTURES / "dealdesk" / "before", root)
    (root / "node_modules").symlink_to(modules)
    inside = root / "packages" / "webapp" / "node_modules" / "@dealdesk"
    inside.mkdir(parents=True)
    (inside / "shared").symlink_to(root / "packages" / "shared")
    return root


@pytest.mark.slow
def test_dealdesk_compiles_before_and_after(modules: Path, tmp_path: Path) -> None:
    root = dealdesk(tmp_path, modules)
    assert type_errors(root / "packages" / "webapp", modules) == []
    report = perfmod(root, "apply")
    assert len(report.results) == 9
    assert all(result.applied for result in report.results)
    assert type_errors(root / "packages" / "webapp", modules) == []


@pytest.mark.slow
@pytest.mark.parametrize("client", CLIENTS)
def test_full_lists_compile_where_the_star_did(client: str, modules: Path, tmp_path: Path) -> None:
    """Every way to start a query, with every way to end it, in one run of the compiler before and one after."""
    source = tmp_path / "src"
    source.mkdir()
    (tmp_path / "tsconfig.json").write_text(TSCONFIG)
    (tmp_path / "node_modules").symlink_to(modules)
    (source / "database.ts").write_text(DATABASE)
    (source / "client.ts").write_text(CLIENTS[client])
    bodies = [end.replace("{0}", start) for start, end in product(STARTS, ENDS)]
    bodies += EMBEDS if client == "typed" else ()
    for number, body in enumerate(bodies):
        text = f"import {{ db }} from './client';\n\n{ROW}\nexport async function query(id: string) {{\n{body}}}\n"
        (source / f"query{number}.ts").write_text(text)
    assert type_errors(tmp_path, modules) == []
    report = perfmod(tmp_path, "apply")
    assert [r.finding.reason for r in report.results if not r.applied] == []
    assert len(report.results) == len(bodies)
    assert type_errors(tmp_path, modules) == []
    assert "*')" not in "".join(file.read_text() for file in source.glob("query*.ts"))


TYPED_CHECKS = {
    "src/good.ts": "import { db } from './client';\n\nexport const q = () => db.from('posts').select('*');\n",
    "src/embed.ts": "import { db } from './client';\n\nexport async function q() {\n"
    "  const { data } = await db.from('posts').select('*, profiles(*)');\n  return data?.length;\n}\n",
    # on a client without types a star is any, and a list of an embedded table is an array
    "src/bad.ts": "import { db } from './client';\n\ninterface Post { id: string; profiles: { name: string } | null }\n"
    "export async function q() {\n  const { data } = await db.from('posts').select('*, profiles(*)');\n"
    "  const posts: Post[] = data ?? [];\n  return posts;\n}\n",
    "src/broken.ts": "export const broken: number = 'no number';\n",
    "1.sql": "CREATE TABLE posts (id uuid, title text); CREATE TABLE profiles (id uuid, name text);",
}


@pytest.mark.slow
def test_tsc_has_the_last_word(modules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", environment()["PATH"])
    files = {**TYPED_CHECKS, "tsconfig.json": TSCONFIG, "src/client.ts": CLIENTS["untyped"]}
    root = checkout(tmp_path, files)
    (root / "node_modules").symlink_to(modules)
    options = {"select-columns": RunOptions(tsc=True)}
    report = run(Request("check", root, (root,), Settings(select=("select-columns",), rules=options)))
    said = {r.finding.span.path: (r.finding.safety, r.finding.reason) for r in report.results}
    assert said["src/good.ts"] == ("safe", None)
    assert said["src/embed.ts"] == ("safe", None)
    safety, reason = said["src/bad.ts"]
    assert safety == "manual"
    assert reason is not None
    assert reason.startswith("a type error: src/bad.ts:6 TS2322")
    assert [note.message for note in report.notes] == ["tsc has checked 3 edits in 4 passes; 1 were refused"]


@pytest.mark.slow
def test_the_unsafe_ones_are_suspected_first(modules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many edits whose error stands in another file, only those are tried alone that may change a type."""
    monkeypatch.setenv("PATH", environment()["PATH"])
    head = "import { db } from './client';\n"
    plain = {f"src/q{n}.ts": f"{head}export const q{n} = () => db.from('posts').select('*');\n" for n in range(8)}
    embed = f"{head}export const posts = async () =>\n  (await db.from('posts').select('*, profiles(*)')).data ?? [];\n"
    reader = "import { posts } from './posts';\n\nexport const names = async (): Promise<string[]> =>\n"
    reader += "  (await posts()).map((post) => post.profiles.name);\n"
    files = {"tsconfig.json": TSCONFIG, "src/client.ts": CLIENTS["untyped"], "1.sql": TYPED_CHECKS["1.sql"]}
    root = checkout(tmp_path, {**files, **plain, "src/posts.ts": embed, "src/reader.ts": reader})
    (root / "node_modules").symlink_to(modules)
    assert type_errors(root, modules) == []
    options = {"select-columns": RunOptions(tsc=True)}
    report = run(Request("check", root, (root,), Settings(select=("select-columns",), rules=options)))
    (refused,) = [result.finding for result in report.results if result.finding.safety == "manual"]
    assert refused.span.path == "src/posts.ts"
    assert refused.reason is not None
    assert refused.reason.startswith("a type error: src/reader.ts:4 TS2339")
    assert [note.message for note in report.notes] == ["tsc has checked 9 edits in 5 passes; 1 were refused"]


def test_without_a_compiler_nothing_is_proved(tmp_path: Path) -> None:
    root = checkout(tmp_path, {**TYPED_CHECKS, "tsconfig.json": TSCONFIG, "src/client.ts": CLIENTS["untyped"]})
    options = {"select-columns": RunOptions(tsc=True)}
    with pytest.raises(PerfmodError, match="install its packages first"):
        run(Request("check", root, (root,), Settings(select=("select-columns",), rules=options)))


@pytest.mark.slow
def test_dealdesk_compiles_without_its_secret(modules: Path, tmp_path: Path) -> None:
    root = dealdesk(tmp_path, modules)
    options = {"select-columns": RunOptions(trust_row_types=True, exclude_sensitive=True)}
    settings = Settings(select=("select-columns",), rules=options, unsafe_fixes=True)
    report = run(Request("apply", root, (root,), settings, allow_dirty=True))
    assert all(result.applied for result in report.results)
    hook = (root / "packages/webapp/src/features/profile/hooks/useUserProfile.ts").read_text()
    assert "preferred_model, created_at, updated_at'" in hook
    assert "data as Omit<UserRow, 'encrypted_api_key'>[]" in hook
    assert type_errors(root / "packages" / "webapp", modules) == []
    again = run(Request("apply", root, (root,), settings, allow_dirty=True))
    assert not again.results
    assert not again.changes


SECRETS = {
    "package.json": '{ "name": "a", "devDependencies": { "vite": "7" } }',
    "1.sql": "CREATE TABLE users (id int, name text, api_key text);",
    "src/q.ts": "interface User { id: number; name: string; api_key: string }\n"
    "export async function user(supabase: SupabaseClient): Promise<User | null> {\n"
    "  const { data } = await supabase.from('users').select('*').single();\n  return data as User;\n}\n",
}


def secrets_of(root: Path) -> tuple[str, list[str]]:
    options = {"select-columns": RunOptions(exclude_sensitive=True)}
    report = run(Request("check", root, (root,), Settings(select=("select-columns",), rules=options)))
    (result,) = report.results
    return str(result.finding.safety), [intent.text for intent in result.finding.intents]  # type: ignore[union-attr]


def test_a_secret_that_nobody_names_is_left_out_with_its_type(tmp_path: Path) -> None:
    omit = "Omit<User, 'api_key'>"
    assert secrets_of(checkout(tmp_path, SECRETS)) == ("unsafe", ["'id, name'", omit, omit])


@pytest.mark.parametrize("path", ["src/view.tsx", "other/view.js"])
@pytest.mark.parametrize("use", ["user.api_key", "const { api_key } = user", "user['api_key']", "f('id, api_key')"])
def test_a_secret_that_somebody_names_stays(tmp_path: Path, path: str, use: str) -> None:
    root = checkout(tmp_path, {**SECRETS, path: f"export const view = (user, f) => {{ {use}; }};\n"})
    assert secrets_of(root) == ("safe", ["'id, name, api_key'"])


def test_servers_keep_their_secrets(tmp_path: Path) -> None:
    root = checkout(tmp_path, {**SECRETS, "package.json": '{ "name": "a", "dependencies": { "express": "5" } }'})
    assert secrets_of(root) == ("safe", ["'id, name, api_key'"])


def checkout(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def test_more_columns_than_the_sdk_can_read_are_refused(tmp_path: Path) -> None:
    for count, safety in ((250, "safe"), (251, "manual")):
        columns = ", ".join(f"c{number} int" for number in range(count))
        root = checkout(
            tmp_path / str(count),
            {
                "1.sql": f"CREATE TABLE wide ({columns});",
                "q.ts": "export const q = (supabase: SupabaseClient) => supabase.from('wide').select('*');\n",
            },
        )
        (result,) = perfmod(root).results
        assert result.finding.safety == safety


def test_an_explicit_secret_in_browser_code_is_a_note(tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / "select-columns" / "sensitive" / "before", tmp_path, dirs_exist_ok=True)
    (note,) = perfmod(tmp_path).notes
    assert isinstance(note, Note)
    assert note.message.startswith("password_hash looks like a secret")


def test_a_tree_without_stars_reads_no_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import perfmod.project.queries.judgement as judgement

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the schema was read")

    monkeypatch.setattr(judgement, "Judgement", refuse)
    shutil.copytree(FIXTURES / "select-columns" / "basic" / "after", tmp_path, dirs_exist_ok=True)
    assert perfmod(tmp_path).results == ()
