"""`dataclass` for the modules that every run imports: the same classes, made in a sixth of the time.

The standard decorator compiles six functions for a frozen class, 0.8 ms each time it is imported, and that was a third
of perfmod's start-up. Here comparing, hashing and printing need no compiling, and `__init__` is compiled at first use.
"""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, field, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass", "field"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    from dataclasses import dataclass as standard_dataclass

    def dataclass(cls=None, /, *, frozen=False, slots=False, order=False):
        """A frozen dataclass. Any other is made by the standard decorator."""

        def made(cls):
            cls.__doc__ = cls.__doc__ or cls.__name__  # the standard decorator would import inspect to write one
            if not frozen:
                return standard_dataclass(cls, slots=slots, order=order)
            return with_methods(standard_dataclass(init=False, repr=False, eq=False, slots=slots)(cls), order=order)

        return made if cls is None else made(cls)


def with_methods(cls: Any, *, order: bool) -> Any:
    key = attrgetter(*(each.name for each in fields(cls) if each.compare))

    def __init__(self: Any, *args: Any, **keywords: Any) -> None:
        cls.__init__ = compiled_init(cls)
        cls.__init__(self, *args, **keywords)

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

    methods = [__init__, __eq__, __hash__, __repr__, __setattr__, __delattr__, __reduce__]
    for method in (*methods, *((__lt__, __gt__, __le__, __ge__) if order else ())):
        setattr(cls, method.__name__, method)
    return cls


def __repr__(self: Any) -> str:
    values = (f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
    return f"{type(self).__qualname__}({', '.join(values)})"


def __setattr__(self: Any, name: str, value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def __delattr__(self: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def __reduce__(self: Any) -> tuple[Any, ...]:
    return type(self), tuple(getattr(self, each.name) for each in fields(self))


def compiled_init(cls: Any) -> Any:
    """The `__init__` that the standard decorator would have made."""
    names: dict[str, Any] = {"set_field": object.__setattr__}
    parameters, lines = ["self"], ["  pass"]
    for each in fields(cls):
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
