"""Names in TypeScript and JavaScript: where they are mentioned, and where they are made."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from perfmod.source.tree import Source, field_of


def identifiers(source: Source, name: str) -> Iterator[Node]:
    """Every mention of a name that could mean a variable: not properties, not keys."""
    for node in source.find(re.compile(rb"(?<![\w$])" + re.escape(name.encode()) + rb"(?![\w$])")):
        if (
            node.type
            in (
                "identifier",
                "type_identifier",
                "shorthand_property_identifier",
                "shorthand_property_identifier_pattern",
            )
            and source.code(node) == name
        ):
            yield node


def is_binding(node: Node) -> bool:
    """Whether an identifier is where its name is made."""
    parent = node.parent
    if parent is None:
        return False
    role = field_of(node)
    if parent.type in (
        "variable_declarator",
        "function_declaration",
        "generator_function_declaration",
        "class_declaration",
    ):
        return role == "name"
    if parent.type == "import_specifier":
        return role == "alias" or parent.child_by_field_name("alias") is None
    if parent.type in ("required_parameter", "optional_parameter"):
        return role == "pattern"
    if parent.type == "arrow_function":
        return role == "parameter"
    if parent.type == "catch_clause":
        return role == "parameter"
    if parent.type == "pair_pattern":
        return role == "value"
    return (
        parent.type
        in (
            "import_clause",
            "namespace_import",
            "import_require_clause",
            "formal_parameters",
            "rest_pattern",
            "array_pattern",
        )
        or node.type == "shorthand_property_identifier_pattern"
    )


def strip(node: Node) -> Node:
    """An expression without parentheses and type assertions."""
    while node.type in ("parenthesized_expression", "as_expression", "non_null_expression", "satisfies_expression"):
        inner = next((child for child in node.named_children if child.type != "comment"), None)
        if inner is None:
            break
        node = inner
    return node


def last_name(source: Source, node: Node) -> str:
    """`b` of `a.b` and of `b`."""
    prop = node.child_by_field_name("property")
    return source.code(prop if prop is not None else node)


def first_line(code: str) -> str:
    line = code.strip().partition("\n")[0].rstrip()
    return line if len(line) <= 60 else line[:57] + "..."
