"""Where a file uses a name that may be a function of the checkout, and what each use does with it."""

from __future__ import annotations

from typing import Literal

from tree_sitter import Node

from perfmod.model import Span
from perfmod.patterns import pattern
from perfmod.source.python.functions import Function, dotted_name, function_around
from perfmod.source.python.names import Bound, Imported, Names, Unknown, enclosing_class
from perfmod.source.python.types import Target, base_targets, target_of_member, type_of
from perfmod.source.reads.paths import Paths
from perfmod.source.reads.repeats import Loop, is_remembered, loop_around
from perfmod.source.reads.values import UNKNOWN, Value
from perfmod.source.tree import ancestors, field_of
from perfmod.values import dataclass

Use = Literal[
    "call",
    "thread",  # handed to a thread or a process: it does not block the event loop
    "handler",  # registered with a framework, to be called for every request
    "start",  # registered to run at the start, or run by asyncio.run()
    "subclass",  # a base of a class
    "value",  # anything else
]

THREADS = pattern(
    r"(?:\A|\.)(?:to_thread|run_in_executor|run_sync|run_in_threadpool|submit|sync_to_async|Thread|"
    r"Process|run_in_thread|apply_async|to_process|run_blocking|async_add_executor_job|asyncify)\Z"
)
RUNS = pattern(r"(?:\A|\.)(?:run|run_until_complete|start_server_and_run)\Z")
RUNNERS = pattern(r"(?:asyncio|anyio|uvloop|trio|curio)\.(?:run|Runner.{0,300})\Z")
REGISTERS = pattern(r"(?:\A|\.)(?:register|add_url_rule|add_api_route|add_route|add_get|add_post|add_put|add_delete|"
                       r"add_patch|add_handler|add_listener|add_error_handler|\w*Handler|Depends|Security|"
                       r"add_job|connect|add_resource|add_websocket_route|add_view)\Z")  # fmt: skip
STARTS = pattern(r"startup|post_init|lifespan|setup_hook|on_start\b|before_serving")


@dataclass(frozen=True, slots=True)
class CallSite:
    """One use of a name."""

    path: str
    span: Span
    target: Target
    use: Use
    function: Function  #: that holds it; of a subclass: its name with the class's
    positional: tuple[Value, ...] = ()
    keywords: tuple[tuple[str, Value], ...] = ()
    complete: bool = True  #: no star in the arguments
    loop: Loop = "once"
    remembered: bool = False


def references(names: Names, word: str) -> tuple[tuple[int, int, Target], ...]:
    """Every use of a name in a file, with what it stands for there, as far as that can be told."""
    found = []
    for node in names.source.find_word(word.encode()):
        if node.type != "identifier" or is_definition(node):
            continue
        above = node.parent
        is_member = above is not None and above.type == "attribute" and field_of(node) == "attribute"
        expression = above if above is not None and is_member else node
        target = target_of(names, expression)
        if target is not None:
            found.append((expression.start_byte, expression.end_byte, target))
    return tuple(found)


def doubtful(names: Names, word: str) -> int | None:
    """Where a name may mean an imported function, but may mean something else as well; the first such place."""
    for node in names.source.find_word(word.encode()):
        if node.type != "identifier" or is_definition(node):
            continue
        above = node.parent
        is_member = above is not None and above.type == "attribute" and field_of(node) == "attribute"
        expression = above if above is not None and is_member else node
        meaning = names.meaning(expression)
        if isinstance(meaning, Unknown) and meaning.possible and target_of(names, expression) is None:
            return expression.start_byte
    return None


def is_definition(node: Node) -> bool:
    parent = node.parent
    if parent is None:
        return True
    if parent.type in ("function_definition", "class_definition", "keyword_argument"):
        return parent.child_by_field_name("name") == node
    return parent.type in ("dotted_name", "aliased_import", "import_from_statement")


def target_of(names: Names, expression: Node) -> Target | None:
    """The function or class that an expression means."""
    meaning = names.meaning(expression)
    if isinstance(meaning, Imported):
        return Target(names.source.path, meaning.qualified, imported=True)
    if expression.type == "identifier":
        if isinstance(meaning, Unknown) and meaning.possible and len(meaning.possible) == 1:
            return Target(names.source.path, meaning.possible[0], imported=True)
        only = meaning.only if isinstance(meaning, Bound) else None
        if only is None or only.kind not in ("function", "class") or only.owner is None or only.node == expression:
            return None
        return Target(names.source.path, dotted_name(names, only.owner))
    value, member = expression.child_by_field_name("object"), expression.child_by_field_name("attribute")
    if value is None or member is None:
        return None
    name = names.source.code(member)
    if is_super(names, value):
        owner = enclosing_class(expression)
        bases = base_targets(names, owner) if owner is not None else []
        return target_of_member(bases[0], name) if len(bases) == 1 else None
    owner_type = type_of(names, value)
    return None if owner_type is None else target_of_member(owner_type, name)


def is_super(names: Names, node: Node) -> bool:
    function = node.child_by_field_name("function") if node.type == "call" else None
    return function is not None and names.source.code(function) == "super"


