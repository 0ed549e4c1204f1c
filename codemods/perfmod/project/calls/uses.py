"""The uses of a function in all files, also through base classes and constructors."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from perfmod.project.calls.members import Definition
from perfmod.source.python.functions import Function
from perfmod.source.python.types import Target, base_targets, target_of_member
from perfmod.source.reads.call_sites import CallSite
from perfmod.source.reads.words import is_test
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.project.calls.callers import Calls

MAXIMUM_DEPTH = 8  # of classes that inherit a constructor
CONSTRUCTORS = ("__init__", "__post_init__", "__new__")


@dataclass(frozen=True, slots=True)
class Uses:
    """Looks for uses that could be resolved."""

    calls: Calls
    tests: bool  #: those in tests too

    def of(self, function: Function) -> Iterator[CallSite]:
        last = function.name.rpartition(".")[2]
        if function.owner and last in CONSTRUCTORS:
            yield from self._constructions(function.path, function.owner, last)
            return
        own = (
            [function.path] if not function.owner and function.name != last else None
        )  # in a function: seen there only
        for site in chain(self._uses(function.path, last, function.name, own), self._dispatched(function, last)):
            if function.is_property and site.use == "value":
                yield CallSite(site.path, site.span, site.target, "call", site.function, loop=site.loop,
                               remembered=site.remembered)  # fmt: skip
            else:
                yield site

    def _dispatched(self, function: Function, last: str) -> Iterator[CallSite]:
        """Uses of a method of a base class that this one overrides: which of them runs is decided by the object."""
        names = self.calls.names(function.path)
        owner = self.calls.node_of(Definition(function.path, function.owner, "class")) if function.owner else None
        for base in base_targets(names, owner) if names is not None and owner is not None else ():
            found = self.calls.locate(target_of_member(base, last))
            overridden = self.calls.function(found) if found is not None and found.kind == "function" else None
            if overridden is None or overridden.name == function.name:
                continue
            for site in chain(self._uses(overridden.path, last, overridden.name), self._dispatched(overridden, last)):
                text = self.calls.project.text(site.path)
                if text is not None and not text.slice(site.span.start, site.span.end).startswith("super("):
                    yield site

    def _uses(self, path: str, word: str, name: str, files: list[str] | None = None) -> Iterator[CallSite]:
        for file in self.calls.mentions.referring(path, name) if files is None else files:
            if is_test(file) and not self.tests:
                continue
            for spelling in (word, *self.calls.mentions.aliases(file, word)):
                yield from self.calls.sites(file, spelling, (path, name))

    def _constructions(self, path: str, owner: str, method: str, depth: int = 0) -> Iterator[CallSite]:
        """Calls of a class, and of the classes that inherit its constructor."""
        for site in self._uses(path, owner.rpartition(".")[2], owner):
            if site.use != "subclass":
                yield site
            elif depth < MAXIMUM_DEPTH:
                constructor = self.calls.locate(Target(site.path, f"{site.function.name}.{method}"))
                if constructor is not None and (constructor.path, constructor.name) == (path, f"{owner}.{method}"):
                    yield from self._constructions(site.path, site.function.name, method, depth + 1)
                elif constructor is not None:
                    yield from (
                        s for s in self.calls.sites(site.path, method, (path, f"{owner}.{method}"))
                        if s.function.owner == site.function.name and s.use == "call"
                    )  # fmt: skip
