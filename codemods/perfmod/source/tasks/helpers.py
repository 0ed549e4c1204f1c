"""Helpers that a checkout already has: functions that make a task of any coroutine, keep it and log its failure."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from perfmod.source.python.event_loops import last_segment
from perfmod.source.python.names import Imported, Names
from perfmod.source.tasks.facts import TaskHelper
from perfmod.source.tasks.sinks import is_collection
from perfmod.source.tree import Source

LOG_METHODS = frozenset({"error", "exception", "critical", "warning", "log"})


def task_helpers(source: Source) -> Iterator[TaskHelper]:
    """The functions of a module that, unconditionally and for any coroutine, create a task, keep it, log its failure
    and return it."""
    if b".add_done_callback(" not in source.utf8:
        return
    names = Names(source)
    for node in source.root.named_children:
        if node.type == "function_definition" and node.children[0].type != "async":
            helper = helper_of(names, node)
            if helper is not None:
                yield helper


def helper_of(names: Names, function: Node) -> TaskHelper | None:
    code = names.source.code
    name, body = function.child_by_field_name("name"), function.child_by_field_name("body")
    parameters = function.child_by_field_name("parameters")
    if name is None or body is None or parameters is None:
        return None
    coroutine, *rest = [p for p in parameters.named_children if p.type != "comment"] or [parameters]
    call = coroutine_call(names, body, parameter_name(names, coroutine))
    if call is None or not is_kept_and_logged(names, body, call):
        return None
    required = {parameter_name(names, p) for p in rest if p.type in ("identifier", "typed_parameter")}
    required = {word for word in required if not word.startswith("*")}
    positional = [index for index, p in enumerate(rest) if p.type == "positional_separator"]
    accepts = {parameter_name(names, p) for p in rest[positional[0] + 1 if positional else 0 :]}
    passed = code(call)
    if "loop=loop" not in passed:
        accepts.discard("loop")
    if required - {"name"}:
        return None
    passes_on = any(word.startswith("**") and word in passed for word in accepts)
    return TaskHelper(names.source.path, code(name), frozenset(accepts), passes_on, "name" in required)


def parameter_name(names: Names, parameter: Node) -> str:
    return names.source.code(parameter).partition(":")[0].partition("=")[0].strip()


def coroutine_call(names: Names, body: Node, parameter: str) -> Node | None:
    """The call that makes a task of the parameter, where the body has no condition that could skip it."""
    found = None
    for statement in body.named_children:
        if statement.type == "function_definition" or statement.type == "comment":
            continue
        if statement.type not in ("expression_statement", "return_statement", "global_statement"):
            return None
        assignment = statement.named_children[0] if statement.named_children else None
        if assignment is None or assignment.type != "assignment":
            continue
        target, call = assignment.child_by_field_name("left"), assignment.child_by_field_name("right")
        if target is not None and call is not None and makes_task_of(names, call, parameter):
            found = call
    return found


def makes_task_of(names: Names, call: Node, parameter: str) -> bool:
    function, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
    if call.type != "call" or function is None or arguments is None or not arguments.named_children:
        return False
    meaning = names.meaning(function)
    made = isinstance(meaning, Imported) and meaning.qualified in ("asyncio.create_task", "asyncio.ensure_future")
    return made and names.source.code(arguments.named_children[0]) == parameter


def is_kept_and_logged(names: Names, body: Node, made: Node) -> bool:
    """Whether a body puts the task that `made` makes into a collection of the module, watches it and returns it."""
    code = names.source.code
    target = made.parent.child_by_field_name("left") if made.parent is not None else None
    task = code(target) if target is not None else ""
    kept = logged = returned = False
    for statement in body.named_children:
        if statement.type == "return_statement":
            returned = bool(statement.named_children) and code(statement.named_children[0]) == task
        call = statement.named_children[0] if statement.type == "expression_statement" else None
        function = call.child_by_field_name("function") if call is not None and call.type == "call" else None
        arguments = call.child_by_field_name("arguments") if call is not None else None
        if function is None or arguments is None or function.type != "attribute" or not arguments.named_children:
            continue
        holder, first = function.child_by_field_name("object"), arguments.named_children[0]
        if last_segment(names, function) == "add" and code(first) == task and holder is not None:
            holders = names.bindings(code(holder)).get(names.source.root.id, ())
            kept = kept or any(b.value is not None and is_collection(names, b.value) for b in holders)
        if last_segment(names, function) == "add_done_callback" and holder is not None and code(holder) == task:
            logged = logged or logs_failure(names, first)
    return kept and logged and returned


def logs_failure(names: Names, callback: Node) -> bool:
    """Whether a done callback looks at the exception and logs it."""
    definition = callback
    if callback.type == "identifier":
        owners = [
            binding.owner
            for found in names.bindings(names.source.code(callback)).values()
            for binding in found
            if binding.kind == "function" and binding.owner is not None
        ]
        if len(owners) != 1:
            return False
        definition = owners[0]
    elif callback.type != "lambda":
        return False
    text = names.source.code(definition)
    reads = ".exception()" in text or ".result()" in text
    return reads and ("call_exception_handler" in text or any(f".{method}(" in text for method in LOG_METHODS))
