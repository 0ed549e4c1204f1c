"""What a Python name means. Answers come from the bindings of that one name, so a file is never walked as a whole.

Scoping follows the language reference, section 4.2 "Naming and binding": a name is local to the innermost function,
lambda, comprehension, class or module that binds it; class bodies are invisible to the functions in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from tree_sitter import Node

from perfmod.source.python.bindings import Binding, BindingKind, binding_at
from perfmod.source.python.scopes import (
    COMPREHENSIONS,
    FUNCTIONS,
    SCOPES,
    enclosing,
    enclosing_class,
    enclosing_function,
    is_async,
    is_member_name,
    parameter_owner,
    statement_of,
    visible_scope,
    visible_scopes,
)
from perfmod.source.tree import Source, ancestors
from perfmod.source.words import starts_of_word
from perfmod.values import dataclass

__all__ = [
    "COMPREHENSIONS",
    "FUNCTIONS",
    "SCOPES",
    "Binding",
    "BindingKind",
    "Bound",
    "Imported",
    "Meaning",
    "Names",
    "Unknown",
    "enclosing",
    "enclosing_class",
    "enclosing_function",
    "is_async",
    "is_member_name",
    "only_for_type_checking",
    "parameter_owner",
    "statement_of",
    "visible_scope",
    "visible_scopes",
]


@dataclass(frozen=True, slots=True)
class Imported:
    """The name stands for this dotted origin."""

    qualified: str
    binding: Binding


@dataclass(frozen=True, slots=True)
class Bound:
    """The name is bound in the file, by these places of one scope."""

    bindings: tuple[Binding, ...]

    @property
    def only(self) -> Binding | None:
        return self.bindings[0] if len(self.bindings) == 1 else None


@dataclass(frozen=True, slots=True)
class Unknown:
    """It can't be told what the name stands for."""

    reason: str
    possible: tuple[str, ...] = ()  #: dotted origins that it may have


Meaning: TypeAlias = Imported | Bound | Unknown


class Names:
    """The names of one Python file."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._bindings: dict[str, dict[int, list[Binding]]] = {}
        self._stars: tuple[str, ...] | None = None

    def occurrences(self, name: str, within: Node | None = None) -> Iterator[Node]:
        """Every identifier of the file, or of a part, with this spelling, except attribute and keyword names."""
        return self._identifiers(name, self.source.find_word(name.encode(), within))

    def _identifiers(self, name: str, nodes: Iterable[Node]) -> Iterator[Node]:
        for node in nodes:
            if node.type == "identifier" and self.source.code(node) == name and not is_member_name(node):
                yield node

    def bindings(self, name: str) -> dict[int, list[Binding]]:
        """Where the file binds a name, by the id of the scope's node."""
        known = self._bindings.get(name)
        if known is None:
            known = {}
            word, utf8 = name.encode(), self.source.utf8
            for node in self._identifiers(name, self.source.nodes_at(starts_of_bindings(utf8, word), word, len(utf8))):
                binding = binding_at(node)
                if binding is not None:
                    known.setdefault(binding.scope.id, []).append(binding)
            self._bindings[name] = known
        return known

    @property
    def stars(self) -> tuple[str, ...]:
        """The modules that are star-imported."""
        if self._stars is None:
            found = []
            for node in self.source.find(re.compile(rb"\bimport\s*+(?:\(\s*+)?(\*)")):
                statement = node if node.type == "import_from_statement" else node.parent
                while statement is not None and statement.type != "import_from_statement":
                    statement = statement.parent
                if statement is not None and (module := statement.child_by_field_name("module_name")) is not None:
                    found.append(self.source.code(module))
            self._stars = tuple(found)
        return self._stars

    def meaning(self, node: Node, depth: int = 0) -> Meaning:
        """What an identifier or a dotted expression stands for, at its place."""
        if node.type == "attribute":
            value, member = node.child_by_field_name("object"), node.child_by_field_name("attribute")
            if value is None or member is None:
                return Unknown("not a name")
            base = self.meaning(value, depth)
            name = self.source.code(member)
            if isinstance(base, Imported):
                return Imported(f"{base.qualified}.{name}", base.binding)
            if isinstance(base, Unknown):
                return Unknown(base.reason, tuple(f"{origin}.{name}" for origin in base.possible))
            return Unknown("a member of a local value")
        if node.type != "identifier":
            return Unknown("not a name")
        return self._resolve(self.source.code(node), node, depth)

    def _resolve(self, name: str, node: Node, depth: int) -> Meaning:
        bindings = self.bindings(name)
        for scope in visible_scopes(node):
            here = bindings.get(scope.id, [])
            if scope.type == "module":  # `global name` elsewhere may bind the module's name
                here = [*here, *self._global_rebindings(bindings, scope)]
            if not here:
                continue
            if any(b.kind == "nonlocal" for b in here):
                continue
            if any(b.kind == "global" for b in here):
                module = self.source.root
                return self._from(name, [*bindings.get(module.id, ()), *(b for b in here if b.kind != "global")], depth)
            return self._from(name, here, depth)
        if self.stars:
            return Unknown(f"star import: from {self.stars[0]} import *", tuple(f"{m}.{name}" for m in self.stars))
        return Unknown("not bound in this file")

    def _global_rebindings(self, bindings: dict[int, list[Binding]], module: Node) -> list[Binding]:
        return [
            binding
            for scope_id, found in bindings.items()
            if scope_id != module.id and any(b.kind == "global" for b in found)
            for binding in found
            if binding.kind != "global"
        ]

    def _from(self, name: str, bindings: list[Binding], depth: int) -> Meaning:
        imports = [b for b in bindings if b.kind == "import"]
        if imports and len(imports) == len(bindings):
            running = [b for b in imports if not only_for_type_checking(b.node, self)]
            origins = {b.qualified for b in running}
            if not running:
                return Unknown("imported only for type checking")
            if len(origins) == 1:
                return Imported(running[0].qualified, running[0])
            return Unknown("imported from two places", tuple(sorted(origins)))
        if imports:
            return Unknown("imported, and bound again", tuple(sorted({b.qualified for b in imports})))
        only = bindings[0] if len(bindings) == 1 else None
        if only is not None and only.value is not None and only.value.type in ("identifier", "attribute") and depth < 4:
            alias = self.meaning(only.value, depth + 1)
            if isinstance(alias, Imported):
                return Imported(alias.qualified, only)
        return Bound(tuple(bindings))


def starts_of_bindings(utf8: bytes, word: bytes) -> Iterator[int]:
    """Where a name may be bound, as far as the bytes tell: `.name` is a member, and a call unless it is a header."""
    for start in starts_of_word(utf8, word):
        if utf8[start - 1 : start] == b".":
            continue
        if utf8[start + len(word) : start + len(word) + 1] == b"(":
            before = utf8[max(0, start - 80) : start].rstrip(b" \t\f\\\r\n")
            if not before.endswith((b"def", b"class")):
                continue
        yield start


def only_for_type_checking(node: Node, names: Names) -> bool:
    """Whether a statement stands in an `if TYPE_CHECKING:` block (not in its else)."""
    child = node
    for parent in ancestors(node):
        if parent.type == "if_statement" and parent.child_by_field_name("consequence") == child:
            condition = parent.child_by_field_name("condition")
            if condition is not None and names.source.code(condition) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
                return True
        child = parent
    return False
