"""How often a place runs within one call of its function: in a loop, or not again once something is kept."""

from __future__ import annotations

import re
from collections import deque
from functools import lru_cache
from typing import Literal

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.python.names import COMPREHENSIONS, Names, enclosing_class, enclosing_function
from perfmod.source.tree import ancestors, field_of

#: once: no loop. again: a loop. polls: a loop that waits between its rounds
Loop = Literal["once", "again", "polls"]

SLEEPS = pattern(rb"\b(?:sleep|wait|wait_for|sleep_until|poll)\s*\(")
STATE = pattern(r"(?:self|cls)\.\w+|\b[A-Za-z_]\w*(?:\.\w+)?")
#: `held = self._held`, `held = _held.get(key)`; a name may stand in what is looked at behind another
HELD = pattern(
    rb"(?<![\w.])([a-z_]\w*)(?=[ \t]*(?::[^=\n]{0,300})?=[ \t]*"
    rb"((?!None\b|True\b|False\b)[A-Za-z_]\w*(?:\.\w+)??)(?:\.get\([^\n]{0,300}\)|\[[^\n]{0,300}\])?[ \t]*(?=[#\r\n]))"
)
NAME = pattern(rb"(?<![\w.])[a-z_]\w*")
QUOTED = pattern(rb"([\"'])(?:(?!\1).)*\1")
DECIDING = frozenset({"try_statement", "with_statement", "for_statement", "if_statement"})
LEAVES = frozenset({"return_statement", "break_statement", "raise_statement"})


def loop_around(names: Names, node: Node) -> Loop:
    """Whether `node` runs again and again within one call of the function that holds it."""
    found: Loop = "once"
    child = node
    for parent in ancestors(node):
        kind = parent.type
        if kind in ("function_definition", "lambda", "class_definition"):
            break
        if kind in COMPREHENSIONS:
            first = next((c for c in parent.named_children if c.type == "for_in_clause"), None)
            if child != first:
                found = "again"
        body = parent.child_by_field_name("body") if kind in ("for_statement", "while_statement") else None
        in_condition = kind == "while_statement" and parent.child_by_field_name("condition") == child
        if body is not None and (in_condition or (body == child and not leaves_after(node, body))):
            if SLEEPS.search(names.source.utf8, body.start_byte, body.end_byte):
                return "polls"
            found = "again"
        child = parent
    return found


def leaves_after(node: Node, body: Node) -> bool:
    """Whether a loop ends in the round in which `node` ran: a retry, or the first that fits."""
    child = node
    for parent in ancestors(node):
        if parent.type == "block":
            rest = parent.named_children[parent.named_children.index(child) :]
            if any(statement.type in LEAVES for statement in rest):
                return True
        if parent == body:
            return False
        child = parent
    return False


def is_remembered(names: Names, node: Node) -> bool:
    """Whether `node` runs only until its result is kept: behind `if self._cache is None:` and its like."""
    function = enclosing_function(node)
    if function is None:
        return False
    child = node
    for parent in ancestors(node):
        kind = parent.type
        if kind == "if_statement" and field_of(child) != "condition":
            unset = field_of(child) == "consequence"
            if keeps(names, parent.child_by_field_name("condition"), function, unset=unset):
                return True
        elif kind == "block" and exits_of(names, parent, function).are_before(child.start_byte):
            return True
        elif kind == "except_clause" and parent.parent is not None:
            tried = parent.parent.child_by_field_name("body")
            if tried is not None and keeps(names, tried, function):
                return True
        elif kind == "boolean_operator" and field_of(child) == "right":
            if keeps(names, parent.child_by_field_name("left"), function):
                return True
        elif kind == "conditional_expression" and keeps(names, parent.named_children[1], function):
            return True
        if parent == function:
            return False
        child = parent
    return False


class Exits:
    """Where a block is left because a result is kept; looked for as far down as somebody asks."""

    def __init__(self, names: Names, block: Node, function: Node) -> None:
        self._names = names
        self._function = function
        self._waiting = deque(child for child in block.named_children if child.type in DECIDING)
        self._first: int | None = None

    def are_before(self, place: int) -> bool:
        while self._first is None and self._waiting and self._waiting[0].end_byte <= place:
            statement = self._waiting.popleft()
            if leaves_if_kept(self._names, statement, self._function):
                self._first = statement.end_byte
        return self._first is not None and self._first <= place


