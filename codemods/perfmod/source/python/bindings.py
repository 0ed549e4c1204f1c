"""What binds a name in Python: every kind of place, from imports to match captures and type parameters."""

from __future__ import annotations

import re
from typing import Literal

from tree_sitter import Node

from perfmod.source.python.scopes import COMPREHENSIONS, parameter_owner, visible_scope
from perfmod.source.tree import ancestors
from perfmod.values import dataclass

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


def binding_at(node: Node) -> Binding | None:
    """The binding that an identifier makes; None where it is a use."""
    parent = node.parent
    if parent is None:
        return None
    kind = parent.type
    if kind in ("dotted_name", "aliased_import"):
        return import_at(node, parent) or match_capture(node, parent)
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
    return target_at(node)


def import_at(node: Node, parent: Node) -> Binding | None:
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
            return Binding("import", node, visible_scope(node), qualified=text_of(node))
        return Binding("import", node, visible_scope(node), qualified=text_of(name))
    if statement.type == "import_from_statement":
        module = statement.child_by_field_name("module_name")
        if module is None or module == name:
            return None
        origin = re.sub(r"\s", "", text_of(module))
        dot = "" if origin.endswith(".") else "."
        return Binding("import", node, visible_scope(node), qualified=f"{origin}{dot}{text_of(name)}")
    return None


def target_at(node: Node) -> Binding | None:
    """A target of =, :=, for, with, except, del, import-free `as`, or a match capture."""
    top, parent = node, node.parent
    while parent is not None and (
        parent.type in TARGET_PATTERNS or (parent.type in ("list_splat", "parenthesized_expression"))
    ):
        top, parent = parent, parent.parent
    if parent is None:
        return None
    kind = parent.type  # most places are uses: the scope, which is dear, is only looked for where a name is bound
    if kind in ("assignment", "augmented_assignment"):
        if parent.child_by_field_name("left") != top:
            return None
        value = parent.child_by_field_name("right") if top == node and kind == "assignment" else None
        made: BindingKind = "assignment" if value is not None else "other"
        return Binding(made, node, visible_scope(node), value=value, owner=parent)
    if kind in ("for_statement", "for_in_clause"):
        if parent.child_by_field_name("left") != top:
            return None
        return Binding("other", node, visible_scope(node if kind == "for_statement" else parent))
    if kind in ("as_pattern_target", "delete_statement", "splat_pattern"):
        return Binding("other", node, visible_scope(node))
    if kind == "as_pattern":
        return Binding("other", node, visible_scope(node)) if parent.children[-1] == node else None
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


def text_of(node: Node) -> str:
    return (node.text or b"").decode()
