"""The coroutine that a task is made of: a name for the task, and whether it is known to be a coroutine."""

from __future__ import annotations

import re

from tree_sitter import Node

from perfmod.source.python.event_loops import last_segment
from perfmod.source.python.names import (
    Bound,
    Imported,
    Names,
    enclosing_class,
    enclosing_function,
    is_async,
)

VERBS = frozenset("start run launch spawn schedule background bg do async".split())
GENERIC = frozenset("task main run loop worker job coro start execute call handle inner wrapper process".split())
#: asyncio's wrappers: the name worth showing is that of what they wrap
WRAPPERS = frozenset({"asyncio.to_thread", "asyncio.wait_for", "asyncio.shield"})


def task_name(names: Names, coroutine: Node) -> str | None:
    """A static name for the task of a coroutine expression: `start_followup_scheduler(...)` -> `followup_scheduler`.

    A name that says nothing (`run`, `_bg_task`) gets the receiver, the class, or the enclosing function in front.
    None where the expression has no name.
    """
    coroutine = unwrapped(names, coroutine)
    if coroutine.type == "call":
        function = coroutine.child_by_field_name("function")
        if function is None or function.type not in ("identifier", "attribute"):
            return None
        full = last_segment(names, function)
    elif coroutine.type in ("identifier", "attribute"):
        function = coroutine
        full = last_segment(names, coroutine)
    else:
        return None
    whole = full.strip("_")
    words = whole.split("_")
    stripped = 0
    while len(words) > 1 and words[0] in VERBS and stripped < 2:
        words, stripped = words[1:], stripped + 1
    short = "_".join(words).strip("_")
    if not short:
        return None
    if short.isdigit():
        return whole
    if short not in GENERIC:
        return short
    prefix = receiver(names, function) or owner_of(names, coroutine)
    return f"{prefix}_{whole}" if prefix else whole


def unwrapped(names: Names, coroutine: Node) -> Node:
    """What `asyncio.to_thread(f)` and its like wrap."""
    coroutine = without_parentheses(coroutine)
    if coroutine.type == "call" and (function := coroutine.child_by_field_name("function")) is not None:
        meaning = names.meaning(function)
        first = first_argument(coroutine)
        if isinstance(meaning, Imported) and meaning.qualified in WRAPPERS and first is not None:
            return unwrapped(names, first)
    return coroutine


def without_parentheses(node: Node) -> Node:
    while node.type == "parenthesized_expression":
        node = next(child for child in node.named_children if child.type != "comment")
    return node


def first_argument(call: Node) -> Node | None:
    """The first positional argument of a call, unless a star comes before it."""
    arguments = call.child_by_field_name("arguments")
    if arguments is None or arguments.type != "argument_list":
        return None
    first = next((child for child in arguments.named_children if child.type != "comment"), None)
    if first is None or first.type in ("list_splat", "dictionary_splat", "keyword_argument"):
        return None
    while first is not None and first.type == "parenthesized_expression":  # a formatter takes these away
        first = next((child for child in first.named_children if child.type != "comment"), None)
    return first


def receiver(names: Names, function: Node) -> str | None:
    """`scheduler` of `self.scheduler.start`; None for self, cls and plain names."""
    if function.type != "attribute":
        return None
    value = function.child_by_field_name("object")
    while value is not None and value.type in ("call", "subscript", "await", "parenthesized_expression"):
        value = value.child_by_field_name("function") or value.child_by_field_name("value") or value.named_children[0]
    if value is None or value.type not in ("identifier", "attribute"):
        return None
    name = last_segment(names, value)
    return None if name in ("self", "cls", "super", "type") else snake_case(name.strip("_")) or None


def owner_of(names: Names, node: Node) -> str | None:
    """The class around a place in snake_case, else the function around it."""
    owner = enclosing_class(node) or enclosing_function(node)
    name = owner.child_by_field_name("name") if owner is not None else None
    return snake_case(names.source.code(name).strip("_")) if name is not None else None


def snake_case(name: str) -> str:
    """`HTTPPoolRunner` -> `http_pool_runner`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def is_coroutine(names: Names, node: Node) -> bool | str:
    """Whether an expression is a call of a coroutine function: True, False (it can't be seen), or the dotted origin of
    an imported function that has to be looked up elsewhere."""
    node = without_parentheses(node)
    function = node.child_by_field_name("function") if node.type == "call" else None
    if function is None:
        return False
    if function.type == "attribute":
        value, member = function.child_by_field_name("object"), function.child_by_field_name("attribute")
        owner = enclosing_class(node)
        if value is not None and member is not None and owner is not None and names.source.code(value) == "self":
            methods = names.bindings(names.source.code(member)).get(owner.id, [])
            return len(methods) == 1 and methods[0].owner is not None and is_async_function(methods[0].owner)
    meaning = names.meaning(function)
    if isinstance(meaning, Imported):
        return meaning.qualified
    if isinstance(meaning, Bound) and meaning.only is not None and meaning.only.owner is not None:
        return meaning.only.kind == "function" and is_async_function(meaning.only.owner)
    return False


def is_async_function(definition: Node) -> bool:
    """An undecorated `async def` that is no async generator."""
    if definition.type != "function_definition" or not is_async(definition):
        return False
    if definition.parent is not None and definition.parent.type == "decorated_definition":
        return False
    return not holds_yield(definition)


def holds_yield(definition: Node) -> bool:
    """Whether a function yields itself (not a function inside it)."""
    body = definition.child_by_field_name("body")
    stack = list(body.children) if body is not None else []
    while stack:
        node = stack.pop()
        if node.type == "yield":
            return True
        if node.type not in ("function_definition", "lambda", "class_definition"):
            stack.extend(node.children)
    return False
