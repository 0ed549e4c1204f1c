"""Which Python files can refer to a name of another file: told from their bytes, so that only those few are parsed.

Such a name is imported, or looked up on something: these words are indexed when it is first asked for one. All other
words are looked for in the bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from perfmod.needles import holds
from perfmod.patterns import pattern
from perfmod.project.calls.index import BLANKS, Index, segment
from perfmod.source.reads.words import is_test
from perfmod.source.words import LONGEST, end_of_line, line_of, starts_of_word

if TYPE_CHECKING:
    from perfmod.project import Project

SEARCHES = 40  # of all bytes for a text; for more, an index of all words costs less
KEPT = 100_000_000  # bytes of files at a time; the others are read again
SUFFIX = pattern(rb"\.([\w\x80-\xff]+)\Z")
ASSIGNED = pattern(rb"\b(\w+)[ \t]*(?::[^=\n]{0,300})?:?=(?!=)")
DEFINED = pattern(rb"\bdef[ \t]+(\w+)")
ALIAS = pattern(rb"\bas[ \t]+(\w+)")
BINDS = pattern(rb"[ \t]*(?::|=(?!=))")
RECEIVER = pattern(rb"(\b\w+|\))\s*\.\s*\Z")
# What stands around the name of a folder in a text.
BEFORE = frozenset({b'"', b"'", b"/", b"\\", b"}"})
AFTER = frozenset({b'"', b"'", b"/", b"\\", b"{"})


class Mentions:
    """Answers for a checkout. Files are given in their order."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._kept: dict[str, bytes] = {}
        self._size = 0
        self._holding: dict[bytes, list[str]] = {}
        self._known: dict[tuple[str, str], tuple[set[bytes], set[bytes]]] = {}

    @cached_property
    def _files(self) -> list[str]:
        return [path for path in self._project.files if path.endswith(".py")]

    @cached_property
    def _index(self) -> Index:
        return Index([self._inner(path) for path in self._files], map(self.raw, self._files))

    def prepare(self) -> None:
        """Look at all files now: whoever is forked later then knows them."""
        self._index  # noqa: B018

    def _inner(self, path: str) -> str:
        return f"{self._project.root.name}/{path}"

    def _segment(self, path: str) -> bytes:
        return segment(self._inner(path))

    def _data(self, number: int) -> bytes:
        return self.raw(self._files[number])

    def raw(self, path: str) -> bytes:
        """The bytes of a file; none where there are none."""
        data = self._kept.get(path)
        if data is None:
            data = self._project.raw(path) or b""
            if self._size < KEPT:
                self._kept[path] = data
                self._size += len(data)
        return data

    def files_with(self, text: str) -> list[str]:
        """The files in which a text stands, and each of its words as a word. Tests are left out."""
        wanted = text.encode()
        words = wanted.translate(BLANKS).split()
        if wanted not in self._holding:
            numbers = self._candidates(wanted, words) if words else ()
            self._holding[wanted] = [
                self._files[number]
                for number in numbers
                if number not in self._tests
                if holds(data := self._data(number), wanted) and all(is_word(data, word) for word in words)
            ]
        return self._holding[wanted]

    def _candidates(self, wanted: bytes, words: list[bytes]) -> Iterable[int]:
        """The files that may hold a text."""
        if len(self._holding) >= SEARCHES:
            return sorted(set.intersection(*(set(self._words.get(word, ())) for word in words)))
        suffix = SUFFIX.search(wanted)
        return self._index.looked_up.get(suffix[1], ()) if suffix is not None else range(len(self._files))

    @cached_property
    def _tests(self) -> frozenset[int]:
        return frozenset(number for number, path in enumerate(self._files) if is_test(path))

    @cached_property
    def _words(self) -> dict[bytes, list[int]]:
        """The files by all their words."""
        found: dict[bytes, list[int]] = {}
        for number in range(len(self._files)):
            for word in set(self._data(number).translate(BLANKS).split()):
                found.setdefault(word, []).append(number)
        return found

    def files_in_folder(self, folder: str) -> list[str]:
        """The files that may spell a path with this folder: not those that only import from it."""
        return [path for path in self.files_with(folder) if may_spell(path, self.raw(path), folder)]

    def reaching(self, *words: bytes) -> set[str]:
        """The files that import each of the words, or look it up on something."""
        return {self._files[number] for number in set.intersection(*map(self._index.reaching, words))}

    def is_starred(self, path: str) -> bool:
        """Whether some file imports everything from a module."""
        return any(self._segment(path) in modules for modules in self._index.stars.values())

    def referring(self, path: str, name: str) -> list[str]:
        """The files that can refer to the function or class `name` of the file `path`; that file is the first."""
        owner, _, last = name.rpartition(".")
        found = self._lookers(path, last, owner.rpartition(".")[2]) if owner else self._importers(path, last)
        return [path, *(file for number in sorted(found) if (file := self._files[number]) != path)]

    def _importers(self, path: str, name: str) -> set[int]:
        """The files that import a name of a module, or look it up on a module that may have it."""
        word = name.encode()
        found, modules = self._importing(word, {self._segment(path)})
        looking = (n for n in self._index.looked_up.get(word, ()) if n not in found)
        return found | {n for n in looking if is_looked_up(self._data(n), word, modules)}

    def _importing(self, word: bytes, homes: set[bytes]) -> tuple[set[int], set[bytes]]:
        """The files that import a word from one of some modules, also through others, and all of these modules."""
        index = self._index
        found: set[int] = set()
        modules, fresh = set(homes), homes
        while fresh:  # who imports a name passes it on
            importing = {number for number, module in index.imported.get(word, ()) if module in fresh}
            importing |= {number for number, starred in index.stars.items() if not starred.isdisjoint(fresh)}
            found |= importing
            fresh = {self._segment(self._files[number]) for number in importing} - modules
            modules |= fresh
        return {n for n in found if n not in index.stars or is_word(self._data(n), word)}, modules

    def _lookers(self, path: str, member: str, owner: str) -> set[int]:
        """The files that look a member up on something that may be of a class of the file `path`."""
        word = member.encode()
        names, values = self._carriers(path, owner)
        return {n for n in self._index.looked_up.get(word, ()) if may_look_up(self._data(n), word, names, values)}

    def _carriers(self, path: str, owner: str) -> tuple[set[bytes], set[bytes]]:
        """A class and those below it; and the names of what is said to be of such a class."""
        if (path, owner) not in self._known:
            index = self._index
            names, waiting = {owner.encode()}, [owner.encode()]
            while waiting and len(names) < 200:
                fresh = index.subclasses.get(waiting.pop(), set()) - names
                names |= fresh
                waiting += fresh
            values: set[bytes] = set()
            for name in names:
                defining = {path, *(self._files[number] for number in index.inheriting.get(name, ()))}
                importing, _ = self._importing(name, set(map(self._segment, defining)))
                numbers = importing.union(index.looked_up.get(name, ()))
                for file in defining.union(self._files[number] for number in numbers):
                    for before, after in around(self.raw(file), name):
                        values.update(bound_beside(before, after))
            self._known[path, owner] = names, values - names
        return self._known[path, owner]

    def aliases(self, path: str, word: str) -> list[str]:
        """The other names under which a file imports a word."""
        data, wanted = self.raw(path), word.encode()
        if wanted + b" as " not in data:
            return []
        found = re.findall(rb"\b%b as (\w+)" % wanted, data)
        return list(dict.fromkeys(alias.decode() for alias in found if alias != wanted))


