"""The column list that a star stands for at one place of a checkout, or why there is none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from perfmod.patterns import pattern
from perfmod.project.queries.queries import NamedColumn, Queries
from perfmod.project.schema.apps import app_of, holds
from perfmod.project.schema.definition import Definition, Table
from perfmod.project.schema.row_shapes import Scope, Shape, Shapes
from perfmod.project.schema.tables import Known, Tables, disagreement, listed
from perfmod.project.web.modules import ScriptModules
from perfmod.source.queries.facts import Query, RowType, Select, is_sensitive
from perfmod.source.queries.select_list import Item, Unreadable, expand, has_star, parse
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.project import Project

PLAIN = pattern(r"[A-Za-z_][A-Za-z0-9_]*\Z")
LIMIT = 250  # more columns than this, and the SDK's types give up
ASSERTED = pattern(
    rb"(?:CalledWith|called_with|called_once_with|any_call|toBe|to(?:Strict)?Equal|\bcall)\s*+\(\s*+\[?\s*+[\"'`]\*[\"'`]"
    rb"|\bcall\.[^\n]{0,200}\bselect\(\s*+[\"']\*[\"']|==\s*+[\"']\*[\"']|[?&]select=(?:\*|%2A)"
)


class NoList(Exception):
    """Why a star can't be replaced: "cause" or "cause: detail"."""


@dataclass(frozen=True, slots=True)
class ColumnList:
    """What a star stands for, and who says so."""

    text: str
    columns: tuple[str, ...]  #: of the outermost table where it has a star, then of the embedded ones
    definitions: tuple[Definition, ...]
    doubt: str | None = None  #: why the list may be wrong: the fix is unsafe
    may_retype: bool = False  #: the list is right, but the result may get another type
    alone: bool = False  #: the star was all that was selected

    @property
    def sensitive(self) -> list[str]:
        return [column for column in self.columns if is_sensitive(column)]


