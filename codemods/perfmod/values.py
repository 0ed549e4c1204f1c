"""`dataclass` for the modules that every run imports: the same classes, made when they are first used.

The standard decorator looks at each field with regular expressions and compiles six functions for a frozen class,
0.8 ms whenever it is imported: a third of perfmod's start-up, for classes of which a run uses half. Here a class gets
its slots when it is imported, and all else when somebody makes, compares or inspects one. Its fields still come from
the standard decorator; comparing, hashing and printing need no compiling.
"""

from __future__ import annotations

import os
from _thread import RLock
from collections.abc import Iterable
from dataclasses import MISSING, Field, FrozenInstanceError, field, fields
from dataclasses import dataclass as standard_dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass", "field"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls=None, /, *, frozen=False, slots=False, order=False):
        """A frozen dataclass. Any other is made by the standard decorator."""

        def made(cls):
            cls.__doc__ = cls.__doc__ or cls.__name__  # the standard decorator would import inspect to write one
            if not frozen:
                return standard_dataclass(cls, slots=slots, order=order)
            return unfinished(cls, slots=slots, order=order)

        return made if cls is None else made(cls)


def unfinished(cls: Any, *, slots: bool, order: bool) -> Any:
    """The class with what has to be there from the beginning."""
    names = tuple(name for name, kind in cls.__annotations__.items() if not kind.startswith("ClassVar"))
    members = {name: member for name, member in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    if slots:
        members = {"__slots__": names} | {name: member for name, member in members.items() if name not in names}
    made = type(cls)(cls.__name__, cls.__bases__, members)
    made.__qualname__ = cls.__qualname__
    made.__setattr__, made.__delattr__ = __setattr__, __delattr__
    for name in (*METHODS, *(ORDER if order else ())):
        setattr(made, name, LATER[name])
    made.__dataclass_fields__ = Unfinished(cls, made, order=order)
    return made


# Threads finish one class at a time, and a process that is forked meanwhile begins with whole ones.
FINISHING = RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=FINISHING.acquire, after_in_parent=FINISHING.release, after_in_child=FINISHING.release)


class Unfinished:
    """Stands for the fields of a class until somebody asks for them, by a first use or as dataclasses.fields does."""

    def __init__(self, written: Any, made: Any, *, order: bool) -> None:
        """`written` is the class as it stands in its module, `made` the one that everybody uses."""
        self._written = written
        self._made = made
        self._order = order

    def __get__(self, _instance: object, _owner: type) -> Any:
        written, made = self._written, self._made
        with FINISHING:
            if vars(made)["__dataclass_fields__"] is self:  # no other thread was faster
                standard_dataclass(init=False, repr=False, eq=False)(written)
                for name in ("__dataclass_params__", "__match_args__"):
                    setattr(made, name, getattr(written, name))
                finish(made, fields(written), order=self._order)
                made.__dataclass_fields__ = written.__dataclass_fields__  # last: who finds them finds all else
        return made.__dataclass_fields__


def later(name: str) -> Any:
    def method(self: Any, *arguments: Any, **keywords: Any) -> Any:
        fields(self)  # finishes the class
        return getattr(self, name)(*arguments, **keywords)

    return method


METHODS = ("__init__", "__eq__", "__hash__", "__repr__", "__reduce__")
ORDER = ("__lt__", "__gt__", "__le__", "__ge__")
LATER = {name: later(name) for name in (*METHODS, *ORDER)}


def finish(cls: Any, own: Iterable[Field[Any]], *, order: bool) -> None:
    """Give a class with these fields the methods that the standard decorator would have given it."""
    names = [each.name for each in own if each.compare]
    key: Any = attrgetter(*names) if names else lambda _: ()

    def __eq__(self: Any, other: object) -> bool:
        return bool(key(self) == key(other)) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: Any) -> int:
        return hash(key(self))

    def __lt__(self: Any, other: object) -> bool:
        return bool(key(self) < key(other)) if other.__class__ is self.__class__ else NotImplemented

    def __gt__(self: Any, other: object) -> bool:
        return bool(key(self) > key(other)) if other.__class__ is self.__class__ else NotImplemented

    def __le__(self: Any, other: object) -> bool:
        return bool(key(self) <= key(other)) if other.__class__ is self.__class__ else NotImplemented

    def __ge__(self: Any, other: object) -> bool:
        return bool(key(self) >= key(other)) if other.__class__ is self.__class__ else NotImplemented

    cls.__init__ = compiled_init(own)
    for method in (__eq__, __hash__, __repr__, __reduce__, *((__lt__, __gt__, __le__, __ge__) if order else ())):
        setattr(cls, method.__name__, method)


def __repr__(self: Any) -> str:
    values = (f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
    return f"{type(self).__qualname__}({', '.join(values)})"


def __setattr__(self: Any, name: str, value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def __delattr__(self: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def __reduce__(self: Any) -> tuple[Any, ...]:
    return type(self), tuple(getattr(self, each.name) for each in fields(self))


def compiled_init(own: Iterable[Field[Any]]) -> Any:
    """The `__init__` that the standard decorator would have made."""
    names: dict[str, Any] = {"set_field": object.__setattr__}
    parameters, lines = ["self"], ["  pass"]
    for each in own:
        value = each.name
        if each.default is not MISSING:
            names[f"default_{value}"] = each.default
            parameters.append(f"{value}=default_{value}")
        elif each.default_factory is not MISSING:
            names[f"made_{value}"], names["MISSING"] = each.default_factory, MISSING
            parameters.append(f"{value}=MISSING")
            value = f"made_{value}() if {value} is MISSING else {value}"
        else:
            parameters.append(value)
        lines.append(f"  set_field(self, {each.name!r}, {value})")
    exec(f"def __init__({', '.join(parameters)}):\n" + "\n".join(lines), names)
    return names["__init__"]
