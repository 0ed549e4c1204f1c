"""The uses of a variable of TypeScript or JavaScript that see the value it is given at one place."""

from __future__ import annotations

from tree_sitter import Node

from perfmod.source.flow import Seen, Setting, holds, setting, uses_that_see
from perfmod.source.script.names import FUNCTIONS, Bound, bindings, mentions
from perfmod.source.tree import Source, ancestors, field_of

LOOPS = frozenset({"for_statement", "for_in_statement", "while_statement", "do_statement"})
# What surely runs as a whole, once it is begun; a body without braces is a part of its statement.
BLOCKS = FUNCTIONS | LOOPS | {"program", "statement_block", "switch_case", "switch_default", "class_body",
                              "if_statement", "else_clause", "ternary_expression", "binary_expression"}  # fmt: skip
EMPTY = frozenset({"null", "undefined"})


def uses_of(source: Source, name: Node, *, grows: bool = False) -> list[Seen]:
    """The uses of the variable `name`, an identifier that is set where it stands. None where it is declared twice.

    `grows`: an assignment of something made from the old value, as in `q = q.eq(...)`, leaves it what it is.
    """
    code = source.code(name)
    known = list(bindings(source, code))
    bound = seen_by(name, known)
    if bound is None:
        return []
    near = [other for other in known if holds(bound.scope, other.scope) or holds(other.scope, bound.scope)]
    uses: list[Node] = []
    settings: dict[int, Setting] = {}
    for mention in mentions(source, code, bound.scope):
        if mention == bound.node or seen_by(mention, near) == bound:
            place = place_that_sets(source, mention, bound, grows=grows)
            if place is not None:
                settings[mention.start_byte] = setting(place, BLOCKS)
            elif mention != bound.node:
                uses.append(mention)
    chosen = settings.get(name.start_byte)
    return uses_that_see(chosen, list(settings.values()), uses, LOOPS) if chosen is not None else []


def seen_by(use: Node, known: list[Bound]) -> Bound | None:
    """The one of a name's bindings that a use sees; None where two stand in one scope."""
    around = [bound for bound in known if holds(bound.scope, use)]
    if not around:
        return None
    inner = min(around, key=lambda bound: bound.scope.end_byte - bound.scope.start_byte)
    return inner if sum(bound.scope == inner.scope for bound in around) == 1 else None


def place_that_sets(source: Source, mention: Node, bound: Bound, *, grows: bool) -> Node | None:
    """The declaration or assignment that gives the variable a value here."""
    if mention == bound.node:
        value = bound.value
        is_empty = bound.kind == "variable" and (value is None or source.code(value) in EMPTY)
        return None if is_empty else bound.owner
    target = pattern_above(mention) or mention
    place = target.parent
    if place is None or place.type != "assignment_expression" or field_of(target) != "left":
        return None
    right = place.child_by_field_name("right")
    made_of_itself = right is not None and any(True for _ in mentions(source, source.code(mention), right))
    return None if grows and made_of_itself else place


def pattern_above(name: Node) -> Node | None:
    """The outermost pattern that a name is taken apart by."""
    top = None
    for above in ancestors(name):
        if not above.type.endswith("_pattern"):
            break
        top = above
    return top
