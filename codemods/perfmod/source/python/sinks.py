"""What becomes of the value of a Python expression: dropped, kept in a name that nobody reads, used."""

from __future__ import annotations

from typing import Literal

from tree_sitter import Node

from perfmod.source.python.bindings import binding_at
from perfmod.source.python.names import COMPREHENSIONS, Names, visible_scope
from perfmod.source.python.strings import in_template
from perfmod.values import dataclass

SinkKind = Literal[
    "dropped",  # nothing holds it after the statement
    "assigned",  # name = value, alone on the left
    "spread",  # a = b = value, a walrus, unpacking
    "lambda",  # what a lambda gives back
    "member",  # value.member
    "display",  # an item of a list, set, tuple or dict that is itself assigned
    "argument",  # passed to a call
    "stored",  # attribute or item assignment
    "used",  # anything else: awaited, returned, yielded, compared ...
]

DISPLAYS = frozenset({"tuple", "list", "set", "expression_list", "dictionary", "pair"})


@dataclass(frozen=True, slots=True)
class Sink:
    """Where a value ends. `node` is the statement, target, lambda, attribute or call that takes it."""

    kind: SinkKind
    node: Node
    displayed: bool = False  #: it goes there inside a list, set, tuple or dict


def sink_of(node: Node) -> Sink:
    """Follow the value of an expression through parentheses, conditions and displays to what takes it."""
    displayed = False
    child, parent = node, node.parent
    while parent is not None:
        kind = parent.type
        if kind == "parenthesized_expression":
            pass
        elif kind == "conditional_expression":
            if parent.named_children[1] == child:
                return Sink("used", parent, displayed)
        elif kind == "boolean_operator":
            if parent.child_by_field_name("right") != child:
                return Sink("used", parent, displayed)
        elif kind in DISPLAYS and parent.child_by_field_name("key") != child:
            displayed = True
        elif kind in COMPREHENSIONS:
            if kind == "generator_expression" or parent.child_by_field_name("body") != child:
                return Sink("used", parent, displayed)
            displayed = True
        else:
            return end_of(child, parent, displayed)
        child, parent = parent, parent.parent
    return Sink("used", node, displayed)


def end_of(child: Node, parent: Node, displayed: bool) -> Sink:
    kind = parent.type
    if kind in ("expression_statement", "format_expression") or (kind == "interpolation" and not in_template(parent)):
        return Sink("dropped", parent, displayed)
    if kind == "assignment" and parent.child_by_field_name("right") == child:
        return assigned(parent, displayed)
    if kind == "named_expression":
        return Sink("spread", parent, displayed)
    if kind == "lambda" and parent.child_by_field_name("body") == child:
        return Sink("lambda", parent, displayed)
    if kind == "attribute" and not displayed:
        return Sink("member", parent)
    if kind in ("argument_list", "keyword_argument", "list_splat", "dictionary_splat"):
        call = parent
        while call is not None and call.type != "call":
            call = call.parent  # type: ignore[assignment]
        return Sink("argument", call or parent, displayed)
    return Sink("used", parent, displayed)


def assigned(assignment: Node, displayed: bool) -> Sink:
    target = assignment.child_by_field_name("left")
    outer = assignment.parent
    if target is None:
        return Sink("used", assignment, displayed)
    if target.type in ("attribute", "subscript"):
        return Sink("stored", target, displayed)
    if target.type != "identifier" or (outer is not None and outer.type == "assignment"):
        return Sink("spread", assignment, displayed)
    return Sink("display" if displayed else "assigned", target, displayed)


def reads(names: Names, target: Node) -> list[Node] | None:
    """The places that read the variable that `target` binds. None where it outlives its function or can't be told."""
    scope = visible_scope(target)
    while scope.type in COMPREHENSIONS:
        scope = visible_scope(scope)
    if scope.type != "function_definition":
        return None
    name = names.source.code(target)
    here = names.bindings(name).get(scope.id, ())
    if any(binding.kind in ("global", "nonlocal", "parameter") for binding in here) or mentions_frame(names, scope):
        return None
    return [node for node in names.occurrences(name, scope) if is_augmented(node) or not is_bound(node)]


def is_bound(node: Node) -> bool:
    """Whether a name gets a value where it stands."""
    binding = binding_at(node)
    return binding is not None and binding.kind != "global"


def is_augmented(node: Node) -> bool:
    return node.parent is not None and node.parent.type == "augmented_assignment"


def mentions_frame(names: Names, scope: Node) -> bool:
    """Whether a function looks at its own variables by name."""
    return any(True for name in ("locals", "vars", "eval", "exec") for _ in names.occurrences(name, scope))