def site_at(names: Names, expression: Node, target: Target) -> CallSite:
    """What the use at `expression` does with its target."""
    paths = Paths(names)
    called_node, call = expression, expression.parent
    if call is not None and call.type == "list_splat":  # tree-sitter takes `[*f()]` for a call of `*f`
        called_node, call = call, call.parent
    if call is not None and call.type == "call" and call.child_by_field_name("function") == called_node:
        return called(names, paths, call, target)
    span, function = names.source.span(expression), function_around(names, expression)
    use, taker = use_of(names, expression)
    if use == "subclass":
        definition = next(p for p in ancestors(expression) if p.type == "class_definition")
        function = Function(names.source.path, dotted_name(names, definition), definition.start_byte)
    positional: tuple[Value, ...] = ()
    if use == "thread" and taker is not None:
        positional = tuple(paths.value(a) for a in arguments_after(taker, expression))
    return CallSite(
        names.source.path,
        span,
        target,
        use,
        function,
        positional,
        loop=loop_around(names, expression),
        remembered=is_remembered(names, expression),
    )


def called(names: Names, paths: Paths, call: Node, target: Target) -> CallSite:
    positional, keywords, complete = [], [], True
    listed = call.child_by_field_name("arguments")
    for node in listed.named_children if listed is not None else ():
        if node.type == "keyword_argument":
            name = node.child_by_field_name("name")
            if name is not None:
                keywords.append((names.source.code(name), paths.value(node.child_by_field_name("value"))))
        elif node.type in ("list_splat", "dictionary_splat"):
            complete = False
        elif node.type != "comment":
            positional.append(paths.value(node))
    return CallSite(
        names.source.path,
        names.source.span(call),
        target,
        use_of_call(names, call),
        function_around(names, call),
        tuple(positional),
        tuple(keywords),
        complete,
        loop_around(names, call),
        is_remembered(names, call),
    )


def use_of_call(names: Names, call: Node) -> Use:
    """A call is a call; but inside a lambda it runs when that does, and `asyncio.run(f())` is the start."""
    for parent in ancestors(call):
        if parent.type == "lambda":
            use, _ = use_of(names, parent)
            return use if use in ("thread", "handler", "start") else "value"
        if parent.type in ("function_definition", "class_definition", "block"):
            return "call"
        if parent.type == "call" and runs_program(names, parent):
            return "start"
    return "call"


def runs_program(names: Names, call: Node) -> bool:
    function = call.child_by_field_name("function")
    if function is None:
        return False
    meaning = names.meaning(function)
    code = meaning.qualified if isinstance(meaning, Imported) else names.source.code(function)
    return RUNNERS.search(code) is not None or code.endswith("run_until_complete")


def use_of(names: Names, expression: Node) -> tuple[Use, Node | None]:
    """What is done with a function that is not called at its place, and the call that takes it."""
    child = expression
    keyword = ""
    for parent in ancestors(expression):
        kind = parent.type
        if kind == "keyword_argument":
            name = parent.child_by_field_name("name")
            keyword = names.source.code(name) if name is not None else ""
        elif kind == "argument_list" and parent.parent is not None and parent.parent.type == "class_definition":
            return "subclass", None
        elif kind == "call":
            function = parent.child_by_field_name("function")
            if function is None or function == child:
                return "value", parent
            code = names.source.code(function)
            if code.rpartition(".")[2] == "partial":
                child = parent
                continue
            return use_by(names, code, keyword, parent), parent
        elif kind == "assignment":
            left = parent.child_by_field_name("left")
            return ("start" if left is not None and STARTS.search(names.source.code(left)) else "value"), None
        elif kind not in ("argument_list", "list", "tuple", "set", "parenthesized_expression"):
            return "value", None
        child = parent
    return "value", None


def use_by(names: Names, code: str, keyword: str, call: Node) -> Use:
    if THREADS.search(code) and keyword in ("", "target", "func"):
        return "thread"
    if STARTS.search(code) or STARTS.search(keyword):
        return "start"
    if code.endswith("add_event_handler") and b"startup" in names.source.utf8[call.start_byte : call.end_byte]:
        return "start"
    if runs_program(names, call):
        return "start"
    return "handler" if REGISTERS.search(code) or keyword == "view_func" else "value"


def arguments_after(call: Node, expression: Node) -> list[Node]:
    """What a call that runs `expression` elsewhere passes on to it."""
    listed = call.child_by_field_name("arguments")
    found = [child for child in listed.named_children if child.type != "comment"] if listed is not None else []
    place = next((i for i, child in enumerate(found) if child == expression), len(found))
    return [node for node in found[place + 1 :] if node.type != "keyword_argument"]


def value_of(site: CallSite, place: int, name: str) -> Value | None:
    """What a call passes for a parameter; None where it passes nothing."""
    for keyword, value in site.keywords:
        if keyword == name:
            return value
    if place < len(site.positional):
        return site.positional[place]
    return None if site.complete else UNKNOWN
