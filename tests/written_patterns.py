"""Every pattern that is written down in the package, and how it is used: what the test of patterns goes through."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import perfmod
from perfmod.patterns import Later

PACKAGE = Path(perfmod.__file__).parent
SEARCHING = frozenset({"search", "finditer", "findall", "sub", "subn", "split"})
ANCHORED = frozenset({"match", "fullmatch"})


@dataclass(frozen=True)
class Written:
    """One pattern, where it stands, and whether it is searched with anywhere."""

    name: str
    pattern: re.Pattern[Any]
    is_searched: bool


def written_patterns() -> list[Written]:
    """Imports every module of the package. Equal patterns count once."""
    modules = {path: (tree, import_module(module_name(path))) for path, tree in trees()}
    used = methods({path: tree for path, (tree, _) in modules.items()})
    found = [Written(*one) for path, (_, module) in modules.items() for one in constants(path, module, used)]
    for path, (tree, module) in modules.items():
        found += inline(path, tree, module)
    unique = {(w.pattern.pattern, w.pattern.flags, w.is_searched): w for w in found}
    return sorted(unique.values(), key=lambda w: w.name)


def trees() -> Iterator[tuple[str, ast.Module]]:
    for file in sorted(PACKAGE.rglob("*.py")):
        path = file.relative_to(PACKAGE).as_posix()
        if not path.startswith("templates/") and path != "__main__.py":
            yield path, ast.parse(file.read_text())


def module_name(path: str) -> str:
    return ".".join(("perfmod", *path.removesuffix(".py").removesuffix("__init__").strip("/").split("/"))).strip(".")


def constants(path: str, module: ModuleType, used: Mapping[str, set[str]]) -> Iterator[tuple[str, Any, bool]]:
    """The patterns that a module's own names hold."""
    for name, value in vars(module).items():
        for pattern in held(value):
            full = f"{module_name(path)}.{name}"
            yield full, pattern, bool(used.get(full, set()) & SEARCHING) or full not in used


def held(value: Any) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, Later):
        yield re.compile(value.pattern, value.flags)
    elif isinstance(value, dict):
        yield from held(tuple(value.values()))
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from held(inner)


def methods(trees: Mapping[str, ast.Module]) -> dict[str, set[str]]:
    """How each name of a pattern is used in any module. A name that is passed on may be searched with."""
    used: dict[str, set[str]] = {}
    for path, tree in trees.items():
        origins = {alias.asname or alias.name: f"{n.module}.{alias.name}" for n, alias in imported(tree)}
        looked_up: dict[int, str] = {id(n.value): n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                origin = origins.get(node.id, f"{module_name(path)}.{node.id}")
                used.setdefault(origin, set()).add(looked_up.get(id(node), "search"))
    return used


def imported(tree: ast.Module) -> Iterator[tuple[ast.ImportFrom, ast.alias]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((node, alias) for alias in node.names)


def inline(path: str, tree: ast.Module, module: ModuleType) -> Iterator[Written]:
    """The patterns that functions write into their calls. What is not known before the run stands for a word."""
    top = {id(inner) for node in tree.body if not isinstance(node, BODIES) for inner in ast.walk(node)}
    matched = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr in ANCHORED}
    for node in ast.walk(tree):
        if id(node) in top or not isinstance(node, ast.Call) or not node.args:
            continue
        method = ast.unparse(node.func).removeprefix("re.")
        if ast.unparse(node.func).startswith("re.") and method in SEARCHING | ANCHORED | {"compile"}:
            flags = re.NOFLAG
            for name in re.findall(r"\bre\.([A-Z]+)\b", ast.unparse(node)):
                flags |= getattr(re, name)
            pattern = re.compile(evaluated(node.args[0], module), flags)
            yield Written(f"{path}:{node.lineno}", pattern, method not in ANCHORED and id(node) not in matched)


BODIES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def evaluated(node: ast.expr, module: ModuleType) -> Any:
    """The value of an expression in which every name that only a run knows is a word or a number."""
    code = compile(ast.Expression(node), "pattern", "eval")
    names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    for word in (Word("word"), WordBytes(b"word"), 7):
        try:
            return eval(code, {name: meant(name, module, word) for name in names})
        except TypeError:
            continue
    raise AssertionError(f"the pattern {ast.unparse(node)} can't be made without a run")


def meant(name: str, module: ModuleType, word: Any) -> Any:
    """What a name is before the run: a module, a constant or a few functions; any other one is `word`."""
    value = {**vars(builtins), **vars(module)}.get(name, word)
    return word if callable(value) and value not in (map, sorted) else value


class Word(str):
    """A text that is also any object which gives it: `word.name`, `word(x)`."""

    def __getattr__(self, name: str) -> Word:
        return self

    def __call__(self, *_: Any) -> Word:
        return self


class WordBytes(bytes):
    def __getattr__(self, name: str) -> WordBytes:
        return self

    def __call__(self, *_: Any) -> WordBytes:
        return self

    def __iter__(self) -> Iterator[Any]:  # also a set of words
        yield self
