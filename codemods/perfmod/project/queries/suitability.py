"""Which stars are PostgREST's, and which of those are meant to stay."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from perfmod.patterns import pattern
from perfmod.source.queries.facts import Query, Select

if TYPE_CHECKING:
    from perfmod.project import Project

DELIBERATE = pattern(
    r"\b(?:avoid\w*|intentional\w*|deliberate\w*|on purpose|(?:all|every)(?: the)? columns?|do not|don'?t|must)\b", re.I
)
EXPORT = pattern(r"(?:\A|[/._-])(?:gdpr|export|backup|dump)(?:[/._-]|\Z)")
OTHER_BUILDERS = ("knex", "kysely", "objection", "drizzle-orm", "squel", "arquero")
PACKAGES = ("@supabase/supabase-js", "@supabase/ssr", "@supabase/postgrest-js", "@insforge/sdk")
REQUIREMENTS = pattern(r"(?:\A|/)(?:requirements[\w.-]*\.(?:txt|in)|pyproject\.toml|setup\.(?:py|cfg)|Pipfile)\Z")
PYTHON_PACKAGES = pattern(rb"\b(?:supabase|postgrest|insforge)\b")


class Suitability:
    """What a checkout says about queries, whatever its schema says."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def may_be_postgrest(self, query: Query) -> bool:
        """Whether a chain on an unknown object could still be PostgREST's, so that it has to be reported."""
        if query.call != "from" or (query.table is None and query.origin is None):
            return False
        if query.path.endswith(".py"):
            return self._installs_client
        packages = self._project.packages
        if any(packages.declaring(query.path, package) is not None for package in OTHER_BUILDERS):
            return False
        return any(packages.declaring(query.path, package) is not None for package in PACKAGES)

    @cached_property
    def _installs_client(self) -> bool:
        """Whether the checkout's Python requires a PostgREST client."""
        lists = (path for path in self._project.files if REQUIREMENTS.search(path))
        return any(PYTHON_PACKAGES.search(self._project.raw(path) or b"") for path in lists)


def unsuitable(query: Query, select: Select, schema: str, *, known: bool) -> str | None:
    """Why no list is wanted or can be had here. `known`: the client is one of PostgREST."""
    if query.call == "rpc":
        return "a function call: no schema source says what it gives back"
    if not known:
        return "it is not sure that this is a PostgREST client"
    if schema == "?":
        return "the schema's name is computed" if query.schema else "it is not sure for which schema the client is made"
    if select.problem is not None:
        return select.problem
    found = DELIBERATE.search(query.comment)
    if found is not None:
        return f"a comment says that the star is meant: {query.comment.strip('/*# {}')[:80].strip()}"
    return "the file is a data export" if EXPORT.search(query.path.rpartition(".")[0].lower()) else None
