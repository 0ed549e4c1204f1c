"""perfmod's frozen dataclasses are what the standard decorator makes of the same text, whatever is done first."""

from __future__ import annotations

import copy
import dataclasses
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError, asdict, fields, is_dataclass, replace
from threading import Barrier, Thread
from typing import Any, ClassVar

import pytest

from perfmod import values
from perfmod.values import field

Decorator = Callable[..., Any]


def points(decorator: Decorator) -> Any:
    @decorator(frozen=True, slots=True, order=True)
    class Point:
        """A place."""

        x: int
        y: int = 0
        kind: ClassVar[str] = "point"

        @property
        def far(self) -> bool:
            return self.x + self.y > 10

    return Point


def plain(decorator: Decorator) -> Any:
    @decorator(frozen=True)
    class Plain:
        name: str = field(repr=False)
        seen: list[int] = field(default_factory=list)
        note: str = field(default="none", compare=False)

    return Plain


def derived(decorator: Decorator) -> Any:
    base = points(decorator)

    @decorator(frozen=True, slots=True)
    class Derived(base):  # type: ignore[misc]
        z: tuple[int, ...] = ()

    return Derived


def empty(decorator: Decorator) -> Any:
    @decorator(frozen=True, slots=True)
    class Empty:
        pass

    return Empty


MADE: list[tuple[Callable[[Decorator], Any], list[tuple[tuple[Any, ...], dict[str, Any]]]]] = [
    (points, [((1,), {}), ((1, 2), {}), ((2,), {}), ((), {"x": 1}), ((1,), {"y": 2})]),
    (plain, [(("a",), {}), (("a", [1]), {}), (("a",), {"note": "b"}), (("b",), {"seen": [1]})]),
    (derived, [((1,), {}), ((1, 2, (3,)), {}), ((1,), {"z": (3,)})]),
]
WRONG: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}),
    ((1, 2, 3, 4, 5), {}),
    ((1,), {"w": 1}),
    ((1,), {"x": 1}),
]
COMPARISONS = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")


def outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except (TypeError, AttributeError) as error:
        return type(error)


def is_hashable(value: object) -> bool:
    return outcome(lambda: hash(value)) is not TypeError


def compared(made: list[Any]) -> list[Any]:
    others = [*made, 3]
    return [
        outcome(lambda one=one, other=other, name=name: getattr(one, name)(other))  # type: ignore[misc]
        for name in COMPARISONS
        for one in made
        for other in others
    ]


def taken(kind: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    return outcome(lambda: repr(kind(*args, **keywords)))


@pytest.mark.parametrize(("written", "calls"), MADE)
def test_values_are_made_compared_and_shown_alike(
    written: Callable[[Decorator], Any], calls: list[tuple[tuple[Any, ...], dict[str, Any]]]
) -> None:
    ours, theirs = written(values.dataclass), written(dataclasses.dataclass)
    mine = [ours(*args, **keywords) for args, keywords in calls]
    standard = [theirs(*args, **keywords) for args, keywords in calls]
    assert [repr(each) for each in mine] == [repr(each) for each in standard]
    assert [asdict(each) for each in mine] == [asdict(each) for each in standard]
    assert [is_hashable(each) for each in mine] == [is_hashable(each) for each in standard]
    assert compared(mine) == compared(standard)
    assert [taken(ours, *call) for call in WRONG] == [taken(theirs, *call) for call in WRONG]


FIRST_USES: dict[str, Callable[[Any], Any]] = {
    "making one": lambda kind: repr(kind(1, 2)),
    "its fields": lambda kind: [(each.name, each.default) for each in fields(kind)],
    "whether it is one": is_dataclass,
    "a wrong call": lambda kind: outcome(lambda: kind()),
    "a subclass of it": lambda kind: repr(type("Sub", (kind,), {})(1, 2)),
    "a match": lambda kind: matched(kind(1, 2), kind),
    "replacing": lambda kind: repr(replace(kind(1, 2), y=5)),
    "its documentation": lambda kind: (kind.__doc__, kind.__name__, kind.__slots__, kind.kind),
}


def matched(value: Any, kind: Any) -> object:
    match value:
        case kind(x, y):
            return x, y
    return None


@pytest.mark.parametrize("use", FIRST_USES)
def test_any_use_may_be_the_first(use: str) -> None:
    assert FIRST_USES[use](points(values.dataclass)) == FIRST_USES[use](points(dataclasses.dataclass))
    assert repr(FIRST_USES[use](points(values.dataclass))) == repr(FIRST_USES[use](points(dataclasses.dataclass)))


@pytest.mark.parametrize("written", [points, plain, derived])
def test_values_can_not_be_changed(written: Callable[[Decorator], Any]) -> None:
    value = written(values.dataclass)(1)
    name = fields(value)[0].name
    with pytest.raises(FrozenInstanceError, match=f"cannot assign to field '{name}'"):
        setattr(value, name, 3)
    with pytest.raises(FrozenInstanceError, match=f"cannot delete field '{name}'"):
        delattr(value, name)


def test_a_class_without_fields() -> None:
    kind = empty(values.dataclass)
    assert fields(kind) == () and kind() == kind() and repr(kind()).endswith("Empty()")


@values.dataclass(frozen=True, slots=True)
class Kept:
    name: str
    more: tuple[int, ...] = ()


def test_values_are_copied_and_pickled() -> None:
    value = Kept("a", (1, 2))
    for same in (copy.copy(value), copy.deepcopy(value), *(pickle.loads(pickle.dumps(value, p)) for p in range(6))):
        assert same == value and type(same) is Kept and hash(same) == hash(value)


def test_there_is_no_dictionary_with_slots() -> None:
    assert not hasattr(Kept("a"), "__dict__")


@pytest.fixture
def busy_threads() -> Iterator[None]:
    """Threads take turns after every few instructions."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_several_threads_may_be_the_first(busy_threads: None) -> None:
    said: list[Any] = []
    for _ in range(100):
        kind, together = plain(values.dataclass), Barrier(4)

        def use(kind: Any = kind, together: Barrier = together) -> None:
            together.wait()
            try:
                said.append((kind("a").seen, kind("a") == kind("a"), len(fields(kind))))
            except Exception as error:
                said.append(error)

        threads = [Thread(target=use) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert said == [([], True, 3)] * 400


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_process_may_be_forked_while_a_thread_finishes_a_class(busy_threads: None) -> None:
    for _ in range(30):
        kind = plain(values.dataclass)
        thread = Thread(target=kind, args=("a",))
        thread.start()
        child = os.fork()
        if child == 0:
            signal.alarm(5)
            os._exit(0 if kind("a").seen == [] else 1)
        thread.join()
        assert os.waitpid(child, 0)[1] == 0
