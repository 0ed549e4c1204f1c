"""The distributables of a checkout: folders that say what to install for them, each with its own import roots."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from perfmod.project.layout.declared import METADATA, declared_packages
from perfmod.project.layout.import_roots import Evidence
from perfmod.project.layout.python_files import PythonFiles, above, parent

if TYPE_CHECKING:
    from perfmod.project import Project

MARKERS = ("pyproject.toml", "setup.py", "setup.cfg", "requirements.txt")
ENDINGS = (".toml", ".txt", ".in", ".cfg", "setup.py", "METADATA")


class Distributables:
    """Paths here begin with the name of the checkout's own folder, as in PythonFiles."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._name = project.root.name or "checkout"
        self._evidence: dict[str, Evidence] = {}

    def inner(self, path: str) -> str:
        """A path of the checkout as it is written here."""
        return f"{self._name}/{path}"

    def outer(self, path: str) -> str:
        """The path as the user knows it: relative to the root of the checkout."""
        return path.partition("/")[2]

    def read(self, path: str) -> bytes | None:
        return self._project.raw(self.outer(path))

    def around(self, file: str) -> list[str]:
        """The distributables that hold a file, nearest first: the last is the checkout itself."""
        return [folder for folder in above(parent(file)) if folder in self._marked or folder == self._name]

    def of(self, file: str) -> str:
        """The nearest folder above a file that says what to install for it."""
        return self.around(file)[0]

    def evidence(self, folder: str) -> Evidence:
        """What the files of one distributable say."""
        if folder not in self._evidence:
            self._evidence[folder] = Evidence(
                folder,
                self.files,
                self._members.get(folder, []),
                self.read,
                lambda: declared_packages(self._metadata.get(folder, ()), self.read),
            )
        return self._evidence[folder]

    @cached_property
    def files(self) -> PythonFiles:
        return PythonFiles(self._name, self._project.files)

    @cached_property
    def _metadata(self) -> dict[str, list[str]]:
        """By folder: the files that say what a checkout or an installed package needs."""
        found: dict[str, list[str]] = {}
        for file in self._project.files:
            if file.endswith(ENDINGS):
                path = self.inner(file)
                folder, _, name = path.rpartition("/")
                if name == "METADATA" and folder.endswith(".dist-info"):
                    found.setdefault(parent(folder), []).append(path)
                elif name in MARKERS or name in METADATA:
                    found.setdefault(folder, []).append(path)
        return found

    @cached_property
    def _marked(self) -> set[str]:
        return {folder for folder, files in self._metadata.items() if any(f.endswith(MARKERS) for f in files)}

    @cached_property
    def _members(self) -> dict[str, list[str]]:
        """The Python files of each distributable."""
        members: dict[str, list[str]] = {}
        for folder, files in sorted(self.files.by_folder.items()):
            members.setdefault(self.of(folder + "/"), []).extend(files)
        return members
