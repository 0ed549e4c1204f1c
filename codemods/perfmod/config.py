"""Settings: perfmod.toml or [tool.perfmod] in pyproject.toml, and the root that they speak for."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from perfmod.errors import PerfmodError
from perfmod.reading import read_regular
from perfmod.rule import OWN_RULES, load_rule, rule_ids
from perfmod.values import dataclass, field

LARGEST_PROJECT = 2_000_000  # bytes; a larger pyproject.toml is no person's
MAXIMUM_SIZE = 100_000  # bytes; the time of a TOML parser can grow with the square of its keys


@dataclass(frozen=True, slots=True)
class Settings:
    """What a configuration file may say. Each field is the key of the same name, with dashes."""

    select: tuple[str, ...] = ()  #: rules to run; empty: all
    ignore: tuple[str, ...] = ()  #: rules not to run
    exclude: tuple[str, ...] | None = None  #: .gitignore patterns that replace the built-in ones
    extend_exclude: tuple[str, ...] = ()  #: .gitignore patterns on top of the built-in ones
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: .gitignore pattern = [rules]
    unsafe_fixes: bool = False  #: apply fixes that may change behaviour
    require_reason: bool = False  #: every ignore comment has to say why
    baseline: str | None = None  #: the file with the findings that may stay, from the root
    rules: Mapping[str, Any] = field(default_factory=dict)  #: [rules.<id>]: the options of a rule

    @property
    def selected(self) -> tuple[str, ...]:
        return tuple(rule for rule in self.select or rule_ids() if rule not in self.ignore)


def find_root(start: Path, *, isolated: bool = False) -> Path:
    """The folder that a run is about.

    The nearest folder at or above `start` with perfmod.toml or [tool.perfmod], else the top level of the git
    checkout, else `start` itself. `isolated` takes `start`.
    """
    folder = start if start.is_dir() else start.parent
    if isolated:
        return folder
    for candidate in (folder, *folder.parents):
        if config_file(candidate):
            return candidate
    return git_top_level(folder) or folder


def config_file(folder: Path) -> Path | None:
    """The file of a folder that configures perfmod."""
    own = folder / "perfmod.toml"
    if own.is_file():
        return own
    project = folder / "pyproject.toml"
    try:
        return project if b"[tool.perfmod" in read_regular(project, LARGEST_PROJECT) else None
    except OSError:
        return None


def git_top_level(folder: Path) -> Path | None:
    """The top of the git checkout, work tree or submodule that holds a folder; None outside git."""
    return next((above for above in (folder, *folder.parents) if (above / ".git").exists()), None)


def load_settings(path: Path | None, within: Path | None = None) -> Settings:
    """The settings of a configuration file; the defaults for None. Raises PerfmodError on anything it can't accept.

    `within`: the folder that it may not lead out of.
    """
    if path is None:
        return Settings()
    merged: dict[str, Any] = {}
    for source, table in reversed(list(tables_of(path, within))):
        check_table(table, f"{source}")
        merged = merge(merged, table)
    rules = merged.pop("rules", {})
    settings: Settings = read_table(Settings, merged, f"{path}", skip=("rules",))
    return replace(settings, rules={rule: read_table(load_rule(rule).Options, t, "") for rule, t in rules.items()})


def tables_of(path: Path, within: Path | None) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The tables of a configuration file and of those that it extends, the nearest first."""
    seen: list[Path] = []
    while True:
        if path.resolve() in seen:
            raise PerfmodError(f"{seen[-1]}: `extend` leads back to {path}")
        if within is not None and not path.resolve().is_relative_to(within.resolve()):
            raise PerfmodError(f"its configuration extends {path}, which lies outside of it")
        seen.append(path.resolve())
        table = read_toml(path)
        base = table.pop("extend", None)
        yield path, table
        if base is None:
            return
        if not isinstance(base, str):
            raise PerfmodError(f"{path}: `extend` must be a string, not {base!r}")
        path = path.parent / base


