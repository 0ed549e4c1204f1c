"""Whether a function that reads a file may be cached.

It does nothing else, is called with constants, and nobody changes what it gives back.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from tree_sitter import Node

from perfmod.model import AddImport, Intent, Replace, Span
from perfmod.patterns import pattern
from perfmod.project.calls.callers import Calls
from perfmod.project.calls.members import Definition
from perfmod.project.reads.constants import Constants
from perfmod.project.reads.rereads import inserted
from perfmod.project.reads.variables import Variables
from perfmod.source.python.functions import Function, decorators_of
from perfmod.source.python.names import Imported, Names
from perfmod.source.python.types import Target
from perfmod.source.reads.call_sites import CallSite, doubtful
from perfmod.source.reads.escapes import misuse
from perfmod.source.reads.purity import Impure, Opened, Variable, impurities
from perfmod.source.reads.results import annotated_result, result_of
from perfmod.source.reads.values import Value
from perfmod.source.reads.words import is_test
from perfmod.values import dataclass

MAXIMUM_DEPTH = 4  # functions that a cached function may call in turn
FROZEN_BASES = pattern(r"(?:NamedTuple|Enum|IntEnum|StrEnum|Flag)\Z")
FROZEN_DATACLASS = pattern(
    r"@\s*(?:dataclasses\.)?dataclass\s*\([^)]{0,500}\bfrozen\s*=\s*True|frozen\s*=\s*True|@\s*(?:attr\.|attrs\.)?frozen\b"
)
CATCHES = pattern(rb"\bexcept\b|\bexists\s*\(|\bis_file\s*\(|\bisfile\s*\(|\bsuppress\s*\(")
PLAIN = pattern(r"True|False|None|(?:0|[1-9]\d*)(?:\.\d+)?")
LOGS = pattern(rb"\b_?(?:logger|logging|log|LOGGER)\.\w+\(")


@dataclass(frozen=True, slots=True)
class Cache:
    """A function that may be cached."""

    function: Function
    intents: tuple[Intent, ...]
    reason: str  #: why that is unsafe


class Caching:
    """Says of functions whether `@functools.cache` fits."""

    def __init__(self, calls: Calls, constants: Constants, stays: Callable[[Value], bool]) -> None:
        self._calls = calls
        self._constants = constants
        self._stays = stays  # whether a path is constant and that of a file that does not change
        self._variables = Variables(calls)
        self._known: dict[tuple[str, str], Cache | str] = {}
        self._frozen: dict[tuple[str, str], bool] = {}

    def of(self, function: Function) -> Cache | str:
        """How to cache a function, or the reason why not."""
        key = (function.path, function.name)
        if key not in self._known:
            self._known[key] = self._judged(function)
        return self._known[key]

    def _judged(self, function: Function) -> Cache | str:
        names = self._calls.names(function.path)
        node = self._calls.node_of(Definition(function.path, function.name, "function"))
        if names is None or node is None:
            return "its definition can't be told"
        shape = unfit(names, function, node)
        if shape is not None:
            return shape
        opened: list[Value] = []
        for reason in self._impurities(names, node, 0, opened):
            return f"{function.name}() does more than to read: {reason}"
        sites = list(self._calls.callers(function, tests=True))
        for site in sites:
            if site.use != "call" and site.use != "thread":
                return f"{function.name}() is passed on: {self._line(site.path, site.span.start)}"
            if not is_test(site.path) and not self._is_constant(site, function):
                return f"called with arguments that vary: {self._line(site.path, site.span.start)}"
        for file in opened:
            given = [inserted(file, function, site) for site in sites if not is_test(site.path)]
            if not all(self._stays(each) for each in given):
                return f"{function.name}() reads another file too, which may change"
        if are_mixed(sites):
            return f"{function.name}() is called with numbers that are equal and not the same: True and 1"
        result = result_of(names, node, self._is_frozen)
        if (function.parameters or result != "frozen") and (place := self._doubtful(function)) is not None:
            return f"{function.name}() may be called in another way: {place}"
        if result == "never":
            return f"{function.name}() gives back what may not be shared: an open file, an iterator, an object"
        if result != "frozen":
            hidden = self._variables.hidden_use(function.name)
            if hidden is not None:
                return f"{function.name}() may be called in another way: {hidden}"
            for site in sites:
                problem = self._misuse(site, flat=result == "flat")
                if problem is not None:
                    return problem
        return self._cache(names, function, node, tested=any(is_test(site.path) for site in sites))

    def _doubtful(self, function: Function) -> str | None:
        """A place where it can't be told whether the function is called."""
        for path in sorted(self._calls.mentions.reaching(function.name.encode())):
            names = self._calls.names(path)
            start = doubtful(names, function.name) if names is not None else 0
            if start is not None:
                return self._line(path, start)
        return None

    def _misuse(self, site: CallSite, *, flat: bool) -> str | None:
        names = self._calls.names(site.path)
        call = (
            names.source.root.descendant_for_byte_range(site.span.start, site.span.end) if names is not None else None
        )
        if names is None or call is None or call.type != "call" or site.use == "thread":
            return f"the result can be changed: {self._line(site.path, site.span.start)}"
        found = misuse(names, call, flat=flat)
        if found is None:
            return None
        line = self._line(site.path, found.start)
        return (
            f"result is mutated at {line}"
            if found.how == "mutated"
            else f"result may be changed where it is used: {line}"
        )

    def _line(self, path: str, offset: int) -> str:
        text = self._calls.project.text(path)
        return f"{path}:{text.position(offset)[0]}" if text is not None else path

    def _is_constant(self, site: CallSite, function: Function) -> bool:
        """Whether a call passes constants only, and only by what `functools.cache` takes as one key."""
        if not site.complete:
            return False
        values = [*site.positional, *(value for _, value in site.keywords)]
        return len(values) <= len(function.parameters) and all(
            is_set(self._constants.filled(value)) for value in values
        )

    def _impurities(self, names: Names, node: Node, depth: int, opened: list[Value]) -> Iterator[str]:
        """Why a function does more than to read. What it reads itself is put into `opened`."""
        for found in impurities(names, node):
            if isinstance(found, Impure):
                yield found.reason
                continue
            if isinstance(found, Variable):
                place = self._variables.setter(found.name)
                if place is not None:
                    yield f"it looks at {found.name}, which is changed in {place}"
                continue
            if isinstance(found, Opened):
                if depth == 0:
                    opened.append(found.file)
                elif not any(part.kind == "param" for part in found.file.walk()) and not self._stays(found.file):
                    yield "it reads another file too, which may change"
                continue
            definition = self._calls.locate(found)
            called = f"it calls {found.name.rpartition('.')[2]}()"
            if definition is None or definition.instance or depth >= MAXIMUM_DEPTH:
                yield called
            elif definition.kind == "class":
                if not self.is_frozen_class(definition) and not self._is_plain_class(definition):
                    yield called
            else:
                other, inner = self._calls.names(definition.path), self._calls.node_of(definition)
                if other is None or inner is None or inner.children[0].type == "async":
                    yield called
                else:
                    yield from (f"{called}, and {reason}" for reason in self._impurities(other, inner, depth + 1, []))

    def _is_plain_class(self, definition: Definition) -> bool:
        """A dataclass or model: its constructor only keeps what it gets."""
        names, node = self._calls.names(definition.path), self._calls.node_of(definition)
        if names is None or node is None:
            return False
        code = names.source.code(node)
        decorated = any("dataclass" in names.source.code(d) for d in decorators_of(node))
        bases = node.child_by_field_name("superclasses")
        model = bases is not None and re.search(r"\bBaseModel\b|\bTypedDict\b", names.source.code(bases)) is not None
        return (decorated or model) and not re.search(r"def (?:__init__|__post_init__|model_post_init)|validator", code)

    def _is_frozen(self, target: Target) -> bool:
        definition = self._calls.locate(target)
        return definition is not None and definition.kind == "class" and self.is_frozen_class(definition)

    def is_frozen_class(self, definition: Definition) -> bool:
        """A frozen dataclass, named tuple or enum whose fields are frozen too."""
        key = (definition.path, definition.name)
        if key not in self._frozen:
            self._frozen[key] = True  # a class that holds its own kind
            self._frozen[key] = self._judged_frozen(definition)
        return self._frozen[key]

    def _judged_frozen(self, definition: Definition) -> bool:
        names, node = self._calls.names(definition.path), self._calls.node_of(definition)
        if names is None or node is None:
            return False
        listed = node.child_by_field_name("superclasses")
        bases = [names.source.code(b) for b in listed.named_children] if listed is not None else []
        by_decorator = any(FROZEN_DATACLASS.search(names.source.code(d)) for d in decorators_of(node))
        if any(FROZEN_BASES.search(base) for base in bases):
            by_decorator = True
        elif bases:
            return False
        body = node.child_by_field_name("body")
        if not by_decorator or body is None or b"__post_init__" in names.source.utf8[node.start_byte : node.end_byte]:
            return False
        for statement in body.named_children:
            field = statement.named_children[0] if statement.named_children else None
            annotation = field.child_by_field_name("type") if field is not None and field.type == "assignment" else None
            if annotation is not None and annotated_result(names, annotation, self._is_frozen) != "frozen":
                return False
        return True

    def _cache(self, names: Names, function: Function, node: Node, *, tested: bool) -> Cache:
        source = names.source
        start = node.start_byte
        reason = "caching freezes the file: an edit on disk shows only after a restart"
        if CATCHES.search(source.utf8[start : node.end_byte]):
            reason += ", and a file that is missing stays missing"
        if LOGS.search(source.utf8[start : node.end_byte]):
            reason += "; what it logs is logged once"
        if tested:
            reason += f"; tests that change the file have to call {function.name}.cache_clear()"
        decorator, imports = self._decorator(names, node)
        text = f"@{decorator}{source.text.newline}"
        return Cache(function, (Replace(Span(source.path, start, start), text), *imports), reason)

    def _decorator(self, names: Names, node: Node) -> tuple[str, tuple[AddImport, ...]]:
        """`functools.cache` where the module is imported above, else `cache` with its import."""
        root, path = names.source.root, names.source.path
        modules = names.bindings("functools").get(root.id, [])
        if len(modules) == 1 and modules[0].qualified == "functools" and modules[0].node.end_byte < node.start_byte:
            return "functools.cache", ()
        bound = [binding for found in names.bindings("cache").values() for binding in found]
        is_starred = bool(names.stars) or self._calls.mentions.is_starred(path)
        if not is_starred and all(binding.qualified == "functools.cache" for binding in bound):
            return "cache", (AddImport(path, "functools", "cache"),)
        alias = "_functools_cache" if is_starred else "functools_cache"  # a star passes on what has no underscore
        while names.bindings(alias):
            alias = f"_{alias}"
        return alias, (AddImport(path, "functools", "cache", alias),)


