"""When code of the checkout runs, followed from its file to those that import it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfmod.source.script.conditions import STRENGTH, Place, When
from perfmod.source.script.reach import combine

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.project.web.importers import Importer

DEEPEST = 24


class Reaching:
    """Answers for one checkout; what was found is kept."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._modules: dict[str, Place] = {}
        self._open: set[tuple[str, str]] = set()

    def of(self, path: str, place: Place) -> Place:
        """When code at a place of a file runs, from the start of the program."""
        places: list[Place] = []
        if place.calls:
            places.append(self.module(path) if place.when is When.ALWAYS else Place(place.when, place.detail))
        places += [found for name in place.exports if (found := self.export(path, name)) is not None]
        if not places:
            called = "its default export" if place.exports[0] == "default" else f"`{place.exports[0]}`"
            return Place(When.UNKNOWN, f"nobody was found who calls {called}")
        return places[0] if len(places) == 1 else combine(places)

    def module(self, path: str) -> Place:
        """When a module is loaded. One that nobody imports is an entry."""
        if path not in self._modules:
            if (path, "") in self._open or len(self._open) > DEEPEST:
                return Place(When.UNKNOWN, "modules import each other")
            self._open.add((path, ""))
            importers = self._project.modules.importers(path)
            self._modules[path] = self._loaded(importers) if importers else Place(When.ALWAYS)
            self._open.discard((path, ""))
        return self._modules[path]

    def _loaded(self, importers: list[Importer]) -> Place:
        places: list[Place] = []
        for importer in sorted(importers, key=lambda i: i.place.when is not When.ALWAYS):
            place = self.of(importer.path, importer.place)
            if place.when is When.ALWAYS:
                return place  # loaded once, whoever else loads it too
            places.append(place)
        return min(places, key=lambda place: STRENGTH.index(place.when))

    def export(self, path: str, name: str) -> Place | None:
        """When other files call an exported function; None where nobody does."""
        if (path, name) in self._open or len(self._open) > DEEPEST:
            return Place(When.UNKNOWN, f"`{name}` calls itself")
        self._open.add((path, name))
        places = [place for i in self._project.modules.importers(path) for place in self._uses(i, name)]
        self._open.discard((path, name))
        return combine(places) if places else None

    def _uses(self, importer: Importer, name: str) -> list[Place]:
        if importer.kind in ("side-effect", "page"):
            return []
        if importer.kind == "static":
            if any(imported == "*" for imported, _, _ in importer.names):
                return [Place(When.UNKNOWN, f"{importer.path} imports the whole module")]
            uses = [use for imported, _, places in importer.names if imported == name for use in places]
            return [self.of(importer.path, use) for use in uses]
        if importer.kind == "re-export":
            handed = [here if theirs != "*" else name for theirs, here, _ in importer.names if theirs in (name, "*")]
            return [place for here in handed if (place := self.export(importer.path, here)) is not None]
        place = self.of(importer.path, importer.place)
        if place.when is When.ALWAYS:
            return [Place(When.UNKNOWN, f"{importer.path} loads it at run time")]
        return [place]
