"""Tables from generated types: `Database['public']['Tables'][table]['Row']`, and Views."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tree_sitter import Node

from perfmod.discovery import language_of
from perfmod.project.schema.definition import Definition, Table
from perfmod.project.schema.row_shapes import Scope, Shapes, property_name
from perfmod.project.web.modules import ScriptModules
from perfmod.source.script.names import top_level
from perfmod.source.tree import Source

if TYPE_CHECKING:
    from perfmod.project import Project

NAMES = ("Database", "DB", "Schema", "SupabaseDatabase")
KINDS = ("Tables", "Views")


class TypesSchema:
    """The files of a checkout that describe a database as a type."""

    def __init__(self, project: Project, modules: ScriptModules, files: Sequence[str]) -> None:
        self._project = project
        self._files = files
        self._modules = modules
        self._shapes = Shapes(modules, strict=False)

    def definitions(self, table: Table) -> Iterator[Definition]:
        """What each file says of a table or view."""
        for path in self._files:
            found = self._row(path, table)
            if found is not None:
                yield found

    def _row(self, path: str, table: Table) -> Definition | None:
        found = self._database(path)
        if found is None:
            return None
        source, body = found
        scope = Scope(source, {})
        for kind in KINDS:
            place: tuple[Node, Scope] | None = (body, scope)
            for name in (table.schema, kind, table.name, "Row"):
                place = self._shapes.member(place[1], place[0], name) if place is not None else None
            if place is not None:
                shape = self._shapes.of(place[1], place[0])
                problem = shape.problem or (None if shape.columns else "it has no columns")
                return Definition(table, "types", shape.path, shape.line, shape.columns, path, problem)
        return None

    def tables(self) -> Iterator[Table]:
        """The tables and views that the files name."""
        for path in self._files:
            found = self._database(path)
            if found is None:
                continue
            source, body = found
            for schema in body.named_children:
                name = property_name(source, schema) if schema.type == "property_signature" else None
                for kind in KINDS if name is not None else ():
                    place = self._shapes.member(Scope(source, {}), body, name or "")
                    inner = self._shapes.member(place[1], place[0], kind) if place is not None else None
                    for member in inner[0].named_children if inner is not None else ():
                        own = property_name(source, member) if member.type == "property_signature" else None
                        if own is not None and name is not None:
                            yield Table(own, name)

    def _database(self, path: str) -> tuple[Source, Node] | None:
        """The body of the type that describes the database."""
        source = self._modules.source(path) or self._below_noise(path)
        bound = next(filter(None, (top_level(source, name) for name in NAMES)), None) if source is not None else None
        if source is None or bound is None:
            return None
        body = bound.owner.child_by_field_name("value") or bound.owner.child_by_field_name("body")
        return (source, body) if body is not None else None

    def _below_noise(self, path: str) -> Source | None:
        """A file that begins with what the generator's installer printed."""
        text = self._project.text(path)
        start = re.search(rb"\bexport\s+(?:type|interface)\b", text.utf8) if text is not None else None
        if text is None or start is None:
            return None
        noise = re.sub(rb"[^\n]", b" ", text.utf8[: start.start()])
        source = Source(replace(text, utf8=noise + text.utf8[start.start() :]), language_of(path) or "typescript")
        return None if source.error is not None else source
