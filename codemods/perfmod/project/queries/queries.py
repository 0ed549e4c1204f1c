"""What the whole checkout says about its queries: resolved tables and clients, and which columns are named where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from perfmod.discovery import language_of
from perfmod.project.schema.definition import Table
from perfmod.project.schema.holdings import Holdings
from perfmod.project.web.modules import ScriptModules
from perfmod.source.queries.facts import Client, Origin, Query
from perfmod.source.tree import Source
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.project.queries.class_tables import ClassTables

DEPTH = 5


@dataclass(frozen=True, slots=True)
class NamedColumn:
    """A column of a table that some query names."""

    column: str
    path: str
    line: int

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}"


class Queries:
    """The queries of a checkout, as far as somebody asks."""

    def __init__(self, project: Project, modules: ScriptModules, holdings: Holdings) -> None:
        self._project = project
        self._holdings = holdings
        self._modules = modules
        self._read: dict[str, list[Query]] = {}
        self._mentions: dict[str, list[str]] = {}
        self._named: dict[Table, list[NamedColumn]] = {}

    @cached_property
    def _classes(self) -> ClassTables:
        from perfmod.project.queries.class_tables import ClassTables

        return ClassTables(self._project, self._modules)

    def of(self, path: str) -> list[Query]:
        """Every query of a file."""
        if path not in self._read:
            self._read[path] = list(self._queries(path))
        return self._read[path]

    def _queries(self, path: str) -> Iterator[Query]:
        from perfmod.source.queries.python import queries as python_queries
        from perfmod.source.queries.script import queries

        text = self._project.text(path)
        language = language_of(path)
        if text is None or language is None:
            return
        source = self._modules.source(path) if language != "python" else Source(text, language)
        if source is not None and source.error is None:
            yield from queries(source) if language != "python" else python_queries(source)

    def named_columns(self, table: Table) -> list[NamedColumn]:
        """The columns that queries on a table name, anywhere but in tests."""
        if table not in self._named:
            self._named[table] = self._columns_named(table)
        return self._named[table]

    def _columns_named(self, table: Table) -> list[NamedColumn]:
        found = []
        for path in self.mentioning(table.name):
            text = self._project.text(path)
            for query in self.of(path):
                if text is not None and self.table_of(query) == table.name and self.schema_of(query) == table.schema:
                    found += [NamedColumn(u.column, path, text.position(u.offset)[0]) for u in query.uses]
        return found

    def mentioning(self, table: str) -> list[str]:
        """The files with queries that hold the name of a table."""
        if table not in self._mentions:
            word = re.compile(rb"[\"'`]" + re.escape(table).encode() + rb"[\"'`]")
            self._mentions[table] = [path for path, data in self._holdings.queries if word.search(data)]
        return self._mentions[table]

    def table_of(self, query: Query) -> str | None:
        """The table of a query, through constants of other files."""
        if query.table is not None or query.origin is None:
            return query.table
        if not query.origin.module:
            return self._classes.of(query.path, query.origin.name, query.origin.member)
        if language_of(query.path) == "python":
            return self._python_constant(query.path, query.origin)
        from perfmod.source.queries.table_names import constant

        target = self._modules.file(query.origin.module, query.path)
        found = self._modules.exported(target, query.origin.name) if target is not None else None
        members = query.origin.member.split(".") if query.origin.member else []
        return constant(found.source, found.bound, members) if found is not None else None

    def _python_constant(self, path: str, origin: Origin) -> str | None:
        """The string that a constant of another Python module holds."""
        from perfmod.project.calls.definitions import source_of
        from perfmod.source.python.names import Names
        from perfmod.source.queries.python import string_value

        found = source_of(self._project, path, f"{origin.module}.{origin.name}")
        if found is None:
            return None
        bindings = Names(found[0]).bindings(found[1]).get(found[0].root.id, [])
        value = bindings[0].value if len(bindings) == 1 else None
        return string_value(found[0], value) if value is not None else None

    def _python_client(self, path: str, client: Client) -> Client:
        """A client that another Python module makes."""
        from perfmod.project.calls.definitions import source_of
        from perfmod.source.python.names import Names
        from perfmod.source.queries.python_clients import client_of_binding

        for _ in range(DEPTH):
            if client.origin is None or client.evidence in ("made", "typed"):
                break
            found = source_of(self._project, path, f"{client.origin.module}.{client.origin.name}")
            if found is None:
                own = client.evidence != "unknown" or not self._is_foreign_python(client.origin.module)
                return client if own else Client("foreign")
            names = Names(found[0])
            bindings = names.bindings(found[1]).get(found[0].root.id, [])
            further = [client_of_binding(names, binding, 0) for binding in bindings]
            best = next((c for c in further if c.evidence != "unknown"), further[0] if further else Client("unknown"))
            evidence = best.evidence if best.evidence != "unknown" else client.evidence
            path, client = found[0].path, Client(evidence, origin=best.origin, schema=best.schema or client.schema)
        return client

    def _is_foreign_python(self, module: str) -> bool:
        """Whether a name comes from a package that is no part of the checkout, and no PostgREST client."""
        from perfmod.source.queries.python_clients import PACKAGES

        top = module.partition(".")[0]
        own = re.compile(rf"(?:\A|/){re.escape(top)}(?:/|\.pyi?\Z)")
        return bool(top) and not PACKAGES.match(module) and not any(own.search(path) for path in self._project.files)

    def schema_of(self, query: Query) -> str:
        """The schema that a query is about; "?" where it is computed, or the client may be made for another one."""
        if query.schema or not self._holdings.other_schemas:
            return query.schema or query.client.schema.strip("?") or "public"
        client, _ = self.client_of(query)
        return client.schema or ("public" if client.evidence == "made" else "?")

    def client_of(self, query: Query) -> tuple[Client, str | None]:
        """What is known of a query's client, and the file that describes its database."""
        client, path = query.client, query.path
        if language_of(path) == "python":
            return self._python_client(path, client), None
        for _ in range(DEPTH):
            if client.database or client.origin is None:
                break
            found = self._follow(path, client.origin)
            if found is None:
                if client.evidence == "unknown" and self._is_foreign(path, client.origin.module):
                    client = Client("foreign")
                break
            path, further = found
            evidence = further.evidence if further.evidence in ("made", "typed") else client.evidence
            client = Client(evidence, further.database, further.origin, further.schema or client.schema)
        return client, self._file_of_type(path, client.database)

    def _follow(self, path: str, origin: Origin) -> tuple[str, Client] | None:
        from perfmod.source.queries.script_clients import client_of_binding

        target = self._modules.file(origin.module, path)
        found = self._modules.exported(target, origin.name) if target is not None else None
        if found is None:
            return None
        return found.source.path, client_of_binding(found.source, found.bound, 0)

    def _is_foreign(self, path: str, module: str) -> bool:
        """Whether a name comes from a package that is no PostgREST client."""
        from perfmod.source.queries.script_clients import PACKAGES

        bare = module.partition("/")[0] if not module.startswith("@") else "/".join(module.split("/")[:2])
        if any(manifest.name == bare for manifest in self._project.packages.all):
            return False
        declared = self._project.packages.declaring(path, bare) is not None
        unknown = not module.startswith((".", "@/", "~", "#", "/")) and self._modules.file(module, path) is None
        return (declared or unknown) and not PACKAGES.search(module)

    def _file_of_type(self, path: str, name: str) -> str | None:
        """The file that declares the type of a client's database."""
        found = self._modules.declaration(path, name) if name.isidentifier() else None
        return found.source.path if found is not None else None
