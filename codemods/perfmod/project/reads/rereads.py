"""From a read up to who has it done: again and again (async functions, handlers), or once at the start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from perfmod.model import Span
from perfmod.project.calls.callers import Calls
from perfmod.source.python.functions import Function
from perfmod.source.reads.call_sites import CallSite, value_of
from perfmod.source.reads.sites import Read
from perfmod.source.reads.values import UNKNOWN, Value
from perfmod.source.reads.words import is_test

MAXIMUM_STEPS = 400  # functions that are looked at for one read


@dataclass(frozen=True, slots=True)
class Reread:
    """A place that has a file read every time it runs."""

    span: Span
    root: Function
    chain: tuple[Function, ...]  #: from what the root calls down to what reads; empty: the root reads itself
    file: Value
    read: Read


@dataclass(frozen=True, slots=True)
class Start:
    """A way from the start of the program to a read."""

    chain: tuple[Function, ...]  #: the first is what runs at the start, the last is what reads
    file: Value


@dataclass
class Found:
    again: list[Reread]
    at_start: list[Start]
    steps: int = 0


class Rereads:
    """Walks from reads to those who have them done."""

    def __init__(self, calls: Calls, keeps: Callable[[Value], bool], depth: int) -> None:
        self._calls = calls
        self._keeps = keeps  # whether a path may be one of a file that stays as it is
        self._depth = depth
        self._starts: dict[tuple[str, str], bool] = {}

    def of(self, read: Read) -> Found:
        """Who has a file read, and how often."""
        found = Found([], [])
        if not read.remembered and self._keeps(read.file):
            self._walk(read, read.function, read.file, (), None, found)
        return found

    def _walk(
        self,
        read: Read,
        function: Function,
        file: Value,
        below: tuple[Function, ...],
        site: CallSite | None,
        found: Found,
    ) -> None:
        """`function` has `file` read, through `below`; `site` is its call of the first of those."""
        found.steps += 1
        if function.remembers or function.reloads or is_test(function.path) or found.steps > MAXIMUM_STEPS:
            return
        loop = site.loop if site is not None else read.loop
        if not function.name:
            found.at_start.append(Start((function, *below), file))
        elif self.is_root(function):
            if loop == "polls" or is_open(file):
                return
            if self.is_start(function) and (loop != "again" or not function.is_async or site is None):
                found.at_start.append(Start((function, *below), file))
            else:
                found.again.append(Reread(read.span if site is None else site.span, function, below, file, read))
        elif len(below) < self._depth and function not in below:
            if function.at_start:
                found.at_start.append(Start((function, *below), file))
                return
            for caller in self._calls.callers(function):
                if caller.use not in ("call", "start") or caller.remembered or is_test(caller.path):
                    continue
                given = inserted(file, function, caller)
                if given == file or self._keeps(given):
                    self._walk(read, caller.function, given, (function, *below), caller, found)

    def is_root(self, function: Function) -> bool:
        """Whether a function runs on its own: async functions and handlers do."""
        if function.is_async or function.handler:
            return True
        return any(site.use == "handler" and not is_test(site.path) for site in self._calls.callers(function))

    def is_start(self, function: Function) -> bool:
        """Whether a function runs when the program starts, and then not again as far as can be seen."""
        if not function.name or function.at_start:
            return True
        key = (function.path, function.name)
        if key not in self._starts:
            self._starts[key] = False  # a circle is no start
            self._starts[key] = not function.handler and self._is_started(function)
        return self._starts[key]

    def _is_started(self, function: Function) -> bool:
        sites = [
            s for s in self._calls.callers(function) if not is_test(s.path) and s.use not in ("subclass", "thread")
        ]
        if any(site.use in ("handler", "value") or site.loop != "once" for site in sites):
            return False
        return bool(sites) and all(site.use == "start" or self.is_start(site.function) for site in sites)


def inserted(file: Value, function: Function, site: CallSite) -> Value:
    """The path with what a call passes for the parameters that it is made of."""

    def argument(part: Value) -> Value | None:
        if part.kind != "param":
            return None
        for place, (name, default) in enumerate(function.parameters):
            if name == part.text:
                given = value_of(site, place, name)
                return given if given is not None else default if default is not None else UNKNOWN
        return UNKNOWN

    return file.replaced(argument)


def is_open(value: Value) -> bool:
    """Whether a path is not the same for every call."""
    return any(part.kind in ("unknown", "param") for part in value.walk())
