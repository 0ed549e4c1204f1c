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

from perfmod.source.tree import Source, ancestors

FUNCTIONS = frozenset({"function_definition", "lambda"})
COMPREHENSIONS = frozenset(
    {"list_comprehension", "set_comprehension", "dictionary_comprehension", "generator_expression"}
)
SCOPES = FUNCTIONS | COMPREHENSIONS | {"class_definition", "module"}
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
        if kind == "type" and (alias := parent.parent) is not None and alias.type == "type_alias_statement":
            return Binding("other", node, scope) if alias.child_by_field_name("left") == parent else None
        return None


def match_capture(node: Node, parent: Node) -> Binding | None:
    """`case name:` binds; `case a.b:` and `case C(...):` do not."""
    above = parent.parent
    if parent.type != "dotted_name" or parent.child_count != 1 or above is None:
        return None
    if above.type in ("case_pattern", "keyword_pattern"):
        return Binding("other", node, visible_scope(node))
    return None


def is_member_name(node: Node) -> bool:
    """`x.NAME` and `f(NAME=...)` are no uses of a variable."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type == "attribute":
        return parent.child_by_field_name("attribute") == node
    return parent.type == "keyword_argument" and parent.child_by_field_name("name") == node


def parameter_owner(node: Node) -> Node | None:
    """The function or lambda that has this identifier as a parameter."""
    top = node
    parent = node.parent
    while parent is not None and parent.type in (
        "default_parameter",
        "typed_parameter",
        "typed_default_parameter",
        "list_splat_pattern",
        "dictionary_splat_pattern",
    ):
        name = parent.child_by_field_name("name")
        if (name if name is not None else parent.named_children[0]) != top:
            return None
        top, parent = parent, parent.parent
    if parent is None or parent.type not in ("parameters", "lambda_parameters"):
        return None
    return parent.parent


def visible_scope(node: Node) -> Node:
    """The scope in which a node is evaluated."""
    return next(visible_scopes(node))


def visible_scopes(node: Node) -> Iterator[Node]:
    """The scopes in which a name at `node` is looked up, innermost first. Class bodies only from directly inside."""
    child = node
    first = True
    for parent in ancestors(node):
        if parent.type in SCOPES and inside(parent, child):
            if first or parent.type != "class_definition":
                yield parent
            first = False
        child = parent


def inside(scope: Node, child: Node) -> bool:
    """Whether a child of a scope's node is evaluated in that scope, rather than around it."""
    if scope.type == "module":
        return True
    if scope.type in COMPREHENSIONS:
        first = next((c for c in scope.named_children if c.type == "for_in_clause"), None)
        # the first iterable is evaluated outside; being exact there would need its grandchild, and a name that is
        # both an outer variable and the comprehension's own is rare enough to be called the comprehension's
        return child != first or True
    if scope.type == "lambda":
        return scope.child_by_field_name("body") == child
    return scope.child_by_field_name("body") == child


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


def enclosing(node: Node, *types: str) -> Node | None:
    """The nearest node above of one of these types whose body (not its decorators or defaults) holds the node."""
    child = node
    for parent in ancestors(node):
        if parent.type in types and (parent.child_by_field_name("body") in (child, None)):
            return parent
        child = parent
    return None


def enclosing_function(node: Node) -> Node | None:
    return enclosing(node, "function_definition")


def enclosing_class(node: Node) -> Node | None:
    return enclosing(node, "class_definition")


def is_async(function: Node) -> bool:
    return function.children[0].type == "async"


def statement_of(node: Node) -> Node:
    """The simple statement, or the header's compound statement, that a node belongs to."""
    child = node
    for parent in ancestors(node):
        if parent.type in ("block", "module"):
            return child
        child = parent
    return child
