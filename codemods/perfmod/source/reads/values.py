"""What a path or text is made of, as plain data: filled in with what callers pass and what other files say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from perfmod.values import dataclass

Kind = Literal[
    "text",  # a literal
    "literal",  # a number, a flag, None
    "file",  # __file__ of the file that `text` names
    "join",  # parts with slashes between them
    "add",  # parts one after the other
    "parent",  # the folder of the first part
    "rename",  # the first part with the second as its last name
    "named",  # a constant of this name, and its value
    "param",  # the parameter of this name
    "imported",  # what `text` means in the file `where`
    "call",  # what the function `text`, imported in `where`, makes of its arguments
    "choice",  # one of the parts
    "outside",  # the same as long as the process runs, but not written here: "environment", "home", "temporary", a name
    "unknown",
]


@dataclass(frozen=True, slots=True)
class Value:
    """What an expression is made of."""

    kind: Kind
    text: str = ""
    parts: tuple[Value, ...] = ()
    where: str = ""

    def walk(self) -> Iterator[Value]:
        yield self
        for part in self.parts:
            yield from part.walk()

    def replaced(self, change: Callable[[Value], Value | None]) -> Value:
        """The value with every piece for which `change` has another one."""
        other = change(self)
        if other is not None:
            return other
        if not self.parts:
            return self
        return Value(self.kind, self.text, tuple(part.replaced(change) for part in self.parts), self.where)


UNKNOWN = Value("unknown")


def choice(parts: list[Value]) -> Value:
    distinct = tuple(dict.fromkeys(parts))
    return distinct[0] if len(distinct) == 1 else Value("choice", parts=distinct) if distinct else UNKNOWN


def settled(name: str, value: Value) -> Value:
    """A variable that a module sets once: what can't be told of its value is the same all the time."""
    made = value.replaced(lambda part: Value("outside", name) if part.kind == "unknown" else None)
    return Value("named", name, (made,), where="module")
