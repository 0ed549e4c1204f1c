"""--narrow against the real TypeScript compiler: what may go, what has to stay, and what refuses a query."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from test_select_columns import CLIENTS, TSCONFIG, checkout, dealdesk, modules
from type_checker import environment, type_errors

from perfmod.config import Settings
from perfmod.pipeline import Report, Request, run
from perfmod.rules.select_columns import RunOptions

__all__ = ["modules"]


class Case(NamedTuple):
    """A file with one query, and what becomes of it: the columns that stay, or the start of the reason."""

    code: str
    outcome: str


ROWS = "const rows = async () => { const { data } = await db.from('T').select('*'); return data as Row[] };\n"
ONE = "const one = async () => { const { data } = await db.from('T').select('*').single(); return data as Row };\n"
READS = "export const v = async () => (await rows()).map((r) => r.TITLE);\n"
# TITLE, BODY, EXTRA and T are names of their own in each file: a string that names one counts for the whole project.
CASES = {
    "one is read": Case(ROWS + READS, "TITLE"),
    "one is destructured": Case(ROWS + "export const v = async () => (await rows()).map(({ BODY }) => "
        "BODY);\n", "BODY"),
    "a single row": Case(ONE + "export const v = async () => { const { id, EXTRA } = await one(); "
        "return id + EXTRA; };\n",
                         "id EXTRA"),
    "through a copy, a sort and a map": Case(
        ROWS + "export async function v() {\n"
        "  const sorted = [...(await rows())].sort((a, b) => a.TITLE.localeCompare(b.TITLE));\n"
        "  return new Map(sorted.map((r) => [r.id, r])).get('1')?.BODY;\n}\n", "id TITLE BODY"),
    "no type at the site": Case(
        "export async function v() {\n  const { data } = await db.from('T').select('*');\n"
        "  return (data ?? []).map((r) => r.BODY);\n}\n", "BODY"),
    "a type argument": Case(
        "export async function v() {\n  const { data } = await db.from('T').select('*').returns<Row[]>();\n"
        "  return data?.map((r) => r.EXTRA);\n}\n", "EXTRA"),
    "a return type": Case(
        "async function rows(): Promise<Row[]> {\n  const { data } = await db.from('T').select();\n"
        "  return data ?? [];\n}\n" + READS, "TITLE"),
    "React state": Case(
        "import { useState } from 'react';\nexport function useRows() {\n"
        "  const [rows, setRows] = useState<Row[]>([]);\n"
        "  const load = async () => { const { data } = await db.from('T').select('*'); setRows(data ?? []); };\n"
        "  return { titles: rows.map((r) => r.TITLE), load };\n}\n", "TITLE"),
    "a builder that grows": Case(
        "export async function v(all: boolean) {\n  let query = db.from('T').select('*').order('EXTRA');\n"
        "  if (!all) query = query.eq('BODY', 'a');\n  const { data } = await query;\n"
        "  return (data as Row[]).map((r) => r.id);\n}\n", "id"),
    "several at once": Case(
        "export async function v() {\n  const [{ data }] = await Promise.all([db.from('T').select('*')]);\n"
        "  return (data as Row[] | null)?.[0]?.BODY;\n}\n",
        "BODY"),
    "then": Case(
        "export const v = () => db.from('T').select('*').then(({ data }) => (data as Row[]).map((r) => r.TITLE));\n",
        "TITLE"),
    "a log": Case(ROWS + "export const v = async () => { const r = await rows(); console.log(r); "
        "return r[0]?.TITLE; };\n",
                  "TITLE"),
    "an optional property takes it": Case(
        ROWS + "const show = (card: { TITLE: string; BODY?: string }) => card.TITLE + (card.BODY ?? '');\n"
        "export const v = async () => (await rows()).map((r) => show(r));\n", "TITLE BODY"),
    "in": Case(ROWS + "export const v = async () => (await rows()).map((r) => ('BODY' in r ? r.TITLE : ''));\n",
               "TITLE BODY"),
    "a silenced error": Case(
        ROWS + "export const v = async () => (await rows()).map((r) => {\n  // @ts-ignore\n"
        "  return r.BODY as string;\n});\n",
        "BODY"),
    "a name in a string": Case(
        ROWS + "const get = <T,>(row: T, key: string): unknown => Reflect.get(row as object, key);\n"
        "export const v = async () => (await rows()).map((r) => [r.TITLE, get(r, 'BODY')]);\n", "TITLE BODY"),
    "all of it is passed on": Case(
        ROWS + "const show = (r: Row) => r.TITLE;\nexport const v = async () => (await rows()).map((r) => show(r));\n",
        "refused: its rows are passed on as Row at src/"),
    "cast back": Case(ROWS + "export const v = async () => ((await rows())[0] as Row).BODY;\n",
                      "refused: its rows are passed on as Row at src/"),
    "kept as the row type": Case(
        ROWS + "export class Store {\n  all: Row[] = [];\n  async load() { this.all = await rows(); }\n"
        "  titles() { return this.all.map((r) => r.TITLE); }\n}\n", "refused: its rows are passed on as Row at src/"),
    "a patch": Case(
        ROWS + "export const v = async () => { const [r] = await rows(); const p: Partial<Row> = r ?? {}; "
        "return p.BODY; };\n",
        "refused: its rows are passed on as Partial<Row> at src/"),
    "spread": Case(ROWS + "export const v = async () => (await rows()).map((r) => ({ ...r, TITLE: 'x' }));\n",
                   "refused: a row is spread at src/"),
    "rest": Case(ROWS + "export const v = async () => (await rows()).map(({ TITLE, ...rest }) => [TITLE, rest]);\n",
                 "refused: the rest of a row is taken at src/"),
    "JSON": Case(ROWS + "export const v = async () => JSON.stringify(await rows());\n",
                 "refused: a row is given to JSON.stringify at src/"),
    "JSON of what holds it": Case(
        ROWS + "export const v = async () => JSON.stringify({ count: 1, list: await rows() });\n",
        "refused: a row is given to JSON.stringify at src/"),
    "its keys": Case(ROWS + "export const v = async () => Object.keys((await rows())[0] ?? {});\n",
                     "refused: a row is given to Object.keys at src/"),
    "an index": Case(
        ROWS + "export const v = async (key: 'id') => (await rows()).map((r) => r[key]);\n",
        "refused: a row is indexed at src/"),
    "a walk": Case(
        ROWS + "export async function v() {\n  const [r] = await rows();\n"
        "  for (const key in r) console.log(key);\n}\n",
        "refused: a row is walked through at src/"),
    "any": Case(ROWS + "export const v = async () => ((await rows()) as any)[0].BODY;\n",
                "refused: a row is cast to any at src/"),
    "unknown": Case(ROWS + "export const v = async () => (await rows()) as unknown as { BODY: string }[];\n",
                    "refused: a row is cast to unknown at src/"),
    "a record": Case(
        ROWS + "export const v = async () => (await rows()).map((r) => Object.values({ id: r.id, r } as "
        "Record<string, unknown>));\n",
        "refused: a row is cast to Record<string, unknown> at src/"),
    "a variable of any type": Case(ROWS + "export const v = async () => { const r: any = await rows(); return r; };\n",
                                   "refused: a row becomes any at src/"),
    "a callback that takes anything": Case(
        ROWS + "export const v = async () => (await rows()).map((r: any) => r.BODY);\n",
        "refused: a row is given to (await rows()).map at src/"),
    "a function that takes anything": Case(
        ROWS + "const show = (r: any) => r.BODY;\nexport const v = async () => (await rows()).map(show);\n",
        "refused: a row is given to (await rows()).map at src/"),
    "the raw rows": Case(
        "declare function save(rows: unknown): void;\n"
        "export async function v() {\n  const { data } = await db.from('T').select('*');\n  save(data);\n"
        "  return (data as Row[]).map((r) => r.TITLE);\n}\n", "refused: a row is given to save at src/"),
    "something smaller that is written out": Case(
        ROWS + "const dump = (card: { TITLE: string }) => JSON.stringify(card);\n"
        "export const v = async () => (await rows()).map((r) => dump(r));\n",
        "refused: a row is given to JSON.stringify at src/"),
    "an answer": Case(
        ROWS + "declare const reply: { json<T>(body: T): { sent: T } };\n"
        "export const v = async () => { const list = await rows(); reply.json(list); return list[0]?.TITLE; };\n",
        "refused: a row is given to reply.json at src/"),
    "what a framework hands on": Case(
        ROWS + "export async function getServerSideProps() {\n  return { props: { rows: await rows() } };\n}\n",
        "refused: getServerSideProps hands a row on at src/"),
    "put in a cache": Case(
        ROWS + "import { QueryClient } from '@tanstack/react-query';\nexport async function v(client: QueryClient) {\n"
        "  const list = await rows();\n  client.setQueryData(['T'], list);\n  return list[0]?.TITLE;\n}\n",
        "refused: a row is given to client.setQueryData at src/"),
    "taken out of a cache": Case(
        ROWS + "import { useQuery, useQueryClient } from '@tanstack/react-query';\nexport function useRows() {\n"
        "  const { data } = useQuery({ queryKey: ['T', 'all'], queryFn: rows });\n"
        "  const old = useQueryClient().getQueryData<Row[]>(['T', 'all']);\n"
        "  return [data?.[0]?.TITLE, old?.[0]?.BODY];\n}\n", "refused: its cache entry (src/"),
    "two hooks with one key": Case(
        ROWS + "import { useQuery } from '@tanstack/react-query';\n"
        "const keys = { all: () => ['T', 'list'] as const };\n"
        "export function useRows() { return useQuery({ queryKey: keys.all(), queryFn: rows }).data?.[0]?.TITLE; }\n"
        "export function useMore() {\n  return useQuery({ queryKey: ['T', 'list'], queryFn: async () => [] as "
        "Row[] });\n}\n",
        "refused: its cache entry (src/"),
    "another key": Case(
        ROWS + "import { useQuery } from '@tanstack/react-query';\n"
        "const keys = { all: () => ['T', 'list'] as const };\n"
        "export function useRows() { return useQuery({ queryKey: keys.all(), queryFn: rows }).data?.[0]?.TITLE; }\n"
        "export function useMore() { return useQuery({ queryKey: ['T', 'more'], queryFn: async () => 1 }); "
        "}\n", "TITLE"),
    "a mutation's variables are no key": Case(
        ROWS + "import { useMutation, useQuery } from '@tanstack/react-query';\nexport function useRows() {\n"
        "  const change = useMutation({ mutationFn: async (sent: { text: string }) => sent });\n"
        "  change.mutate({ text: 'a' }, { onSuccess: () => undefined });\n"
        "  return useQuery({ queryKey: ['T', 'own'], queryFn: rows }).data?.[0]?.TITLE;\n}\n", "TITLE"),
    "a dependency of a hook": Case(
        ROWS + "import { useEffect, useMemo } from 'react';\n"
        "export function useTitles(list: Awaited<ReturnType<typeof rows>>) {\n"
        "  useEffect(() => console.log(list.length), [list]);\n"
        "  return useMemo(() => list.map((r) => r.TITLE), [list]);\n}\n", "TITLE"),
    "one of several functions gives anything": Case(
        ROWS + "const makers = { own: rows, other: async (): Promise<any> => [] };\n"
        "export async function v(kind: 'own' | 'other') {\n  const made = await makers[kind]();\n"
        "  console.log((await rows())[0]?.TITLE);\n  return made[0].BODY;\n}\n",
        "refused: a row becomes Promise<any> at src/"),
    "one branch is anything": Case(
        ROWS + "declare const kept: any;\nexport async function v(old: boolean) {\n"
        "  const list = old ? kept : await rows();\n  return [list[0].BODY, (await rows())[0]?.TITLE];\n}\n",
        "refused: a row becomes any at src/"),
    "an array with anything": Case(
        ROWS + "declare const kept: any;\nexport async function v() {\n  const [r] = await rows();\n"
        "  const all = [...kept, r];\n  return [all[0].BODY, r?.TITLE];\n}\n",
        "refused: a row becomes any[] at src/"),
    "a function that may give anything": Case(
        ROWS + "declare const kept: any;\nasync function first(old: boolean) {\n  if (old) return kept;\n"
        "  const [r] = await rows();\n  console.log(r?.TITLE);\n  return r;\n}\n"
        "export const v = async () => (await first(true)).BODY;\n",
        "refused: a row becomes Promise<any> at src/"),
    "nobody": Case(ROWS + "export const v = async () => (await rows()).length;\n",
                   "refused: no code reads a column of its rows"),
    "a builder that nobody waits for": Case("export const query = db.from('T').select('*');\n",
                                            "refused: no code reads a column of its rows"),
    "only what the spare column is": Case(ROWS + "export const v = async () => (await rows()).map((r) => "
        "r.id);\n", "id"),
    "JavaScript that names a column": Case(ROWS + READS, "TITLE EXTRA"),
    "JavaScript that names the function": Case(ROWS + READS.replace("const v", "const odd_T"),
                                               "refused: odd_T is named at other/script.js:"),
}  # fmt: skip


def named(text: str, number: int) -> str:
    """The text with the names of this file's table and columns."""
    return re.sub(r"\b(odd_)?(TITLE|BODY|EXTRA|T)\b", lambda m: f"{m[1] or ''}{m[2].lower()}{number}", text)


