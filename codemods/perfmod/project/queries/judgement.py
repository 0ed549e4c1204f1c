"""What a checkout says about each star: the finding, with the list that replaces it or why there is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from perfmod.model import Finding, Note, Replace, Safety
from perfmod.project.queries.column_lists import ColumnList, ColumnLists, NoList, is_star
from perfmod.project.queries.column_reads import unread
from perfmod.project.queries.shorter_lists import Listed, without_secrets
from perfmod.project.queries.suitability import Suitability, unsuitable
from perfmod.project.schema.live import live_definitions
from perfmod.project.web.browser_code import is_browser_code
from perfmod.source.queries.facts import Query, Select, is_sensitive

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.rules.select_columns import RunOptions

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


class Judgement:
    """What the checkout says about each query."""

    def __init__(self, options: RunOptions, project: Project) -> None:
        live = live_definitions(options.database_url, options.openapi)
        self.options = options
        self.project = project
        self.lists = ColumnLists(project, trust_row_types=options.trust_row_types, live=live)
        self.suitability = Suitability(project)
        self.listed: dict[Finding, Listed] = {}  #: findings with a fix whose list is one table's alone

    def of(self, query: Query) -> Iterator[Finding | Note]:
        evidence = self.lists.queries.client_of(query)[0].evidence
        if evidence == "foreign" or (evidence == "unknown" and not self.suitability.may_be_postgrest(query)):
            return
        for select in query.selects:
            if is_star(select):
                yield self.finding(query, select, known=evidence != "unknown")
            elif select.text is not None:
                yield from self.notes(query, select)

    def finding(self, query: Query, select: Select, *, known: bool) -> Finding:
        table = self.lists.queries.table_of(query)
        subject = f"of {table}" if table else "of a table"
        finding = Finding("select-columns", select.call, MESSAGE.format(subject), Safety.MANUAL)
        reason = unsuitable(query, select, self.lists.queries.schema_of(query), known=known)
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
        named = [word for word in dict.fromkeys(re.findall(r"\w+", select.text or "")) if is_sensitive(word)]
        if named and is_browser_code(self.project, query.path):
            yield Note("select-columns", select.call, SECRET.format(", ".join(named)))
