"""The Python files of a checkout as an importer would see them: modules, folders, and what a dotted name means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum

SUFFIXES = (".py", ".pyi", ".pyx", ".so", ".pyd")


class Found(Enum):
    """How far a dotted name resolves below an import root."""

    MODULE = "a module, or a package with __init__.py"
    NAMESPACE = "a folder without __init__.py"
    UNKNOWN = "leaves a namespace: another distribution may hold the rest"
    MISSING = "its package does not have it"


class PythonFiles:
    """What files there are. Paths begin with the name of the checkout's own folder; "" is the folder above it."""

    def __init__(self, name: str, files: Iterable[str]) -> None:
        self.name = name
        self.modules: set[str] = set()  #: without suffix
        self.folders: set[str] = set()  #: those that hold Python files, at any depth
        self.packages: set[str] = set()  #: those with __init__.py
        self.tops: dict[str, list[str]] = {}  #: name -> folders that hold a module or folder of that name
        self.by_folder: dict[str, list[str]] = {}
        folder, modules = "", self.modules
        siblings: list[str] = []
        for file in files:  # a plain loop, for tens of thousands of them; those of one folder mostly stand together
            if not file.endswith(SUFFIXES):
                continue
            above, _, base = f"{name}/{file}".rpartition("/")
            if above != folder:
                folder, siblings = above, self._siblings(above)
            if base.endswith(".py"):
                siblings.append(f"{folder}/{base}")
            module = base.partition(".")[0]
            if module == "__init__":
                self.packages.add(folder)
            elif (stem := f"{folder}/{module}") not in modules:
                modules.add(stem)
                self.tops.setdefault(module, []).append(folder)

    def _siblings(self, folder: str) -> list[str]:
        if folder not in self.by_folder:
            self.by_folder[folder] = []
            self._add_folder(folder)
        return self.by_folder[folder]

    def _add_folder(self, folder: str) -> None:
        while folder and folder not in self.folders:
            self.folders.add(folder)
            above, _, name = folder.rpartition("/")
            self.tops.setdefault(name, []).append(above)
            folder = above

    def resolve(self, root: str, dotted: str) -> tuple[Found, str]:
        """What `dotted` is when `root` is on sys.path, and the folder or module (without suffix) that it names."""
        place = root
        found = Found.NAMESPACE
        for part in dotted.split("."):
            below = join(place, part)
            if below in self.packages or below in self.modules:
                found = Found.MODULE
            elif below in self.folders:
                found = Found.NAMESPACE
            else:
                unknown = found is Found.NAMESPACE and place != root
                return (Found.UNKNOWN if unknown else Found.MISSING), place
            place = below
        return found, place

    def is_folder(self, place: str) -> bool:
        """Whether what `resolve` gave is a package or namespace rather than a module."""
        return place in self.packages or (place in self.folders and place not in self.modules)


def join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def parent(path: str) -> str:
    return path.rpartition("/")[0]


def above(folder: str) -> Iterator[str]:
    """A folder and those that hold it, up to the folder above the checkout."""
    while folder:
        yield folder
        folder = parent(folder)
    yield ""


def holds(folder: str, path: str) -> bool:
    """Whether `path` is `folder` or lies below it."""
    return not folder or path == folder or path.startswith(folder + "/")
