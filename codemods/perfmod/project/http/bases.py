"""Whether a base class repeats a method that sends a request: template methods call what overrides their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tree_sitter import Node

from perfmod.project.calls.definitions import source_of
from perfmod.project.http.callers import Caller
from perfmod.source.http.facts import RequestSite
from perfmod.source.http.requests import call_of
from perfmod.source.http.retry_loops import retried_by
from perfmod.source.python.instances import base_nodes, self_member
from perfmod.source.python.names import Imported, Names
from perfmod.source.tree import Source

if TYPE_CHECKING:
    from perfmod.project import Project

MOST_BASES = 20


def callers_in_bases(project: Project, site: RequestSite) -> list[Caller]:
    """The calls of a method in the classes that its class derives from: they call what overrides their own."""
    found = []
    for names, owner in bases_of(project, site) if site.function else ():
        for node in names.source.find_word(site.function.encode()):
            call = call_of(node)
            function = call.child_by_field_name("function") if call is not None else None
            if call is not None and function is not None and self_member(names, function)[0] == owner:
                line = names.source.text.position(call.start_byte)[0]
                found.append(Caller(names.source.path, line, retried_by(names, call) is not None))
    return found


def bases_of(project: Project, site: RequestSite) -> Iterator[tuple[Names, Node]]:
    """The classes of the checkout that the class around a request derives from, nearest first."""
    waiting = [(site.path, base) for base in site.owner.bases] if site.owner is not None else []
    seen: set[tuple[str, str]] = set()
    for path, origin in waiting:
        if (path, origin) in seen or len(seen) > MOST_BASES:
            continue
        seen.add((path, origin))
        found = definition(project, path, origin)
        if found is None:
            continue
        source, name = found
        names = Names(source)
        for binding in names.bindings(name).get(source.root.id, ()):
            if binding.kind == "import":
                waiting.append((source.path, binding.qualified))
            elif binding.kind == "class" and binding.owner is not None:
                yield names, binding.owner
                for base in base_nodes(binding.owner):
                    meaning = names.meaning(base)
                    origin = meaning.qualified if isinstance(meaning, Imported) else source.code(base)
                    waiting.append((source.path, origin))


def definition(project: Project, path: str, origin: str) -> tuple[Source, str] | None:
    """The file that defines a base class, also one of another distributable of the checkout, and its name there."""
    module, _, name = origin.rpartition(".")
    found = source_of(project, path, origin) if module else None
    if found is not None:
        return found
    place = module.lstrip(".").replace(".", "/")
    ends = (f"/{place}.py", f"/{place}/__init__.py")
    files = [path] if not module else [file for file in project.paths if f"/{file}".endswith(ends)]
    text = project.text(files[0]) if len(files) == 1 else None
    source = Source(text, "python") if text is not None else None
    return (source, name) if source is not None and source.error is None else None
