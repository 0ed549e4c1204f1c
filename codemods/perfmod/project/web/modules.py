"""Where an import of TypeScript or JavaScript leads: the file, and the declaration behind a name."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tree_sitter import Node

from perfmod.discovery import language_of
from perfmod.patterns import pattern
from perfmod.source.script.names import Bound, imported_from, top_level
from perfmod.source.tree import Source
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.project import Project

SUFFIXES = (".ts", ".tsx", ".d.ts", ".mts", ".js", ".jsx", ".mjs", ".cts", ".cjs")
SCRIPT = pattern(r"\.(?:[cm]?[jt]sx?)\Z")
CONFIGURATIONS = ("tsconfig.json", "tsconfig.app.json", "jsconfig.json", "tsconfig.base.json")
# JSON as tsconfig has it: comments and trailing commas; strings are kept.
COMMENTS = r"//[^\n]*|/\*.*?(?:\*/|\Z)"
LOOSE = pattern(rf'("(?:\\.|[^"\\])*+"?)|{COMMENTS}|,(?=\s*+(?:(?>{COMMENTS})\s*+)*+[}}\]])', re.S)
DEPTH = 12


@dataclass(frozen=True)
class Declaration:
    """A declaration, and the file that is open for it."""

    source: Source
    bound: Bound

    @property
    def owner(self) -> Node:
        return self.bound.owner


class ScriptModules:
    """The TypeScript and JavaScript files of a checkout, as an importer sees them."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._sources: dict[str, Source | None] = {}
        self._aliases: dict[str, list[tuple[str, list[str]]]] = {}

    def source(self, path: str) -> Source | None:
        """A file, parsed. None where it can't be had or does not parse."""
        if path not in self._sources:
            text = self._project.text(path)
            language = language_of(path)
            source = Source(text, language) if text is not None and language is not None else None
            usable = source is not None and language in ("typescript", "tsx", "javascript") and source.error is None
            self._sources[path] = source if usable else None
        return self._sources[path]

    def file(self, specifier: str, path: str) -> str | None:
        """The file that a specifier in the file `path` means."""
        specifier = specifier.partition("?")[0]
        if specifier.startswith("."):
            return self._existing(posixpath.join(posixpath.dirname(path), specifier))
        for alias, places in self._paths(posixpath.dirname(path)):
            head, star, tail = alias.partition("*")
            if specifier == alias or (star and specifier.startswith(head) and specifier.endswith(tail)):
                middle = specifier[len(head) : len(specifier) - len(tail)] if star else ""
                for place in places:
                    if (found := self._existing(place.replace("*", middle, 1))) is not None:
                        return found
        return self._package_file(specifier)

    def _existing(self, place: str) -> str | None:
        place = posixpath.normpath(place)
        paths = self._project.paths
        bare = SCRIPT.sub("", place)
        for stem in dict.fromkeys((place, bare)):
            if stem in paths and SCRIPT.search(stem):
                return stem
            for suffix in SUFFIXES:
                if stem + suffix in paths:
                    return stem + suffix
        return next((f"{place}/index{s}" for s in SUFFIXES if f"{place}/index{s}" in paths), None)

    def _package_file(self, specifier: str) -> str | None:
        """A module of another package of the workspace."""
        for manifest in self._project.packages.all:
            name = manifest.name
            if not name or (specifier != name and not specifier.startswith(name + "/")):
                continue
            below = specifier[len(name) + 1 :]
            entries = [below, f"src/{below}"] if below else list(entry_points(manifest.data))
            for entry in entries:
                found = self._existing(posixpath.join(manifest.folder, entry))
                if found is not None:
                    return found
        return None

    def _paths(self, folder: str) -> list[tuple[str, list[str]]]:
        """The path aliases that hold in a folder: those of the nearest tsconfig.json that has any."""
        if folder not in self._aliases:
            found = next(filter(None, (self._aliases_of(join(folder, name)) for name in CONFIGURATIONS)), [])
            if not found and folder:
                found = self._paths(posixpath.dirname(folder))
            self._aliases[folder] = found
        return self._aliases[folder]

    def _aliases_of(self, path: str, depth: int = 0) -> list[tuple[str, list[str]]]:
        options, data = self._configuration(path)
        paths, base = options.get("paths"), options.get("baseUrl")
        folder = posixpath.dirname(path)
        root = posixpath.normpath(posixpath.join(folder, base)) if isinstance(base, str) else folder
        found = []
        if isinstance(paths, dict):
            for pattern, places in paths.items():
                if isinstance(places, list):
                    found.append((pattern, [posixpath.join(root, str(place)) for place in places]))
        if isinstance(base, str):
            found.append(("*", [posixpath.join(root, "*")]))
        parent = data.get("extends")
        if not found and isinstance(parent, str) and parent.startswith(".") and depth < 5:
            above = posixpath.normpath(posixpath.join(folder, parent))
            return self._aliases_of(above if above.endswith(".json") else above + ".json", depth + 1)
        return found

    def _configuration(self, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
        text = self._project.text(path) if path in self._project.paths else None
        if text is None:
            return {}, {}
        import json

        try:
            data = json.loads(LOOSE.sub(lambda m: m[1] or "", text.utf8.decode()))
        except (ValueError, RecursionError):
            return {}, {}
        options = data.get("compilerOptions") if isinstance(data, dict) else None
        return (options if isinstance(options, dict) else {}), (data if isinstance(data, dict) else {})

    def declaration(self, path: str, name: str, depth: int = 0) -> Declaration | None:
        """What a name at the top of a file stands for, through imports and re-exports."""
        source = self.source(path)
        if source is None or depth > DEPTH:
            return None
        bound = top_level(source, name)
        if bound is None:
            return None
        if bound.kind != "import":
            return Declaration(source, bound)
        found = imported_from(source, bound)
        target = self.file(found[0], path) if found is not None else None
        return self.exported(target, found[1], depth + 1) if target is not None and found is not None else None

    def exported(self, path: str, name: str, depth: int = 0) -> Declaration | None:
        """What a module exports under a name."""
        source = self.source(path)
        if source is None or depth > DEPTH:
            return None
        stars = []
        for statement in source.root.named_children:
            if statement.type != "export_statement":
                continue
            origin = statement.child_by_field_name("source")
            target = self.file(source.code(origin)[1:-1], path) if origin is not None else path
            clause = next((child for child in statement.named_children if child.type == "export_clause"), None)
            if clause is not None:
                for local in export_names(source, clause, name):
                    if target is None:
                        return None
                    resolve = self.exported if origin is not None else self.declaration
                    return resolve(target, local, depth + 1)
            elif origin is not None and target is not None:
                stars.append(target)
            elif name == "default" and any(child.type == "default" for child in statement.children):
                return self._default(path, source, statement, depth)
        bound = top_level(source, name) if name != "default" else None
        if bound is not None and bound.kind != "import":
            return Declaration(source, bound)
        found = (self.exported(target, name, depth + 1) for target in stars)
        return next(filter(None, found), None)

    def _default(self, path: str, source: Source, statement: Node, depth: int) -> Declaration | None:
        value = statement.child_by_field_name("value") or statement.child_by_field_name("declaration")
        if value is not None and value.type == "identifier":
            return self.declaration(path, source.code(value), depth + 1)
        name = value.child_by_field_name("name") if value is not None else None
        return self.declaration(path, source.code(name), depth + 1) if name is not None else None


def export_names(source: Source, clause: Node, wanted: str) -> Iterator[str]:
    """The local name that an export clause gives out as `wanted`."""
    for specifier in clause.named_children:
        name, alias = specifier.child_by_field_name("name"), specifier.child_by_field_name("alias")
        if name is not None and source.code(alias if alias is not None else name) == wanted:
            yield source.code(name)


def entry_points(data: dict[str, Any]) -> Iterator[str]:
    """The files that a package.json names as its entry, then the usual ones."""
    waiting: list[Any] = [
        data.get("exports"),
        data.get("types"),
        data.get("source"),
        data.get("module"),
        data.get("main"),
    ]
    while waiting:
        value = waiting.pop(0)
        if isinstance(value, dict):
            waiting = [value["."]] if "." in value else [*value.values(), *waiting]
        elif isinstance(value, str):
            yield value
    yield from ("src/index", "index")


def join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
