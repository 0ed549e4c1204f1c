"""What a Python name means. Answers come from the bindings of that one name, so a file is never walked as a whole.

Scoping follows the language reference, section 4.2 "Naming and binding": a name is local to the innermost function,
lambda, comprehension, class or module that binds it; class bodies are invisible to the functions in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tree_sitter import Node

from perfmod.source.scopes import (
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

TARGET_PATTERNS = frozenset(
    {"pattern_list", "tuple_pattern", "list_pattern", "list_splat_pattern", "tuple", "list", "expression_list"}
)
BindingKind = Literal["import", "parameter", "assignment", "function", "class", "other", "global", "nonlocal"]


@dataclass(frozen=True, slots=True)
class Binding:
    """One place where a scope binds a name."""

    kind: BindingKind
    node: Node  #: the identifier
    scope: Node
    qualified: str = ""  #: of an import: the dotted origin, relative imports with their dots
    value: Node | None = None  #: of a plain assignment `name = value`: the value
    owner: Node | None = None  #: of a parameter, function or class: its definition


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

    def occurrences(self, name: str) -> Iterator[Node]:
        """Every identifier of the file with this spelling, except attribute and keyword names."""
        for node in self.source.find_word(name.encode()):
            if node.type == "identifier" and self.source.code(node) == name and not is_member_name(node):
                yield node

    def bindings(self, name: str) -> dict[int, list[Binding]]:
        """Where the file binds a name, by the id of the scope's node."""
        known = self._bindings.get(name)
        if known is None:
            known = {}
            for node in self.occurrences(name):
                binding = self._binding_at(node)
                if binding is not None:
                    known.setdefault(binding.scope.id, []).append(binding)
            self._bindings[name] = known
        return known

    @property
    def stars(self) -> tuple[str, ...]:
        """The modules that are star-imported."""
        if self._stars is None:
            found = []
            for node in self.source.find(re.compile(rb"\bimport\s*\(?\s*(\*)")):
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
            here = bindings.get(scope.id)
            if not here:
                continue
            if any(b.kind == "nonlocal" for b in here):
                continue
            if any(b.kind == "global" for b in here):
                module = self.source.root
                return self._from(name, [*bindings.get(module.id, ()), *(b for b in here if b.kind != "global")], depth)
            # `global name` elsewhere may rebind the module's name
            if scope.type == "module":
                here = [*here, *self._global_rebindings(bindings, scope)]
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

    def _binding_at(self, node: Node) -> Binding | None:
        """The binding that an identifier makes; None where it is a use."""
        parent = node.parent
        if parent is None:
            return None
        kind = parent.type
        if kind in ("dotted_name", "aliased_import"):
            return self._import_at(node, parent) or match_capture(node, parent)
        if kind in ("function_definition", "class_definition") and parent.child_by_field_name("name") == node:
            made: BindingKind = "function" if kind == "function_definition" else "class"
            return Binding(made, node, visible_scope(parent), owner=parent)
        if (function := parameter_owner(node)) is not None:
            return Binding("parameter", node, function, owner=function)
        if kind == "global_statement":
            return Binding("global", node, visible_scope(node))
        if kind == "nonlocal_statement":
            return Binding("nonlocal", node, visible_scope(node))
        if kind == "named_expression" and parent.child_by_field_name("name") == node:
            scope = visible_scope(node)
            while scope.type in COMPREHENSIONS:
                scope = visible_scope(scope)
            return Binding("assignment", node, scope, value=parent.child_by_field_name("value"))
        return self._target_at(node)

    def _import_at(self, node: Node, parent: Node) -> Binding | None:
        aliased = parent if parent.type == "aliased_import" else parent.parent
        if aliased is not None and aliased.type == "aliased_import":
            if aliased.child_by_field_name("alias") != node:
                return None
            statement, name = aliased.parent, aliased.child_by_field_name("name")
        else:
            statement, name = parent.parent, parent
        if statement is None or name is None:
            return None
        if statement.type == "import_statement":
            if aliased is None or aliased.type != "aliased_import":
                if name.children[0] != node:
                    return None
                return Binding("import", node, visible_scope(node), qualified=self.source.code(node))
            return Binding("import", node, visible_scope(node), qualified=self.source.code(name))
        if statement.type == "import_from_statement":
            module = statement.child_by_field_name("module_name")
            if module is None or module == name:
                return None
            origin = re.sub(r"\s", "", self.source.code(module))
            dot = "" if origin.endswith(".") else "."
            return Binding("import", node, visible_scope(node), qualified=f"{origin}{dot}{self.source.code(name)}")
        return None

    def _target_at(self, node: Node) -> Binding | None:
        """A target of =, :=, for, with, except, del, import-free `as`, or a match capture."""
        top, parent = node, node.parent
        while parent is not None and (
            parent.type in TARGET_PATTERNS or (parent.type in ("list_splat", "parenthesized_expression"))
        ):
            top, parent = parent, parent.parent
        if parent is None:
            return None
        kind = parent.type
        scope = visible_scope(node)
        if kind in ("assignment", "augmented_assignment") and parent.child_by_field_name("left") == top:
            value = parent.child_by_field_name("right") if top == node and kind == "assignment" else None
            return Binding("assignment" if value is not None else "other", node, scope, value=value, owner=parent)
        if kind in ("for_statement", "for_in_clause") and parent.child_by_field_name("left") == top:
            return Binding("other", node, scope if kind == "for_statement" else visible_scope(parent))
        if kind in ("as_pattern_target", "delete_statement", "splat_pattern"):
            return Binding("other", node, scope)
        if kind == "as_pattern" and parent.children[-1] == node:
            return Binding("other", node, scope)
        if kind in ("type", "splat_type", "generic_type"):
            return type_binding(node)
        return None


def type_binding(node: Node) -> Binding | None:
    """`A` of `type A = ...`, and the type parameters of functions, classes and such aliases (PEP 695)."""
    top = node
    for parent in ancestors(node):
        if parent.type == "type_alias_statement":
            is_name = parent.child_by_field_name("left") == top
            return Binding("other", node, visible_scope(parent)) if is_name else None
        if parent.type == "type_parameter":
            owner = parent.parent
            declared = owner is not None and owner.child_by_field_name("type_parameters") == parent
            return Binding("other", node, parent) if declared else None
        # the first part is the name: `T` of `T: int`, `A` of `A[T]`
        if parent.named_children[0] != top:
            return None
        top = parent
    return None


def match_capture(node: Node, parent: Node) -> Binding | None:
    """`case name:` binds; `case a.b:` and `case C(...):` do not."""
    above = parent.parent
    if parent.type != "dotted_name" or parent.child_count != 1 or above is None:
        return None
    if above.type in ("case_pattern", "keyword_pattern"):
        return Binding("other", node, visible_scope(node))
    return None


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
