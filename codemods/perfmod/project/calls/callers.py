"""Who calls a function, as far as it can honestly be told.

What is followed: imports at module and function level, absolute, relative, renamed and passed on by another module;
methods through self, cls, super() and base classes; constructors; values whose class an assignment from a constructor
or an annotation says; properties; lambdas and functions inside functions.
What is not: values out of containers, getattr, callbacks, dependency injection by name, star imports of several
modules, code outside of the checkout. A call that can't be told is no call: "not reached" is said of the calls that
could be resolved. A method that overrides another is taken to be called wherever the other one is.

Callers are looked for by name: only files that mention the name are parsed, when somebody asks.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from itertools import count, islice
from typing import TYPE_CHECKING, Literal

from tree_sitter import Node

from perfmod.project.calls.members import Definition, joined, member_of
from perfmod.project.calls.uses import Uses
from perfmod.source.python.functions import Function, describe, dotted_name
from perfmod.source.python.names import Imported, Names
from perfmod.source.python.types import (
    Target,
    annotated,
    base_targets,
    type_of_binding,
    type_of_member,
)
from perfmod.source.reads.call_sites import CallSite, references, site_at
from perfmod.source.tree import Source

if TYPE_CHECKING:
    from perfmod.project import Project

KEPT = 3_000_000  # bytes of parsed files at a time: a tree takes 45 times as much
MAXIMUM_DEPTH = 8  # of imports passed on, and of base classes


class Calls:
    """The call graph, as far as somebody asks."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.mentions = project.mentions
        self._parsed: OrderedDict[str, Names | None] = OrderedDict()
        self._places: dict[tuple[str, str], tuple[tuple[int, int, Target], ...]] = {}
        self._sites: dict[tuple[str, int, int], CallSite] = {}
        self._size = 0
        self._located: dict[Target, Definition | None] = {}
        self._defined: dict[tuple[str, tuple[str, ...]], Definition | None] = {}
        self._callers: dict[tuple[str, str, bool], tuple[list[CallSite], Iterator[CallSite]]] = {}

    def names(self, path: str) -> Names | None:
        """The names of a file; None where it can't be parsed."""
        if path in self._parsed:
            self._parsed.move_to_end(path)
            return self._parsed[path]
        text = self.project.text(path)
        source = None if text is None else Source(text, "python")
        names = None if source is None or source.error is not None else Names(source)
        self._parsed[path] = names
        self._size += len(text.utf8) if text is not None else 0
        while self._size > KEPT and len(self._parsed) > 1:
            dropped = self._parsed.popitem(last=False)[1]
            self._size -= len(dropped.source.utf8) if dropped is not None else 0
        return names

    def node_of(self, definition: Definition) -> Node | None:
        """The syntax tree of a function or class."""
        names = self.names(definition.path)
        found = member_of(names, names.source.root, definition.name) if names is not None else None
        return found

    def function(self, definition: Definition) -> Function | None:
        names, node = self.names(definition.path), self.node_of(definition)
        return describe(names, node) if names is not None and node is not None else None

    def locate(self, target: Target, depth: int = 0) -> Definition | None:
        """The function or class that a target means."""
        if target not in self._located:
            self._located[target] = None  # while it is looked for: circles end here
            self._located[target] = self._locate(target, depth)
        return self._located[target]

    def _locate(self, target: Target, depth: int) -> Definition | None:
        if depth > MAXIMUM_DEPTH:
            return None
        if not target.imported:
            return self._within(target.path, target.name.split("."), depth)
        place = self.module_of(target.path, target.name)
        return None if place is None else self._within(place[0], place[1], depth)

    def module_of(self, path: str, dotted: str) -> tuple[str, list[str]] | None:
        """The file of the longest module name that a dotted name begins with, and what is left of the name."""
        parts = dotted.split(".")
        dots = next((i for i, part in enumerate(parts) if part), len(parts))
        for end in range(len(parts) - 1, max(dots - 1, 0), -1):
            module = "." * dots if dots and end == dots else ".".join(parts[:end])
            found = self.project.layout.module_path(path, module) if module else None
            if found is not None:
                return found, parts[end:]
        return None

    def _within(self, path: str, parts: list[str], depth: int) -> Definition | None:
        """What a dotted name means in a module, whoever asks."""
        key = (path, tuple(parts))
        if key not in self._defined:
            self._defined[key] = None
            self._defined[key] = self._find_within(path, parts, depth)
        return self._defined[key]

    def _find_within(self, path: str, parts: list[str], depth: int) -> Definition | None:
        names = self.names(path)
        if names is None:
            return None
        scope, found = names.source.root, None
        for place, part in enumerate(parts):
            rest = parts[place + 1 :]
            bindings = names.bindings(part).get(scope.id, [])
            if not bindings and scope.type == "module" and len(names.stars) == 1:
                return self.locate(Target(path, ".".join([names.stars[0], part, *rest]), imported=True), depth + 1)
            owners = [b for b in bindings if b.kind in ("function", "class") and b.owner is not None]
            if bindings and not owners:
                return self._value(names, scope, part, rest, depth)
            if not owners:
                if scope.type != "class_definition":
                    return None
                return self._inherited(names, scope, parts[place:], depth) or self._attribute(
                    names, scope, parts[place:], depth
                )
            owner = owners[-1].owner
            assert owner is not None
            kind: Literal["function", "class"] = "class" if owners[-1].kind == "class" else "function"
            found = Definition(path, dotted_name(names, owner), kind)
            if rest and kind == "function":
                returns = owner.child_by_field_name("return_type")
                made = annotated(names, returns) if returns is not None else None
                if made is not None:
                    return self.locate(joined(made, rest), depth + 1)
                inner = member_of(names, owner, ".".join(rest))
                return None if inner is None else Definition(path, dotted_name(names, inner), "function")
            scope = owner
        return found

    def _value(self, names: Names, scope: Node, name: str, rest: list[str], depth: int) -> Definition | None:
        """An import that is passed on, or a variable whose class is known."""
        binding = names.bindings(name)[scope.id][0]
        if binding.kind == "import":
            meaning = names.meaning(binding.node)
            origin = meaning.qualified if isinstance(meaning, Imported) else binding.qualified
            return self.locate(Target(names.source.path, ".".join([origin, *rest]), imported=True), depth + 1)
        if scope.type == "class_definition":
            return self._attribute(names, scope, [name, *rest], depth)
        if binding.value is None:
            return None
        made = type_of_binding(names, binding, 1)
        if made is None or not made.path:
            return None
        found = self.locate(joined(made, rest), depth + 1)
        if found is None or rest:
            return found
        return Definition(found.path, found.name, found.kind, instance=True) if binding.value.type == "call" else found

    def _inherited(self, names: Names, owner: Node, parts: list[str], depth: int) -> Definition | None:
        for base in base_targets(names, owner):
            found = self.locate(joined(base, parts), depth + 1)
            if found is not None:
                return found
        return None

    def _attribute(self, names: Names, owner: Node, parts: list[str], depth: int) -> Definition | None:
        """A member of what self.<name> holds."""
        made = type_of_member(names, owner, parts[0])
        if made is None or len(parts) == 1:
            return None
        return self.locate(joined(made, parts[1:]), depth + 1)

    def sites(self, path: str, word: str, name: tuple[str, str]) -> Iterator[CallSite]:
        """The uses of a name in a file that mean the function or class `name` (its file, and its name there)."""
        key = (path, word)
        if key not in self._places:
            names = self.names(path)
            self._places[key] = references(names, word) if names is not None else ()
        for start, end, target in self._places[key]:
            found = self.locate(target)
            if found is None or (found.path, found.name) != name or found.instance:
                continue
            site = self._sites.get((path, start, end)) or self._site(path, start, end, target)
            if site is not None:
                self._sites[path, start, end] = site
                yield site

    def _site(self, path: str, start: int, end: int, target: Target) -> CallSite | None:
        names = self.names(path)
        node = names.source.root.descendant_for_byte_range(start, end) if names is not None else None
        return site_at(names, node, target) if names is not None and node is not None else None

    def callers(self, function: Function, *, tests: bool = False) -> Iterator[CallSite]:
        """Every use of a function that could be resolved. They are looked for one by one, each once."""
        key = (function.path, function.name, tests)
        if key not in self._callers:
            self._callers[key] = ([], Uses(self, tests).of(function))
        known, rest = self._callers[key]
        for place in count():  # others may go on with `rest` meanwhile
            if place == len(known):
                known.extend(islice(rest, 1))
            if place == len(known):
                return
            yield known[place]
