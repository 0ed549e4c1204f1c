"""What importing a Python module of the checkout imports with it: a new import must not close a circle."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from perfmod.patterns import pattern

if TYPE_CHECKING:
    from perfmod.project import Project

LINE = pattern(
    r"^(?P<indent>[ \t]*)(?:from\s+(?P<module>[.\w]+)\s+import\s*(?P<names>\([^)]{0,4000}\)|[^\n;]*)"
    r"|import\s+(?P<modules>[^\n;]*)|(?P<other>\S.*))",
    re.MULTILINE,
)
COMMENT = pattern(r"#[^\n]*")
# What is indented below one of these runs later, or never.
LATER = pattern(r"(?:async|def|class)\b|@|if\s+(?:\w+\.)?TYPE_CHECKING\b|if\s+__name__\b")
MOST = 500  # files; beyond it the answer is "perhaps"


def may_load(project: Project, path: str, target: str) -> bool:
    """Whether importing the module at `path` may import the one at `target`, through any number of modules."""
    waiting, seen = [path], {path}
    while waiting:
        current = waiting.pop()
        if current == target or len(seen) > MOST:
            return True
        loaded = [*(p for p in packages_above(project, current) if p != target), *imported_by(project, current)]
        for found in loaded:
            loaded_before = found != target and target.startswith(found.removesuffix("__init__.py"))
            if found not in seen and not loaded_before:
                seen.add(found)
                waiting.append(found)
    return False


def packages_above(project: Project, path: str) -> Iterator[str]:
    folder = path.rpartition("/")[0]
    while folder and (init := f"{folder}/__init__.py") in project.paths:
        yield init
        folder = folder.rpartition("/")[0]


def imported_by(project: Project, path: str) -> Iterator[str]:
    """The modules of the checkout that a module imports while it is loaded."""
    text = project.text(path)
    for module in modules_named(text.utf8.decode()) if text is not None else ():
        found = project.layout.module_path(path, module)
        if found is not None:
            yield found


def modules_named(code: str) -> Iterator[str]:
    """What the imports may mean: of `from a import b`, both `a` and `a.b`."""
    later = False
    for line in LINE.finditer(code):
        if not line["indent"]:
            later = LATER.match(line["other"] or "") is not None
        if (later and line["indent"]) or line["other"]:
            continue
        listed = COMMENT.sub("", line["modules"] or line["names"]).strip("()").split(",")
        names = [part.split()[0] for part in listed if part.split()]
        if line["modules"]:
            yield from names
            continue
        dot = "" if line["module"].endswith(".") else "."
        yield line["module"]
        yield from (f"{line['module']}{dot}{name}" for name in names)
