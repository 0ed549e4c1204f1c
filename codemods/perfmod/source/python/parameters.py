"""The parameters of a Python function."""

from __future__ import annotations

from tree_sitter import Node

from perfmod.source.python.names import Names


def parameter_names(names: Names, definition: Node) -> list[str]:
    """The parameters that can be given by position, in order, without self and cls."""
    return [name for name, _ in parameters(names, definition)]


def parameters(names: Names, definition: Node) -> list[tuple[str, Node | None]]:
    """Names and default values of the parameters, without self, cls and starred ones."""
    listed = definition.child_by_field_name("parameters")
    found: list[tuple[str, Node | None]] = []
    for child in listed.named_children if listed is not None else ():
        if child.type not in ("identifier", "typed_parameter", "default_parameter", "typed_default_parameter"):
            continue
        name = child if child.type == "identifier" else child.child_by_field_name("name") or child.named_children[0]
        if name.type == "identifier" and names.source.code(name) not in ("self", "cls"):
            found.append((names.source.code(name), child.child_by_field_name("value")))
    return found