def write_cases(root: Path, modules: Path) -> None:
    files = {"tsconfig.json": TSCONFIG, "src/client.ts": CLIENTS["untyped"]}
    tables, outside = [], []
    for number, (title, case) in enumerate(CASES.items()):
        row = "interface Row { id: string; TITLE: string; BODY: string; EXTRA: string }\n"
        files[f"src/f{number}.ts"] = named(f"import {{ db }} from './client';\n\n{row}\n{case.code}", number)
        tables.append(named("CREATE TABLE T (id text, TITLE text, BODY text, EXTRA text);\n", number))
        if title.startswith("JavaScript"):
            outside.append(named("export const use = (r) => r.EXTRA;\n" if "column" in title else "odd_T();\n", number))
    checkout(root, {**files, "1.sql": "".join(tables), "other/script.js": "".join(outside)})
    (root / "node_modules").symlink_to(modules)


def narrow(root: Path, command: str = "check") -> Report:
    options = {"select-columns": RunOptions(narrow=True, trust_row_types=True)}
    settings = Settings(select=("select-columns",), rules=options, unsafe_fixes=True)
    return run(Request(command, root, (root,), settings, allow_dirty=True))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", environment()["PATH"])


@pytest.mark.slow
def test_what_goes_and_what_stays(modules: Path, tmp_path: Path) -> None:
    """All cases in one project: the compiler is asked a few times, however many queries there are."""
    write_cases(tmp_path, modules)
    assert type_errors(tmp_path, modules) == []
    report = narrow(tmp_path, "apply")
    (note,) = report.notes
    found = re.fullmatch(r"tsc was asked (\d+) times about (\d+) lists; \d+ became shorter", note.message)
    assert found is not None
    assert (int(found[1]) <= 7, int(found[2])) == (True, len(CASES))
    outcomes, wanted = {}, {}
    by_file = {result.finding.span.path: result.finding for result in report.results}
    for number, (title, case) in enumerate(CASES.items()):
        finding = by_file[f"src/f{number}.ts"]
        reason = finding.message.partition("; not narrowed: ")[2]
        kept = re.findall(r"'([^']*)'", finding.intents[0].text)[0].replace(",", "")  # type: ignore[union-attr]
        wanted[title] = named(case.outcome, number)
        outcomes[title] = f"refused: {reason}"[: len(wanted[title])] if reason else kept
    assert outcomes == wanted
    assert type_errors(tmp_path, modules) == []
    assert narrow(tmp_path, "apply").changes == ()


