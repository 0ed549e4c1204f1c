"""Calls that read a file, and calls that may write one, with the path as far as it can be told."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from perfmod.needles import holds
from perfmod.patterns import pattern
from perfmod.source.python.functions import function_around
from perfmod.source.python.names import COMPREHENSIONS, Imported, Names, Unknown, enclosing_function
from perfmod.source.reads.facts import Read
from perfmod.source.reads.paths import Paths
from perfmod.source.reads.repeats import is_remembered, loop_around
from perfmod.source.reads.values import UNKNOWN, Value
from perfmod.source.tree import Source, ancestors

OPENERS = frozenset("io.open codecs.open gzip.open bz2.open lzma.open tokenize.open".split())
#: these take a path and read the whole file
LOADERS = pattern(r"pandas\.read_(?!sql|html|clipboard)\w+|numpy\.(?:load|loadtxt|genfromtxt|fromfile)|"
                     r"toml\.load|joblib\.load|polars\.read_\w+|linecache\.getlines|torch\.load|yaml\.safe_load_file|pkgutil\.get_data|"
                     r"importlib[._]resources\.(?:read_text|read_binary|open_text|open_binary)")  # fmt: skip
PACKAGED = pattern(r"pkgutil\.get_data|importlib[._]resources\.\w+")
METHODS = frozenset({"read_text", "read_bytes"})
CALLEE = pattern(
    rb"\b(open|read_text|read_bytes|read_binary|read_\w+|open_text|open_binary|get_data|loadtxt|genfromtxt|fromfile|"
    rb"getlines|load)\s*\("
)
#: what lists, dicts and texts have too; such a call counts where something in it looks like a path
CONTAINERS = frozenset("append update copy remove replace put record store delete move link".split())
PATHS = pattern(rb"[\"'/]|[A-Z]{3}|(?i:path|file|dir)|\bos\.|\bshutil\.")
CALL = pattern(rb"\b(\w+)\s*\(")
#: names of calls that leave another file behind, the program's own ones too
WRITES = pattern(
    r"(?i)(?:^|_)(?:(?:write|dump|store|persist|export|download|update|append|copy|rename|delete|edit|upload|ensure|"
    r"generate|symlink)\w{0,99}|saves?|saver|move|replace|touch|unlink|remove|rotate|record|backup|put|urlretrieve|"
    r"truncate|rmtree|to_(?:csv|json|excel|parquet|pickle|feather)|savez?|savetxt|link|extractall|"
    r"FileHandler|\w{0,99}RotatingFileHandler)(?:_|$)"
)
MAY_WRITE = pattern(
    rb"(?i)write|save|dump|store|persist|export|download|update|append|copy|move|rename|replace|touch|unlink|remove|"
    rb"delete|edit|rotate|record|backup|put|upload|retrieve|ensure|generate|truncate|to_\w{1,60}\(|link|extract|"
    rb"FileHandler|O_(?:WRONLY|RDWR)|[\"'][rb]*[wax]|[\"']r?b?\+"
)
#: what stands in a file that calls a library to write; with `open`, a text that looks like a mode
SURE = tuple(
    b""".write_text .write_bytes shutil urlretrieve os.replace os.rename os.remove os.unlink os.link os.symlink
    .unlink( .touch( .rename( .hardlink_to( .symlink_to( extractall .to_csv .to_json .to_excel .to_parquet .to_pickle
    .to_feather .save( .savez .savetxt FileHandler""".split()
)
MODE = pattern(rb"\bO_(?:WRONLY|RDWR|APPEND|CREAT|TRUNC)\b|[\"'](?:[wax]|rb?t?\+)[bt+U]*[\"']")
TAILS = pattern(rb"\bSEEK_END\b|\.seek\([^(),\n]{0,80},\s*2\s*\)")
LOOPS = COMPREHENSIONS | {"for_statement", "while_statement"}


def reads(source: Source) -> Iterator[Read]:
    """Every blocking read whose path is not out of reach."""
    names = Names(source)
    paths = Paths(names)
    # a function that looks for the end of a file reads what has been added
    ends = [found.start() for found in TAILS.finditer(source.utf8)]
    for node in source.find(CALLEE):
        call = call_of(node)
        found = call and read_at(names, paths, call)
        if not call or not found:
            continue
        verb, file = found
        if is_beyond(file) or holds_one(enclosing_function(call), ends):
            continue
        loop = loop_around(names, call)
        yield Read(
            source.path,
            source.span(call),
            verb,
            file,
            function_around(names, call),
            loop,
            loop == "once" or is_invariant(names, call),
            is_remembered(names, call),
        )


def call_of(name: Node) -> Node | None:
    """The call whose function ends with this name."""
    node = name
    if node.parent is not None and node.parent.type == "attribute":
        if node.parent.child_by_field_name("attribute") != node:
            return None
        node = node.parent
    call = node.parent
    return call if call is not None and call.type == "call" and call.child_by_field_name("function") == node else None


def arguments_of(call: Node) -> list[Node]:
    listed = call.child_by_field_name("arguments")
    return [child for child in listed.named_children if child.type != "comment"] if listed is not None else []


def read_at(names: Names, paths: Paths, call: Node) -> tuple[str, Value] | None:
    """The verb and the path of a call that reads; None for every other call."""
    function = call.child_by_field_name("function")
    if function is None or (call.parent is not None and call.parent.type == "await"):
        return None
    arguments = arguments_of(call)
    meaning = names.meaning(function)
    origin = meaning.qualified if isinstance(meaning, Imported) else ""
    last = names.source.code(function).rpartition(".")[2].strip()
    if function.type == "identifier" and last == "open" and isinstance(meaning, Unknown):
        if meaning.possible and not all(p.startswith(("tkinter", "typing", "math")) for p in meaning.possible):
            return None
        origin = "io.open"
    if origin in OPENERS:
        file = argument(names, arguments, 0, "file", "filename")
        mode = argument(names, arguments, 1, "mode")
        return ("open" if origin == "io.open" else origin, paths.value(file)) if is_reading(names, mode) else None
    if origin and LOADERS.fullmatch(origin):
        if PACKAGED.fullmatch(origin) and len(arguments) > 1:
            return origin, Value("join", parts=(paths.package(arguments[0]), paths.value(arguments[1])))
        return origin, paths.value(arguments[0]) if arguments else UNKNOWN
    if function.type == "attribute" and (last in METHODS or last == "open"):
        receiver = function.child_by_field_name("object")
        opened = paths.value(receiver)
        if last == "open" and (is_beyond(opened) or not may_be_path(opened)):
            return None
        if last == "open" and not is_reading(names, argument(names, arguments, 0, "mode")):
            return None
        return last, opened
    return None


def argument(names: Names, arguments: list[Node], place: int, *keywords: str) -> Node | None:
    """An argument by its place or keyword."""
    for node in arguments:
        if node.type == "keyword_argument":
            name = node.child_by_field_name("name")
            if name is not None and names.source.code(name) in keywords:
                return node.child_by_field_name("value")
    if place < len(arguments) and arguments[place].type not in ("keyword_argument", "list_splat", "dictionary_splat"):
        return arguments[place]
    return None


def is_reading(names: Names, mode: Node | None) -> bool:
    if mode is None:
        return True
    return mode.type == "string" and not set("wax+").intersection(names.source.code(mode))


def may_be_path(value: Value) -> bool:
    """Whether `.open()` on it is pathlib's: it is made by pathlib, or is a constant that may be."""
    return any(part.kind in ("join", "parent", "file", "imported", "call", "rename") for part in value.walk())


def is_beyond(value: Value) -> bool:
    """Whether no other file can make it a constant."""
    return any(part.kind == "unknown" for part in value.walk())


def holds_one(function: Node | None, places: list[int]) -> bool:
    """Whether one of the places is in a function."""
    return function is not None and any(function.start_byte <= place < function.end_byte for place in places)


def is_invariant(names: Names, call: Node) -> bool:
    """Whether nothing in a call is made by the loop around it."""
    loop = next((p for p in ancestors(call) if p.type in LOOPS), None)
    return loop is None or is_same_in(names, call, loop, 0)


def is_same_in(names: Names, expression: Node, loop: Node, depth: int) -> bool:
    """Whether an expression gives the same in every round of a loop."""
    stack = [expression]
    while stack:
        node = stack.pop()
        stack.extend(node.children)
        if node.type != "identifier":
            continue
        for binding in (b for found in names.bindings(names.source.code(node)).values() for b in found):
            if not loop.start_byte <= binding.node.start_byte < loop.end_byte:
                continue
            if binding.kind != "assignment" or binding.value is None or depth > 4:
                return False
            if binding.value == expression or not is_same_in(names, binding.value, loop, depth + 1):
                return False
    return True


def writes(names: Names, within: Node) -> Iterator[Value]:
    """Every path that a call below `within` may write; it may be a parameter."""
    paths, utf8 = Paths(names), names.source.utf8
    for last, call in calls_below(names, within):
        if last != "open" and not WRITES.search(last):
            continue
        if last in CONTAINERS and not PATHS.search(utf8, call.start_byte, call.end_byte):
            continue
        function = call.child_by_field_name("function")
        if function is None:
            continue
        arguments = arguments_of(call)
        if last == "open" and not opens_for_writing(names, arguments) and b"O_" not in utf8[slice_of(call)]:
            continue
        values = [a.child_by_field_name("value") if a.type == "keyword_argument" else a for a in arguments]
        for value in (function.child_by_field_name("object"), *values):
            if value is not None:
                yield paths.value(value)


def handed(names: Names, within: Node) -> Iterator[tuple[Node, list[tuple[int | str, Value]]]]:
    """The function of every call below `within` that is given a path, with the place or the keyword of each."""
    paths = Paths(names)
    for _, call in calls_below(names, within):
        function = call.child_by_field_name("function")
        given: list[tuple[int | str, Value]] = []
        for place, node in enumerate(arguments_of(call)):
            name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
            if node.type == "keyword_argument" and name is not None and value is not None:
                given.append((names.source.code(name), paths.value(value)))
            elif node.type in ("identifier", "attribute", "string", "binary_operator", "call"):
                given.append((place, paths.value(node)))
        known = [(place, value) for place, value in given if not is_beyond(value)]
        if function is not None and known:
            yield function, known


def calls_below(names: Names, within: Node) -> Iterator[tuple[str, Node]]:
    """Every call in a stretch of code, with the last part of the name that is called."""
    source = names.source
    for match in CALL.finditer(source.utf8, within.start_byte, within.end_byte):
        name = source.root.descendant_for_byte_range(*match.span(1))
        call = call_of(name) if name is not None and name.type == "identifier" else None
        if call is not None:
            yield match[1].decode(), call


def slice_of(node: Node) -> slice:
    return slice(node.start_byte, node.end_byte)


def writes_surely(data: bytes) -> bool:
    """Whether a file calls what certainly writes, rather than a function with such a name."""
    return any(holds(data, mark) for mark in SURE) or (holds(data, b"open") and MODE.search(data) is not None)


def opens_for_writing(names: Names, arguments: list[Node]) -> bool:
    modes = [names.source.code(a) for a in arguments if a.type in ("string", "keyword_argument")]
    return any(re.fullmatch(r"(?:mode\s*=\s*)?[\"'][rbtU]*[wax+][rbtU+]*[\"']", mode) for mode in modes)


def is_empty(value: Value) -> bool:
    """Whether nothing at all is known of a value."""
    return not any(part.kind in ("text", "named", "file", "imported") for part in value.walk()) or value == UNKNOWN
