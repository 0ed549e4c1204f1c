"""The configuration in words: what holds in a run (--show-settings), and a file to start with (perfmod init)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from perfmod.config import Settings, config_file
from perfmod.errors import PerfmodError
from perfmod.explain import default_of, docs_of_fields, options_of, toml
from perfmod.rule import load_rule, rule_ids

HEAD = """\
# perfmod's settings. Every line below shows a default; take the `#` away from those that you want to change.
# `perfmod check --show-settings` says what holds, `perfmod rules` and `perfmod explain RULE` say more.

# extend = "../perfmod.toml"  # a file whose settings hold where this one says nothing
"""


def show_settings(settings: Settings, source: str) -> str:
    """Every setting that holds, as a configuration file would say it."""
    lines = [f"# from {source}"]
    for field in fields(Settings):
        value = getattr(settings, field.name)
        if field.name == "select":
            value = settings.selected
        if field.name != "rules" and not isinstance(value, dict):
            lines.append(assignment(field.name, value))
    if settings.per_file_ignores:
        lines += ["", "[per-file-ignores]"]
        lines += [f"{toml(pattern)} = {toml(list(rules))}" for pattern, rules in settings.per_file_ignores.items()]
    for rule in settings.selected:
        kind = load_rule(rule).Options
        options = settings.rules.get(rule, kind())
        if fields(kind):
            lines += ["", f"[rules.{rule}]"]
            lines += [assignment(field.name, getattr(options, field.name)) for field in fields(kind)]
    return "".join(line + "\n" for line in lines)


def assignment(name: str, value: Any) -> str:
    """A line of TOML. What is unset, TOML can only say in a comment."""
    key = name.replace("_", "-")
    if value is None:
        return f"# {key} is not set"
    return f"{key} = {toml(list(value) if isinstance(value, tuple) else value)}"


def start(folder: Path) -> Path:
    """Write a commented perfmod.toml. Raises PerfmodError where the folder has a configuration, or can't be written."""
    known = config_file(folder)
    if known is not None:
        raise PerfmodError(f"{known} is there already")
    path = folder / "perfmod.toml"
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(HEAD + "".join(f"{line}\n" for line in lines()))
    except OSError as error:
        raise PerfmodError(f"cannot write {path}: {error.strerror}") from None
    return path


def lines() -> Iterator[str]:
    docs = docs_of_fields(Settings)
    for field in fields(Settings):
        name, default = field.name.replace("_", "-"), default_of(field)
        if field.name == "rules" or isinstance(default, dict):
            continue
        yield f"# {name} = {example(default)}  # {docs[field.name]}"
    yield ""
    yield f"# [per-file-ignores]  # {docs['per_file_ignores']}"
    yield f'# "tests/" = {toml([rule_ids()[0]])}'
    for rule in rule_ids():
        options = options_of(load_rule(rule))
        if options:
            yield ""
            yield f"# [rules.{rule}]"
        for option in options:
            yield f"# {option.name} = {example(option.default)}  # {option.doc}"


def example(default: Any) -> str:
    return '"..."' if default is None else toml(default)
