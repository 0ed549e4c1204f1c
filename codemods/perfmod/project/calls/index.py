"""One pass over the bytes of all Python files: what each imports, looks up on something, and which classes it has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from perfmod.needles import holds
from perfmod.patterns import pattern
from perfmod.source.words import WORD_BYTES

BLANKS = bytes(byte if bytes((byte,)) in WORD_BYTES else 0x20 for byte in range(256))
WORD = pattern(rb"[\w\x80-\xff]+")
LOOKED_UP = pattern(rb"\.\s*([\w\x80-\xff]+)")
# Patterns that begin with a plain word are searched several times as fast as others.
FROM = pattern(
    rb"from[\s\\]*([\w.]{1,200})[\s\\]*import\b[\s\\]*(\([^)]{0,4000}|[^\n\\]{0,4000}(?:\\\r?\n[^\n\\]{0,4000})*)"
)
IMPORT = pattern(rb"import[ \t]+([\w.]+(?:[ \t]*,[ \t]*[\w.]+)*)")
HEADER = pattern(rb"class[ \t]+(\w+)[ \t]*(?:\[[^\]\n]{0,500}\])?\(([^)]{0,2000})\)")


class Index:
    """Files by the words in them. A file is its number; a module is the last part of its name."""

    def __init__(self, paths: Sequence[str], files: Iterable[bytes]) -> None:
        """The paths begin with the folder of the checkout, which may be a package."""
        self._modules = {part.encode() for path in paths for part in path.removesuffix(".py").split("/")}
        self.imported: dict[bytes, list[tuple[int, bytes]]] = {}  #: from modules of the checkout, with the module
        self.sources: dict[bytes, list[int]] = {}  #: modules that are imported, or from which something is
        self.stars: dict[int, set[bytes]] = {}  #: modules from which a file imports everything
        self.looked_up: dict[bytes, list[int]] = {}  #: words behind a dot
        self.inheriting: dict[bytes, list[int]] = {}  #: classes with bases
        self.subclasses: dict[bytes, set[bytes]] = {}
        for number, (path, data) in enumerate(zip(paths, files, strict=True)):
            if holds(data, b"import"):
                self._enter_imports(path, data, number)
            for word in set(LOOKED_UP.findall(data)):
                self.looked_up.setdefault(word, []).append(number)
            if holds(data, b"class "):
                self._enter_classes(data, number)

    def _enter_imports(self, path: str, data: bytes, number: int) -> None:
        sources = {name for listed in set(IMPORT.findall(data)) for name in WORD.findall(listed)}
        for source, names in FROM.findall(data):
            module = source.rpartition(b".")[2] or package(path, len(source))
            if module not in self._modules:
                continue
            sources.add(module)
            for word in WORD.findall(names):
                self.imported.setdefault(word, []).append((number, module))
            if b"*" in names:
                self.stars.setdefault(number, set()).add(module)
        for module in sources & self._modules:
            self.sources.setdefault(module, []).append(number)

    def _enter_classes(self, data: bytes, number: int) -> None:
        for name, bases in HEADER.findall(data):
            self.inheriting.setdefault(name, []).append(number)
            for base in WORD.findall(bases):
                self.subclasses.setdefault(base, set()).add(name)

    def reaching(self, word: bytes) -> set[int]:
        """The files that import a word, or from it, or look it up on something."""
        imported = (number for number, _ in self.imported.get(word, ()))
        return {*imported, *self.sources.get(word, ()), *self.looked_up.get(word, ())}


def segment(path: str) -> bytes:
    """The last part of a module's name; of a package's `__init__` that is the package."""
    return path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2].encode()


def package(path: str, level: int) -> bytes:
    """The last part of the package's name that so many dots mean in a file."""
    return "".join(path.split("/")[:-level][-1:]).encode()
