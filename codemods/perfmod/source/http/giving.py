"""Under which words a Python file gives clients to other files: a superset, found without knowing what they mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.http.facts import ClientsGiven
from perfmod.source.python.names import FUNCTIONS, enclosing
from perfmod.source.tree import Source
from perfmod.source.words import is_imported

CLIENT = pattern(rb"\b(AsyncClient|Client|ClientSession)\b")
#: What hands on the value of one of its parts.
PASSING = frozenset(
    "await parenthesized_expression boolean_operator conditional_expression named_expression type generic_type "
    "type_parameter union_type binary_operator subscript string string_content as_pattern as_pattern_target "
    "with_item with_clause argument_list expression_list".split()
)


def clients_given(source: Source, foreign: Iterable[bytes] = ()) -> Iterator[ClientsGiven]:
    """What a file gives. `foreign` are the words under which other files give clients to it."""
    words: set[str] = set()
    waiting = [name for node in source.find(CLIENT) for name in bound_by(source, node)]
    for other in foreign:
        waiting += [name for node in meant_by(source, other) for name in bound_by(source, node)]
    while waiting:
        word = waiting.pop()
        if word not in words and word.isidentifier():
            words.add(word)
            waiting += [name for node in source.find_word(word.encode()) for name in bound_by(source, node)]
    if words:
        yield ClientsGiven(source.path, frozenset(words))


def meant_by(source: Source, word: bytes) -> Iterator[Node]:
    """Where a word of another file can stand for what it means there: as a member, and where it is imported."""
    imported = is_imported(source.utf8, word)
    for node in source.find_word(word):
        if imported or source.utf8[node.start_byte - 1 : node.start_byte] == b".":
            yield node


def bound_by(source: Source, node: Node) -> Iterator[str]:
    """What is given the value of a name, or of what it gives back when it is called."""
    child, above = node, node.parent
    while above is not None:
        kind = above.type
        if kind == "attribute" and above.child_by_field_name("attribute") != child:
            return
        if kind == "call" and above.child_by_field_name("function") != child:
            return
        if kind == "aliased_import":
            yield source.code(above.child_by_field_name("alias") or child)
        if kind in ("class_definition", "function_definition"):
            field = "superclasses" if kind == "class_definition" else "return_type"
            if above.child_by_field_name(field) == child:
                yield source.code(above.child_by_field_name("name") or child)
            return
        if kind in ("return_statement", "yield"):
            function = enclosing(above, *FUNCTIONS)
            name = function.child_by_field_name("name") if function is not None else None
            if name is not None:
                yield source.code(name)
            return
        if kind in ("assignment", "typed_parameter", "typed_default_parameter"):
            target = above.child_by_field_name("left") or above.child_by_field_name("name") or above.named_children[0]
            if target != child:
                yield source.code(target).rpartition(".")[2].strip()
            return
        if kind == "as_pattern":
            yield source.code(above.named_children[-1]).rpartition(".")[2]
        if kind not in PASSING and kind not in ("attribute", "call", "dotted_name"):
            return
        child, above = above, above.parent
