"""Programs made at random around the cases of select-columns, for the fuzz tests: TypeScript, JSX and Python."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from programs import encoded, laid_out, suites

MIGRATION = b"""create table leads (id bigint primary key, name text, "createdAt" timestamptz, api_key text);
create table notes (id int primary key, lead_id bigint references leads (id), body text);
"""
PRELUDES = (
    "import { createClient } from '@supabase/supabase-js';\nconst supabase = createClient(url, key);\n",
    'import { createClient } from "@insforge/sdk"\nexport const db = createClient({ baseUrl, anonKey })\n'
    "const supabase = db.database\n",
    "import { supabase } from './client';\n",
    "import type { SupabaseClient } from '@supabase/supabase-js';\ndeclare const supabase: SupabaseClient<Database>;\n",
    "const T = 'leads' as const;\nconst supabase = require('@supabase/supabase-js').createClient(u, k);\n",
)
TABLES = ("'leads'", "'leads'", '"notes"', "`leads`", "T", "table", "'unknown'", "'leads' as any", "TABLES.leads")
SELECTS = (
    ".select('*')",
    '.select("*")',
    ".select(`*`)",
    ".select()",
    ".select('*', { count: 'exact' })",
    ".select('*', { count: 'exact', head: true })",
    ".select('*, notes(*)')",
    ".select('id, notes!lead_id(*), *')",
    ".select(\n    '*', // all\n  )",
    ".select(columns)",
    ".select('id,' + '*')",
    ".select(x ? '*' : 'id')",
    ".select<'*', Lead>('*')",
    "\n  // what\n  .select('*')\n  /* then */",
    "\n  .insert({ name: 'é' })\n  .select()",
    ".update({ name }).eq('id', 1).select('*')",
    ".upsert({ ...row }).select('*')",
    "?.select('*')",
    "!.select('*')",
)
ENDS = ("", ".single()", ".eq('name', 1).limit(1)", ".order('createdAt')", ".maybeSingle<Lead>()", ".returns<Lead[]>()",
        ".throwOnError()", ".then((r) => r.data)", ".eq('missing_column', 1)")  # fmt: skip
USES = (
    "const r{n} = await {q};",
    "await {q}",
    "const {{ data: d{n}, error: e{n} }} = await {q};\nconst rows{n} = d{n} as Lead[];",
    "return {q};",
    "const [a{n}, b{n}] = await Promise.all([{q}, {q}]);",
    "let q{n} = {q};\nif (x) q{n} = q{n}.eq('id', 2);",
    "export const f{n} = () => {q};",
    "const f{n} = async <T,>(x: T) => ({{ ...(await {q}), x }});",
    "useEffect(() => {{ void {q}; }}, []);",
    "// all columns on purpose\nconst c{n} = {q};",
    "// perfmod: ignore[select-columns] wanted\nconst i{n} = {q};",
    "// @ts-expect-error\n{q};",
    "textarea.select(); document.querySelector('*');",
    "const el{n} = <A b={{{q}}}>it's &amp; {{x}}</A>;",
    "for await (const x of [{q}]) console.log(x satisfies unknown);",
    "label: {q};",
)
WRAPPERS = (
    "export async function g{n}<T extends object = {{}}>() {{\n{}\n}}",
    "class A{n}<T> {{ @dec() async m() {{\n{}\n}} }}",
    "try {{\n{}\n}} catch {{}} finally {{ }}",
    "switch (x) {{ case 1: {{\n{}\n}} }}",
    "{{\n{}\n}}",
)


def script_queries() -> SearchStrategy[str]:
    return st.builds(
        lambda client, table, select, end: f"{client}.from({table}){select}{end}",
        st.sampled_from(("supabase", "supabase", "db.database", "this.client", "unknown", "supabase.schema('other')")),
        st.sampled_from(TABLES),
        st.sampled_from(SELECTS),
        st.sampled_from(ENDS),
    )


@st.composite
def script_statements(draw: DrawFn) -> str:
    number = draw(st.integers(0, 99))
    statement = draw(st.sampled_from(USES)).format(q=draw(script_queries()), n=number)
    if draw(st.integers(0, 2)):
        return statement
    return draw(st.sampled_from(WRAPPERS)).format(statement, n=number)


@st.composite
def query_scripts(draw: DrawFn) -> bytes:
    """A module that asks for rows, laid out oddly. It need not parse: most do."""
    statements = draw(st.lists(script_statements(), min_size=1, max_size=5))
    text = draw(st.sampled_from(PRELUDES)) + "interface Lead { id: number; name: string }\n" + "\n".join(statements)
    return encoded(draw, text + draw(st.sampled_from(("\n", ""))), python=False)


PYTHON_PRELUDES = (
    "from supabase import create_client\nclient = create_client(url, key)\n",
    "from supabase import Client, create_client\nimport asyncio\nclient: Client = create_client(url, key)\n",
    "from __future__ import annotations\nfrom supabase import AsyncClient, acreate_client\nclient = None\n",
)
PYTHON_TABLES = ("'leads'", "'notes'", "TABLE", "f'{t}'", "name", "'unknown'")
PYTHON_SELECTS = (
    ".select('*')",
    '.select("*")',
    ".select()",
    ".select('*', count='exact')",
    ".select('*, notes(*)')",
    ".select(  # all\n        '*',\n    )",
    ".select('''*''')",
    ".select(r'*')",
    ".select(columns)",
    ".select('*' if x else 'id')",
    " \\\n        .select('*')",
    ".insert({'name': 'é'})",
    ".select('id', 'name')",
    ".select(*columns)",
)
PYTHON_ENDS = (
    ".execute()",
    ".eq('name', 1).execute()",
    "",
    ".limit(1).single().execute()",
    ".eq('no_column', 1).execute()",
)
PYTHON_USES = (
    "r = {}",
    "return {}.data",
    "{}",
    "for row in {}.data: print(row['id'])",
    "x = [{} for n in ns]",
    'print(f"{{{}}}")',
    'print(f"{{{}=}}", t"{{x}}")',
    'print(t"{{{}}}")',
    "if (r := {}): pass",
    "await asyncio.gather({}, {})",
    "# all columns on purpose\nr = {}",
    "{}  # perfmod: ignore[select-columns] wanted",
    "match {}:\n\tcase r: pass",
    "lambda: {}",
)


@st.composite
def python_query_statements(draw: DrawFn) -> str:
    use = draw(st.sampled_from(PYTHON_USES))
    return use.format(*(draw(python_queries()) for _ in range(use.count("{}"))))


def python_queries() -> SearchStrategy[str]:
    return st.builds(
        lambda client, table, select, end: f"{client}.table({table}){select}{end}",
        st.sampled_from(("client", "client", "self.client", "db", "unknown")),
        st.sampled_from(PYTHON_TABLES),
        st.sampled_from(PYTHON_SELECTS),
        st.sampled_from(PYTHON_ENDS),
    )


@st.composite
def query_modules(draw: DrawFn) -> bytes:
    lines = [*draw(st.sampled_from(PYTHON_PRELUDES)).split("\n")[:-1], "TABLE = 'leads'"]
    for number in range(draw(st.integers(1, 3))):
        header = f"async def load{number}(self, db: Client, name, *columns):"
        lines += [header, *("\t" + line for line in draw(suites(python_query_statements(), 2)))]
    return encoded(draw, laid_out(draw, lines), python=True)