exits_of = lru_cache(maxsize=4)(Exits)  # the reads of a block follow one another


def leaves_if_kept(names: Names, statement: Node, function: Node) -> bool:
    """`if _cache is not None: return _cache`."""
    if statement.type == "try_statement":
        tried = statement.child_by_field_name("body")
        ends = tried is not None and bool(tried.named_children) and tried.named_children[-1].type == "return_statement"
        return ends and keeps(names, tried, function)
    if statement.type == "with_statement":
        body = statement.child_by_field_name("body")
        return body is not None and any(leaves_if_kept(names, inner, function) for inner in body.named_children)
    if statement.type == "for_statement":
        # a registry: the loop looks through what there is, what is made below is put there
        text = names.source.utf8[statement.start_byte : statement.end_byte]
        return b"return" in text and keeps(names, statement.child_by_field_name("right"), function)
    if statement.type != "if_statement":
        return False
    taken = statement.child_by_field_name("consequence")
    if taken is None or not taken.named_children or taken.named_children[-1].type not in LEAVES:
        return False
    return keeps(names, statement.child_by_field_name("condition"), function)


def keeps(names: Names, condition: Node | None, function: Node, *, unset: bool = False) -> bool:
    """Whether a condition asks about something that outlives the call and that the function, or its class, sets.

    `unset`: what follows runs where the condition holds, so it must ask whether there is nothing yet.
    """
    if condition is None:
        return False
    utf8 = names.source.utf8
    asked = QUOTED.sub(b"''", utf8[condition.start_byte : condition.end_byte])
    body = utf8[function.start_byte : function.end_byte]
    names.source.spend(len(body) // 20)
    owner = enclosing_class(function)
    held: dict[bytes, bytes] = {}
    for match in HELD.finditer(utf8, function.start_byte, condition.start_byte) if NAME.search(asked) else ():
        held.setdefault(match[1], match[2])
    resolved = NAME.sub(lambda match: held.get(match[0], match[0]), asked)
    text = f"{asked.decode()} {resolved.decode()}"
    for state in STATE.findall(text):
        word = re.escape(state).encode()
        stored = rb"(?<![\w.])%b(?:\s*\[[^\n]{0,1000}\]\s*=(?!=)|\.(?:setdefault|update|append|add|extend)\()" % word
        bare = rb"(?<![\w.])%b\s*(?:[:,][^=\n]{0,300})?=(?!=)" % word
        if body.count(state.encode()) > 1:  # once: only the condition has it
            if re.search(stored, body) and not is_local(names, state, function):
                return True
            if "." in state and re.search(bare, body):
                return True
            declared = rb"\b(?:global|nonlocal)\b[^\n]{0,1000}\b%b\b" % word
            if "." not in state and re.search(declared, body) and re.search(bare, body):
                return True
        kept_elsewhere = state.startswith(("self.", "cls.")) and owner is not None
        if kept_elsewhere and set_outside_init(names, bare, owner) and (not unset or asks_for_nothing(text, state)):
            return True
    return False


def asks_for_nothing(condition: str, state: str) -> bool:
    """Whether a condition holds as long as there is nothing yet."""
    state = re.escape(state)
    return (
        re.search(rf"\bnot\s+{state}\b|{state}\s*(?:is|==)\s*None|\bnot\s+in\s+{state}|\bnot\s+hasattr", condition)
        is not None
    )


def is_local(names: Names, state: str, function: Node) -> bool:
    return bool(names.bindings(state.partition(".")[0]).get(function.id)) and not state.startswith(("self.", "cls."))


def set_outside_init(names: Names, pattern: bytes, owner: Node | None) -> bool:
    """Whether a method other than __init__ sets what a pattern finds."""
    if owner is None:
        return False
    for match in re.finditer(pattern, names.source.utf8[owner.start_byte : owner.end_byte]):
        place = names.source.root.descendant_for_byte_range(
            owner.start_byte + match.start(), owner.start_byte + match.start()
        )
        function = enclosing_function(place) if place is not None else None
        name = function.child_by_field_name("name") if function is not None else None
        if name is not None and names.source.code(name) != "__init__":
            return True
    return False
