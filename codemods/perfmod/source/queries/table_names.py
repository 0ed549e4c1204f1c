"""The name of a query's table in TypeScript and JavaScript: a string, a constant, or a member of one."""

from __future__ import annotations

from tree_sitter import Node

from perfmod.source.queries.facts import Origin
from perfmod.source.script.names import Bound, binding_of, imported_from, plain, string_value
from perfmod.source.tree import Source, ancestors

CLASSES = frozenset({"class_declaration", "abstract_class_declaration"})


def table_of(source: Source, node: Node) -> tuple[str | None, Origin | None]:
    """The table's name, or where the constant stands that holds it."""
    node = plain(node)
    text = string_value(source, node)
    if text is not None:
        return text, None
    members: list[str] = []
    while (step := member_of(source, node)) is not None:
        node, name = step
        members.insert(0, name)
    if node.type == "this" and len(members) == 1:
        return None, member_of_class(source, node, members[0])
    bound = binding_of(source, node) if node.type == "identifier" else None
    if bound is None:
        return None, None
    if bound.kind == "import" and (found := imported_from(source, bound)) is not None:
        return None, Origin(*found, ".".join(members))
    return constant(source, bound, members), None


def member_of(source: Source, node: Node) -> tuple[Node, str] | None:
    """The object and the name of `object.name` and `object['name']`."""
    inner = node.child_by_field_name("object")
    if inner is None:
        return None
    if node.type == "member_expression" and (name := node.child_by_field_name("property")) is not None:
        return plain(inner), source.code(name)
    index = node.child_by_field_name("index") if node.type == "subscript_expression" else None
    text = string_value(source, index) if index is not None else None
    return (plain(inner), text) if text is not None else None


def member_of_class(source: Source, node: Node, member: str) -> Origin | None:
    """`this.member` in a method of a named class."""
    owner = next((above for above in ancestors(node) if above.type in CLASSES), None)
    name = owner.child_by_field_name("name") if owner is not None else None
    return Origin("", source.code(name), member) if name is not None else None


def constant(source: Source, bound: Bound, members: list[str]) -> str | None:
    """The string that a constant holds, or that a member of an object, an enum or a class holds for good."""
    owner = bound.owner
    if owner.type == "enum_declaration":
        return text_of(source, enum_member(source, owner, members[0])) if len(members) == 1 else None
    if owner.type in CLASSES:
        return text_of(source, static_member(source, owner, members[0])) if len(members) == 1 else None
    value = bound.value if is_constant(bound) else None
    for member in members:
        value = property_of(source, plain(value), member) if value is not None else None
    return text_of(source, value)


def is_constant(bound: Bound) -> bool:
    parent = bound.owner.parent
    return parent is not None and parent.children[0].type == "const"


def text_of(source: Source, value: Node | None) -> str | None:
    return string_value(source, value) if value is not None else None


def property_of(source: Source, value: Node, member: str) -> Node | None:
    """The value of a key that an object literal has once."""
    if value.type == "call_expression":  # Object.freeze({...})
        given = value.child_by_field_name("arguments")
        value = plain(given.named_children[0]) if given is not None and given.named_children else value
    if value.type != "object":
        return None
    found = [pair for pair in value.named_children if pair.type == "pair" and key_of(source, pair) == member]
    return found[0].child_by_field_name("value") if len(found) == 1 else None


def enum_member(source: Source, enum: Node, member: str) -> Node | None:
    body = enum.child_by_field_name("body")
    for child in body.named_children if body is not None else ():
        name = child.child_by_field_name("name") if child.type == "enum_assignment" else None
        if name is not None and source.code(name).strip("'\"") == member:
            return child.child_by_field_name("value")
    return None


def static_member(source: Source, owner: Node, member: str) -> Node | None:
    """The value of `static readonly member = ...`."""
    body = owner.child_by_field_name("body")
    for child in body.named_children if body is not None else ():
        name = child.child_by_field_name("name") if child.type == "public_field_definition" else None
        modifiers = {source.code(part) for part in child.children}
        if name is not None and source.code(name) == member and {"static", "readonly"} <= modifiers:
            return child.child_by_field_name("value")
    return None


def key_of(source: Source, pair: Node) -> str:
    key = pair.child_by_field_name("key")
    return source.code(key).strip("'\"") if key is not None else ""