def unfit(names: Names, function: Function, node: Node) -> str | None:
    """Why a function can't be cached by what it is."""
    if function.is_async:
        return "an async function is never cached: load the file at start-up"
    if function.name.rpartition(".")[2] in ("__init__", "__post_init__", "__new__"):
        return f"a constructor is never cached: make one {function.owner} at start-up and pass it on"
    if function.owner:
        return f"a method is never cached: load the file in __init__ of {function.owner} and keep it"
    if "." in function.name:
        return f"{function.name}() is no module-level function"
    if function.decorators:
        return f"{function.name}() is decorated: @{function.decorators[0].partition('(')[0]}"
    if len(names.bindings(function.name).get(names.source.root.id, ())) != 1:
        return f"{function.name} is bound more than once"
    parent = node.parent
    if parent is None or parent.type != "module":
        return f"{function.name}() is defined inside another statement"
    listed = node.child_by_field_name("parameters")
    if listed is not None and any("splat" in child.type for child in listed.named_children):
        return f"{function.name}() takes any arguments"
    if isinstance(names.meaning(node.child_by_field_name("name") or node), Imported):
        return f"{function.name} is imported"
    return None


def are_mixed(sites: list[CallSite]) -> bool:
    """Whether calls pass numbers that a cache takes for the same key: 1, True and 1.0."""
    texts = {
        value.text
        for site in sites
        for value in (*site.positional, *(given for _, given in site.keywords))
        if value.kind == "literal" and PLAIN.fullmatch(value.text)
    }
    return len({ast.literal_eval(text) for text in texts}) < len(texts)


def is_set(value: Value) -> bool:
    return not any(part.kind in ("unknown", "param") for part in value.walk())
