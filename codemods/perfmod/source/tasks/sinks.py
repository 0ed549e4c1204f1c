"""What keeps a task alive, and what only seems to."""

from __future__ import annotations

import re
from collections.abc import Container

from tree_sitter import Node

from perfmod.source.python.event_loops import last_segment
from perfmod.source.python.names import Bound, Imported, Names, enclosing_class
from perfmod.source.python.sinks import Sink, reads, sink_of

#: methods of a task that neither keep it nor look at its end
FOLLOWED = {
    "add_done_callback": "a done callback is there already: an error would be handled twice",
    "set_name": "the task is named after it was made: the helper's name would be replaced",
    "get_name": "the task's name is read: the helper names it",
}
COLLECTORS = frozenset("append add insert appendleft setdefault".split())
RELEASERS = frozenset("discard remove pop clear".split())
COLLECTIONS = frozenset({"list", "set", "dictionary", "list_comprehension", "set_comprehension"})
COLLECTION_TYPES = frozenset({"set", "list", "dict", "deque", "defaultdict", "OrderedDict"})
#: reads of an attribute that tell nothing of how its task ended
SILENT_READS = frozenset("cancel cancelled done get_name set_name add discard remove append pop clear".split())


def chained_use(names: Names, attribute: Node) -> str | None:
    """Why `task.add_done_callback(...)` as a statement is unsafe to rewrite; None for any other use."""
    call = attribute.parent
    if attribute.type != "attribute" or call is None or call.type != "call":
        return None
    if call.child_by_field_name("function") != attribute:
        return None
    member = attribute.child_by_field_name("attribute")
    reason = FOLLOWED.get(names.source.code(member)) if member is not None else None
    return reason if reason and sink_of(call).kind == "dropped" else None


def is_callback(names: Names, function: Node, registrars: Container[str]) -> bool:
    """Whether a lambda or partial is passed straight to something that calls it and drops what it gives back."""
    arguments = function.parent
    while arguments is not None and arguments.type == "parenthesized_expression":
        arguments = arguments.parent
    call = arguments.parent if arguments is not None and arguments.type == "argument_list" else None
    target = call.child_by_field_name("function") if call is not None else None
    if target is None:
        return False
    if target.type == "attribute" and last_segment(names, target) in registrars:
        return True
    meaning = names.meaning(target)
    return isinstance(meaning, Imported) and meaning.qualified in ("signal.signal", "atexit.register")


def container_dies(names: Names, node: Node, sink: Sink) -> bool:
    """Whether `xs.append(task)` puts it into a local collection that is only filled and emptied, never looked at."""
    call = sink.node
    function = call.child_by_field_name("function") if call.type == "call" else None
    if function is None or function.type != "attribute" or sink_of(call).kind != "dropped":
        return False
    if last_segment(names, function) not in COLLECTORS:
        return False
    holder = function.child_by_field_name("object")
    if holder is None or holder.type != "identifier":
        return False
    meaning = names.meaning(holder)
    if not isinstance(meaning, Bound) or meaning.only is None or meaning.only.value is None:
        return False
    if not is_collection(names, meaning.only.value):
        return False
    found = reads(names, meaning.only.node)
    return found is not None and all(only_fills(names, read) for read in found)


def is_collection(names: Names, value: Node) -> bool:
    if value.type in COLLECTIONS:
        return True
    function = value.child_by_field_name("function") if value.type == "call" else None
    return function is not None and last_segment(names, function) in COLLECTION_TYPES


def kept_by_name(names: Names, value: Node) -> bool:
    """Whether what ensure_future() gets has a name and is kept under it: a task comes back as it is."""
    if value.type != "identifier":
        return False
    others = [sink_of(read) for read in reads(names, value) or () if read != value]
    return any(
        sink.kind == "stored"
        or (sink.kind == "argument" and collected_in(names, sink.node) is not None)
        or sink.node.type == "return_statement"
        for sink in others
    )


def only_fills(names: Names, read: Node) -> bool:
    """`xs.append(...)`, `xs.discard(t)` as statements, `t.add_done_callback(xs.discard)`."""
    attribute = read.parent
    if attribute is None or attribute.type != "attribute" or attribute.child_by_field_name("object") != read:
        return False
    name = last_segment(names, attribute)
    if name not in COLLECTORS | RELEASERS:
        return False
    above = attribute.parent
    if above is None:
        return False
    if above.type == "call":
        return sink_of(above).kind == "dropped"
    call = above.parent
    function = call.child_by_field_name("function") if call is not None and call.type == "call" else None
    return function is not None and last_segment(names, function) == "add_done_callback"


def silent_attribute(names: Names, call: Node, sink: Sink) -> bool:
    """Whether `self.t = task` or `self.ts.add(task)` is all that the class does with it, but for cancelling."""
    owner = enclosing_class(call)
    target = sink.node if sink.kind == "stored" else collected_in(names, sink.node)
    if owner is None or target is None or target.type != "attribute":
        return False
    holder, member = target.child_by_field_name("object"), target.child_by_field_name("attribute")
    if holder is None or member is None or names.source.code(holder) != "self":
        return False
    pattern = re.compile(rb"(?<!\w)(?:\w+|\))\s*\.\s*(%b)(?!\w)" % re.escape(names.source.code(member).encode()))
    places = [node.parent for node in names.source.find(pattern) if node.parent is not None]
    return all(is_silent_read(names, place) for place in places if place.type == "attribute")


def collected_in(names: Names, call: Node) -> Node | None:
    function = call.child_by_field_name("function") if call.type == "call" else None
    if function is None or function.type != "attribute" or last_segment(names, function) not in COLLECTORS:
        return None
    return function.child_by_field_name("object")


def is_silent_read(names: Names, place: Node) -> bool:
    parent = place.parent
    if parent is None:
        return False
    if parent.type == "assignment" and parent.child_by_field_name("left") == place:
        return True
    if parent.type == "attribute":
        used = parent.parent
        return last_segment(names, parent) in SILENT_READS and used is not None and used.type == "call"
    tests = ("comparison_operator", "not_operator", "boolean_operator", "if_statement", "while_statement")
    return parent.type in tests