@pytest.mark.slow
def test_rows_of_two_queries_that_are_mixed_refuse_those_two(modules: Path, tmp_path: Path) -> None:
    files = {"tsconfig.json": TSCONFIG, "src/client.ts": CLIENTS["untyped"]}
    files["1.sql"] = "CREATE TABLE a (id int, b int, c int); CREATE TABLE d (id int, e int);"
    mixed = (
        "import { db } from './client';\n\nexport async function last() {\n"
        "  const first = await db.from('a').select('*').single();\n  let row = first.data!;\n"
        "  const second = await db.from('a').select('*').eq('id', 2).single();\n  if (second.data) row = second.data;\n"
        "  return row.b;\n}\n"
    )
    alone = (
        "import { db } from './client';\nexport const e = async () => (await db.from('d').select('*')).data?.[0]?.e;\n"
    )
    root = checkout(tmp_path, {**files, "src/mixed.ts": mixed, "src/alone.ts": alone})
    (root / "node_modules").symlink_to(modules)
    assert type_errors(root, modules) == []
    outcomes = [(r.finding.span.path, r.finding.message.partition("; not narrowed: ")[2]) for r in narrow(root).results]
    assert outcomes[0] == ("src/alone.ts", "")
    assert all(path == "src/mixed.ts" and reason for path, reason in outcomes[1:])


