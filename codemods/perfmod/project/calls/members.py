"""Functions and classes by their dotted names in a module."""

from __future__ import annotations

from typing import Literal

from tree_sitter import Node

from perfmod.source.python.names import Names
from perfmod.source.python.types import Target, target_of_member
from perfmod.values import dataclass


@dataclass(frozen=True, slots=True)
class Definition:
    """A function, class or variable of the checkout."""

    path: str
    name: str
    kind: Literal["function", "class", "value"]
    instance: bool = False  #: a class that was come to through a value of it


def joined(target: Target, parts: list[str]) -> Target:
    for part in parts:
        target = target_of_member(target, part)
    return target


def member_of(names: Names, scope: Node, dotted: str) -> Node | None:
    """The function or class of a dotted name below a scope."""
    for part in dotted.split("."):
        owners = [b.owner for b in names.bindings(part).get(scope.id, ()) if b.kind in ("function", "class")]
        if not owners or owners[-1] is None:
            return None
        scope = owners[-1]
    return scope
