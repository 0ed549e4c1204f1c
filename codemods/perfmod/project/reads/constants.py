"""Paths as the whole checkout says them: imported constants and helpers are looked up, and a path becomes a text."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from perfmod.source.python.parameters import parameter_names
from perfmod.source.python.types import Target
from perfmod.source.reads.paths import Paths, is_settled
from perfmod.source.reads.values import UNKNOWN, Value, settled
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.project.calls.callers import Calls

ANYTHING = "\0"  # stands in a text for what is not known
MAXIMUM_CHOICES = 12
MAXIMUM_DEPTH = 8


@dataclass(frozen=True, slots=True)
class File:
    """One path that a read may open."""

    text: str  #: relative to the root where `__file__` says where it is
    outside: frozenset[str] = frozenset()  #: what else decides: "environment", "home", "temporary"

    @property
    def is_constant(self) -> bool:
        return ANYTHING not in self.text

    @property
    def base(self) -> str:
        return self.text.rpartition("/")[2]


class Constants:
    """Fills in what other files say."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._known: dict[tuple[str, str], Value] = {}

    def filled(self, value: Value, depth: int = 0) -> Value:
        """A value without imported pieces."""
        if depth > MAXIMUM_DEPTH:
            return UNKNOWN

        def change(part: Value) -> Value | None:
            if part.kind == "named" and part.where:
                return settled(part.text, self.filled(part.parts[0], depth + 1))
            return self._imported(part, depth) if part.kind in ("imported", "call") else None

        return value.replaced(change)

    def _imported(self, part: Value, depth: int) -> Value:
        key = (part.where, part.text)
        if part.kind == "call":
            return self._returned(part, depth)
        if key not in self._known:
            self._known[key] = UNKNOWN
            self._known[key] = self.filled(self._constant(part), depth + 1)
        return self._known[key]

    def _constant(self, part: Value) -> Value:
        """The value of a constant of another module, or of a class there."""
        place = self._calls.module_of(part.where, part.text)
        if place is None:
            return UNKNOWN
        path, parts = place
        names = self._calls.names(path)
        if names is None or not parts:
            return UNKNOWN
        scope = names.source.root
        for part_name in parts[:-1]:
            owner = next((b.owner for b in names.bindings(part_name).get(scope.id, ()) if b.kind == "class"), None)
            if owner is None:
                return UNKNOWN
            scope = owner
        bindings = names.bindings(parts[-1]).get(scope.id, [])
        if not bindings and len(names.stars) == 1 and scope.type == "module":
            return Value("imported", f"{names.stars[0]}.{parts[-1]}", where=path)
        if not bindings or any(b.kind not in ("assignment", "import") for b in bindings):
            return UNKNOWN
        if bindings[0].kind == "import":
            return Value("imported", bindings[0].qualified, where=path)
        if any(b.kind == "global" for found in names.bindings(parts[-1]).values() for b in found):
            return UNKNOWN
        made = Paths(names).value(bindings[0].value) if len(bindings) == 1 else UNKNOWN
        if scope.type == "module" and len(bindings) == 1 and is_settled(bindings[0]):
            return settled(parts[-1], made)
        return Value("named", parts[-1], (made,))

    def _returned(self, part: Value, depth: int) -> Value:
        """What an imported function gives back for these arguments."""
        definition = self._calls.locate(Target(part.where, part.text, imported=True))
        names = self._calls.names(definition.path) if definition is not None and definition.kind == "function" else None
        if definition is None or names is None:
            return UNKNOWN
        node = self._calls.node_of(definition)
        made = Paths(names).returned(node) if node is not None else None
        if made is None or node is None:
            return UNKNOWN
        given = dict(zip(parameter_names(names, node), part.parts, strict=False))
        inserted = made.replaced(lambda p: given.get(p.text, UNKNOWN) if p.kind == "param" else None)
        return self.filled(inserted, depth + 1)

    def files(self, value: Value) -> tuple[File, ...]:
        """The paths that a filled value may stand for; where one is not known, its text holds ANYTHING."""
        return tuple(dict.fromkeys(spelled(value))) if not is_literal(value) else (File(ANYTHING),)


def is_literal(value: Value) -> bool:
    """Whether a value may be a number or None rather than a path."""
    if value.kind in ("named", "choice"):
        return any(is_literal(part) for part in value.parts)
    return value.kind == "literal"


def spelled(value: Value) -> list[File]:
    kind = value.kind
    if kind in ("text", "file", "literal"):
        return [File(value.text)]
    if kind == "outside":
        return [File(f"<{value.text}>", frozenset({value.text}))]
    if kind == "named":
        return spelled(value.parts[0])
    if kind == "choice":
        return [file for part in value.parts for file in spelled(part)][:MAXIMUM_CHOICES]
    if kind == "parent":
        return [File(above(file.text), file.outside) for file in spelled(value.parts[0])]
    if kind == "rename":
        return [File(renamed(a.text, value.text, b.text), a.outside | b.outside) for a, b in pairs(value)]
    if kind in ("join", "add"):
        made = [File("")]
        for place, part in enumerate(value.parts):
            combine = posixpath.join if kind == "join" and place else str.__add__
            made = [File(combine(a.text, b.text), a.outside | b.outside) for a in made for b in spelled(part)][
                :MAXIMUM_CHOICES
            ]
        return [File(posixpath.normpath(f.text), f.outside) if kind == "join" and f.text else f for f in made]
    return [File(ANYTHING)]


def pairs(value: Value) -> list[tuple[File, File]]:
    return [(a, b) for a in spelled(value.parts[0]) for b in spelled(value.parts[1])][:MAXIMUM_CHOICES]


def above(path: str) -> str:
    """The folder of a path. Where the last name is not known, it may be several."""
    return path if ANYTHING in path.rpartition("/")[2] else posixpath.normpath(posixpath.join(path, ".."))


def renamed(path: str, how: str, name: str) -> str:
    folder, _, base = path.rpartition("/")
    stem, dot, suffix = base.rpartition(".")
    if how == "with_suffix":
        name = (stem if dot else base) + name
    elif how == "with_stem":
        name = name + dot + suffix
    return posixpath.join(folder, name)