@pytest.mark.slow
def test_dealdesk_fetches_what_it_shows(modules: Path, tmp_path: Path) -> None:
    root = dealdesk(tmp_path, modules)
    webapp = root / "packages" / "webapp"
    assert type_errors(webapp, modules) == []
    report = narrow(root, "apply")
    assert all(result.applied for result in report.results)
    lead = (webapp / "src/features/leads/hooks/useLead.ts").read_text()
    assert "as Omit<LeadRegistryRow, 'original_context' | 'web_research'>;" in lead
    assert "web_research" not in lead.partition("select(")[2].partition(")")[0]
    scores = (webapp / "src/features/results/ScoreResults.tsx").read_text()
    assert ".select('score, created_at')" in scores
    assert "as Pick<AttemptRow, 'score' | 'created_at'>[]" in scores
    assert type_errors(webapp, modules) == []


@pytest.mark.slow
def test_a_project_with_errors_is_refused(modules: Path, tmp_path: Path) -> None:
    files = {"tsconfig.json": TSCONFIG, "src/client.ts": CLIENTS["untyped"], "1.sql": "CREATE TABLE a (id int, b int);"}
    query = (
        "import { db } from './client';\nexport const q = async () => (await db.from('a').select('*')).data?.[0]?.b;\n"
    )
    root = checkout(tmp_path, {**files, "src/q.ts": query, "src/wrong.ts": "export const n: number = 'a';\n"})
    (root / "node_modules").symlink_to(modules)
    (result,) = narrow(root).results
    assert "; not narrowed: the type checker is not clean without it: src/wrong.ts:1 TS2322" in result.finding.message
    assert result.finding.safety == "safe"


def test_without_a_compiler_nothing_is_narrowed(tmp_path: Path) -> None:
    files = {"src/client.ts": CLIENTS["untyped"], "1.sql": "CREATE TABLE a (id int, b int);"}
    query = "import { db } from './client';\nexport const q = () => db.from('a').select('*');\n"
    (result,) = narrow(checkout(tmp_path, {**files, "src/q.ts": query})).results
    assert result.finding.message.endswith(
        "; not narrowed: the checkout has no node_modules/typescript: install its packages first"
    )
    assert result.finding.safety == "safe"


def test_what_no_compiler_sees_is_not_narrowed(tmp_path: Path) -> None:
    query = "import { createClient } from '@supabase/supabase-js';\n"
    query += "export const q = () => createClient('u', 'k').from('a').select('*');\n"
    (result,) = narrow(checkout(tmp_path, {"q.js": query, "1.sql": "CREATE TABLE a (id int, b int);"})).results
    assert result.finding.message.endswith("; not narrowed: no compiler sees what reads its rows")
