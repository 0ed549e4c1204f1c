"""The texts that are made of request_retry: a helper module, and a method for one class.

The policy is written once, in request_retry.py. A backend or an option is a part, whose definitions take the place of
their namesakes; what is then not needed is left out. The sync twin is the async one without its async words.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Literal

Backend = Literal["inline", "stamina", "tenacity", "httpx-retries"]
#: (module, name): `from module import name`, or `import module` where there is no name
Import = tuple[str, str]

FUNCTION = "request_with_retry"
TWIN = "request_with_retry_sync"
METHOD = "_request_with_retry"
TRANSPORT = "RetryTransport"
UNASYNC = (
    (r"\basync (def|for|with) ", r"\1 "),
    (r"\bawait ", ""),
    (r"\basyncio\.sleep\b", "time.sleep"),
    (r"\bAsync(Client|Retrying)\b", r"\1"),
    (r'"""Await ', '"""Call '),
)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a project can say about retries. Times are in seconds."""

    backend: Backend = "inline"
    retry_writes: Literal["idempotent", "always"] = "idempotent"
    max_retries: int = 3
    base_wait: float = 0.5
    max_wait: float = 8.0
    max_retry_after: float = 30.0
    max_elapsed: float = 60.0

    @property
    def constants(self) -> Mapping[str, float]:
        """The values of the template's constants, by name."""
        names = ("max_retries", "base_wait", "max_wait", "max_retry_after", "max_elapsed")
        return {f"_{name.upper()}": getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Member:
    """The method for one class, and what its module needs for it."""

    imports: tuple[Import, ...]
    definitions: str  #: constants and functions for the module
    names: tuple[str, ...]  #: what the definitions bind
    method: str  #: not indented


@dataclass(frozen=True)
class Parts:
    """A module in pieces: its head, what it imports, and the text of each definition, each by the name it binds."""

    head: str
    imports: Mapping[str, Import] = field(default_factory=dict)
    definitions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, name: str) -> Parts:
        from importlib.resources import files  # costs 20 ms, and `check` reads no template

        source = files(__package__).joinpath(f"{name}.py").read_text("utf-8")
        lines = source.splitlines(keepends=True)
        head, *body = ast.parse(source).body
        end = head.end_lineno or 0
        imports: dict[str, Import] = {}
        definitions: dict[str, str] = {}
        parts = cls("".join(lines[:end]), imports, definitions)
        for node in body:
            start, end = end, node.end_lineno or 0
            if isinstance(node, ast.Import):
                imports.update((alias.name, (alias.name, "")) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                imports.update((alias.name, (node.module or "", alias.name)) for alias in node.names)
            else:
                definitions[bound_by(node)] = "".join(lines[start:end])
        return parts

    def overlaid(self, other: Parts) -> Parts:
        """These, with what `other` defines in the place of its namesakes or at the end."""
        imports = {name: origin for name, origin in other.imports.items() if not origin[0].startswith("perfmod")}
        return Parts(self.head, {**self.imports, **imports}, {**self.definitions, **other.definitions})

    def needed_by(self, roots: Iterable[str]) -> Parts:
        """Some definitions and all that they use."""
        keep: set[str] = set()
        waiting = list(roots)
        while waiting:
            name = waiting.pop()
            if name not in keep:
                keep.add(name)
                waiting += names_in(self.definitions.get(name, ""))
        imports = {name: origin for name, origin in self.imports.items() if name in keep}
        return Parts(self.head, imports, {name: text for name, text in self.definitions.items() if name in keep})

    def source(self) -> str:
        """The module."""
        standard = {
            origin for origin in self.imports.values() if origin[0].partition(".")[0] in sys.stdlib_module_names
        }
        third_party = set(self.imports.values()) - standard
        blocks = ["from __future__ import annotations\n", *(import_lines(group) for group in (standard, third_party))]
        return "\n".join([self.head, *blocks]) + "".join(self.definitions.values())


def render_module(policy: Policy) -> str:
    """The helper module: `request_with_retry` and its sync twin, or a transport where the backend is one."""
    parts = parts_of(policy)
    if policy.backend == "httpx-retries":
        return parts.needed_by([TRANSPORT]).source()
    definitions = {}
    for name, text in parts.definitions.items():
        definitions[name] = text
        if name == FUNCTION:
            definitions[TWIN] = without_async(text, TWIN)
    return replace(parts, definitions=definitions).needed_by([FUNCTION, TWIN]).source()


def render_member(
    policy: Policy,
    *,
    sync: bool = False,
    method: bool = True,
    logger: str | None = None,
    typed: bool = True,
    new_unions: bool = True,
) -> Member:
    """The method for a class, or the function for a module that has no other use for it.

    `logger` is one that the module has already. `typed`: the module annotates its functions; `new_unions`: with
    `X | None`, which Python 3.9 can't evaluate.
    """
    parts = parts_of(policy)
    definitions = dict(parts.definitions)
    if sync:
        definitions[FUNCTION] = without_async(definitions[FUNCTION], FUNCTION)
    if logger is not None:
        del definitions["_logger"]
        definitions = {name: re.sub(r"\b_logger\b", logger, text) for name, text in definitions.items()}
    if not typed:
        definitions = {name: without_annotations(text) for name, text in definitions.items()}
    elif not new_unions:
        definitions = {name: re.sub(r": (bool \| None)", r': "\1"', text) for name, text in definitions.items()}
    needed = replace(parts, definitions=definitions).needed_by([FUNCTION])
    around = {name: text for name, text in needed.definitions.items() if name != FUNCTION}
    function = definitions[FUNCTION].strip("\n")
    if method:
        function = re.sub(rf"def {FUNCTION}\(\n?(\s*)", rf"def {METHOD}(\n\1self,\n\1", function, count=1)
    imports = tuple(sorted(needed.imports.values()))
    return Member(imports, "".join(around.values()).strip("\n"), tuple(around), function)


def without_annotations(text: str) -> str:
    """A definition in a style that has no annotations."""
    node = ast.parse(text).body[0]
    for function in [n for n in ast.walk(node) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]:
        arguments = function.args
        every = [*arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        for hint in (a.annotation for a in every if a is not None and a.annotation is not None):
            text = re.sub(rf": {re.escape(ast.unparse(hint))}( = |[,)\n])", lambda m: m[1].replace(" = ", "="), text)
        if function.returns is not None:
            text = text.replace(f" -> {ast.unparse(function.returns)}:", ":")
    return re.sub(r"^ +\w+: [\w.| ]+\n|(?<=response): [\w.]+(?= =)", "", text, flags=re.M)


@cache
def parts_of(policy: Policy) -> Parts:
    """The template with the parts and the constants that a policy asks for."""
    parts = Parts.read("request_retry")
    if policy.backend != "inline":
        parts = parts.overlaid(Parts.read(f"request_retry_{policy.backend.replace('-', '_')}"))
    if policy.retry_writes == "always":
        parts = parts.overlaid(Parts.read("request_retry_always"))
    definitions = dict(parts.definitions)
    for name, value in policy.constants.items():
        definitions[name] = re.sub(rf"\b{name} = [\d.]+", f"{name} = {value!r}", definitions[name])
    return replace(parts, definitions=definitions)


def without_async(function: str, name: str) -> str:
    """The sync twin of an async function."""
    for pattern, replacement in UNASYNC:
        function = re.sub(pattern, replacement, function)
    return function.replace(f"def {FUNCTION}(", f"def {name}(", 1)


def bound_by(node: ast.stmt) -> str:
    """The name that a definition or an assignment binds."""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef), ast.dump(node)
    return node.name


@cache
def names_in(text: str) -> frozenset[str]:
    return frozenset(node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name))


def import_lines(imports: Iterable[Import]) -> str:
    """Import statements in isort's order."""
    plain = sorted(module for module, name in imports if not name)
    modules: dict[str, list[str]] = {}
    for module, name in sorted(imports):
        if name:
            modules.setdefault(module, []).append(name)
    lines = [f"import {module}" for module in plain]
    lines += [f"from {module} import {', '.join(names)}" for module, names in modules.items()]
    return "".join(f"{line}\n" for line in lines)
