"""Which packages a distributable says that it needs from others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from perfmod.patterns import pattern

REQUIREMENT = pattern(r"[ \t]*([A-Za-z0-9][\w.-]*)")
WHEEL = pattern(r"^(Name|Requires-Dist):[ \t]*([A-Za-z0-9][\w.-]*)", re.MULTILINE)
METADATA = (
    "pyproject.toml",
    "requirements.txt",
    "requirements-dev.txt",
    "requirements_dev.txt",
    "dev-requirements.txt",
    "requirements.in",
)


def declared_packages(files: Iterable[str], read: Callable[[str], bytes | None]) -> set[str]:
    """The names under which declared dependencies are probably imported; not the distributable's own name."""
    needed: set[str] = set()
    own: set[str] = set()
    for file in files:
        text = (read(file) or b"").decode("utf-8", "replace")
        if file.endswith(".toml"):
            project = parsed(text)
            needed |= {match[1] for match in map(REQUIREMENT.match, requirements_of(project)) if match}
            own |= {str(at(project, *table, "name")) for table in (("project",), ("tool", "poetry"))}
        elif file.endswith("METADATA"):
            for field, name in WHEEL.findall(text.partition("\n\n")[0]):
                (own if field == "Name" else needed).add(name)
        elif file.endswith((".txt", ".in")):
            needed |= {match[1] for match in map(REQUIREMENT.match, text.splitlines()) if match}
    return {import_name(name) for name in needed} - {import_name(name) for name in own}


def parsed(text: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def requirements_of(project: dict[str, Any]) -> Iterator[str]:
    tables = [at(project, "project", "optional-dependencies"), project.get("dependency-groups")]
    lists = [at(project, "project", "dependencies")]
    lists += [names for table in tables if isinstance(table, dict) for names in table.values()]
    groups = at(project, "tool", "poetry", "group")
    poetry = [at(project, "tool", "poetry", "dependencies"), at(project, "tool", "poetry", "dev-dependencies")]
    poetry += [at(group, "dependencies") for group in (groups.values() if isinstance(groups, dict) else ())]
    lists += [list(table) for table in poetry if isinstance(table, dict)]
    for names in lists:
        if isinstance(names, list):
            yield from (name for name in names if isinstance(name, str))


def at(table: Any, *keys: str) -> Any:
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return table


def import_name(distribution: str) -> str:
    """`python-slugify` -> `slugify`: a guess that errs for few and harms none."""
    return re.sub(r"^python_|_python$|_py$", "", re.sub(r"[-.]+", "_", distribution.lower()))
