"""Files that may change while the program runs: by their name, or because the checkout itself writes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.project.calls.callers import Calls
from perfmod.project.calls.members import Definition
from perfmod.project.reads.constants import ANYTHING, Constants, File
from perfmod.source.python.names import Names
from perfmod.source.python.parameters import parameter_names
from perfmod.source.reads.call_sites import target_of
from perfmod.source.reads.sites import MAY_WRITE, handed, is_empty, writes, writes_surely
from perfmod.source.reads.values import Value
from perfmod.source.tree import ancestors

#: folders of the operating system, of secrets that are rotated, of what is passing
FOLDERS = pattern(r"/(?:proc|sys|dev|run|tmp|var|etc)(?:/|\Z)")
SUFFIXES = pattern(
    r"\.(?:log|out|err|pid|lock|sock|db|sqlite3?|tmp|temp|part|swp|jsonl|ndjson|env|pem|key|crt|cer|token|cookies?|state|bak)\Z"
)
WORDS = frozenset(
    """log logs upload uploads uploaded download downloads downloaded tmp temp temporary secret secrets token tokens
    credential credentials cookie cookies session sessions state history output outputs status checkpoint checkpoints
    backup backups cache cached caches queue inbox outbox pending userdata workspace progress lock""".split()
)
#: in the name of a folder that is found out when the program runs
OWNED = pattern(
    r"(?i)data|user|home|conf|state|storage|work|var|cache|te?mp|upload|media|save|profile|download|dest|out"
)
MAXIMUM_DEPTH = 3  # functions that hand a path on until one writes it
WHY_OUTSIDE = {
    "home": "it lies in the user's home",
    "temporary": "it is a temporary file",
}


class Changing:
    """Why a file may not stay what it is."""

    def __init__(self, calls: Calls, constants: Constants) -> None:
        self._calls = calls
        self._constants = constants
        self._written: dict[str, tuple[Value, ...]] = {}
        self._files: dict[Value, tuple[File, ...]] = {}
        self._writers: dict[Definition, frozenset[int | str]] = {}
        self._around: dict[str, list[str]] = {}
        self._found: dict[tuple[File, frozenset[str]], str | None] = {}

    def by_name(self, file: File) -> str | None:
        """Why the name of a file says that it may change; nothing is looked up."""
        for place in file.outside:
            if place in WHY_OUTSIDE:
                return WHY_OUTSIDE[place]
        if "<" in file.base:
            return "it is named somewhere else"
        if any(OWNED.search(place) for place in file.outside):
            return "it belongs to the user"
        if FOLDERS.match(file.text) or SUFFIXES.search(file.base) or file.text.startswith("~"):
            return "its name says that it changes"
        if WORDS.intersection(re.split(r"[\W_]+", file.text.lower())):
            return "its name says that it changes"
        return None

    def writer(self, file: File, value: Value) -> str | None:
        """A file of the checkout that may write `file`."""
        named = frozenset(part.text for part in value.walk() if part.kind == "named" and not part.text.islower())
        if (file, named) not in self._found:
            self._found[file, named] = self._writer(file, named)
        return self._found[file, named]

    def _writer(self, file: File, named: frozenset[str]) -> str | None:
        mentions = self._calls.mentions
        candidates = {path for name in named for path in mentions.files_with(name)}
        *_, folder, base = ["", *file.text.rsplit("/", 2)]
        if is_telling(base):
            candidates.update(mentions.files_with(base))
        if is_telling(folder):
            candidates.update(self._writing_in(folder))
        words = named | {base} if is_telling(base) else named
        for path in sorted(candidates):
            if any(self._may_hit(file, written) for written in self._writes(path)) or self._is_handed(
                path, words, file
            ):
                return path
        return None

    def _writing_in(self, folder: str) -> list[str]:
        """The files that may spell a folder, and write for sure: a call by the name of a helper says nothing."""
        if folder not in self._around:
            mentions = self._calls.mentions
            self._around[folder] = [p for p in mentions.files_in_folder(folder) if writes_surely(mentions.raw(p))]
        return self._around[folder]

    def _writes(self, path: str) -> tuple[Value, ...]:
        """The paths that a file may write itself."""
        if path not in self._written:
            names = self._calls.names(path) if MAY_WRITE.search(self._calls.mentions.raw(path)) else None
            self._written[path] = tuple(writes(names, names.source.root)) if names is not None else ()
        return self._written[path]

    def _is_handed(self, path: str, words: frozenset[str], file: File) -> bool:
        """Whether the functions in which one of `words` stands hand the file to others that may write it."""
        raw = self._calls.mentions.raw(path)
        names = self._calls.names(path) if any(word.encode() in raw for word in words) else None
        if names is None:
            return False
        hits = partial(self._may_hit, file)
        return any(hits(value) for node in places_of(names, words) for value in self._below(names, node, 0, hits))

    def _may_hit(self, file: File, value: Value) -> bool:
        """Whether a path may be that of a file. Other files are asked only where its last part does not say no."""
        if is_empty(value) or not any(ANYTHING in base or base == file.base for base in self._bases(value)):
            return False
        if value not in self._files:
            self._files[value] = self._constants.files(self._constants.filled(value))
        return any(may_be(written, file) for written in self._files[value])

    def _bases(self, value: Value) -> Iterator[str]:
        return (written.base for written in self._constants.files(value))

    def _below(self, names: Names, within: Node, depth: int, counts: Callable[[Value], bool]) -> Iterator[Value]:
        """The paths that a stretch of code may write, itself or through a function that it hands them to.

        Functions that are handed nothing that counts are not looked for.
        """
        yield from writes(names, within)
        for function, given in handed(names, within) if depth < MAXIMUM_DEPTH else ():
            given = [(place, value) for place, value in given if counts(value)]
            target = target_of(names, function) if given else None
            definition = self._calls.locate(target) if target is not None else None
            if definition is not None:
                written = self._parameters(definition, depth + 1)
                yield from (value for place, value in given if place in written)

    def _parameters(self, definition: Definition, depth: int) -> frozenset[int | str]:
        """The parameters that a function may write to, by place and by name."""
        if definition not in self._writers:
            self._writers[definition] = frozenset()  # a circle
            names, node = self._calls.names(definition.path), self._calls.node_of(definition)
            if definition.kind == "class":  # what its constructor keeps, its methods may write
                made = Definition(definition.path, f"{definition.name}.__init__", "function")
                constructor = self._calls.node_of(made)
                if names is not None and node is not None and constructor is not None:
                    kept = parameter_names(names, constructor) if writes_surely(bytes_of(names, node)) else []
                    self._writers[definition] = frozenset([*kept, *range(len(kept))])
            elif names is not None and node is not None:
                parts = (part for value in self._below(names, node, depth, has_parameter) for part in value.walk())
                written = {part.text for part in parts if part.kind == "param"}
                places = {p for p, name in enumerate(parameter_names(names, node)) if name in written}
                self._writers[definition] = frozenset(written | places)
        return self._writers[definition]


def has_parameter(value: Value) -> bool:
    return any(part.kind == "param" for part in value.walk())


def bytes_of(names: Names, node: Node) -> bytes:
    return names.source.utf8[node.start_byte : node.end_byte]


def places_of(names: Names, words: frozenset[str]) -> Iterable[Node]:
    """The functions in which one of some words stands, and the statements outside of functions."""
    root = names.source.root
    found: dict[int, Node] = {}
    for word in words:
        for match in re.finditer(re.escape(word.encode()), names.source.utf8):
            node = root.descendant_for_byte_range(*match.span())
            around = [parent for parent in ancestors(node) if parent.parent is not None] if node is not None else []
            place = next((parent for parent in around if parent.type == "function_definition"), None)
            place = place or next(reversed(around), None)
            if place is not None:
                found[place.id] = place
    return found.values()


def is_telling(name: str) -> bool:
    """Whether a search for files that spell this name finds but a few."""
    return len(name) > 3 and ANYTHING not in name and "<" not in name


def may_be(written: File, read: File) -> bool:
    """Whether a write of which not everything is known may hit the file that is read."""
    if "<" in written.text + read.text and ANYTHING not in written.base:
        return written.base == read.base
    if ANYTHING not in written.text:
        return same(written.text, read.text)
    folder, _, base = written.text.rpartition("/")
    if ANYTHING in base:
        return (
            ANYTHING not in folder and len(base) < 200 and bool(folder) and same(folder, read.text.rpartition("/")[0])
        )
    return base == read.base


def same(one: str, other: str) -> bool:
    """Whether two texts may be the same path: a relative one may lie below what the other begins with."""
    return (
        one == other
        or (not one.startswith("/") and other.endswith(f"/{one}"))
        or (not other.startswith("/") and one.endswith(f"/{other}"))
    )
