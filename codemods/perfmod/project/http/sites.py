"""All places of a checkout that send requests: also in files that only take the clients which other files make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfmod.project.http.evidence import is_test
from perfmod.source.http.facts import ClientsGiven, ModulePlace, RequestSite
from perfmod.source.http.giving import clients_given
from perfmod.source.http.requests import requests_of
from perfmod.source.http.words import ClientsTaken, takes_one_of
from perfmod.source.tree import Source

if TYPE_CHECKING:
    from perfmod.model import Facts
    from perfmod.project import Project


class Sites:
    """The places, and what the checkout says on the way to them."""

    def __init__(self, facts: Facts, project: Project) -> None:
        self.places = {place.path: place for place in facts.of(ModulePlace)}
        self.sites = [site for site in facts.of(RequestSite) if not is_test(site.path)]
        self.words = frozenset(word for given in facts.of(ClientsGiven) for word in given.words)
        waiting = [taken.path for taken in facts.of(ClientsTaken) if not is_test(taken.path)] if self.words else []
        before = frozenset[str]()
        while before != self.words:
            before = self.words
            waiting = [path for path in waiting if not self._take(project, path)]

    def _take(self, project: Project, path: str) -> bool:
        """Read the requests of a file, and what it hands on, if it takes a client."""
        raw = project.raw(path)
        if raw is None or not takes_one_of(raw, frozenset(word.encode() for word in self.words)):
            return False
        text = project.text(path)
        source = Source(text, "python") if text is not None else None
        if source is not None and source.error is None:
            for fact in requests_of(source):
                if isinstance(fact, ModulePlace):
                    self.places[path] = fact
                else:
                    self.sites.append(fact)
            for given in clients_given(source, self.words):
                self.words |= given.words
        return True
