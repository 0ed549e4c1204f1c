"""Code that stands inside a string: f-strings, and t-strings (PEP 750, Python 3.14)."""

from __future__ import annotations

from tree_sitter import Node

from perfmod.source.tree import Source, ancestors


def is_template(string: Node) -> bool:
    """Whether a string is a t-string: it makes no text but keeps its values, and their code as text."""
    return string.type == "string" and b"t" in (string.children[0].text or b"").lower()


def in_template(interpolation: Node) -> bool:
    """Whether a value is kept by the string that it stands in; an f-string makes text of it."""
    string = next((node for node in ancestors(interpolation) if node.type == "string"), None)
    return string is not None and is_template(string)


def shown_source(node: Node) -> str | None:
    """Why code whose text the program sees must stay: `f"{create_task(...)=}"`, `t"{create_task(...)}"`."""
    for parent in ancestors(node):
        if parent.type == "interpolation" and any(child.type == "=" for child in parent.children):
            return "inside an f-string that prints this code: `{...=}`"
        if is_template(parent):
            return "inside a t-string, which keeps this code as text"
    return None


def free_quote(source: Source, node: Node) -> str | None:
    """The quote for a new string at a place: inside f-strings one that none of them uses; None where both are used."""
    used = set()
    for parent in ancestors(node):
        if parent.type == "string":
            start = source.code(parent.children[0])
            used.add(start[-1])
    return next((quote for quote in ('"', "'") if quote not in used), None)
