"""What becomes of a task: nothing keeps it, something seems to, or it is in good hands."""

from __future__ import annotations

from tree_sitter import Node

from perfmod.source.python.names import Names
from perfmod.source.python.sinks import Sink, reads, sink_of
from perfmod.source.tasks.facts import Shape
from perfmod.source.tasks.sinks import chained_use, container_dies, is_callback, silent_attribute
from perfmod.values import dataclass

# Calls that call the function which they get, and drop what it gives back.
REGISTRARS = frozenset(
    ["add_signal_handler", "call_soon", "call_soon_threadsafe", "call_later", "call_at", "add_done_callback"]
)
DIES = "a local collection holds it and dies with the function"
SILENT = "held, but nothing would say that it failed: await it or add a done callback"
ONLY_NAMED = "bound to a local name that nobody reads: keep one reference, or none"


@dataclass(frozen=True, slots=True)
class Fate:
    """How a task is let go, and what makes a rewrite manual or unsafe."""

    shape: Shape
    manual: str | None = None
    unsafe: str | None = None


def fate_of(names: Names, call: Node) -> Fate | None:
    """What becomes of the task that a call makes; None where it is kept."""
    sink = sink_of(call)
    if sink.kind == "dropped":
        return Fate("dropped")
    if sink.kind == "lambda":
        return Fate("callback") if is_callback(names, sink.node, REGISTRARS) else None
    if sink.kind == "member":
        used = chained_use(names, sink.node)
        return Fate("followed", unsafe=used) if used else None
    if sink.kind == "assigned":
        return fate_of_variable(names, sink.node)
    if sink.kind in ("display", "spread"):
        return fate_of_targets(names, sink)
    if sink.kind == "argument" and container_dies(names, call, sink):
        return Fate("unread", manual=DIES)
    if sink.kind in ("stored", "argument") and silent_attribute(names, call, sink):
        return Fate("held", manual=SILENT)
    return None


def fate_of_variable(names: Names, target: Node) -> Fate | None:
    """`task = ...`: never read, followed, or only put into a local collection that dies with the function."""
    found = reads(names, target)
    if found is None:
        return None
    if not found:
        return Fate("unread")
    uses = {read: chained_use(names, read.parent) for read in found if read.parent is not None}
    others = [read for read, reason in uses.items() if reason is None]
    if not others:
        return Fate("followed", unsafe=next(iter(uses.values())))
    sinks = [(read, sink_of(read)) for read in others]
    dies = all(sink.kind == "argument" and container_dies(names, read, sink) for read, sink in sinks)
    return Fate("unread", manual=DIES) if dies else None


def fate_of_targets(names: Names, sink: Sink) -> Fate | None:
    """`a = b = task`, a walrus, unpacking, or a local list of tasks: manual where none of the names is read."""
    targets = targets_of(sink)
    if not targets or any(reads(names, target) != [] for target in targets):
        return None
    return Fate("unread", manual=DIES if sink.kind == "display" else ONLY_NAMED)


def targets_of(sink: Sink) -> list[Node]:
    """The names that a chain of assignments, a walrus or an unpacking binds; empty where one is no plain name."""
    if sink.node.type == "identifier":
        return [sink.node]
    if sink.node.type == "named_expression":
        name = sink.node.child_by_field_name("name")
        return [name] if name is not None else []
    found: list[Node] = []
    assignment: Node | None = sink.node
    while assignment is not None and assignment.type == "assignment":
        left = assignment.child_by_field_name("left")
        parts = [left] if left is not None and left.type == "identifier" else list(left.named_children if left else ())
        if not parts or any(part.type != "identifier" for part in parts):
            return []
        found += parts
        assignment = assignment.parent
    return found
