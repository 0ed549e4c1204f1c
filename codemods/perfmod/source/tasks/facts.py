"""Facts about tasks: which places let one go, and which functions of a checkout keep one."""

from __future__ import annotations

from typing import Literal

from perfmod.model import Span
from perfmod.values import dataclass

Shape = Literal["dropped", "unread", "callback", "followed", "held", "reported"]


@dataclass(frozen=True, slots=True)
class TaskSite:
    """One place that makes a task and lets it go."""

    path: str
    span: Span  #: the call
    maker: str  #: create, ensure, loop, or the name of a reported function
    shape: Shape
    manual: str | None = None  #: why it can't be rewritten, as far as this file tells
    unsafe: str | None = None  #: why rewriting may change behaviour
    name: str | None = None
    quote: str = '"'
    keywords: frozenset[str] = frozenset()
    loop: str | None = None  #: source text of the loop that the task is made on
    coroutine: bool | str = True  #: of ensure_future: see coroutines.is_coroutine
    bases: tuple[str, ...] = ()  #: dotted origins of the bases of the class around it
    binding: str = ""  #: the imported name that the callee uses


@dataclass(frozen=True, slots=True)
class TaskHelper:
    """A function that can stand in for perfmod's own helper."""

    path: str
    function: str
    accepts: frozenset[str]  #: the keywords that it takes
    passes_on: bool  #: it passes any other keyword on to create_task
    needs_name: bool

    def takes(self, keywords: frozenset[str]) -> bool:
        """Whether a call may pass these keywords."""
        others = keywords - self.accepts
        return not others or (self.passes_on and "loop" not in others)
