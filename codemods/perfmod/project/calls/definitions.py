"""Definitions in other files of the checkout: looked up by name when a finding depends on one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.source.text import Text
    from perfmod.source.tree import Source


def text_of(project: Project, path: str, origin: str) -> tuple[Text, str] | None:
    """The module of the checkout that defines a dotted origin, as a file at `path` would import it, and the last name.

    None where it is no module of the checkout.
    """
    module, _, name = origin.rpartition(".")
    found = project.layout.module_path(path, module) if module else None
    text = project.text(found) if found is not None else None
    return None if text is None else (text, name)


def source_of(project: Project, path: str, origin: str) -> tuple[Source, str] | None:
    """The same, parsed. None also where it does not parse."""
    found = text_of(project, path, origin)
    source = project.source(found[0].path) if found is not None else None
    return (source, found[1]) if found is not None and source is not None else None


def is_async_function(project: Project, path: str, origin: str) -> bool:
    """Whether an imported name is a plain `async def` at the top level of a module of the checkout."""
    from perfmod.source.python.names import Names
    from perfmod.source.tasks.coroutines import is_async_function as is_async_definition

    found = source_of(project, path, origin)
    if found is None:
        return False
    source, name = found
    bindings = Names(source).bindings(name).get(source.root.id, [])
    return len(bindings) == 1 and bindings[0].owner is not None and is_async_definition(bindings[0].owner)


def has_no_base(project: Project, path: str, origin: str) -> bool:
    """Whether an imported name is plainly `class name:`, which can be seen without parsing."""
    found = text_of(project, path, origin)
    if found is None:
        return False
    text, name = found
    word = re.escape(name).encode()
    bound = re.findall(
        rb"^(?:(class %s:)|.{0,4000}\b(?:class|import|as)\b.{0,4000}\b%s\b|[ \t]*%s[ \t]*[,)\n\r])" % ((word,) * 3),
        text.utf8,
        re.M,
    )
    return bound == [b"class %s:" % name.encode()]


def inherits_logging_handler(project: Project, path: str, bases: tuple[str, ...]) -> bool:
    """Whether one of a class's bases, followed across files, is a logging handler or filter."""
    from perfmod.source.python.names import Imported, Names
    from perfmod.source.tasks.places import class_bases, is_logging_base

    waiting = [(path, base) for base in bases]
    seen: set[tuple[str, str]] = set()
    while waiting:
        place = waiting.pop()
        if place in seen or len(seen) > 50:
            continue
        seen.add(place)
        if is_logging_base(place[1]):
            return True
        if has_no_base(project, *place):
            continue
        found = source_of(project, *place)
        if found is None or not re.search(rb"\blogging\b|^from |^import ", found[0].utf8, re.M):
            continue
        source, name = found
        names = Names(source)
        for binding in names.bindings(name).get(source.root.id, ()):
            if binding.kind == "class" and binding.owner is not None:
                body = binding.owner.child_by_field_name("body")
                if body is not None and body.named_children:
                    waiting += [(source.path, base) for base in class_bases(names, body.named_children[0])]
            elif binding.kind == "import" and isinstance(meaning := names.meaning(binding.node), Imported):
                waiting.append((source.path, meaning.qualified))
    return False
