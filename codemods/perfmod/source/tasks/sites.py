"""Where a Python file makes asyncio tasks, and what becomes of them. Yields facts for the rule supervise-tasks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tree_sitter import Node

from perfmod.model import Span
from perfmod.source.python.event_loops import last_segment
from perfmod.source.python.names import Names, enclosing_function, is_async
from perfmod.source.python.sinks import sink_of
from perfmod.source.python.strings import free_quote, shown_source
from perfmod.source.tasks.coroutines import first_argument, is_coroutine, task_name
from perfmod.source.tasks.facts import TaskSite
from perfmod.source.tasks.fates import REGISTRARS, Fate, fate_of
from perfmod.source.tasks.makers import REPORTED, Callee, callee_of, candidates
from perfmod.source.tasks.places import class_bases, forbidden_place
from perfmod.source.tasks.sinks import is_callback, kept_by_name
from perfmod.source.tree import Source, ancestors

MAXIMUM_DEPTH = 100  # LibCST recurses: 300 chained calls raise, 3,000 nested ones crash it


def task_sites(source: Source) -> Iterator[TaskSite]:
    """Every place of a file that makes a task which nothing keeps, in source order."""
    names = Names(source)
    found: dict[Span, TaskSite] = {}
    for node in candidates(names):
        callee = callee_of(names, node)
        if callee is None:
            continue
        site = site_of(names, callee)
        if site is not None:
            found[site.span] = site
    yield from sorted(found.values(), key=lambda site: site.span)


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
    fate = fate_of(names, call)
    if fate is None:
        return None
    if callee.maker in REPORTED:
        if fate.shape not in ("dropped", "callback", "unread") or fate.manual:
            return None
        return TaskSite(names.source.path, names.source.span(call), callee.maker, "reported", REPORTED[callee.maker])
    return full_site(names, callee, call, fate)


def full_site(names: Names, callee: Callee, call: Node, fate: Fate) -> TaskSite | None:
    source = names.source
    keywords = keywords_of(names, call)
    coroutine = first_argument(call) or keywords.get("coro_or_future" if callee.maker == "ensure" else "coro")
    if coroutine is None:
        return None  # create_task(*args): nothing can be said of it
    if callee.maker == "ensure" and kept_by_name(names, coroutine):
        return None
    quote = free_quote(source, call)
    site = TaskSite(
        source.path,
        source.span(call),
        callee.maker,
        fate.shape,
        manual=callee.manual or forbidden_place(names, call) or shown_source(call) or fate.manual,
        unsafe=callee.unsafe or fate.unsafe,
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


def reference_site(names: Names, callee: Callee) -> TaskSite | None:
    """`call_soon(asyncio.create_task, c())`, `partial(asyncio.create_task, c())`: the function itself is passed."""
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
