"""What a name of TypeScript or JavaScript is bound to in its file: the declaration that a use sees, or an import."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

from tree_sitter import Node

from perfmod.source.tree import Source, ancestors, field_of
from perfmod.values import dataclass

Kind: TypeAlias = Literal["variable", "parameter", "import", "function", "class", "type", "destructured"]

FUNCTIONS = frozenset(
    {
        "arrow_function",
        "function_expression",
        "function_declaration",
        "generator_function",
        "generator_function_declaration",
        "method_definition",
    }
)
SCOPES = FUNCTIONS | {"program", "statement_block", "for_statement", "for_in_statement", "catch_clause", "class_body"}
NAMES = frozenset({"identifier", "type_identifier", "shorthand_property_identifier_pattern"})
DECLARATIONS: dict[str, Kind] = {
    "function_declaration": "function",
    "generator_function_declaration": "function",
    "class_declaration": "class",
    "abstract_class_declaration": "class",
    "interface_declaration": "type",
    "type_alias_declaration": "type",
    "enum_declaration": "type",
}
PATTERNS = frozenset({"object_pattern", "array_pattern", "pair_pattern", "object_assignment_pattern", "rest_pattern",
                      "assignment_pattern"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bound:
    """One place that binds a name."""

    kind: Kind
    node: Node  #: the name
    owner: Node  #: the declarator, parameter, import specifier or declaration
    scope: Node  #: where it can be seen

    @property
    def value(self) -> Node | None:
        """What a variable begins with."""
        return self.owner.child_by_field_name("value") if self.owner.type == "variable_declarator" else None


def mentions(source: Source, name: str, within: Node | None = None) -> Iterator[Node]:
    """Every identifier of the file, or of a part, with this spelling; members and keys don't count."""
    for node in source.find_word(name.encode(), within):
        if node.type in NAMES and source.code(node) == name:
            yield node


def bindings(source: Source, name: str) -> Sequence[Bound]:
    """Every place of the file that binds a name."""
    if name not in source.bindings:
        found = (binding_at(node) for node in mentions(source, name))
        source.bindings[name] = tuple(bound for bound in found if bound is not None)
    return source.bindings[name]


def binding_of(source: Source, use: Node) -> Bound | None:
    """The innermost binding that a use sees; None where the file has none, or two in one scope."""
    name = source.code(use)
    around = {use.id, *(above.id for above in ancestors(use))}
    seen = [bound for bound in bindings(source, name) if bound.scope.id in around]
    if not seen:
        return None
    innermost = max(seen, key=lambda bound: bound.scope.start_byte - bound.scope.end_byte)
    same = [bound for bound in seen if bound.scope == innermost.scope]
    return innermost if len(same) == 1 else None


def top_level(source: Source, name: str) -> Bound | None:
    """The binding of a name at the top of the file."""
    return next((bound for bound in bindings(source, name) if bound.scope == source.root), None)


def binding_at(node: Node) -> Bound | None:
    """The binding that an identifier makes, if it makes one."""
    parent = node.parent
    if parent is None:
        return None
    role = field_of(node)
    if parent.type == "variable_declarator" and role == "name":
        return Bound("variable", node, parent, scope_of(parent))
    if parent.type in DECLARATIONS and role == "name":
        return Bound(DECLARATIONS[parent.type], node, parent, scope_of(parent))
    if parent.type in ("import_specifier", "namespace_import", "import_clause"):
        alias = parent.child_by_field_name("alias")
        return Bound("import", node, parent, scope_of(parent)) if alias in (None, node) else None
    if parent.type in ("required_parameter", "optional_parameter") and role == "pattern":
        return parameter(node, parent)
    if parent.type == "formal_parameters" or (parent.type == "arrow_function" and role == "parameter"):
        return parameter(node, node)
    if parent.type in PATTERNS and role not in ("right", "key"):
        return destructured(node)
    return None


def parameter(node: Node, owner: Node) -> Bound | None:
    function = next((above for above in ancestors(node) if above.type in FUNCTIONS), None)
    return Bound("parameter", node, owner, function) if function is not None else None


def destructured(node: Node) -> Bound | None:
    """A name inside a pattern that declares, rather than one inside an assignment."""
    for above in ancestors(node):
        if above.type == "variable_declarator":
            return Bound("destructured", node, above, scope_of(above))
        if above.type in ("required_parameter", "optional_parameter", "formal_parameters"):
            bound = parameter(node, above)
            return Bound("destructured", node, above, bound.scope) if bound is not None else None
        if above.type not in PATTERNS:
            return None
    return None


def scope_of(node: Node) -> Node:
    return next(above for above in ancestors(node) if above.type in SCOPES)


def imported_from(source: Source, bound: Bound) -> tuple[str, str] | None:
    """(specifier, exported name) of an import binding; the name is "default" or "*" for those imports."""
    statement = next((above for above in ancestors(bound.node) if above.type == "import_statement"), None)
    string = statement.child_by_field_name("source") if statement is not None else None
    if string is None:
        return None
    name = "default"
    if bound.owner.type == "namespace_import":
        name = "*"
    elif bound.owner.type == "import_specifier" and (own := bound.owner.child_by_field_name("name")) is not None:
        name = source.code(own)
    return source.code(string)[1:-1], name


def plain(node: Node) -> Node:
    """The expression inside parentheses, casts, `!` and `await`."""
    while node.type in ("parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression",
                        "await_expression", "type_assertion"):  # fmt: skip
        inner = [child for child in node.named_children if child.type not in ("comment", "type_arguments")]
        if not inner:
            return node
        node = inner[-1] if node.type == "type_assertion" else inner[0]
    return node


def string_value(source: Source, node: Node) -> str | None:
    """The text of a string literal or of a template without holes, where it holds no escapes."""
    node = plain(node)
    if node.type not in ("string", "template_string"):
        return None
    text = source.code(node)[1:-1]
    if "\\" in text or any(child.type == "template_substitution" for child in node.children):
        return None
    return text


def enclosing_function(node: Node) -> Node | None:
    return next((above for above in ancestors(node) if above.type in FUNCTIONS), None)


def last_name(source: Source, node: Node) -> str:
    """`c` of `a.b.c`, `f` of `f(x)`."""
    node = plain(node)
    if node.type == "call_expression" and (function := node.child_by_field_name("function")) is not None:
        return last_name(source, function)
    if node.type == "member_expression" and (member := node.child_by_field_name("property")) is not None:
        return source.code(member)
    return source.code(node) if node.type in ("identifier", "this") else ""
