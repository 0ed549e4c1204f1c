"""One pass over the bytes of all Python files: what each imports, looks up on something, and which classes it has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from perfmod.source.words import WORD_BYTES, import_statements

BLANKS = bytes(byte if bytes((byte,)) in WORD_BYTES else 0x20 for byte in range(256))
LOOKED_UP = re.compile(rb"\.\s*([\w\x80-\xff]+)")
FROM = re.compile(rb"\bfrom\b([\w.\s\\]*)\Z")
HEADER = re.compile(rb"class[ \t]+(\w+)[ \t]*(?:\[[^\]\n]{0,500}\])?\(([^)]{0,2000})\)")


class Index:
    """Files by the words in them. A file is its number; a module is the last part of its name."""

    def __init__(self, paths: Sequence[str], files: Iterable[bytes]) -> None:
        self.imported: dict[bytes, list[tuple[int, bytes]]] = {}  #: with the module, if it is imported from one
        self.sources: dict[bytes, list[int]] = {}  #: modules from which something is imported
        self.stars: dict[int, set[bytes]] = {}  #: modules from which a file imports everything
        self.looked_up: dict[bytes, list[int]] = {}  #: words behind a dot
        self.inheriting: dict[bytes, list[int]] = {}  #: classes with bases
        self.subclasses: dict[bytes, set[bytes]] = {}
        for number, (path, data) in enumerate(zip(paths, files, strict=True)):
            if b"import" in data:
                self._enter_imports(path, data, number)
            for word in set(LOOKED_UP.findall(data)):
                self.looked_up.setdefault(word, []).append(number)
            if b"class " in data:
                self._enter_classes(data, number)

    def _enter_imports(self, path: str, data: bytes, number: int) -> None:
        sources = set()
        for statement in import_statements(data):
            before, _, after = statement.partition(b"import")
            source = FROM.search(before)
            module = module_of(path, source[1]) if source is not None else b""
            sources.add(module)
            for word in after.translate(BLANKS).split():
                self.imported.setdefault(word, []).append((number, module))
            if b"*" in after:
                self.stars.setdefault(number, set()).add(module)
        for module in sources:
            self.sources.setdefault(module, []).append(number)

    def _enter_classes(self, data: bytes, number: int) -> None:
        for name, bases in HEADER.findall(data):
            self.inheriting.setdefault(name, []).append(number)
            for base in bases.translate(BLANKS).split():
                self.subclasses.setdefault(base, set()).add(name)

    def reaching(self, word: bytes) -> set[int]:
        """The files that import a word, or from it, or look it up on something."""
        imported = (number for number, _ in self.imported.get(word, ()))
        return {*imported, *self.sources.get(word, ()), *self.looked_up.get(word, ())}


def segment(path: str) -> bytes:
    """The last part of a module's name; of a package's `__init__` that is the package."""
    parts = path.removesuffix(".py").split("/")
    return (parts[-2] if parts[-1] == "__init__" and len(parts) > 1 else parts[-1]).encode()


def module_of(path: str, source: bytes) -> bytes:
    """The last part of a module's name as `from` spells it; `from ..` in a file of a folder means a package above."""
    words = source.translate(BLANKS).split()
    if words:
        return words[-1]
    folders = path.split("/")[: -source.count(b".")]
    return folders[-1].encode() if folders else b"__init__"
