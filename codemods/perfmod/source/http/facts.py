"""Facts about HTTP: the requests that a file sends, the clients that it makes and gives, where a method may go."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from perfmod.model import Span
from perfmod.values import dataclass

Library = Literal["httpx", "aiohttp", "requests"]
#: A class of another file ("", False), the attribute of one, or a value there.
Elsewhere = tuple[str, str, bool]


@dataclass(frozen=True, slots=True)
class ClientsGiven:
    """The names of classes, functions, attributes and values that may be, or give back, a client."""

    path: str
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class ClientMade:
    """One place that makes a client."""

    path: str
    span: Span  #: the call
    client: Client
    keywords: frozenset[str]
    in_async: bool
    retried: bool  #: its own adapters or transport retry already


@dataclass(frozen=True, slots=True)
class RequestSite:
    """One call that sends a request once."""

    path: str
    span: Span  #: the call
    client: Client
    method: str  #: the client's method
    verb: str | None  #: in capitals; None where only the run tells
    receiver: str  #: source text of the client
    quote: str
    function: str  #: the name of the function around it, "" at module level
    in_async: bool
    owner: ClassPlace | None  #: the class that may get the method; None in functions, static and class methods
    manual: str | None = None
    unsafe: str | None = None
    retried: str | None = None  #: what repeats it already
    origin: Elsewhere | None = None  #: what another file must say before this is known to be a client
    one_call: bool = False  #: the client is made in the function that uses it
    bare: bool = False  #: there is no client: httpx.get()
    verb_keyword: bool = False  #: request(method=...)
    upload: bool = False
    upsert: bool = False
    keyed: bool = False  #: an upsert that says what its key is
    payment: bool = False
    idempotent: bool | None = None  #: the call has an Idempotency-Key
    held: str | None = None  #: why its response can't be read at once, as aiohttp leaves that to the caller
    decorators: tuple[str, ...] = ()  #: dotted origins of the decorators of the functions around it


@dataclass(frozen=True, slots=True)
class ClassPlace:
    """A class that may get the method."""

    name: str
    span: Span
    anchor: Span  #: the method that it follows
    receiver: str  #: what the method around the request calls its object
    method_is_async: bool | None  #: of perfmod's method; None where that is not there yet
    retry_methods: tuple[str, ...]  #: its own
    bases: tuple[str, ...]  #: its base classes: dotted origins, and names in this file


@dataclass(frozen=True, slots=True)
class ModulePlace:
    """What a file says about taking in a function, or the definitions that a method needs."""

    path: str
    bound: frozenset[str]  #: all names at module level
    imports: frozenset[tuple[str, str]]  #: (name, dotted origin)
    late: str  #: where httpx is imported, if not when the module is loaded
    late_aiohttp: str
    logger: str | None
    typed: bool  #: functions have annotations
    new_unions: bool  #: annotations may say `X | None`
    anchors: tuple[tuple[int, Span], ...]  #: for each class: its start, and the statement before it
    function_anchor: Span | None  #: the statement before the first definition

    def clashes(self, names: Iterable[str], imports: Iterable[tuple[str, str]]) -> bool:
        """Whether the module uses a name of new definitions, or of what they import, for something else."""
        if not self.bound.isdisjoint(names):
            return True
        origins = {name or module: f"{module}.{name}" if name else module for module, name in imports}
        return any(name in origins and origins[name] != origin for name, origin in self.imports)


@dataclass(frozen=True, slots=True)
class Client:
    """A kind of client."""

    library: Library
    is_async: bool
