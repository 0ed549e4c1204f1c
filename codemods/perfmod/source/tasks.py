"""Where a Python file makes asyncio tasks, and what becomes of them. Yields facts for the rule supervise-tasks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from tree_sitter import Node

from perfmod.model import Span
from perfmod.source.coroutines import first_argument, is_coroutine, task_name
from perfmod.source.event_loops import last_segment, loop_evidence
from perfmod.source.python import Imported, Names, Unknown, enclosing_function, is_async
from perfmod.source.sinks import Sink, reads, sink_of
from perfmod.source.task_places import class_bases, forbidden_place, free_quote, shown_source
from perfmod.source.task_sinks import chained_use, container_dies, is_callback, silent_attribute
from perfmod.source.tree import Source, ancestors

MAXIMUM_DEPTH = 100  # LibCST recurses: 300 chained calls raise, 3,000 nested ones crash it

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
# Calls that call the function which they get, and drop what it gives back.
REGISTRARS = frozenset(
    ["add_signal_handler", "call_soon", "call_soon_threadsafe", "call_later", "call_at", "add_done_callback"]
)

EFFECTS = re.compile(r":=|\bawait\b|\byield\b")

Shape = Literal["dropped", "unread", "callback", "followed", "held", "reported"]


@dataclass(frozen=True, slots=True)
class TaskSite:
    """One place that makes a task and lets it go."""

    path: str
    span: Span  #: the call
    maker: str  #: create, ensure, loop, or the name of a reported function
    shape: Shape
    manual: str | None = None  #: why it can't be rewritten, as far as this file tells
    unsafe: str | None = None  #: why rewriting may change behaviour
    name: str | None = None
    quote: str = '"'
    keywords: frozenset[str] = frozenset()
    loop: str | None = None  #: source text of the loop that the task is made on
    coroutine: bool | str = True  #: of ensure_future: see coroutines.is_coroutine
    bases: tuple[str, ...] = ()  #: dotted origins of the bases of the class around it
    binding: str = ""  #: the imported name that the callee uses
    helper_name_taken: bool = False


@dataclass(frozen=True, slots=True)
class Callee:
    """What a candidate calls."""

    node: Node
    maker: str
    loop: str | None = None
    manual: str | None = None
    unsafe: str | None = None
    binding: str = ""


def task_sites(source: Source) -> Iterator[TaskSite]:
    """Every place of a file that makes a task which nothing keeps, in source order."""
    names = Names(source)
    found: dict[Span, TaskSite] = {}
    taken = helper_name_taken(names)
    for node in candidates(names):
        callee = callee_of(names, node)
        if callee is None:
            continue
        site = site_of(names, callee)
        if site is not None:
            found[site.span] = replace(site, helper_name_taken=taken)
    yield from sorted(found.values(), key=lambda site: site.span)


def helper_name_taken(names: Names) -> bool:
    """Whether the file binds the helper's name to something other than an import of a helper module."""
    return any(
        binding.kind != "import" or not binding.qualified.endswith("background_tasks.create_background_task")
        for found in names.bindings("create_background_task").values()
        for binding in found
    )


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


def site_of(names: Names, callee: Callee) -> TaskSite | None:
    """The site that a callee makes; None where its task is kept, awaited or passed on."""
    function, call = callee.node, callee.node.parent
    while call is not None and call.type == "parenthesized_expression":
        function, call = call, call.parent
    if call is None:
        return None
    if call.type != "call" or call.child_by_field_name("function") != function:
        return reference_site(names, callee)
    arguments = call.child_by_field_name("arguments")
    if arguments is None or arguments.type != "argument_list" or inside_annotation(call):
        return None
    shape, manual, unsafe, _ = fate(names, call, callee)
    if shape is None:
        return None
    if callee.maker in REPORTED:
        if shape not in ("dropped", "callback", "unread") or manual:
            return None
        return TaskSite(names.source.path, names.source.span(call), callee.maker, "reported", REPORTED[callee.maker])
    return full_site(names, callee, call, shape, manual, unsafe)


def full_site(
    names: Names, callee: Callee, call: Node, shape: Shape, manual: str | None, unsafe: str | None
) -> TaskSite | None:
    source = names.source
    keywords = keywords_of(names, call)
    coroutine = first_argument(call) or keywords.get("coro") or keywords.get("coro_or_future")
    if coroutine is None:
        return None  # create_task(*args): nothing can be said of it
    quote = free_quote(source, call)
    site = TaskSite(
        source.path,
        source.span(call),
        callee.maker,
        shape,
        manual=callee.manual or forbidden_place(names, call) or shown_source(call) or manual,
        unsafe=callee.unsafe or unsafe,
        name=task_name(names, coroutine) if "name" not in keywords and "**" not in keywords else None,
        quote=quote or '"',
        keywords=frozenset(keywords),
        loop=callee.loop,
        bases=class_bases(names, call),
        binding=callee.binding,
    )
    if callee.maker == "ensure":
        site = replace(site, coroutine=is_coroutine(names, coroutine))
        function = enclosing_function(call)
        if function is None or not is_async(function):
            site = replace(site, manual=site.manual or "ensure_future outside of async def: the loop may not run yet")
    if quote is None and site.name is not None:
        site = replace(site, manual=site.manual or "inside an f-string with no free quote")
    if depth_of(call) > MAXIMUM_DEPTH:
        site = replace(site, manual="nested too deeply to be rewritten")
    return site


