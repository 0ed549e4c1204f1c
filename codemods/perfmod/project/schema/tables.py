"""Tables and columns, from every schema source of a checkout: which source speaks, and where sources disagree."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from perfmod.project.schema.apps import app_of, holds
from perfmod.project.schema.definition import STRENGTH, Definition, Table
from perfmod.project.schema.holdings import Holdings
from perfmod.project.schema.types import TypesSchema
from perfmod.project.web.modules import ScriptModules
from perfmod.values import dataclass, field

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.project.schema.sql import SqlSchema


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a table at one place of a checkout."""

    table: Table
    definition: Definition | None = None  #: the one that gives the list
    agreeing: tuple[Definition, ...] = ()  #: others that have no other column
    problem: str | None = None  #: why there is no list: "cause" or "cause: detail"
    all: tuple[Definition, ...] = field(default=())

    @property
    def columns(self) -> tuple[str, ...]:
        return self.definition.columns if self.definition is not None and self.problem is None else ()


class Tables:
    """The tables of a checkout."""

    def __init__(self, project: Project, modules: ScriptModules, live: Sequence[Definition] = ()) -> None:
        self._project = project
        self.holdings = Holdings(project)
        self._modules = modules
        self._live = live
        self._found: dict[Table, tuple[Definition, ...]] = {}

    @cached_property
    def _sql(self) -> SqlSchema | None:
        if not any(path.endswith(".sql") for path in self._project.files):
            return None
        from perfmod.project.schema.sql import SqlSchema

        return SqlSchema(self._project)

    @cached_property
    def _types(self) -> TypesSchema:
        return TypesSchema(self._project, self._modules, self.holdings.database_types)

    @cached_property
    def _models(self) -> list[Definition]:
        from perfmod.project.schema.models import drizzle_definitions, prisma_definitions

        return [
            *drizzle_definitions(self.holdings.drizzle_tables, self._modules),
            *prisma_definitions(self._project),
        ]

    @property
    def tables(self) -> list[Table]:
        """Every table that a source names."""
        names = (
            {d.table for d in (*self._live, *self._models)}
            | set(self._sql.tables if self._sql else ())
            | set(self._types.tables())
        )
        return sorted(names, key=lambda table: (table.schema != "public", table.schema, table.name))

    def definitions(self, table: Table) -> tuple[Definition, ...]:
        """What every source says of a table, strongest first."""
        if table not in self._found:
            found = [d for d in (*self._live, *self._models) if d.table == table]
            found += [*self._types.definitions(table), *(self._sql.definitions(table) if self._sql else ())]
            self._found[table] = tuple(sorted(found, key=lambda d: STRENGTH[d.origin]))
        return self._found[table]

    def known(self, table: Table, path: str, types_file: str | None = None) -> Known:
        """What is known of a table in the file `path`. `types_file`: the types that its client is made with."""
        everything = self.definitions(table)
        near = self._near(everything, path, types_file)
        known = Known(table, all=everything)
        if not everything:
            return replace_problem(known, f"unknown table: no schema source of the checkout has {table}")
        if not near:
            return replace_problem(known, f"only the schema of another app has this table: {everything[0].place}")
        usable = [d for d in near if d.problem is None]
        if not usable:
            why = near[0].problem or ""
            where = "" if near[0].path in why else f", {near[0].place}"
            return replace_problem(known, f"the columns can't be followed: {why}{where}")
        best = usable[0]
        for other in near:
            if other is not best and (problem := disagreement(best, other)) is not None:
                return Known(table, best, (), problem, everything)
        return Known(table, best, tuple(d for d in usable if d is not best), None, everything)

    def _near(self, found: Sequence[Definition], path: str, types_file: str | None) -> list[Definition]:
        """The definitions that speak for a file, strongest first and those of its own app before others.

        None where an app that brings a schema of its own has no word of the table.
        """
        own = [d for d in found if self.speaks_for(d, path)]
        if not own and self._has_own_schema(path):
            return []
        if types_file is not None and any(d.tree == types_file for d in own):
            found = [d for d in found if d.origin != "types" or d.tree == types_file]
        return sorted(found, key=lambda d: (STRENGTH[d.origin], d not in own))

    def are_apart(self, table: Table, path: str, other: str) -> bool:
        """Whether the other file is of an app with a schema of its own for this table."""
        if app_of(self._project, path) == app_of(self._project, other):
            return False
        own, others = ({d.tree for d in self.definitions(table) if self.speaks_for(d, p)} for p in (path, other))
        return bool(others - own) and not own & others

    def speaks_for(self, definition: Definition, path: str) -> bool:
        """Whether a definition is of the app of a file, of one around it, or of all."""
        if not definition.path:
            return True
        return holds(app_of(self._project, definition.path), path)

    def _has_own_schema(self, path: str) -> bool:
        return any(self.speaks_for(definition, path) for definition in self._representatives)

    @cached_property
    def _representatives(self) -> list[Definition]:
        """One definition of each tree, to see which apps bring a schema."""
        found: dict[str, Definition] = {}
        for table in self.tables:
            for definition in self.definitions(table):
                found.setdefault(definition.tree, definition)
        return list(found.values())


def replace_problem(known: Known, problem: str) -> Known:
    return Known(known.table, None, (), problem, known.all)


def disagreement(best: Definition, other: Definition) -> str | None:
    """How a definition contradicts the best one. A weaker one that knows less is no contradiction."""
    more = [column for column in (*other.columns, *other.hints) if column not in best.columns]
    if more:
        return f"sources disagree: {other.place} has {listed(more)}, which {best.place} lacks"
    gone = [column for column in other.gone if column in best.columns]
    if gone and STRENGTH[best.origin]:
        return f"sources disagree: {best.place} has {listed(gone)}, which {other.places} drops"
    if other.problem is not None:
        same = STRENGTH[other.origin] == STRENGTH[best.origin]
        return f"sources disagree: {best.place}, but at {other.place} {other.problem}" if same else None
    less = [column for column in best.columns if column not in other.columns]
    if less and STRENGTH[other.origin] == STRENGTH[best.origin]:
        return f"sources disagree: {best.place} has {listed(less)}, which {other.place} lacks"
    return None


def listed(columns: Sequence[str], limit: int = 4) -> str:
    """A few names, and how many more there are."""
    shown = ", ".join(columns[:limit])
    return f"{shown} and {len(columns) - limit} more" if len(columns) > limit else shown
