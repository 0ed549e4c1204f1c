"""The scopes of a Python file: which of them see a name, and what stands around a place."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from perfmod.source.tree import ancestors

FUNCTIONS = frozenset({"function_definition", "lambda"})
COMPREHENSIONS = frozenset(
    {"list_comprehension", "set_comprehension", "dictionary_comprehension", "generator_expression"}
)
SCOPES = FUNCTIONS | COMPREHENSIONS | {"class_definition", "module"}


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
    """The scopes in which a name at `node` is looked up, innermost first. Class bodies only from directly inside.

    The type parameters of a function or class (PEP 695) are a scope of their own around it.
    """
    child, below = node, None
    direct = True
    for parent in ancestors(node):
        if parent.type in SCOPES and evaluated_in(parent, child, below):
            if direct or parent.type != "class_definition":
                yield parent
            direct = False
        parameters = parent.child_by_field_name("type_parameters")
        if parameters is not None:
            yield parameters
        child, below = parent, child


def evaluated_in(scope: Node, child: Node, below: Node | None) -> bool:
    """Whether a child of a scope's node (and what is `below` it) is evaluated in that scope, rather than around it."""
    if scope.type == "module":
        return True
    if scope.type in COMPREHENSIONS:
        first = next((c for c in scope.named_children if c.type == "for_in_clause"), None)
        return child != first or below is None or below != first.child_by_field_name("right")
    return scope.child_by_field_name("body") == child


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
