"""Who imports a TypeScript or JavaScript module: found by name in the bytes, proved by parsing the few candidates."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from perfmod.discovery import language_of
from perfmod.model import Replace, Span
from perfmod.patterns import pattern
from perfmod.project.web.packages import glob
from perfmod.source.consoles.gating import gate
from perfmod.source.embedded import elements, scripts
from perfmod.source.script.conditions import Place, When
from perfmod.source.script.imports import imports, is_shipped, package_of
from perfmod.source.tree import GRAMMARS, Source, TooMuch
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.source.text import Text

SCRIPTS = frozenset({"typescript", "tsx", "javascript"})
SPECIFIER = pattern(
    rb"(?:\bfrom|\bimport|\brequire|\bsrc)[\s=(]*+(?:/\*[^*\n]*\*/\s*+)*+[\"'`]([^\"'`\n]{1,200})[\"'`]|"
    rb"import\.meta\.glob\w*(?:<[^>\n]{0,200}>)?\(\s*+(?:\[\s*+)?+[\"'`]([^\"'`\n]{1,200})[\"'`]"
)
STRING = pattern(rb"[\"'`]([^\"'`\n]+)[\"'`]")
SUFFIX = pattern(r"\.(?:[cm]?[jt]sx?|vue|svelte)\Z")


@dataclass(frozen=True, slots=True)
class Importer:
    """One import of a module of the checkout."""

    path: str
    span: Span
    kind: str  #: as in source/typescript.py; "page" for a script element
    place: Place  #: when it is loaded, as far as its file says
    names: tuple[tuple[str, str, tuple[Place, ...]], ...] = ()  #: exported name, name here, when the uses run
    edits: tuple[Replace, ...] = ()  #: what would gate it, for an import for its side effects


class Modules:
    """The module graph, as far as somebody asks."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._importers: dict[str, list[Importer]] = {}

    @cached_property
    def _mentions(self) -> dict[str, list[str]]:
        """The files that import something whose last part is the key."""
        found: dict[str, dict[str, None]] = {}
        for path in self._project.files:
            if language_of(path) in SCRIPTS | {"vue", "svelte", "html"} and is_shipped(path):
                for match in SPECIFIER.finditer(self._project.raw(path) or b""):
                    specifier = (match[1] or match[2]).decode("utf-8", "replace")
                    key = "*" if match[2] else last_part(specifier)
                    found.setdefault(key, {})[path] = None
        return {key: list(paths) for key, paths in found.items()}

    def importers(self, path: str) -> list[Importer]:
        """Every import of a module in files that users get."""
        if path not in self._importers:
            stem = last_part(path)
            keys = [stem, "*"]
            if stem == "index":
                keys += [posixpath.basename(posixpath.dirname(path)), ".", ".."]
                owner = self._project.packages.owner(path)
                keys += [last_part(owner.name)] if owner is not None else []
            candidates = dict.fromkeys(c for key in keys for c in self._mentions.get(key, ()) if c != path)
            self._importers[path] = [found for candidate in candidates for found in self._read(candidate, path)]
        return self._importers[path]

    def _read(self, path: str, target: str) -> Iterator[Importer]:
        text = self._project.text(path)
        language = language_of(path)
        if text is None:
            return
        if language == "html":
            yield from self._read_page(text, target)
        sources = [Source(text, language)] if language in GRAMMARS and language != "html" else scripts(text)
        for source in sources:
            if source.error is not None:
                yield Importer(path, Span(path, 0, 0), "unreadable", Place(When.UNKNOWN, f"{path} does not parse"))
                continue
            try:
                found_here = list(imports(source, STRING, lambda s: self.leads_to(s, path, target)))
            except TooMuch as error:
                yield Importer(path, Span(path, 0, 0), "unreadable", Place(When.UNKNOWN, f"{path}: {error}"))
                continue
            for found in found_here:
                names = tuple((n.imported, n.local, tuple(found.places(n))) for n in found.names)
                edits = gate(found, lambda _: False).edits if found.kind == "side-effect" else ()
                yield Importer(path, source.span(found.node), found.kind, found.place, names, edits)
            for match in SPECIFIER.finditer(source.utf8):
                if match[2] and self._glob_leads_to(match[2].decode("utf-8", "replace"), path, target):
                    place = Place(When.UNKNOWN, f"{path} loads it with import.meta.glob")
                    yield Importer(path, Span(path, match.start(), match.end()), "glob", place)

    def _read_page(self, text: Text, target: str) -> Iterator[Importer]:
        for element, attributes, _ in elements(text):
            if self.leads_to(attributes.get("src", ""), text.path, target):
                yield Importer(
                    text.path, Span(text.path, element.start_byte, element.end_byte), "page", Place(When.ALWAYS)
                )

    def leads_to(self, specifier: str, path: str, target: str) -> bool:
        """Whether a specifier in a file means a module, or could: an alias counts where its end fits."""
        specifier = specifier.partition("?")[0]
        wanted = {SUFFIX.sub("", target)}
        if last_part(target) == "index":
            wanted.add(posixpath.dirname(target))
        if specifier.startswith("."):
            joined = posixpath.normpath(posixpath.join(posixpath.dirname(path), specifier))
            return SUFFIX.sub("", joined) in wanted or joined in wanted
        bare = SUFFIX.sub("", specifier)
        if self._project.packages.declaring(path, package_of(bare)) is not None and last_part(target) != "index":
            return False
        if "/" in bare:
            tails = {bare.partition("/")[2], bare.lstrip("@~#/")}
            if any(f"/{want}".endswith(f"/{tail}") for want in wanted for tail in tails if tail):
                return True
        elif bare and any(want.rpartition("/")[2] == bare for want in wanted):
            return True
        owner = self._project.packages.owner(target)
        return (
            bool(owner and owner.name) and last_part(target) == "index" and specifier == (owner.name if owner else "")
        )

    def _glob_leads_to(self, pattern: str, path: str, target: str) -> bool:
        owner = self._project.packages.owner(path)
        base = posixpath.dirname(path) if pattern.startswith(".") else owner.folder if owner else ""
        joined = posixpath.normpath(posixpath.join(base, pattern.lstrip("/")))
        braces = re.sub(r"\{[^}]{0,200}\}", "*", joined)
        return glob(braces).fullmatch(target) is not None


def last_part(specifier: str) -> str:
    """`b` of `a/b.ts`."""
    return SUFFIX.sub("", specifier.partition("?")[0].rstrip("/").rpartition("/")[2])
