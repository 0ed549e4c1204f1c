"""The function around a place: its name, whether it is async, what its decorators make of it."""

from __future__ import annotations

import re

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.python.names import Bound, Imported, Names, enclosing, is_async
from perfmod.source.python.parameters import parameters
from perfmod.source.reads.paths import Paths
from perfmod.source.reads.values import Value
from perfmod.source.tree import ancestors
from perfmod.values import dataclass

# What a web or bot framework calls such functions with: the last name of the decorator.
ROUTES = frozenset(
    """route get post put delete patch head options websocket websocket_route api_route view before_request
    after_request errorhandler exception_handler middleware context_processor before_app_request""".split()
)
UPDATES = frozenset(
    """message edited_message callback_query inline_query chosen_inline_result channel_post my_chat_member
    message_handler callback_query_handler inline_handler on on_message on_callback_query event listen
    listener hybrid_command command_handler error errors pre_checkout_query""".split()
)
TASKS = frozenset({"task", "shared_task", "periodic_task", "actor", "job"})
COMMANDS = frozenset({"command", "slash_command", "user_command", "group", "hybrid_group", "context_menu"})
#: packages whose objects register handlers with such decorators
FRAMEWORKS = frozenset(
    """aiogram aiohttp apscheduler bottle celery chainlit discord dramatiq falcon fastapi flask litestar nextcord
    pyrogram quart redbot robyn sanic slack_bolt starlette taskiq telebot telegram telethon huey disnake
    interactions""".split()
)
#: names of such objects, where it can't be seen what they are
RECEIVER = pattern(r"(?:\w*_)?(?:app|api|application|router|routes|bp|blueprint|dp|dispatcher|bot|client|celery)\Z")
MEMO = pattern(r"cache|memo|lru|once|singleton", re.IGNORECASE)
NO_MEMO = pattern(r"no_?cache|never_cache|cache_control|clear_cache|nocache", re.IGNORECASE)
STARTS = frozenset(
    """main _main amain async_main main_async run_main startup on_startup _startup _on_startup start_up lifespan
    _lifespan app_lifespan setup_hook post_init on_start _post_init setup_module async_setup_entry
    initialize _initialize async_initialize setup _setup async_setup init async_init bootstrap cog_load
    on_ready""".split()
)
START_UP = pattern(r"on_event\(\s*['\"]startup|\bon_startup\b|\.startup\b|before_serving|on_app_startup|\bfixture\b")
# Someone asks for these because a file has changed.
RELOADS = pattern(r"(?:^|_)(?:re_?load\w*|refresh\w*|rescan|watch\w*|hot|on_modified|on_changed)(?:_|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Function:
    """A function, or the module level of a file (the empty name)."""

    path: str
    name: str  #: dotted from the module: `Service.load`, `outer.inner`
    start: int = 0
    is_async: bool = False
    owner: str = ""  #: the class of a method
    parameters: tuple[tuple[str, Value | None], ...] = ()  #: with the default's value
    decorators: tuple[str, ...] = ()
    handler: bool = False  #: its decorator registers it with a framework
    remembers: bool = False  #: its decorator keeps the result
    at_start: bool = False  #: its name or decorator says that it runs when the program starts
    reloads: bool = False  #: it is there to read again
    is_property: bool = False

    @property
    def title(self) -> str:
        return f"{self.name}()" if self.name else f"module level of {self.path}"


def function_around(names: Names, node: Node) -> Function:
    """The function that runs the code at `node`."""
    definition = enclosing(node, "function_definition")
    return Function(names.source.path, "") if definition is None else describe(names, definition)


def describe(names: Names, definition: Node) -> Function:
    name = dotted_name(names, definition)
    last = name.rpartition(".")[2]
    owner = enclosing(definition, "class_definition", "function_definition")
    decorators = decorators_of(definition)
    texts = tuple(names.source.code(d).removeprefix("@").strip() for d in decorators)
    is_method = owner is not None and owner.type == "class_definition"
    paths = Paths(names)
    handler = any(registers(names, decorator) for decorator in decorators)
    return Function(
        names.source.path,
        name,
        definition.start_byte,
        is_async(definition),
        owner=dotted_name(names, owner) if owner is not None and is_method else "",
        parameters=tuple(
            (parameter, None if default is None else paths.value(default))
            for parameter, default in parameters(names, definition)
        ),
        decorators=texts,
        handler=handler,
        remembers=any(MEMO.search(text) and not NO_MEMO.search(text) for text in texts),
        at_start=not handler and (last in STARTS or any(is_start_up(text) for text in texts)),
        reloads=RELOADS.search(last) is not None or reloads_by_time(names, definition),
        is_property=any(text.partition("(")[0].endswith("property") for text in texts),
    )


def dotted_name(names: Names, definition: Node) -> str:
    """`Service.load` of the method's definition; functions inside functions the same way."""
    parts = []
    for node in (definition, *ancestors(definition)):
        if node.type in ("function_definition", "class_definition"):
            name = node.child_by_field_name("name")
            if name is not None:
                parts.append(names.source.code(name))
    return ".".join(reversed(parts))


def decorators_of(definition: Node) -> list[Node]:
    parent = definition.parent
    if parent is None or parent.type != "decorated_definition":
        return []
    return [child for child in parent.named_children if child.type == "decorator"]


def is_start_up(decorator: str) -> bool:
    return START_UP.search(decorator) is not None


def registers(names: Names, decorator: Node) -> bool:
    """Whether a decorator hands the function to a web, bot or task framework."""
    expression = decorator.named_children[0]
    if expression.type == "call":
        expression = expression.child_by_field_name("function") or expression
    text = names.source.code(expression)
    last = text.rpartition(".")[2]
    origin = origin_of(names, expression)
    if last in TASKS:
        return True
    known = origin.partition(".")[0] in FRAMEWORKS
    if last in COMMANDS:
        return known
    return last in ROUTES | UPDATES and (known or RECEIVER.match(receiver_of(text)) is not None)


def receiver_of(text: str) -> str:
    """`router` of `self.router.message`; of `dp.message.outer` it is `dp`."""
    parts = text.split(".")[:-1]
    if parts and parts[-1] in ("message", "callback_query", "tree"):
        parts.pop()
    return parts[-1].lower() if parts else ""


def origin_of(names: Names, expression: Node) -> str:
    """Where a decorator comes from; of `app.get`, where the class of `app` comes from."""
    meaning = names.meaning(expression)
    if isinstance(meaning, Imported):
        return meaning.qualified
    root = expression
    while root.type == "attribute" and (inner := root.child_by_field_name("object")) is not None:
        root = inner
    of_root = names.meaning(root) if root.type == "identifier" else None
    only = of_root.only if isinstance(of_root, Bound) else None
    if only is None or only.value is None or only.value.type != "call":
        return ""
    made_by = only.value.child_by_field_name("function")
    made = names.meaning(made_by) if made_by is not None else None
    return made.qualified if isinstance(made, Imported) else ""


def reloads_by_time(names: Names, definition: Node) -> bool:
    """Whether a function looks at the time of a file's last change."""
    text = names.source.utf8[definition.start_byte : definition.end_byte]
    return b"mtime" in text or b"watchfiles" in text