def is_word(data: bytes, word: bytes) -> bool:
    return any(True for _ in starts_of_word(data, word))


def is_looked_up(data: bytes, word: bytes, modules: set[bytes]) -> bool:
    """Whether a word is looked up on one of the modules, also on one that has another name here."""
    start = data.find(b"." + word)
    renamed = start >= 0 and b" as " in data and not modules.isdisjoint(renamed_words(data))
    while start >= 0:
        receiver = RECEIVER.search(data, max(0, start - 80), start + 1)
        if receiver is not None and (renamed or receiver[1] in modules):
            return True
        start = data.find(b"." + word, start + 1)
    return False


def renamed_words(data: bytes) -> Iterator[bytes]:
    """The words in front of `as`. A pattern would need time that grows with the square of a long number."""
    start = data.find(b" as ")
    while start >= 0:
        yield data[max(0, start - 80) : start].translate(BLANKS).rpartition(b" ")[2]
        start = data.find(b" as ", start + 4)


def may_look_up(data: bytes, member: bytes, names: set[bytes], values: set[bytes]) -> bool:
    """Whether a member is looked up on something that may be of one of the classes `names`."""
    both = names | values
    receivers = {m[1] for s in starts_of_word(data, member) if (m := RECEIVER.search(data, max(0, s - 80), s))}
    if not receivers.isdisjoint(both):
        return True
    if b")" in receivers and any(is_word(data, name) for name in both):
        return True
    if not receivers.isdisjoint((b"self", b"cls")) and any(is_word(data, name) for name in names):
        return True
    return any(is_bound_to(data, receiver, both) for receiver in receivers if receiver != b")")


def is_bound_to(data: bytes, name: bytes, values: set[bytes]) -> bool:
    """Whether a line gives a name what is made of one of the values."""
    for before, after in around(data, name):
        binding = after if BINDS.match(after) else before if before.endswith((b" as ", b"\tas ")) else b""
        if binding and not values.isdisjoint(binding.translate(BLANKS).split()):
            return True
    return False


def bound_beside(before: bytes, after: bytes) -> Iterator[bytes]:
    """The names of what a line says to be of a class, or to give back one, that stands between two parts of it."""
    if b"->" in before:
        yield from DEFINED.findall(before)
        return
    yield from ASSIGNED.findall(before)
    yield from ALIAS.findall(after)
    name, colon, annotation = before.rpartition(b":")
    if colon and b"=" not in annotation:
        yield from name.translate(BLANKS).split()[-1:]


def may_spell(path: str, data: bytes, folder: str) -> bool:
    """Whether a file that holds the name of a folder may make a path with it: in a text, or from where a module is."""
    word = folder.encode()
    for start in starts_of_word(data, word):
        if data[start - 1 : start] in BEFORE and data[start + len(word) : start + len(word) + 1] in AFTER:
            return True
    if b"__file__" in data and folder in path.split("/"):
        return True
    return b"importlib" in data and b"resources" in data


def around(data: bytes, word: bytes) -> Iterator[tuple[bytes, bytes]]:
    """What stands before and behind a word in each of its lines."""
    for start in starts_of_word(data, word):
        end = start + len(word)
        yield data[line_of(data, start) : start], data[end : min(end_of_line(data, end), end + LONGEST)]
