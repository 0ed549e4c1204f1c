"""Which uses of a variable see the value that one place gives it, in any language with blocks and assignments."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tree_sitter import Node

from perfmod.source.tree import ancestors
from perfmod.values import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """A place that gives a variable a value. From its end on, the rest of `block` has that value."""

    start: int
    end: int
    block: Node


@dataclass(frozen=True, slots=True)
class Seen:
    """A use that may see the value of a setting. `sure`: it can't be another one's."""

    node: Node
    sure: bool


def setting(node: Node, blocks: Collection[str]) -> Setting:
    """The setting that a declaration or an assignment is."""
    block = next((above for above in ancestors(node) if above.type in blocks), node)
    return Setting(node.start_byte, node.end_byte, block)


def uses_that_see(
    chosen: Setting, settings: Sequence[Setting], uses: Sequence[Node], loops: Collection[str]
) -> list[Seen]:
    """The uses that may see a setting, of all that the variable has."""
    found = []
    for use in uses:
        reaching = settings_at(use, settings, loops)
        if chosen in reaching:
            found.append(Seen(use, len(reaching) == 1))
    return found


def settings_at(use: Node, settings: Sequence[Setting], loops: Collection[str]) -> list[Setting]:
    """The settings whose value a use may see: the last one that it can't miss, and all that may run after that."""
    reaching: list[Setting] = []
    for each in sorted(settings, key=lambda each: each.start):
        if each.end <= use.start_byte:
            reaching = [each] if holds(each.block, use) else [*reaching, each]
    later = [each for each in settings if each.start >= use.end_byte]
    if later:
        turns = [above for above in ancestors(use) if above.type in loops]
        fresh = max((each.start for each in reaching if holds(each.block, use)), default=-1)
        reaching += [each for each in later if any(fresh < turn.start_byte and around(turn, each) for turn in turns)]
    return reaching


def holds(outer: Node, inner: Node) -> bool:
    return outer.start_byte <= inner.start_byte and inner.end_byte <= outer.end_byte


def around(loop: Node, each: Setting) -> bool:
    return loop.start_byte <= each.start and each.end <= loop.end_byte