def read_toml(path: Path) -> dict[str, Any]:
    """perfmod's table of a file. Raises PerfmodError where it is none."""
    import tomllib

    try:
        if path.exists() and (not path.is_file() or path.stat().st_size > MAXIMUM_SIZE):
            raise PerfmodError(f"cannot read the configuration {path}: not a file, or too large")
        document = tomllib.loads(path.read_text("utf-8"))
    except RecursionError:
        raise PerfmodError(f"{path} is nested too deeply") from None
    except OSError as error:
        raise PerfmodError(f"cannot read the configuration {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PerfmodError(f"{path} is not valid TOML: {error}") from None
    table = tool_table(document) if path.name == "pyproject.toml" else document
    if not isinstance(table, dict):
        raise PerfmodError(f"{path}: expected a table")
    return table


def check_table(table: Mapping[str, Any], place: str) -> None:
    """Raises PerfmodError for what one file says wrongly, in the words of that file."""
    tables = table.get("rules", {})
    if not isinstance(tables, dict):
        raise PerfmodError(f"{place}: [rules]: expected a table")
    own = {key: value for key, value in table.items() if key != "rules"}
    settings: Settings = read_table(Settings, own, place, skip=("rules",), also=("extend", "rules"))
    check_rules((*settings.select, *tables), f"{place}: ")
    check_rules(settings.ignore, f"{place}: `ignore`: ", also=OWN_RULES)
    for rules in settings.per_file_ignores.values():
        check_rules(rules, f"{place}: `per-file-ignores`: ", also=OWN_RULES)
    for rule, options in tables.items():
        read_table(load_rule(rule).Options, options, f"{place}: [rules.{rule}]")


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Two tables: what `over` says wins; tables are merged, and what `extend-...` lists adds up."""
    merged = dict(base)
    for key, value in over.items():
        known = merged.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            merged[key] = merge(known, value)
        elif key.startswith("extend-") and isinstance(known, list):
            merged[key] = [*known, *value]
        else:
            merged[key] = value
    return merged


def tool_table(document: Mapping[str, Any]) -> Any:
    """[tool.perfmod] of a pyproject.toml; empty where it has none."""
    tool = document.get("tool", {})
    return tool.get("perfmod", {}) if isinstance(tool, dict) else {}


def read_table(kind: type, table: Any, place: str, skip: Iterable[str] = (), also: Iterable[str] = ()) -> Any:
    """An instance of the dataclass `kind` from a TOML table. Unknown keys and wrong types are errors with advice.

    `also`: keys that are known elsewhere, for the advice.
    """
    if not isinstance(table, dict):
        raise PerfmodError(f"{place}: expected a table")
    hints = get_type_hints(kind)
    names = {f.name.replace("_", "-"): f.name for f in fields(kind) if f.name not in skip}
    values = {}
    for key, value in table.items():
        if key not in names:
            raise PerfmodError(f"{place}: unknown key `{key}`{suggestion(key, (*names, *also))}")
        values[names[key]] = convert(value, hints[names[key]], f"{place}: `{key}`")
    return kind(**values)


def convert(value: Any, hint: Any, place: str) -> Any:
    """A TOML value as the annotated type asks for it."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        hint = next(arm for arm in get_args(hint) if arm is not type(None))
        origin = get_origin(hint)
    if origin is Literal:
        if value not in get_args(hint):
            allowed = ", ".join(f'"{choice}"' for choice in get_args(hint))
            raise PerfmodError(f"{place} must be one of {allowed}, not {value!r}")
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise PerfmodError(f"{place} must be a list, not {value!r}")
        return tuple(convert(item, get_args(hint)[0], place) for item in value)
    if origin is Mapping:
        if not isinstance(value, dict):
            raise PerfmodError(f"{place} must be a table, not {value!r}")
        return {key: convert(item, get_args(hint)[1], f"{place}: `{key}`") for key, item in value.items()}
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        words = {str: "a string", bool: "true or false", int: "a whole number", float: "a number"}
        raise PerfmodError(f"{place} must be {words.get(hint, hint)}, not {value!r}")
    return value


def check_rules(named: Iterable[str], place: str = "", also: tuple[str, ...] = ()) -> None:
    """Raises PerfmodError for the first name that is no rule and not one of `also`."""
    known = (*rule_ids(), *also)
    for name in named:
        if name not in known:
            raise PerfmodError(f"{place}unknown rule `{name}`{suggestion(name, known)}")


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean ...?`, or the list of what is known."""
    from difflib import get_close_matches

    known = sorted(known)
    close = get_close_matches(word, known, n=1)
    return f"; did you mean `{close[0]}`?" if close else f"; known: {', '.join(known)}"
