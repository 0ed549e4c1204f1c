"""TypeScript and JavaScript files written another way that means the same, as metamorphs.py does with Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tree_sitter import Node

from perfmod.discovery import language_of
from perfmod.source.tree import parser

FUNCTIONS = frozenset(
    {
        "arrow_function",
        "function_expression",
        "function_declaration",
        "method_definition",
        "generator_function_declaration",
    }
)
NAMES = frozenset({"identifier", "property_identifier", "shorthand_property_identifier", "type_identifier",
                   "shorthand_property_identifier_pattern"})  # fmt: skip
KEPT = ("lexical_declaration",)  # in a block as they are outside of it
FIXED = frozenset({"template_string", "jsx_text", "comment", "string", "regex"})  # line ends in them are theirs


def tree_of(path: str, code: bytes) -> Node:
    return parser(language_of(path) or "typescript").parse(code).root_node


def nodes(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(node.children)


def begins_line(code: bytes, node: Node) -> bool:
    return not code[code.rfind(b"\n", 0, node.start_byte) + 1 : node.start_byte].strip()


def with_comments(path: str, code: bytes) -> bytes:
    """A comment and an empty line before every statement of a block, where no comment stands already."""
    newline = b"\r\n" if b"\r\n" in code else b"\n"
    places = []
    for block in nodes(tree_of(path, code)):
        if block.type != "statement_block":
            continue
        for statement in block.named_children:
            above = statement.prev_sibling
            is_covered = above is not None and above.type == "comment"
            if statement.type != "comment" and begins_line(code, statement) and not is_covered:
                places.append(statement.start_byte)
    for place in sorted(places, reverse=True):
        indent = code[code.rfind(b"\n", 0, place) + 1 : place]
        code = code[:place] + b"// another comment" + newline + newline + indent + code[place:]
    return code


def with_other_names(path: str, code: bytes) -> bytes:
    """Every variable of a function that is surely one gets another name: its word is no other name of the file."""
    found: dict[bytes, list[Node]] = {}
    for node in nodes(tree_of(path, code)):
        if node.type in NAMES and node.text:
            found.setdefault(node.text, []).append(node)
    edits = {}
    for word, places in found.items():
        made = [node for node in places if is_declared(node)]
        scope = function_around(made[0]) if len(made) == 1 else None
        if scope is None or word.startswith(b"_") or any(node.type != "identifier" for node in places):
            continue
        if all(scope.start_byte <= node.start_byte < scope.end_byte for node in places):
            edits.update({node.end_byte: word for node in places})
    for end in sorted(edits, reverse=True):
        code = code[:end] + b"Renamed" + code[end:]
    return code


def is_declared(node: Node) -> bool:
    parent = node.parent
    return parent is not None and parent.type == "variable_declarator" and parent.child_by_field_name("name") == node


def function_around(node: Node) -> Node | None:
    around = node.parent
    while around is not None and around.type not in FUNCTIONS:
        around = around.parent
    return around


def in_blocks(path: str, code: bytes) -> bytes:
    """The body of every function stands in a block of its own, if nothing in it is hoisted."""
    edits: dict[int, bytes] = {}
    for function in nodes(tree_of(path, code)):
        body = function.child_by_field_name("body") if function.type in FUNCTIONS else None
        if body is None or body.type != "statement_block" or not body.named_children:
            continue
        inner = list(nodes(body))
        is_directive = body.named_children[0].type == "expression_statement" and b"use " in (body.text or b"")[:40]
        if is_directive or any(node.type.endswith("_declaration") and node.type not in KEPT for node in inner):
            continue
        edits[body.start_byte + 1] = b" if (true) {"
        edits[body.end_byte - 1] = b"} "
    for place in sorted(edits, reverse=True):
        code = code[:place] + edits[place] + code[place:]
    return code


def reindented(path: str, code: bytes) -> bytes:
    """Twice the indentation, outside of texts that hold line ends."""
    fixed = [(node.start_byte, node.end_byte) for node in nodes(tree_of(path, code)) if node.type in FIXED]
    lines, start = [], 0
    for line in code.splitlines(keepends=True):
        is_fixed = any(first < start <= last for first, last in fixed)
        lines.append(line if is_fixed else line[: len(line) - len(line.lstrip(b" \t"))] + line)
        start += len(line)
    return b"".join(lines)


METAMORPHS: dict[str, Callable[[str, bytes], bytes]] = {
    "comments": with_comments,
    "names": with_other_names,
    "blocks": in_blocks,
    "format": reindented,
}


def parses(path: str, code: bytes) -> bool:
    return not tree_of(path, code).has_error


def function_at(path: str, code: bytes, offset: int) -> str:
    """The name of the innermost function with a name around a place."""
    node = tree_of(path, code).descendant_for_byte_range(offset, offset)
    while node is not None:
        name = name_of(node)
        if name:
            return name
        node = node.parent
    return "the module"


def name_of(node: Node) -> str:
    if node.type not in FUNCTIONS:
        return ""
    named = node.child_by_field_name("name")
    if named is None and node.parent is not None and node.parent.type in ("variable_declarator", "pair"):
        named = node.parent.child_by_field_name("name") or node.parent.child_by_field_name("key")
    return (named.text or b"").decode().removesuffix("Renamed") if named is not None else ""
