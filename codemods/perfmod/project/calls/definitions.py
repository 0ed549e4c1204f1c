"""Definitions in other files of the checkout: looked up by name when a finding depends on one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from perfmod.patterns import pattern
from perfmod.source.words import line_of, starts_of_word

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.source.text import Text
    from perfmod.source.tree import Source

BEFORE_A_NAME = pattern(rb"\b(?:class|def|as)[ \t]+\Z|\bimport\b")
AFTER_A_NAME = (b",", b")", b"=", b":", b"\n", b"\r", b"")


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


def plain_bases(project: Project, path: str, origin: str) -> list[tuple[str, str]] | None:
    """The bases of an imported class, as (importing file, dotted origin), where header and imports are plain enough to
    be seen without parsing; None where they are not."""
    found = text_of(project, path, origin)
    if found is None:
        return None
    data, name = found[0].utf8, found[1].encode()
    header = only_binding(data, name)
    plain = re.compile(rb"class %s(?:\(([\w., \t]*)\))?:" % re.escape(name)).match(data, header)
    if header < 0 or plain is None or b"import *" in data:
        return None
    bases = [base.strip() for base in (plain[1] or b"").split(b",") if base.strip()]
    modules = [imported_from(data, base) for base in bases]
    origins = [f"{module.decode()}.{base.decode()}" for module, base in zip(modules, bases, strict=True) if module]
    return [(found[0].path, base) for base in origins] if len(origins) == len(bases) else None


def imported_from(data: bytes, name: bytes) -> bytes | None:
    """The module from which one plain statement imports a name, at the left margin; None where it is not so simple."""
    binding = only_binding(data, name)
    start = data.rfind(b"\nfrom ", 0, max(0, binding) + 6) + 1
    names = rb"\(?\s{0,100}(?:\w+\s*,\s*)*%s[ \t]*[,)\r\n]" % re.escape(name)
    statement = re.compile(rb"from[ \t]+([\w.]+)[ \t]+import[ \t]+" + names).match(data, start)
    return statement[1] if binding >= 0 and statement is not None and statement.end() > binding else None


def only_binding(data: bytes, name: bytes) -> int:
    """Where the line begins that may give a name its meaning; -1 where there is none, or more than one."""
    lines = {line_of(data, start) for start in starts_of_word(data, name) if may_bind(data, start, start + len(name))}
    return lines.pop() if len(lines) == 1 else -1


def may_bind(data: bytes, start: int, end: int) -> bool:
    """Whether a name stands where it is defined, imported, assigned, or in the brackets of an import."""
    before = data[line_of(data, start) : start]
    if BEFORE_A_NAME.search(before):
        return True
    return not before.strip() and data[end : end + 100].lstrip(b" \t")[:1] in AFTER_A_NAME


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
        plain = plain_bases(project, *place)
        if plain is not None:
            waiting += plain
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
