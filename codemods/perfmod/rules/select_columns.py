"""select-columns: PostgREST select('*') becomes an explicit column list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from perfmod.model import Fact, Facts, Finding, Note, Replace, Safety
from perfmod.rule import Triggers
from perfmod.source.queries.facts import Query, Select, is_sensitive, may_hold_queries
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.project.queries.column_lists import ColumnList
    from perfmod.project.queries.shorter_lists import Listed
    from perfmod.source.tree import Source

MESSAGE = "this select fetches every column {0}, and every one that is added later"
SECRET = (
    "{0} looks like a secret and reaches the browser. A list in a browser is no access control: revoke the column from"
    " its roles, or use row security"
)
RETYPED = "an embedded list on a client without a Database type may change the type of the result"
SOURCES = {
    "database": "in the live schema",
    "openapi": "in the API's description",
    "types": "in the generated types",
    "sql": "in SQL",
    "drizzle": "in the Drizzle schema",
    "prisma": "in the Prisma schema",
    "row type": "in the row type",
}


@dataclass(frozen=True, slots=True)
class SelectOptions:
    """The options of select-columns."""

    trust_row_types: bool = False
    """take a hand-written row type at the site for a full and exact list of the table's columns"""


@dataclass(frozen=True, slots=True)
class RunOptions(SelectOptions):
    """What only the command line may ask for: it contacts what a configuration file must not choose."""

    database_url: str | None = None
    openapi: str | None = None
    tsc: bool = False
    exclude_sensitive: bool = False
    narrow: bool = False


class SelectColumns:
    """PostgREST select('*') becomes an explicit column list.

    What it finds:
        .select('*'), .select() and stars in embedded lists, on Supabase, InsForge and other PostgREST clients, in
        TypeScript, JavaScript and Python.

    Why it matters:
        A star sends every column to the client, also those that nobody reads there, those that are added later and
        those that must not leave the server. Source: PostgREST documentation, "Vertical filtering".

    What it changes:
        The star becomes the full list of the table's columns, in the order of the schema that names them: a database
        (--database-url), PostgREST's description of its API (--openapi), generated Database types, SQL migrations,
        Drizzle, Prisma, or the row type at the site. Types and casts stay. The message of each fix says where the list
        comes from; `perfmod schema TABLE` says what is known of a table. With --exclude-sensitive, browser code no
        longer asks for secrets that it never reads. With --tsc, the checkout's own compiler judges each edit first.

        With --narrow, a list in TypeScript holds only what some code needs: every column is taken out, the types at the
        site become Omit<Row, 'a' | 'b'> or Pick, and what the checkout's own compiler misses comes back. That takes a
        few runs of the compiler for all lists together, and needs a project without type errors. The full list stays,
        and the message names the place, where the compiler can't follow a row: spread, taken by `...rest`, indexed,
        walked through, given to JSON.stringify, Object.keys or a parameter of type any, unknown or Record, cast to one
        of these, handed on by a framework, put in a query cache or sharing its key there; where JavaScript, Vue or
        another package names the function; and columns that a string or such code names.

    When the fix is unsafe:
        Where only a row type knows some of the columns, because one wrong column fails the whole query; for embedded
        lists on a TypeScript client without a Database type, whose result may get another type (--tsc proves those);
        and where a secret or an unread column is left out.

    Leaves alone:
        Head counts, computed lists, other query builders, DOM and D3 .select(). Reported without a fix: unknown tables,
        sources that disagree, queries and code near them that name a column which the schema lacks, tests that assert
        on the star, data exports, and stars whose comment says that they are meant.
    """

    Options = SelectOptions
    languages = ("typescript", "tsx", "javascript", "python")
    triggers = Triggers(((b"select",),), may_hold_queries)
    reviewed = ()
    scanners = ()

    def __init__(self, options: SelectOptions) -> None:
        self.options = options

    def scan(self, source: Source) -> Iterator[Fact]:
        if source.language == "python":
            from perfmod.source.queries.python import queries
        else:
            from perfmod.source.queries.script import queries
        for query in queries(source):
            if any(is_of_interest(select) for select in query.selects):
                yield query

    def judge(self, facts: Facts, project: Project) -> Iterator[Finding | Note]:
        queries = facts.of(Query)
        if not queries:
            return
        options = self.options if isinstance(self.options, RunOptions) else RunOptions(self.options.trust_row_types)
        judgement = Judgement(options, project)
        found = [said for query in queries for said in judgement.of(query)]
        if options.narrow and judgement.listed:
            found = narrow(found, judgement, project)
        if options.tsc:
            found = type_checked(found, project)
        yield from found


def is_of_interest(select: Select) -> bool:
    """Whether a select holds a star, or names a column that looks like a secret."""
    if select.empty or select.text is None:
        return select.empty
    return "*" in select.text or any(is_sensitive(word) for word in re.findall(r"\w+", select.text))


def narrow(found: Sequence[Finding | Note], judgement: Judgement, project: Project) -> list[Finding | Note]:
    """The findings with lists that hold only what is needed, and how often the compiler was asked."""
    from perfmod.project.queries.shorter_lists import narrowed

    changed, passes = narrowed(judgement.listed, project)
    first = next(iter(changed))
    shorter = sum(new.intents != old.intents for old, new in changed.items())
    message = f"tsc was asked {passes} times about {len(changed)} lists; {shorter} became shorter"
    kept = [changed.get(said, said) if isinstance(said, Finding) else said for said in found]
    return [*kept, Note("select-columns", first.span, message)]


