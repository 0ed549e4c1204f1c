"""select-columns: PostgREST select('*') becomes an explicit column list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from perfmod.model import Fact, Facts, Finding, Note
from perfmod.rule import Triggers
from perfmod.source.queries.facts import Query, Select, is_sensitive, may_hold_queries
from perfmod.source.queries.holdings import HOLDINGS
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.source.tree import Source


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
    scanners = HOLDINGS
    judged = "perfmod.source.queries.facts"
    spreads = False

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
        from perfmod.project.queries.judgement import Judgement

        options = self.options if isinstance(self.options, RunOptions) else RunOptions(self.options.trust_row_types)
        judgement = Judgement(options, project)
        found = [said for query in queries for said in judgement.of(query)]
        if options.narrow and judgement.listed:
            from perfmod.project.queries.shorter_lists import narrow

            found = narrow(found, judgement.listed, project)
        if options.tsc:
            from perfmod.project.queries.type_checks import type_checked

            found = type_checked(found, project)
        yield from found


def is_of_interest(select: Select) -> bool:
    """Whether a select holds a star, or names a column that looks like a secret."""
    if select.empty or select.text is None:
        return select.empty
    return "*" in select.text or any(is_sensitive(word) for word in re.findall(r"\w+", select.text))
