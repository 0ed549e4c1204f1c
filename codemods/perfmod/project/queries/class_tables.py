"""Table names that a class keeps for its methods: `this.table` and `self.table`, where nothing can change them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from tree_sitter import Node

from perfmod.discovery import language_of
from perfmod.patterns import pattern
from perfmod.project.web.modules import ScriptModules
from perfmod.source.queries import python as postgrest_python
from perfmod.source.script.names import plain, string_value, top_level
from perfmod.source.tree import Source

if TYPE_CHECKING:
    from perfmod.project import Project

EXTENDS = pattern(rb"\bextends\s+([\w.]+)|\bclass\s+\w+\s*\(([^)]{0,2000})\)")
WORD = pattern(rb"\w+")
FIELDS = frozenset({"public_field_definition", "field_definition"})


class ClassTables:
    """Looks up what a member of a class holds. A class that others extend holds nothing that is sure."""

    def __init__(self, project: Project, modules: ScriptModules) -> None:
        self._project = project
        self._modules = modules

    def of(self, path: str, name: str, member: str) -> str | None:
        """The string that `this.member` or `self.member` is in the methods of a class."""
        if name in self._extended:
            return None
        if language_of(path) == "python":
            text = self._project.text(path)
            return python_member(Source(text, "python"), name, member) if text is not None else None
        source = self._modules.source(path)
        bound = top_level(source, name) if source is not None else None
        if source is None or bound is None or bound.kind != "class":
            return None
        own = list(assigned(source, bound.owner, member))
        if own:
            return string_value(source, own[0]) if len(own) == 1 else None
        return self._from_base(source, bound.owner, member)

    @cached_property
    def _extended(self) -> frozenset[str]:
        """The names of classes that others extend."""
        names: set[bytes] = set()
        for path in self._project.files:
            if language_of(path) in ("typescript", "tsx", "javascript", "python"):
                for match in EXTENDS.finditer(self._project.raw(path) or b""):
                    names.update(WORD.findall(match[1] or match[2]))
        return frozenset(name.decode("utf-8", "replace") for name in names)

    def _from_base(self, source: Source, owner: Node, member: str) -> str | None:
        """What a constructor hands to the one above, which keeps it under this name."""
        given = super_arguments(source, owner)
        base = next(bases(owner), None)
        if given is None or base is None:
            return None
        found = self._modules.declaration(source.path, source.code(base))
        if found is None or found.bound.kind != "class":
            return None
        kept = list(assigned(found.source, found.owner, member))
        constructor = method(found.source, found.owner, "constructor")
        if len(kept) > 1 or constructor is None:
            return None
        for index, parameter in enumerate(parameters(constructor)):
            pattern = parameter.child_by_field_name("pattern") or parameter
            names = found.source.code(pattern)
            declared = any(child.type == "accessibility_modifier" for child in parameter.children)
            if (kept and found.source.code(kept[0]) == names) or (not kept and declared and names == member):
                return string_value(source, given[index]) if index < len(given) else None
        return None


def assigned(source: Source, owner: Node, member: str) -> Iterator[Node]:
    """The values that a class gives to a member: fields and `this.member = value`."""
    body = owner.child_by_field_name("body")
    for child in body.named_children if body is not None else ():
        name = child.child_by_field_name("name") or child.child_by_field_name("property")
        value = child.child_by_field_name("value")
        if child.type in FIELDS and name is not None and source.code(name) == member and value is not None:
            yield value
    for node in source.find(re.compile(rb"\bthis\.(%s)\s*[-+*|&?]*=(?!=)" % re.escape(member).encode())):
        target = node.parent
        assignment = target.parent if target is not None else None
        if assignment is not None and owner.start_byte <= node.start_byte < owner.end_byte:
            yield assignment.child_by_field_name("right") or assignment


def method(source: Source, owner: Node, name: str) -> Node | None:
    body = owner.child_by_field_name("body")
    for child in body.named_children if body is not None else ():
        own = child.child_by_field_name("name")
        if child.type == "method_definition" and own is not None and source.code(own) == name:
            return child
    return None


def parameters(function: Node) -> list[Node]:
    given = function.child_by_field_name("parameters")
    return [child for child in given.named_children if child.type != "comment"] if given is not None else []


def bases(owner: Node) -> Iterator[Node]:
    """The class that a class extends, where it is a plain name."""
    for child in owner.named_children:
        if child.type == "class_heritage":
            for part in child.named_children:
                value = part.child_by_field_name("value") if part.type == "extends_clause" else part
                if value is not None and value.type == "identifier":
                    yield value


def super_arguments(source: Source, owner: Node) -> list[Node] | None:
    """What the constructor of a class gives to `super(...)`."""
    constructor = method(source, owner, "constructor")
    if constructor is None:
        return None
    for node in source.find(re.compile(rb"\b(super)\s*\(")):
        call = node.parent
        if call is not None and call.type == "call_expression" and inside(node, constructor):
            given = call.child_by_field_name("arguments")
            return [plain(child) for child in given.named_children if child.type != "comment"] if given else None
    return None


def inside(node: Node, outer: Node) -> bool:
    return outer.start_byte <= node.start_byte < outer.end_byte


def python_member(source: Source, name: str, member: str) -> str | None:
    """The string of `self.member` or of the class variable, where it is set once in the whole file."""
    word = re.escape(member).encode()
    setting = re.compile(rb"(?:\bself\.|\bcls\.|^[ \t]+)(%s)\s*(?::[^=\n]{0,300})?[-+*|&]?=(?!=)" % word, re.M)
    found = list(source.find(setting))
    if source.error is not None or len(found) != 1:
        return None
    node: Node | None = found[0]
    while node is not None and node.type != "assignment":
        node = node.parent
    value = node.child_by_field_name("right") if node is not None else None
    owner = node
    while owner is not None and owner.type != "class_definition":
        owner = owner.parent
    own = owner.child_by_field_name("name") if owner is not None else None
    if value is None or own is None or source.code(own) != name:
        return None
    return postgrest_python.string_value(source, value)
