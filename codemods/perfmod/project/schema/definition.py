"""What one schema source says of one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from perfmod.values import dataclass, field

#: Schema sources, strongest first.
Origin: TypeAlias = Literal["database", "openapi", "types", "sql", "drizzle", "prisma", "row type"]
STRENGTH: dict[Origin, int] = {
    "database": 0,
    "openapi": 0,
    "types": 1,
    "sql": 2,
    "drizzle": 3,
    "prisma": 3,
    "row type": 4,
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view by its name."""

    name: str
    schema: str = "public"

    def __str__(self) -> str:
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Definition:
    """The columns that a source gives a table, and where it says so."""

    table: Table
    origin: Origin
    path: str  #: "" for a live schema
    line: int
    columns: tuple[str, ...]
    tree: str = ""  #: sources of the same tree speak of one database: a folder of migrations, a file
    problem: str | None = None  #: why the columns can't be known from here
    also: tuple[tuple[str, int], ...] = ()  #: further places that had a say
    hints: tuple[str, ...] = ()  #: columns that it may have as well
    gone: tuple[str, ...] = ()  #: columns that it had once
    widths: Mapping[str, int] = field(default_factory=dict, compare=False)  #: bytes of a column's values, on average

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}" if self.path else "the database"

    @property
    def places(self) -> str:
        """The place, and those that changed it later."""
        later = [f"{path}:{line}" for path, line in self.also]
        return " and ".join([self.place, *later]) if len(later) < 3 else f"{self.place} and {len(later)} changes"
