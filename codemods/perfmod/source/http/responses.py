"""Whether the response of an `async with` can be read before its block begins: nothing reads it as a stream."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from perfmod.source.python.names import Names, enclosing_function
from perfmod.source.tree import ancestors

READS = frozenset("json text read".split())
ATTRIBUTES = READS | frozenset(
    "status ok reason headers raw_headers url real_url method content_type charset content_length content_disposition "
    "cookies history links host version request_info raise_for_status get_encoding".split()
)
NO_BLOCK = "no `async with` around the response: nobody knows where its body is read"
NOT_READ = "its body is not read here: nobody knows whether it ends"
LEAVES = "the response leaves its block, or is read as a stream"


def held_back(names: Names, call: Node, verb: str | None) -> str | None:
    """Why the response of a call can't be read before its block; None where it can."""
    block, target = block_of(call)
    if block is None:
        return NO_BLOCK
    if target is None or target.type != "identifier":
        return None if verb == "HEAD" else NOT_READ
    reads = False
    for use in uses(names, block, target):
        member = use.parent
        name = member.child_by_field_name("attribute") if member is not None and member.type == "attribute" else None
        word = names.source.code(name) if name is not None else ""
        if word not in ATTRIBUTES or name == use or enclosing_function(use) != enclosing_function(block):
            return LEAVES
        reads = reads or word in READS
    return None if reads or verb == "HEAD" else NOT_READ


def block_of(call: Node) -> tuple[Node | None, Node | None]:
    """The `async with` whose item is this call, and what it is called there."""
    item, target = call.parent, None
    if item is not None and item.type == "as_pattern":
        target = item.named_children[-1].named_children[0]
        item = item.parent
    block = next((a for a in ancestors(call) if a.type == "with_statement"), None)
    if item is None or item.type != "with_item" or block is None or block.children[0].type != "async":
        return None, None
    return block, target


def uses(names: Names, block: Node, target: Node) -> Iterator[Node]:
    """Where the response's name stands in its block, and in the rest of its function where no other `with` binds it."""
    text = names.source.code(target)
    for use in names.occurrences(text, enclosing_function(block)):
        if use == target:
            continue
        if block.start_byte <= use.start_byte < block.end_byte:
            yield use
        elif not any(a.type == "with_statement" and text in as_names(names, a) for a in [use, *ancestors(use)]):
            yield from () if is_bound(use) else [use]


def is_bound(use: Node) -> bool:
    """Whether a name is given a value here: `response = None`."""
    above = use.parent
    return above is not None and above.type == "assignment" and above.child_by_field_name("left") == use


def as_names(names: Names, block: Node) -> set[str]:
    clause = block.named_children[0]
    return {
        names.source.code(pattern.named_children[-1])
        for item in clause.named_children
        for pattern in item.named_children
        if pattern.type == "as_pattern"
    }
