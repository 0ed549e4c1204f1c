"""Strings that make a backtracking regex slow, made from the pattern itself, for the test of all patterns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from re import _constants as constants  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

#: A repeat that may run this often can be made slow.
MANY = 40
ENDS = ("", "\0", "!", "\n", "a")
FILLERS = (" ", "a", "\t", "\n", "0", "_", ".", "/", ",", "-", "#", "*", '"', "'", "(", "[", "\\", "A", "=")
CATEGORIES = {
    constants.CATEGORY_SPACE: " ",
    constants.CATEGORY_NOT_SPACE: "a",
    constants.CATEGORY_DIGIT: "0",
    constants.CATEGORY_NOT_DIGIT: "a",
    constants.CATEGORY_WORD: "a",
    constants.CATEGORY_NOT_WORD: " ",
}


class Attack(NamedTuple):
    """A text: `pump` is to be repeated as often as one likes."""

    head: str
    pump: str
    end: str


def attacks(pattern: re.Pattern[Any]) -> Iterator[Attack]:
    """Texts with which every repeat of the pattern is reached and then let down."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    parsed = parser.parse(source, pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags)
    found: dict[Attack, None] = {}
    for head, pumps in repeats(list(parsed), ""):
        for pump in pumps:
            for end in ENDS:
                found[Attack(head, pump, end)] = None
                found[Attack("", pump, end)] = None
                found[Attack("", head + pump, end)] = None
    for filler in FILLERS:
        found[Attack("", filler, "")] = None
    yield from (attack for attack in found if attack.pump)


def repeats(items: Sequence[Any], head: str) -> Iterator[tuple[str, list[str]]]:
    """What stands before each long repeat, and what it may repeat."""
    for position, (kind, value) in enumerate(items):
        if kind in (constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT):
            _, most, inner = value
            if most >= MANY:
                following = items[position + 1 :]
                yield head, list(dict.fromkeys(p for p in (*examples(inner), *neighbours(following)) if p))
            yield from repeats(list(inner), head)
        elif kind is constants.SUBPATTERN:
            yield from repeats(list(value[-1]), head)
        elif kind is constants.BRANCH:
            for branch in value[1]:
                yield from repeats(list(branch), head)
        elif kind in (constants.ASSERT, constants.ASSERT_NOT):
            yield from repeats(list(value[1]), head)
        elif kind is constants.ATOMIC_GROUP:
            yield from repeats(list(value), head)
        head += example([(kind, value)])


def neighbours(items: Sequence[Any]) -> Iterator[str]:
    """What the next repeats take: two that take the same are what makes a pattern slow."""
    for kind, value in items[:4]:
        if kind in (constants.MAX_REPEAT, constants.MIN_REPEAT):
            yield from examples(value[2])


def examples(items: Any) -> list[str]:
    """Some strings that a part of a pattern matches, in each of its branches."""
    found = [example(list(items))]
    for kind, value in items:
        if kind is constants.BRANCH:
            found += [example(list(branch)) for branch in value[1]]
        elif kind is constants.SUBPATTERN:
            found += examples(value[-1])
        elif kind is constants.IN:
            found += letters(value)
        elif kind is constants.ANY:
            found += ["a", " "]
        elif kind is constants.NOT_LITERAL:
            found += [filler for filler in FILLERS if ord(filler) != value]
    return found


def example(items: Sequence[Any]) -> str:
    """One string that a part of a pattern matches, as far as this is easy to say."""
    made = ""
    for kind, value in items:
        if kind is constants.LITERAL:
            made += chr(value)
        elif kind is constants.NOT_LITERAL:
            made += "a" if value != ord("a") else "b"
        elif kind is constants.ANY:
            made += "a"
        elif kind is constants.IN:
            made += next(iter(letters(value)), "a")
        elif kind in (constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT):
            made += example(list(value[2])) * max(value[0], 0 if value[0] == 0 else 1)
        elif kind is constants.SUBPATTERN:
            made += example(list(value[-1]))
        elif kind is constants.BRANCH:
            made += example(list(value[1][0]))
        elif kind is constants.ATOMIC_GROUP:
            made += example(list(value))
    return made


def letters(members: Sequence[Any]) -> list[str]:
    """Letters of a class, of each of its parts one."""
    if members and members[0][0] is constants.NEGATE:
        excluded = re.compile(class_text(members[1:]))
        return [filler for filler in FILLERS if not excluded.match(filler)]
    return [letter(kind, value) for kind, value in members]


def letter(kind: Any, value: Any) -> str:
    if kind is constants.LITERAL:
        return chr(value)
    return chr(value[0]) if kind is constants.RANGE else CATEGORIES[value]


def class_text(members: Sequence[Any]) -> str:
    names = {
        constants.CATEGORY_SPACE: r"\s",
        constants.CATEGORY_NOT_SPACE: r"\S",
        constants.CATEGORY_DIGIT: r"\d",
        constants.CATEGORY_NOT_DIGIT: r"\D",
        constants.CATEGORY_WORD: r"\w",
        constants.CATEGORY_NOT_WORD: r"\W",
    }
    parts = []
    for kind, value in members:
        if kind is constants.LITERAL:
            parts.append(re.escape(chr(value)))
        elif kind is constants.RANGE:
            parts.append(f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}")
        else:
            parts.append(names[value])
    return f"[{''.join(parts)}]"
