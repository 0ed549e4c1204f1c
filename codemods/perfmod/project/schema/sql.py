"""Tables from SQL files: migrations in order, schema dumps, and what makes them unfit to trust."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from perfmod.patterns import pattern
from perfmod.project.schema.apps import are_beside
from perfmod.project.schema.definition import Definition, Table
from perfmod.project.schema.sql_tables import Change, changes
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.project import Project

NUMBER = pattern(r"\A[A-Za-z]?(\d+)")
DOWN = pattern(r"(?:[._-](?:down|undo|rollback|revert)\.sql\Z|(?:\A|/)(?:down|rollback|rollbacks|undo)/)", re.I)
TEST = pattern(r"(?:\A|/)(?:tests?|__tests__|spec|fixtures|testdata|test_data)/", re.I)
DDL = pattern(rb"\btable\b|\bview\b|\b(?:drop|alter)\s+schema\b", re.I)
DROPS = ("drop table", "drop schema")
SHORT = 8  # digits: migrations numbered 1, 2, 10 sort as numbers, time stamps as text


@dataclass(frozen=True, slots=True)
class SqlFile:
    """A file of SQL, and where it stands among the others."""

    path: str
    tree: str  #: numbered files of a folder make one tree; a file without a number is one of its own
    number: str | None

    @property
    def order(self) -> tuple[bool, str, str]:
        """Numbered files first, in their order; then the others by path."""
        number = self.number or ""
        return self.number is None, number if len(number) >= SHORT else number.zfill(SHORT), self.path


@dataclass(frozen=True, slots=True)
class Located:
    """A change, and the file that makes it."""

    file: SqlFile
    change: Change


def sql_file(path: str) -> SqlFile:
    folder, _, name = path.rpartition("/")
    if name == "migration.sql" and folder:
        folder, _, name = folder.rpartition("/")
    number = NUMBER.match(name)
    return SqlFile(path, folder if number else path, number[1] if number else None)


class SqlSchema:
    """Every table that SQL files of a checkout speak of."""

    def __init__(self, project: Project) -> None:
        self._project = project

    @cached_property
    def _changes(self) -> dict[Table, list[Located]]:
        found: dict[Table, list[Located]] = {}
        files = [sql_file(path) for path in self._project.files if is_schema(path)]
        for file in sorted(files, key=lambda file: file.order):
            if not DDL.search((self._project.raw(file.path) or b"").replace(b"\0", b"")):
                continue
            text = self._project.text(file.path)
            for change in changes(text.utf8.decode()) if text is not None else ():
                for table in tables_of(change, found):
                    found.setdefault(table, []).append(Located(file, change))
        return found

    @property
    def tables(self) -> list[Table]:
        """The tables that some file creates."""
        return [table for table, located in self._changes.items() if any(is_creation(item) for item in located)]

    def definitions(self, table: Table) -> Iterator[Definition]:
        """What each tree that creates a table makes of it in the end."""
        located = self._changes.get(table, [])
        for tree in self._creating(table):
            own = [item for item in located if item.file.tree == tree]
            yield Replay(table, tree).run(own, self.changes_by_others(table, tree))

    def changes_by_others(self, table: Table, tree: str) -> list[Located]:
        """What trees that don't create a table change in it. A guess counts within an app."""
        creating = self._creating(table)
        others = (item for item in self._changes.get(table, ()) if item.file.tree not in creating)
        return [o for o in others if not (o.change.guessed and are_beside(self._project, tree, o.file.path))]

    def _creating(self, table: Table) -> dict[str, None]:
        """The trees that create a table."""
        return dict.fromkeys(item.file.tree for item in self._changes.get(table, ()) if is_creation(item))


def is_schema(path: str) -> bool:
    return path.endswith(".sql") and not DOWN.search(path) and not TEST.search(path)


