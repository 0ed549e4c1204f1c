"""What an annotation says, word by word: the dotted names that it offers, and what they mean in a file."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.python.names import Names, enclosing_function
from perfmod.source.tree import ancestors

DOTTED = pattern(r"[A-Za-z_][\w.]*\Z")
WRAPPERS = pattern(r"(?:[\w.]+\.)?(?:Optional|Annotated|Final|ClassVar|Type)\Z")
CONTEXTS = pattern(r"(?:[\w.]+\.)?(?:Async)?(?:Iterator|Generator|Iterable|(?:Abstract)?(?:Async)?ContextManager)\Z")


def arms(text: str, context: bool = False) -> Iterator[str]:
    """The dotted names that an annotation offers, without None. An empty one stands for anything else."""
    text = text.strip().strip("\"'").strip()
    parts = split(text, "|")
    if len(parts) > 1:
        for part in parts:
            yield from arms(part, context)
        return
    head, bracket, inner = text.partition("[")
    if not bracket:
        if text != "None":
            yield text if DOTTED.match(text) else ""
        return
    items = split(inner.removesuffix("]"), ",")
    if head.rpartition(".")[2] == "Union":
        for item in items:
            yield from arms(item, context)
    elif WRAPPERS.match(head) or (context and CONTEXTS.match(head)):
        yield from arms(items[0], context)
    else:
        yield ""


def split(text: str, separator: str) -> list[str]:
    """The parts of an annotation, where the separator stands outside of brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "[") - (letter == "]")
        if letter == separator and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def origin_of(names: Names, place: Node, dotted: str) -> str | Node:
    """The dotted origin of a name in an annotation, or the class of this file that it means; "" for neither."""
    head, dot, rest = dotted.partition(".")
    if not head:
        return ""
    bindings = names.bindings(head).get(names.source.root.id, [])
    function = enclosing_function(place)
    scopes = [names.bindings(head).get(scope.id, []) for scope in ancestors(place)] if function is not None else []
    found = [b for scope in scopes for b in scope if b.kind == "import"] or bindings
    origins = {b.qualified for b in found if b.kind == "import"}
    others = [b for b in found if b.kind != "import"]  # `httpx = None`, where it is not installed
    if len(origins) == 1 and all(b.value is not None and b.value.type == "none" for b in others):
        return f"{origins.pop()}{dot}{rest}"
    if len(found) == 1 and found[0].kind == "class" and found[0].owner is not None and not dot:
        return found[0].owner
    return ""
