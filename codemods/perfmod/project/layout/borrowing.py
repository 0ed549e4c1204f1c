"""Which files use a name that another module imports: `from m import asyncio`, `m.asyncio`, a test's patch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from perfmod.patterns import pattern
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.project import Project

FROM_IMPORT = pattern(rb"^[ \t]*from\s+([.\w]+)\s+import\s*(\([^)]{0,4000}\)|[^\n;]*)", re.MULTILINE)
ALIAS = pattern(rb"\b(\w+)\s+as\s+(\w+)")
LOADED_BY_NAME = pattern(rb"\bimport_module\b|\bsys\s*\.\s*modules\b|\b__import__\b|\breload\b")


@dataclass(frozen=True, slots=True)
class Borrower:
    """A file that takes a name from modules."""

    path: str
    modules: frozenset[bytes]  #: the last parts of their names; b"" for the package that the file stands in


class Borrowers:
    """The borrowers of a checkout, by name. The files are read once for each name that is asked for."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._by_name: dict[str, list[Borrower]] = {}

    def takes(self, path: str, name: str) -> bool:
        """Whether a file other than `path` may take `name` from the module at `path`."""
        stem = path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2].encode()
        own = {stem, b""} if path.endswith("__init__.py") else {stem}
        if name not in self._by_name:
            self._by_name[name] = self._borrowers(name.encode())
        return any(borrower.path != path and own & borrower.modules for borrower in self._by_name[name])

    def _borrowers(self, name: bytes) -> list[Borrower]:
        word = re.escape(name)
        attribute = re.compile(
            rb"^(?![ \t]*(?:from|import)\b)[^\n#]*?(\b\w+|[)\]])[ \t]*\.[ \t]*%b\b"  # m.asyncio, "app.m.asyncio.sleep"
            rb"|(?:attr|object)\(\s*(?:\w+\.)*(\w+)\s*,\s*[\"']%b[\"']" % (word, word),  # setattr(m, "asyncio", ...)
            re.MULTILINE,
        )
        imported = re.compile(rb"(?<!\w)(?:%b\b|\*)" % word)
        found = []
        for path in self._project.files:
            data = self._project.raw(path) if path.endswith(".py") else None
            if data is None or name not in data:
                continue
            holders = {match[1] or match[2] for match in attribute.finditer(data)}
            imports = (match for match in FROM_IMPORT.finditer(data) if imported.search(match[2]))
            modules = {match[1].rpartition(b".")[2] for match in imports}
            if holders or modules:
                found.append(Borrower(path, frozenset(modules_behind(holders, data) | modules)))
        return found


def modules_behind(holders: set[bytes], data: bytes) -> set[bytes]:
    """The names of modules that these names of a file may stand for: their own, what an alias stands for, or any."""
    if holders & {b")", b"]"} or (holders and LOADED_BY_NAME.search(data)):
        return set(re.findall(rb"\w+", data))
    return holders | {module for module, alias in ALIAS.findall(data) if alias in holders}