def type_checked(found: Sequence[Finding | Note], project: Project) -> list[Finding | Note]:
    """The findings with what the checkout's own compiler says of their edits, and how often it was asked."""
    from perfmod.tsc.checking import prove

    edits = [f for f in found if isinstance(f, Finding) and f.intents and not f.span.path.endswith(".py")]
    proof = prove(edits, project)
    checked: list[Finding | Note] = []
    for said in found:
        if isinstance(said, Finding) and said in proof.reasons:
            said = replace(said, safety=Safety.MANUAL, reason=proof.reasons[said], title=None, intents=())
        elif isinstance(said, Finding) and said in edits and said not in proof.unseen and said.reason == RETYPED:
            said = replace(said, safety=Safety.SAFE, reason=None)
        checked.append(said)
    if edits:
        seen = len(edits) - len(proof.unseen)
        message = f"tsc has checked {seen} edits in {proof.passes} passes; {len(proof.reasons)} were refused"
        if proof.unseen:
            message += f"; {len(proof.unseen)} are part of no TypeScript project"
        checked.append(Note("select-columns", edits[0].span, message))
    return checked


class Judgement:
    """What the checkout says about each query."""

    def __init__(self, options: RunOptions, project: Project) -> None:
        from perfmod.project.queries.column_lists import ColumnLists
        from perfmod.project.queries.suitability import Suitability
        from perfmod.project.schema.live import live_definitions

        live = live_definitions(options.database_url, options.openapi)
        self.options = options
        self.project = project
        self.lists = ColumnLists(project, trust_row_types=options.trust_row_types, live=live)
        self.suitability = Suitability(project)
        self.listed: dict[Finding, Listed] = {}  #: findings with a fix whose list is one table's alone

    def of(self, query: Query) -> Iterator[Finding | Note]:
        from perfmod.project.queries.column_lists import is_star

        evidence = self.lists.queries.client_of(query)[0].evidence
        if evidence == "foreign" or (evidence == "unknown" and not self.suitability.may_be_postgrest(query)):
            return
        for select in query.selects:
            if is_star(select):
                yield self.finding(query, select, known=evidence != "unknown")
            elif select.text is not None:
                yield from self.notes(query, select)

    def finding(self, query: Query, select: Select, *, known: bool) -> Finding:
        from perfmod.project.queries.column_lists import NoList
        from perfmod.project.queries.suitability import unsuitable

        table = self.lists.queries.table_of(query)
        subject = f"of {table}" if table else "of a table"
        finding = Finding("select-columns", select.call, MESSAGE.format(subject), Safety.MANUAL)
        reason = unsuitable(query, select, known=known)
        if reason is None and table is None:
            reason = "the table's name is computed"
        if reason is not None or table is None:
            return replace(finding, reason=reason)
        try:
            columns = self.lists.of(query, select, table)
        except NoList as error:
            return replace(finding, reason=str(error))
        fixed = self.fixed(finding, query, select, columns)
        return self.without_secrets(fixed, query, select, columns)

    def fixed(self, finding: Finding, query: Query, select: Select, columns: ColumnList) -> Finding:
        """The finding with its fix, and what it says about secrets in the list."""
        from perfmod.project.web.browser_code import is_browser_code

        places = ", ".join(
            f"{SOURCES[d.origin]} at {d.places}" if d.path else SOURCES[d.origin] for d in columns.definitions
        )
        message = f"{finding.message}; the list stands {places}"
        if columns.sensitive and is_browser_code(self.project, query.path):
            message += f"; {SECRET.format(', '.join(columns.sensitive))}"
        doubt = columns.doubt or (RETYPED if columns.may_retype else None)
        count = len(columns.columns)
        return replace(
            finding,
            message=message,
            title=f"List its {count} columns" if count > 1 else "List its one column",
            safety=Safety.UNSAFE if doubt else Safety.SAFE,
            reason=doubt,
            intents=(Replace(select.span, f"{select.quote}{columns.text}{select.quote}{select.after}"),),
        )

    def without_secrets(self, fixed: Finding, query: Query, select: Select, columns: ColumnList) -> Finding:
        """The finding with a list that leaves out secrets, where that is asked for and nobody reads them."""
        from perfmod.project.queries.column_reads import unread
        from perfmod.project.queries.shorter_lists import Listed, without_secrets
        from perfmod.project.web.browser_code import is_browser_code

        if not columns.alone:
            return fixed
        listed = Listed(query, select, columns)
        if self.options.exclude_sensitive and is_browser_code(self.project, query.path):
            names = unread(self.project, self.lists.modules, columns.sensitive)
            fixed, listed = without_secrets(fixed, listed, names)
        self.listed[fixed] = listed
        return fixed

    def notes(self, query: Query, select: Select) -> Iterator[Note]:
        """An explicit list in browser code that names what looks like a secret."""
        from perfmod.project.web.browser_code import is_browser_code

        named = [word for word in dict.fromkeys(re.findall(r"\w+", select.text or "")) if is_sensitive(word)]
        if named and is_browser_code(self.project, query.path):
            yield Note("select-columns", select.call, SECRET.format(", ".join(named)))
