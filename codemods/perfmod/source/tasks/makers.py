"""What makes a task: asyncio's functions under whatever name, and the methods of event loops."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.python.event_loops import last_segment, loop_evidence
from perfmod.source.python.names import Imported, Names, Unknown
from perfmod.values import dataclass

#: asyncio's functions that make a task which the caller must keep
MAKERS = {"create_task": "create", "ensure_future": "ensure"}
#: ... and those that are reported, never rewritten
REPORTED = {
    "run_coroutine_threadsafe": "the failure stays in a future that nobody reads: keep it and look at its result",
    "gather": "a dropped gather: await it, or start each coroutine as a task of its own",
    "shield": "a dropped shield: keep the inner task and await it",
    "Task": "a task made by hand: use asyncio.create_task",
    "run_in_executor": "the failure stays in a future that nobody reads: await it",
}
EFFECTS = pattern(r":=|\b(?:await|yield|create_\w*task|ensure_future)\b")


@dataclass(frozen=True, slots=True)
class Callee:
    """What a candidate calls."""

    node: Node
    maker: str
    loop: str | None = None
    manual: str | None = None
    unsafe: str | None = None
    binding: str = ""


def candidates(names: Names) -> Iterator[Node]:
    """Every place that may name one of asyncio's task makers, also through an alias."""
    aliases: set[str] = set()
    for word in (*MAKERS, *REPORTED):
        for node in names.source.find_word(word.encode()):
            if node.type != "identifier":
                continue
            yield node
            alias = alias_made_at(node)
            if alias is not None:
                aliases.add(names.source.code(alias))
    for alias_name in sorted(aliases):
        yield from names.occurrences(alias_name)


def alias_made_at(node: Node) -> Node | None:
    """`ct` of `from asyncio import create_task as ct` and of `ct = asyncio.create_task`."""
    top = node
    parent = node.parent
    while parent is not None and parent.type in ("dotted_name", "attribute"):
        top, parent = parent, parent.parent
    if parent is not None and parent.type == "aliased_import" and parent.child_by_field_name("name") == top:
        return parent.child_by_field_name("alias")
    if parent is not None and parent.type == "assignment" and parent.child_by_field_name("right") == top:
        left = parent.child_by_field_name("left")
        return left if left is not None and left.type == "identifier" else None
    return None


def callee_of(names: Names, node: Node) -> Callee | None:
    """What the expression that ends in this identifier calls, if it is one of asyncio's makers or a loop's."""
    parent = node.parent
    is_member = parent is not None and parent.type == "attribute" and parent.child_by_field_name("attribute") == node
    expression = parent if is_member and parent is not None else node
    meaning = names.meaning(expression)
    if isinstance(meaning, Imported):
        return imported_callee(names, expression, meaning)
    if isinstance(meaning, Unknown) and meaning.possible:
        makers = [maker for origin in meaning.possible if (maker := asyncio_function(origin)) is not None]
        starred = [origin for origin in meaning.possible if origin.count("asyncio.") and not makers]
        if makers or (starred and names.source.code(expression).startswith("asyncio.")):
            maker = makers[0] if makers else last_segment(names, expression)
            return Callee(expression, kind_of(maker), manual=f"asyncio can't be told apart: {meaning.reason}")
        return None
    if not is_member:
        return None
    return loop_callee(names, expression)


def imported_callee(names: Names, expression: Node, meaning: Imported) -> Callee | None:
    binding = names.source.code(meaning.binding.node) if is_module_level(meaning) else ""
    maker = asyncio_function(meaning.qualified)
    if maker is not None:
        return Callee(expression, kind_of(maker), binding=binding)
    origin, _, maker = meaning.qualified.rpartition(".")
    borrowed = origin == meaning.binding.qualified and origin.endswith(".asyncio")
    if borrowed and (maker in MAKERS or maker in REPORTED):
        return Callee(expression, kind_of(maker), manual=f"asyncio comes from another module: {origin[:-8] or '.'}")
    return loop_callee(names, expression)


def is_module_level(meaning: Imported) -> bool:
    return meaning.binding.scope.type == "module"


def asyncio_function(qualified: str) -> str | None:
    """`create_task` for asyncio.create_task and asyncio.tasks.create_task."""
    origin, _, name = qualified.rpartition(".")
    return name if origin in ("asyncio", "asyncio.tasks") and (name in MAKERS or name in REPORTED) else None


def kind_of(maker: str) -> str:
    return MAKERS.get(maker, maker)


def loop_callee(names: Names, expression: Node) -> Callee | None:
    member, value = expression.child_by_field_name("attribute"), expression.child_by_field_name("object")
    if member is None or value is None or expression.type != "attribute":
        return None
    name = names.source.code(member)
    if name not in ("create_task", "run_in_executor"):
        return None
    evidence = loop_evidence(names, value)
    if evidence not in ("typed", "named"):
        return None
    loop = names.source.code(value)
    unsafe = None if evidence == "typed" else "only its name says that this is an event loop: annotate it to make sure"
    # the loop would be computed after the coroutine, not before it
    manual = "the loop is computed on the spot: give it a name first" if EFFECTS.search(loop) else None
    return Callee(expression, "loop" if name == "create_task" else name, loop=loop, manual=manual, unsafe=unsafe)
