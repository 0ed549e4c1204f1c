"""Helper modules that perfmod copies into a checkout.

Each template is a real module that works as it stands and is the default variant. What an option changes is a *part*, a
module beside it: each function of the part takes the place of its namesake in the template, or is added at the end.
A part uses only what the template imports and defines.
"""

import ast
import re
from functools import cache
from typing import Any, Literal


def render_background_tasks(*, task_errors: Literal["log", "handler"] = "log", drain: bool = False) -> str:
    """The source of the helper for fire-and-forget asyncio tasks."""
    parts = []
    if task_errors == "handler":
        parts.append("background_tasks_handler")
    if drain:
        parts.append("background_tasks_drain")
    return _assemble("background_tasks", parts)


def render_request_retry(**policy: Any) -> str:
    """The source of the helper for HTTP requests that are sent again."""
    from perfmod.templates.request_retry_forms import Policy, render_module

    return render_module(Policy(**policy))


def render_session_retry(**constants: Any) -> str:
    """The source of the helper for sessions of requests."""
    return _with_constants("session_retry", constants)


def render_response_retry(**constants: Any) -> str:
    """The source of the helper for responses of aiohttp."""
    return _with_constants("response_retry", constants)


def _with_constants(template: str, constants: dict[str, Any]) -> str:
    source = _read(template)
    for name, value in constants.items():
        source = re.sub(rf"(?m)^{name} = [\d.]+", f"{name} = {value!r}", source)
    return source


def is_ours(source: str | bytes, template: str) -> bool:
    """Whether perfmod made this file from the template, in whatever version."""
    return version(source, template) is not None


def version(source: str | bytes, template: str) -> int | None:
    """The template version in the first line of the file, or None when the file is not perfmod's."""
    text = source.decode("utf-8-sig", errors="replace") if isinstance(source, bytes) else source.removeprefix("\ufeff")
    mark = re.match(rf"# perfmod: {re.escape(template)} template (\d+)\b", text)
    return int(mark[1]) if mark else None


def _assemble(template: str, parts: list[str]) -> str:
    source = _read(template)
    for part in parts:
        for name, function in _functions(_read(part)).items():
            namesake = _functions(source).get(name)
            source = source.replace(namesake, function) if namesake else f"{source}\n\n{function}"
    return source


def _functions(source: str) -> dict[str, str]:
    """The text of each top-level function, by name."""
    lines = source.splitlines(keepends=True)
    return {
        node.name: "".join(lines[node.lineno - 1 : node.end_lineno])
        for node in ast.parse(source).body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }


@cache
def _read(module: str) -> str:
    from importlib.resources import files  # costs 20 ms, and `check` reads no template

    return files(__name__).joinpath(f"{module}.py").read_text("utf-8")
