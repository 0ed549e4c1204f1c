"""All places of a checkout that send requests: also in files that only take the clients which other files make."""

from __future__ import annotations

from collections.abc import Iterable
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
        self._project = project
        self._words: set[str] = set()  #: what stands for a client in other files
        #: files that take a client from elsewhere, if one of these words of theirs is one
        self._waiting: dict[str, set[bytes]] = {
            taken.path: set() for taken in facts.of(ClientsTaken) if not is_test(taken.path)
        }
        self._learn(word for given in facts.of(ClientsGiven) for word in given.words)
        tried: dict[str, int] = {}
        while untried := [path for path, words in self._waiting.items() if len(words) > tried.get(path, 0)]:
            for path in untried:
                tried[path] = len(self._waiting[path])
                self._take(path, self._waiting[path])

    def _learn(self, words: Iterable[str]) -> None:
        for word in set(words) - self._words if self._waiting else ():
            self._words.add(word)
            for path in self._project.mentions.reaching(word.encode()) & self._waiting.keys():
                self._waiting[path].add(word.encode())

    def _take(self, path: str, words: set[bytes]) -> None:
        """Read the requests of a file, and what it hands on, if it takes a client."""
        if not takes_one_of(self._project.mentions.raw(path), frozenset(words)):
            return
        del self._waiting[path]
        text = self._project.text(path)
        source = Source(text, "python") if text is not None else None
        if source is None or source.error is not None:
            return
        for fact in requests_of(source):
            if isinstance(fact, ModulePlace):
                self.places[path] = fact
            else:
                self.sites.append(fact)
        for given in clients_given(source, words):
            self._learn(given.words)
