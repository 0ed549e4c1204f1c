"""Reads the plain command lines, which are nearly all: click alone would be a fifth of the time of a small run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from perfmod.options import OPTIONS, Option, Typed, typed_of


def read_plain(arguments: Sequence[str]) -> Typed | None:
    """What was typed. None for all that is wrong, rare or no check, diff or apply: click then says what it means."""
    command, *words = arguments or ("",)
    if command not in OPTIONS or "_PERFMOD_COMPLETE" in os.environ:
        return None
    known = {name: option for option in OPTIONS[command] for name in spellings(option)}
    values: dict[str, Any] = {"paths": ()}
    waiting = iter(words)
    for word in waiting:
        if word == "-" or not word.startswith("-"):
            values["paths"] += (word,)
            continue
        name, equals, value = word.partition("=")
        option = known.get(name)
        if option is None or (equals and not name.startswith("--")):
            return None
        if option.takes in ("nothing", "switch"):
            if equals:
                return None
            values[option.field] = not name.startswith("--no-") or option.takes == "nothing"
            continue
        if not equals:
            value = next(waiting, "")
        read = value_of(option, value)
        if read is None:
            return None
        values[option.field] = (*values.get(option.field, ()), *read) if isinstance(read, tuple) else read
    return typed_of(command, values)


def spellings(option: Option) -> tuple[str, ...]:
    if option.takes == "switch":
        return (*option.names, *(f"--no-{name.removeprefix('--')}" for name in option.names))
    return option.names


def value_of(option: Option, word: str) -> Any:
    """What a word means as the value of an option; None where that takes more than a look."""
    if not word or word.startswith("-") or option.field == "add_ignore":
        return None
    match option.takes:
        case "text" | "path":
            return word
        case "texts":
            return (word,)
        case "rules":
            return split_commas([word])
        case "choice":
            return word if word in option.choices else None
        case "count":
            return int(word) if word.isascii() and word.isdigit() and len(word) < 10 and int(word) else None
    return None


def split_commas(values: Sequence[str]) -> tuple[str, ...]:
    """The values of an option that may be repeated and may hold several, with commas between them."""
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())