def tables_of(change: Change, known: Collection[Table]) -> list[Table]:
    """The tables that a change is about, of those that are known before it."""
    if change.kind == "drop schema":
        return [table for table in known if table.schema == change.schema]
    places = [Table(change.table, schema) for schema in (change.schema, *change.elsewhere)]
    makes = change.kind in ("create", "view")
    return [places[0] if makes else next((place for place in places if place in known), places[0])]


def is_creation(item: Located) -> bool:
    change = item.change
    if change.perhaps:
        return False
    made = change.kind == "taint" and change.reason.startswith(("CREATE TABLE", "SELECT INTO"))
    return made or change.kind in ("create", "view")


class Replay:
    """The columns of a table while the changes are made one after the other."""

    def __init__(self, table: Table, tree: str) -> None:
        self.table = table
        self.tree = tree
        self.columns: list[str] | None = None
        self.places: list[tuple[str, int]] = []
        self.created: tuple[str, int] = (tree, 1)
        self.problem: str | None = None
        self.hints: list[str] = []  #: columns that it may have as well
        self.gone: list[str] = []  #: columns that it had once

    def run(self, own: Sequence[Located], others: Sequence[Located]) -> Definition:
        """The table after the changes of its own tree and then those of trees that don't create it."""
        for item in own:
            self.make(item)
        for item in others:
            if item.change.kind not in DROPS:
                self.make(item, foreign=True)
        path, line = self.created
        also = tuple(place for place in dict.fromkeys(self.places) if place[0] != path)
        if self.columns is None and self.problem is None:
            self.problem = "the table is dropped"
        columns = tuple(self.columns or ())
        gone = tuple(column for column in dict.fromkeys(self.gone) if column not in columns)
        hints = tuple(self.hints)
        return Definition(self.table, "sql", path, line, columns, self.tree, self.problem, also, hints, gone)

    def taint(self, item: Located, reason: str) -> None:
        self.problem = self.problem or f"{reason}, {item.file.path}:{item.change.line}"

    def make(self, item: Located, *, foreign: bool = False) -> None:
        change = item.change
        if change.perhaps:
            if change.kind not in DROPS or not foreign:
                self.doubt(item)
        elif foreign and item.file.number is None and not (change.kind == "add" and change.lenient):
            self.hints += change.columns if change.kind == "add" else ()
            self.taint(item, change.reason or "a file without a number changes it")
        elif change.kind in ("taint", "view"):
            self.created = (item.file.path, change.line) if self.columns is None else self.created
            self.taint(item, change.reason or "a view")
        elif change.kind == "create":
            self.create(item)
        elif change.kind in DROPS:
            self.columns, self.problem, self.places = None, None, []
        elif self.columns is None:
            self.taint(item, "it is changed before it is made")
        else:
            self.alter(item, self.columns)

    def doubt(self, item: Located) -> None:
        """What may or may not be done: no matter where it would change nothing."""
        change = item.change
        new = [column for column in change.columns if column not in (self.columns or ())]
        idle = (change.kind in ("add", "create") and not new) or (change.kind == "drop" and bool(new))
        if self.columns is None or not idle:
            self.hints += new if change.kind in ("add", "create") else ()
            self.taint(item, change.reason)

    def create(self, item: Located) -> None:
        columns = list(item.change.columns)
        if self.columns is None:
            self.columns, self.created = columns, (item.file.path, item.change.line)
        elif set(columns) != set(self.columns):
            self.hints += [column for column in columns if column not in self.columns]
            self.taint(item, "it is made twice, with other columns")

    def alter(self, item: Located, columns: list[str]) -> None:
        change = item.change
        self.places.append((item.file.path, change.line))
        name = change.columns[0]
        if change.kind == "add":
            if name not in columns:
                columns.append(name)
        elif change.kind == "drop":
            self.gone.append(name)
            if name in columns:
                columns.remove(name)
        elif name in columns:
            self.gone.append(name)
            columns[columns.index(name)] = change.columns[1]
        elif change.columns[1] not in columns:
            self.taint(item, f"it renames a column {name} that is not there")