def fate(names: Names, call: Node, callee: Callee) -> tuple[Shape | None, str | None, str | None, Sink]:
    """What becomes of the task: its shape (None: it is kept), and what makes a rewrite manual or unsafe."""
    sink = sink_of(call)
    if sink.kind == "dropped":
        return "dropped", None, None, sink
    if sink.kind == "lambda":
        return ("callback" if is_callback(names, sink.node, REGISTRARS) else None), None, None, sink
    if sink.kind == "member":
        used = chained_use(names, sink.node)
        return ("followed" if used else None), None, used, sink
    if sink.kind == "assigned":
        found = reads(names, sink.node)
        if found is None:
            return None, None, None, sink
        if not found:
            return "unread", None, None, sink
        uses = [chained_use(names, read.parent) for read in found if read.parent is not None]
        if None not in uses:
            return "followed", None, uses[0], sink
        return container_fate(names, found, sink)
    if sink.kind in ("display", "spread"):
        return spread_fate(names, sink)
    if sink.kind == "argument" and container_dies(names, call, sink):
        return "unread", "a local collection holds it and dies with the function", None, sink
    if sink.kind in ("stored", "argument") and silent_attribute(names, call, sink):
        return "held", "held, but nothing would say that it failed: await it or add a done callback", None, sink
    return None, None, None, sink


def container_fate(names: Names, found: list[Node], sink: Sink) -> tuple[Shape | None, str | None, str | None, Sink]:
    """A variable whose only other use is to be put into a local collection that dies with the function."""
    for read in found:
        if read.parent is not None and chained_use(names, read.parent):
            continue
        inner = sink_of(read)
        if inner.kind != "argument" or not container_dies(names, read, inner):
            return None, None, None, sink
    return "unread", "a local collection holds it and dies with the function", None, sink


def spread_fate(names: Names, sink: Sink) -> tuple[Shape | None, str | None, str | None, Sink]:
    """`a = b = task`, a walrus, unpacking, or a local list of tasks: manual where none of the names is read."""
    targets = targets_of(sink)
    if not targets:
        return None, None, None, sink
    for target in targets:
        found = reads(names, target)
        if found is None or found:
            return None, None, None, sink
    reason = "bound to a local name that nobody reads: keep one reference, or none"
    if sink.kind == "display":
        reason = "a local collection holds it and dies with the function"
    return "unread", reason, None, sink


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


def reference_site(names: Names, callee: Callee) -> TaskSite | None:
    """`loop.call_soon(asyncio.create_task, c())`, `partial(asyncio.create_task, c())`: the function itself is passed."""
    arguments = callee.node.parent
    if arguments is None or arguments.type != "argument_list" or callee.maker in REPORTED:
        return None
    call = arguments.parent
    function = call.child_by_field_name("function") if call is not None else None
    if call is None or function is None:
        return None
    last = last_segment(names, function)
    sink = sink_of(call)
    if (
        last not in REGISTRARS
        and sink.kind != "dropped"
        and not (last == "partial" and sink.kind == "argument" and is_callback(names, call, REGISTRARS))
    ):
        return None
    return TaskSite(
        names.source.path,
        names.source.span(call),
        callee.maker,
        "reported",
        f"the function itself is passed to {last}: pass a lambda that calls create_background_task",
    )


def keywords_of(names: Names, call: Node) -> dict[str, Node]:
    """The keyword arguments of a call; `**` stands for a double star."""
    found: dict[str, Node] = {}
    arguments = call.child_by_field_name("arguments")
    for child in arguments.named_children if arguments is not None else ():
        if child.type == "dictionary_splat":
            found["**"] = child
        elif child.type == "keyword_argument":
            name, value = child.child_by_field_name("name"), child.child_by_field_name("value")
            if name is not None and value is not None:
                found[names.source.code(name)] = value
    return found


def inside_annotation(node: Node) -> bool:
    return any(parent.type == "type" for parent in ancestors(node))


def depth_of(node: Node) -> int:
    """How deep the tree below a node is, as far as it matters."""
    depth, level = 0, [node]
    while level and depth <= MAXIMUM_DEPTH:
        level = [child for parent in level for child in parent.named_children]
        depth += 1
    return depth
