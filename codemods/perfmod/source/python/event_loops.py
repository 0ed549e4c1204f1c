"""Is this expression an asyncio event loop? Calls, annotations and assignments are evidence; a name is a hint."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Literal

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.python.names import Binding, Bound, Imported, Names, enclosing_class

#: typed: something says that it is a loop. named: only its name does. other: it is bound to something else.
Evidence = Literal["typed", "named", "other", "none"]

GETTERS = frozenset({"get_running_loop", "get_event_loop", "new_event_loop"})
TYPES = frozenset({"AbstractEventLoop", "BaseEventLoop", "SelectorEventLoop", "ProactorEventLoop"})
LOOP_NAME = pattern(r"(?:\w*_)?(?:ev)?loop\Z")


def loop_evidence(names: Names, node: Node, depth: int = 0) -> Evidence:
    """What speaks for `node` being an event loop."""
    if depth > 6:
        return "none"
    kind = node.type
    if kind in ("parenthesized_expression", "named_expression"):
        inner = node.child_by_field_name("value") or node.named_children[0]
        return loop_evidence(names, inner, depth + 1)
    if kind == "call":
        return call_evidence(names, node)
    if kind in ("boolean_operator", "conditional_expression"):
        arms = (
            [node.child_by_field_name("left"), node.child_by_field_name("right")]
            if kind == "boolean_operator"
            else [node.named_children[0], node.named_children[2]]
        )
        return joined(loop_evidence(names, arm, depth + 1) for arm in arms if arm is not None)
    if kind == "none":
        return "none"
    if kind == "identifier":
        return name_evidence(names, node, depth)
    if kind == "attribute":
        return attribute_evidence(names, node, depth)
    return "other"


def joined(evidence: Iterable[Evidence]) -> Evidence:
    """One answer from several bindings: any contradiction wins, then any proof."""
    found = set(evidence)
    for answer in ("other", "typed", "named"):
        if answer in found:
            return answer
    return "none"


def call_evidence(names: Names, call: Node) -> Evidence:
    function = call.child_by_field_name("function")
    if function is None:
        return "other"
    last = last_segment(names, function)
    meaning = names.meaning(function)
    if isinstance(meaning, Imported) and meaning.qualified.partition(".")[0] in ("asyncio", "uvloop"):
        return "typed" if last in GETTERS | TYPES | {"Loop"} else "other"
    if isinstance(meaning, Bound) and meaning.only is not None and meaning.only.kind == "function":
        made = meaning.only.owner
        returns = made.child_by_field_name("return_type") if made is not None else None
        if returns is not None and is_loop_type(names, returns):
            return "typed"
    return "other" if last[:1].isupper() else "none"


def name_evidence(names: Names, node: Node, depth: int) -> Evidence:
    name = names.source.code(node)
    named: Evidence = "named" if LOOP_NAME.match(name) else "none"
    meaning = names.meaning(node)
    if not isinstance(meaning, Bound):
        return named
    found = joined(binding_evidence(names, binding, depth) for binding in meaning.bindings)
    return named if found == "none" else found


def binding_evidence(names: Names, binding: Binding, depth: int) -> Evidence:
    annotation = annotation_of(binding)
    if annotation is not None:
        return "typed" if is_loop_type(names, annotation) else "other"
    if binding.kind == "parameter":
        return "none"
    if binding.kind == "assignment" and binding.value is not None:
        return loop_evidence(names, binding.value, depth + 1)
    return "none" if binding.kind in ("global", "nonlocal") else "other"


def annotation_of(binding: Binding) -> Node | None:
    """The annotation of a parameter or of an annotated assignment."""
    parent = binding.node.parent
    if parent is None or parent.type not in ("typed_parameter", "typed_default_parameter", "assignment"):
        return None
    return parent.child_by_field_name("type")


def attribute_evidence(names: Names, node: Node, depth: int) -> Evidence:
    member, value = node.child_by_field_name("attribute"), node.child_by_field_name("object")
    if member is None or value is None:
        return "other"
    name = names.source.code(member)
    named: Evidence = "named" if LOOP_NAME.match(name) else "none"
    owner = enclosing_class(node)
    if value.type != "identifier" or names.source.code(value) not in ("self", "cls") or owner is None:
        return named
    found = joined(member_evidence(names, owner, name, depth))
    return named if found == "none" else found


def member_evidence(names: Names, owner: Node, name: str, depth: int) -> Iterator[Evidence]:
    """What the class says of its attribute: assignments to self.<name>, annotations, properties."""
    for assignment in self_assignments(names, owner, name):
        annotation, value = assignment.child_by_field_name("type"), assignment.child_by_field_name("right")
        if annotation is not None:
            yield "typed" if is_loop_type(names, annotation) else "other"
        elif value is not None:
            yield loop_evidence(names, value, depth + 1)
    for binding in names.bindings(name).get(owner.id, ()):
        if binding.kind == "function" and binding.owner is not None:
            returns = binding.owner.child_by_field_name("return_type")
            yield "typed" if returns is not None and is_loop_type(names, returns) else "none"
        elif (annotation := annotation_of(binding)) is not None:
            yield "typed" if is_loop_type(names, annotation) else "other"


@lru_cache(maxsize=2)  # what uses one attribute asks one after the other
def self_assignments(names: Names, owner: Node, name: str) -> tuple[Node, ...]:
    """Every `self.<name> = ...` of a class."""
    found = []
    for node in names.source.find_word(name.encode(), owner):
        target = node.parent
        if target is None:
            continue
        assignment, value = target.parent, target.child_by_field_name("object")
        if assignment is None or assignment.type != "assignment" or assignment.child_by_field_name("left") != target:
            continue
        if value is not None and names.source.code(value) in ("self", "cls"):
            found.append(assignment)
    return tuple(found)


def is_loop_type(names: Names, annotation: Node) -> bool:
    """Whether an annotation (also in quotes, Optional or a union) names an event loop."""
    text = names.source.code(annotation)
    words = re.findall(r"[\w.]+", text)
    if any(word.rpartition(".")[2] in TYPES or word == "uvloop.Loop" for word in words):
        return True
    nodes = [annotation, *annotation.named_children]
    return any(
        isinstance(meaning := names.meaning(node), Imported) and meaning.qualified == "uvloop.Loop" for node in nodes
    )


def last_segment(names: Names, node: Node) -> str:
    """The last name of a dotted expression."""
    member = node.child_by_field_name("attribute") if node.type == "attribute" else node
    return names.source.code(member) if member is not None else ""
