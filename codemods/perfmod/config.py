"""Settings: perfmod.toml or [tool.perfmod] in pyproject.toml, and the root that they speak for."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from perfmod.errors import PerfmodError
from perfmod.rule import PARSE_ERROR, load_rule, rule_ids


@dataclass(frozen=True, slots=True)
class Settings:
    """What a configuration file may say. Each field is the key of the same name, with dashes."""

    select: tuple[str, ...] = ()  #: rules to run; empty: all
    ignore: tuple[str, ...] = ()  #: rules not to run
    exclude: tuple[str, ...] | None = None  #: .gitignore patterns that replace the built-in ones
    extend_exclude: tuple[str, ...] = ()  #: .gitignore patterns on top of the built-in ones
    unsafe_fixes: bool = False  #: apply fixes that may change behaviour
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
        return project if b"[tool.perfmod" in project.read_bytes() else None
    except OSError:
        return None


def git_top_level(folder: Path) -> Path | None:
    """The top of the git checkout, work tree or submodule that holds a folder; None outside git."""
    return next((above for above in (folder, *folder.parents) if (above / ".git").exists()), None)


def load_settings(path: Path | None) -> Settings:
    """The settings of a configuration file; the defaults for None. Raises PerfmodError on anything it can't accept."""
    if path is None:
        return Settings()
    import tomllib

    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise PerfmodError(f"cannot read the configuration {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PerfmodError(f"{path} is not valid TOML: {error}") from None
    table = tool_table(document) if path.name == "pyproject.toml" else document
    tables = table.pop("rules", {}) if isinstance(table, dict) else {}
    if not isinstance(tables, dict):
        raise PerfmodError(f"{path}: [rules]: expected a table")
    settings: Settings = read_table(Settings, table, f"{path}", skip=("rules",))
    check_rules((*settings.select, *tables), f"{path}: ")
    check_rules(settings.ignore, f"{path}: `ignore`: ", also=(PARSE_ERROR,))
    options = {rule: read_table(load_rule(rule).Options, t, f"{path}: [rules.{rule}]") for rule, t in tables.items()}
    return replace(settings, rules=options)


def tool_table(document: Mapping[str, Any]) -> Any:
    """[tool.perfmod] of a pyproject.toml; empty where it has none."""
    tool = document.get("tool", {})
    return tool.get("perfmod", {}) if isinstance(tool, dict) else {}


def read_table(kind: type, table: Any, place: str, skip: Iterable[str] = ()) -> Any:
    """An instance of the dataclass `kind` from a TOML table. Unknown keys and wrong types are errors with advice."""
    if not isinstance(table, dict):
        raise PerfmodError(f"{place}: expected a table")
    hints = get_type_hints(kind)
    names = {f.name.replace("_", "-"): f.name for f in fields(kind) if f.name not in skip}
    values = {}
    for key, value in table.items():
        if key not in names:
            raise PerfmodError(f"{place}: unknown key `{key}`{suggestion(key, names)}")
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
