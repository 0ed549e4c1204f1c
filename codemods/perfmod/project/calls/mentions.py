"""Which Python files can refer to a function: told from their bytes, so that only those few are parsed.

Made when it is first asked for: every file is split into words, none is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from perfmod.source.words import WORD_BYTES, is_imported, starts_of_word

if TYPE_CHECKING:
    from perfmod.project import Project

BLANKS = bytes(byte if bytes((byte,)) in WORD_BYTES else 0x20 for byte in range(256))
HEADER = re.compile(rb"class[ \t]+(\w+)[ \t]*(?:\[[^\]\n]{0,500}\])?\(([^)]{0,2000})\)")

# What a line binds, if it binds something: an assignment, an annotation, a function, an alias.
CARRIER = re.compile(rb"\b(\w+)[ \t]*(?::[^=\n]{0,300})?=(?!=)|\b(\w+)[ \t]*:|\bdef[ \t]+(\w+)|\bas[ \t]+(\w+)")
STAR = re.compile(rb"\bfrom[ \t]+(?:[\w.]*\.)?(\w+)[ \t]+import[ \t]*\*")
RECEIVER = re.compile(rb"(\b\w+|[)\]])\s*\.\s*\Z")
# What stands around the name of a folder in a text.
BEFORE = frozenset({b'"', b"'", b"/", b"\\", b"}"})
AFTER = frozenset({b'"', b"'", b"/", b"\\", b"{"})


class Mentions:
    """An index of words, of class headers and of star imports."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._data: dict[str, bytes] = {}
        self._stars: list[tuple[str, frozenset[bytes]]] = []
        self._known: dict[str, tuple[set[bytes], set[bytes]]] = {}
        self._subclasses: dict[bytes, set[bytes]] = {}

    @cached_property
    def _files(self) -> list[str]:
        return [path for path in self._project.files if path.endswith(".py")]

    @cached_property
    def _index(self) -> dict[bytes, list[int]]:
        index: dict[bytes, list[int]] = {}
        for number, path in enumerate(self._files):
            data = self.raw(path)
            for word in set(data.translate(BLANKS).split()):
                if word in index:
                    index[word].append(number)
                else:
                    index[word] = [number]
            if b"class " in data:
                for name, bases in HEADER.findall(data):
                    for base in bases.translate(BLANKS).split():
                        self._subclasses.setdefault(base, set()).add(name)
            if b"import *" in data:
                self._stars.append((path, frozenset(STAR.findall(data))))
        return index

    def raw(self, path: str) -> bytes:
        if path not in self._data:
            self._data[path] = self._project.raw(path) or b""
        return self._data[path]

    def files(self, word: str) -> list[str]:
        """The Python files in which a word stands, in order."""
        return [self._files[number] for number in self._index.get(word.encode(), ())]

    def is_starred(self, path: str) -> bool:
        """Whether some file imports everything from a module."""
        return bool(self._index) and any(segment(path) in stars for _, stars in self._stars)

    def files_with(self, text: str) -> list[str]:
        """The Python files in which a text stands."""
        words = text.encode().translate(BLANKS).split()
        if not words:
            return []
        found = set.intersection(*(set(self._index.get(word, ())) for word in words))
        return [path for number in sorted(found) if text.encode() in self.raw(path := self._files[number])]

    def files_in_folder(self, folder: str) -> list[str]:
        """The Python files that may spell a path with this folder: not those that only import from it."""
        return [path for path in self.files_with(folder) if may_spell(path, self.raw(path), folder)]

    def referring(self, path: str, name: str) -> list[str]:
        """The files that can refer to the function or class `name` of the file `path`; that file is the first."""
        owner, _, last = name.rpartition(".")
        others = self._members(last, owner.rpartition(".")[2]) if owner else self._importers(path, last)
        return [path, *(file for file in others if file != path)]

    def _importers(self, path: str, name: str) -> list[str]:
        """The files that import a name of a module, or look it up on a module that may have it."""
        word, found = name.encode(), self.files(name)
        importing = {file for file in found if is_imported(self.raw(file), word)}
        modules = {segment(file) for file in (path, *importing)}
        starring: set[str] = set()
        while fresh := {f for f, stars in self._stars if f not in starring and not modules.isdisjoint(stars)}:
            starring |= fresh
            modules.update(map(segment, fresh))
        return [
            file
            for file in found
            if file in importing or file in starring or is_looked_up(self.raw(file), word, modules)
        ]

    def _members(self, member: str, owner: str) -> list[str]:
        """The files that look a member up on something that may be of a class."""
        names, values = self._carriers(owner)
        carrying = {number for carrier in names | values for number in self._index.get(carrier, ())}
        numbers = [number for number in self._index.get(member.encode(), ()) if number in carrying]
        return [
            self._files[number]
            for number in numbers
            if may_look_up(self.raw(self._files[number]), member.encode(), names, values)
        ]

    def _carriers(self, owner: str) -> tuple[set[bytes], set[bytes]]:
        """A class and those below it; and the names of what is said to be of such a class."""
        if owner not in self._known:
            index = self._index
            names, waiting = {owner.encode()}, [owner.encode()]
            while waiting and len(names) < 200:
                fresh = self._subclasses.get(waiting.pop(), set()) - names
                names |= fresh
                waiting += fresh
            values: set[bytes] = set()
            for name in names:
                for number in index.get(name, ()):
                    for line in lines_with(self.raw(self._files[number]), name):
                        values.update(group for groups in CARRIER.findall(line) for group in groups if group)
            self._known[owner] = names, values - names
        return self._known[owner]

    def aliases(self, path: str, word: str) -> list[str]:
        """The other names under which a file imports a word."""
        data, wanted = self.raw(path), word.encode()
        if wanted + b" as " not in data:
            return []
        found = re.findall(rb"\b%b as (\w+)" % wanted, data)
        return list(dict.fromkeys(alias.decode() for alias in found if alias != wanted))


def segment(path: str) -> bytes:
    """The last part of a module's name; of a package's `__init__` that is the package."""
    parts = path.removesuffix(".py").split("/")
    return (parts[-2] if parts[-1] == "__init__" and len(parts) > 1 else parts[-1]).encode()


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
    for receiver in {m[1] for s in starts_of_word(data, member) if (m := RECEIVER.search(data, max(0, s - 80), s))}:
        if receiver in names or receiver in values:
            return True
        own = receiver in (b"self", b"cls")
        if own or receiver[-1:] in b")]":
            if any(name in data for name in (names if own else names | values)):
                return True
        elif any(
            not (names | values).isdisjoint(line.translate(BLANKS).split())
            for line in lines_with(data, receiver)
            if b"=" in line or b":" in line or b" as " in line
        ):
            return True
    return False


def may_spell(path: str, data: bytes, folder: str) -> bool:
    """Whether a file that holds the name of a folder may make a path with it: in a text, or from where a module is."""
    word = folder.encode()
    for start in starts_of_word(data, word):
        if data[start - 1 : start] in BEFORE and data[start + len(word) : start + len(word) + 1] in AFTER:
            return True
    if b"__file__" in data and folder in path.split("/"):
        return True
    return b"importlib" in data and b"resources" in data


def lines_with(data: bytes, word: bytes) -> Iterator[bytes]:
    """The lines in which a word stands."""
    for start in starts_of_word(data, word):
        begin, end = data.rfind(b"\n", 0, start) + 1, data.find(b"\n", start)
        yield data[begin : end if end >= 0 else len(data)]
