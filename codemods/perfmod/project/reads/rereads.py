"""From a read up to who has it done: again and again (async functions, handlers), or once at the start."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from perfmod.model import Span
from perfmod.project.calls.callers import Calls
from perfmod.source.python.functions import Function
from perfmod.source.reads.call_sites import CallSite, value_of
from perfmod.source.reads.facts import Read
from perfmod.source.reads.values import UNKNOWN, Value
from perfmod.source.reads.words import is_test
from perfmod.values import dataclass

MAXIMUM_STEPS = 400  # functions whose callers are looked at for one read


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


@dataclass(frozen=True, slots=True)
class Unfollowed:
    """How many functions have a read done for their callers, who were not looked at: there are too many."""

    functions: int


@dataclass(frozen=True, slots=True)
class Step:
    """A function on the way up, and what it has read."""

    function: Function
    file: Value
    below: tuple[Function, ...] = ()
    site: CallSite | None = None  #: its call of the first of those; None: it reads itself


class Rereads:
    """Walks from reads to those who have them done."""

    def __init__(self, calls: Calls, keeps: Callable[[Value], bool], depth: int) -> None:
        self._calls = calls
        self._keeps = keeps  # whether a path may be one of a file that stays as it is
        self._depth = depth
        self._starts: dict[tuple[str, str], bool] = {}

    def of(self, read: Read) -> Iterator[Reread | Start | Unfollowed]:
        """Who has a file read, nearest first, each on one of the shortest ways."""
        if read.remembered or not self._keeps(read.file):
            return
        waiting = deque([Step(read.function, read.file)])
        seen: set[tuple[Function, Value]] = set()
        unfollowed: set[tuple[Function, Value]] = set()
        while waiting:
            step = waiting.popleft()
            function = step.function
            if function.remembers or function.reloads or is_test(function.path):
                continue
            if len(seen) == MAXIMUM_STEPS and not function.is_async and not function.handler:
                unfollowed.update({(function, step.file)} - seen)
                continue
            found = self._end(step, read)
            if found is not None:
                yield found
            elif not self.is_root(function) and (function, step.file) not in seen and len(step.below) < self._depth:
                seen.add((function, step.file))
                waiting.extend(self._above(step))
        if unfollowed:
            yield Unfollowed(len(unfollowed))

    def _end(self, step: Step, read: Read) -> Reread | Start | None:
        """What a function is that runs on its own: who reads again, or the start. None also where it can't be told."""
        function, site = step.function, step.site
        start = Start((function, *step.below), step.file)
        if not function.name or (function.at_start and not self.is_root(function)):
            return start
        loop = site.loop if site is not None else read.loop
        if not self.is_root(function) or loop == "polls" or is_open(step.file):
            return None
        if self.is_start(function) and (loop != "again" or not function.is_async or site is None):
            return start
        if self._is_kept(function):
            return None
        return Reread(read.span if site is None else site.span, function, step.below, step.file, read)

    def _above(self, step: Step) -> Iterator[Step]:
        """The callers of a function, with what they have read."""
        for caller in self._calls.callers(step.function):
            if caller.use not in ("call", "start") or caller.remembered:
                continue
            given = inserted(step.file, step.function, caller)
            if given == step.file or self._keeps(given):
                yield Step(caller.function, given, (step.function, *step.below), caller)

    def is_root(self, function: Function) -> bool:
        """Whether a function runs on its own: async functions and handlers do."""
        if function.is_async or function.handler:
            return True
        return any(site.use == "handler" for site in self._calls.callers(function))

    def _is_kept(self, function: Function) -> bool:
        """Whether everyone who calls a function keeps what it gives back, and asks for that first."""
        if function.handler:
            return False
        is_called = False
        for site in self._calls.callers(function):
            if site.use != "call" or not (site.remembered or site.function.remembers):
                return False
            is_called = True
        return is_called

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
        is_called = False
        for site in self._calls.callers(
            function
        ):  # one that is not of the start ends it: the others are not looked for
            if site.use in ("subclass", "thread"):
                continue
            if site.use in ("handler", "value") or site.loop != "once":
                return False
            if site.use != "start" and not self.is_start(site.function):
                return False
            is_called = True
        return is_called


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