class ColumnLists:
    """Makes the lists of a checkout."""

    def __init__(self, project: Project, *, trust_row_types: bool, live: Sequence[Definition] = ()) -> None:
        self._project = project
        self.modules = ScriptModules(project)
        self.tables = Tables(project, self.modules, live)
        self.queries = Queries(project, self.modules, self.tables.holdings)
        self._shapes = Shapes(self.modules)
        self._trust = trust_row_types
        self._used: dict[tuple[Table, str], dict[str, NamedColumn]] = {}  #: by table and app

    def of(self, query: Query, select: Select, table: str) -> ColumnList:
        """The list for one star. Raises NoList."""
        text = select.text if select.text is not None and select.text.strip() else "*"
        try:
            items = parse(text)
        except Unreadable as error:
            raise NoList(f"the list can't be read: {error}") from None
        schema = self.queries.schema_of(query)
        found: dict[str, tuple[Definition, str | None]] = {}
        columns: list[str] = []
        alone = text.strip() == "*"

        def columns_of(name: str) -> Sequence[str]:
            if name not in found:
                found[name] = self._definition(query, Table(name, schema), rows=alone)
            columns.extend(found[name][0].columns)
            return found[name][0].columns

        try:
            expanded = expand(text, items, table, columns_of)
        except Unreadable as error:
            raise NoList(f"the list can't be read: {error}") from None
        self._check_reads(query, items, alone, columns)
        doubts = [doubt for _, doubt in found.values() if doubt]
        embeds = not alone and any(item.kind == "embed" for item in items)
        may_retype = embeds and query.types and self.queries.client_of(query)[1] is None
        definitions = tuple(definition for definition, _ in found.values())
        doubt = doubts[0] if doubts else None
        return ColumnList(expanded, tuple(dict.fromkeys(columns)), definitions, doubt, may_retype, alone)

    def _definition(self, query: Query, table: Table, *, rows: bool) -> tuple[Definition, str | None]:
        """Who gives the list of one table, and the doubt that is left. Raises NoList."""
        _, types = self.queries.client_of(query)
        known = self.tables.known(table, query.path, types)
        shape = self._row_shape(query, known) if rows else None
        doubt = None
        definition = known.definition
        if definition is None and shape is not None:
            definition, doubt = self._row_type(shape, table, known, query.path)
        elif definition is None or known.problem is not None:
            raise NoList(known.problem or "unknown table")
        else:
            self._check_row_type(definition, shape)
        self._check_names(definition)
        self._check_uses(definition, table, query.path)
        self._check_tests(query.path, table)
        return definition, doubt

    def _row_shape(self, query: Query, known: Known) -> Shape | None:
        """The type that the rows are given at the site, if it is one that a person wrote for this table."""
        shapes: dict[tuple[tuple[str, ...], str | None], Shape] = {}
        for row in query.rows:
            shape = self._shape(query.path, row)
            if shape is not None and not any(shape.path == d.path and shape.line == d.line for d in known.all):
                shapes.setdefault((shape.columns, shape.problem), shape)
        if known.definition is None and len(shapes) > 1:
            raise NoList("several row types at the site")
        fit = [shape for shape in shapes.values() if shape.problem is None and shape.columns]
        if known.definition is None and shapes and not fit:
            shape = next(iter(shapes.values()))
            raise NoList(f"{known.problem}; its row type at {shape.path}:{shape.line} is unfit: {shape.problem}")
        return fit[0] if fit else None

    def _shape(self, path: str, row: RowType) -> Shape | None:
        source = self.modules.source(path)
        if source is None:
            return None
        node = source.root.descendant_for_byte_range(row.offset, row.offset + len(row.text.encode()))
        if node is None or node.type in ("lookup_type", "predefined_type", "literal_type"):
            return None
        if node.type not in ("type_identifier", "object_type", "generic_type", "intersection_type"):
            return None
        return self._shapes.of(Scope(source, {}), node)

    def _row_type(self, shape: Shape, table: Table, known: Known, path: str) -> tuple[Definition, str | None]:
        """A row type as the source of a list: the more of it is named elsewhere, the better. Raises NoList."""
        definition = Definition(table, "row type", shape.path, shape.line, shape.columns, shape.path)
        if self._trust:
            return definition, None
        named = {use.column for use in self._uses(table, path)}
        for other in known.all:
            if self.tables.speaks_for(other, path):
                if (problem := disagreement(definition, other)) is not None:
                    raise NoList(problem)
                named.update(other.columns)
        alone = [column for column in shape.columns if column not in named]
        if not alone:
            return definition, None
        detail = f"only the row type at {definition.place} names {listed(alone, 8)}"
        if len(alone) == len(shape.columns) or any(column != column.lower() for column in alone):
            raise NoList(f"row type without corroboration: {detail}; if it is exact, set trust-row-types")
        return definition, f"row type with little corroboration: {detail}; if it is exact, set trust-row-types"

    @staticmethod
    def _check_row_type(definition: Definition, shape: Shape | None) -> None:
        if shape is not None:
            claim = Definition(definition.table, "row type", shape.path, shape.line, shape.columns)
            problem = disagreement(definition, claim)
            if problem is not None:
                raise NoList(problem)

    @staticmethod
    def _check_names(definition: Definition) -> None:
        odd = [column for column in definition.columns if not PLAIN.match(column)]
        if odd:
            raise NoList(f"column names that the SDK's types can't read: {listed(odd)}")
        if len(definition.columns) > LIMIT:
            raise NoList(f"too many columns: {len(definition.columns)}, the SDK's types can read {LIMIT}")

    def _uses(self, table: Table, path: str) -> Iterable[NamedColumn]:
        """The columns that queries on a table name, in apps that may have the same database as the file `path`.

        Of each column the first use.
        """
        app = table, app_of(self._project, path)
        if app not in self._used:
            first: dict[str, NamedColumn] = {}
            for use in self.queries.named_columns(table):
                if use.column not in first and not self.tables.are_apart(table, path, use.path):
                    first[use.column] = use
            self._used[app] = first
        return self._used[app].values()

    def _check_uses(self, definition: Definition, table: Table, path: str) -> None:
        """A query that names a column which the list lacks says that the source is not up to date."""
        unknown: dict[str, NamedColumn] = {}
        for use in self._uses(table, path):
            if use.column not in definition.columns:
                unknown[use.column] = use
        if unknown:
            first = next(iter(unknown.values()))
            raise NoList(
                f"queries name columns that the source lacks: {listed(list(unknown))} at {first.place},"
                f" not at {definition.place}"
            )

    def _check_reads(self, query: Query, items: Sequence[Item], alone: bool, columns: Sequence[str]) -> None:
        """What is read of the rows near the query has to be in the list, or named beside the star."""
        if not alone and not any(item.kind == "star" for item in items):
            return
        known = {*columns, *(item.alias or item.name for item in items), *(item.name for item in items)}
        unknown = {use.column: use for use in reversed(query.reads) if use.column not in known}
        text = self._project.text(query.path)
        if unknown and text is not None:
            line = text.position(min(use.offset for use in unknown.values()))[0]
            names = listed(list(unknown))
            raise NoList(f"the code reads what the source lacks: {names} at {query.path}:{line}")

    def _check_tests(self, path: str, table: Table) -> None:
        word = re.compile(rb"[\"'`/]" + re.escape(table.name).encode() + rb"[\"'`?]")
        for test in self._asserting_tests:
            own = holds(app_of(self._project, test), path)
            if own and word.search(self._project.raw(test) or b""):
                raise NoList(f"a test asserts on the star: {test}")

    @cached_property
    def _asserting_tests(self) -> list[str]:
        tests = self.tables.holdings.tests
        return [path for path in tests if ASSERTED.search(self._project.raw(path) or b"")]


def is_star(select: Select) -> bool:
    """Whether a select takes every column of some table."""
    if select.head or select.dynamic:
        return False
    if select.empty:
        return True
    try:
        return select.text is not None and has_star(parse(select.text))
    except Unreadable:
        return "*" in (select.text or "")
