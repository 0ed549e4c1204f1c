"""Which root package a Python file belongs to, or uses: decided by evidence, never by folders alone."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

from perfmod.patterns import pattern
from perfmod.project.layout.distributables import Distributables
from perfmod.project.layout.import_roots import Evidence, Imports, Root, Votes, is_test_folder
from perfmod.project.layout.python_files import holds, join, parent
from perfmod.values import dataclass

NEIGHBOURS = 20  # files of a folder that are read for a file in it
SCRIPT = pattern(
    rb"^if[ \t(]+(?:__name__[ \t]*==|['\"]__main__['\"][ \t]*==)|^(?:asyncio|uvloop|anyio)\.run\(", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class RootPackage:
    """The package whose modules a file can import, and where it is."""

    folder: str
    name: str | None  #: dotted; "" for a folder of scripts; None where only relative imports reach it
    root: str | None = None  #: the import root


@dataclass(frozen=True, slots=True)
class NoHelper:
    """Why there is no import that is sure to work."""

    reason: str


UNKNOWN = NoHelper("no import root: no import of the project shows how this file could import a helper")


class RootPackages:
    """Paths begin with the name of the checkout's own folder, as in PythonFiles."""

    def __init__(self, distributables: Distributables) -> None:
        self._distributables = distributables
        self._known: dict[str, RootPackage | NoHelper] = {}

    def of(self, file: str) -> RootPackage | NoHelper:
        """The root package of a file: what its distributable says, and where that says nothing, the one around it."""
        if file not in self._known:
            answers = (self._decide(file, self._distributables.evidence(f)) for f in self._distributables.around(file))
            self._known[file] = next((answer for answer in answers if answer is not UNKNOWN), UNKNOWN)
        return self._known[file]

    def _decide(self, file: str, evidence: Evidence) -> RootPackage | NoHelper:
        folder = parent(file)
        evidence.include(evidence.files.by_folder.get(folder, ())[:NEIGHBOURS])
        imports = evidence.imports(file)
        roots = evidence.roots()
        around = {root: votes for root, votes in roots.items() if holds(root.place, folder)}
        beside = {root: votes for root, votes in roots.items() if root.folder == folder}
        if imports.reach is not None:
            # A relative import can't leave its root package: what lies within its reach is no import root.
            around = {root: votes for root, votes in around.items() if holds(root.place, imports.reach)}
            beside = {}
        if any(votes.firm for votes in around.values()):
            around = {root: votes for root, votes in around.items() if votes.firm}
        if all(is_test_folder(root.place) for root in around):
            used = self._imported(file, imports, roots, evidence)
            if used is not None and not (used.folder == folder and around):
                return used
        own = {root.folder for root in imports.at_import}
        if folder not in own and any(root.folder in own for root in around):
            beside = {}  # what its neighbours do as scripts is nothing to a file that says how it is imported
        said = {**around, **beside}
        if len({root.folder for root in said}) > 1:
            return disagreement(said)
        if around:
            return self._within(file, imports, next(iter(around)), evidence)
        if beside:
            return RootPackage(folder, "", folder)
        return self._inferred(file, imports, roots, evidence)

    def _imported(
        self, file: str, imports: Imports, roots: Mapping[Root, Votes], evidence: Evidence
    ) -> RootPackage | None:
        """What a script already imports when it starts: packages first, the one it imports most.

        Not from a distributable beside its own: what is installed for the script may be another version.
        """
        own = self._distributables.of(file)
        known = [root for root in imports.at_import if root in roots]
        known = [root for root in known if holds(own, root.folder) or holds(root.folder, own)]
        if not known:
            return None
        folders = evidence.files.folders
        root = min(known, key=lambda root: (root.place not in folders, -imports.at_import[root]))
        if root.place not in folders:
            return RootPackage(root.folder, "", root.folder)
        return self._package(root, join(root.folder, imports.roots[root].replace(".", "/")), evidence)

    def _within(self, file: str, imports: Imports, root: Root, evidence: Evidence) -> RootPackage | NoHelper:
        """The package that holds a file, unless the file is run by its path: its package may not be importable then."""
        runs_alone = imports.reach is None and all(own.folder != root.folder for own in imports.at_import)
        if runs_alone and SCRIPT.search(self._distributables.read(file) or b""):
            return NoHelper("run as a script: the file imports nothing of its own package")
        return self._package(root, parent(file), evidence)

    def _package(self, root: Root, towards: str, evidence: Evidence) -> RootPackage:
        """The top folder of a root package; of a namespace that several distributables share, the part that is here."""
        folder = root.place
        while folder != towards and self._is_shared(folder, root, evidence):
            folder = join(folder, towards[len(folder) + 1 :].partition("/")[0])
        return RootPackage(folder, folder[len(root.folder) :].strip("/").replace("/", "."), root.folder)

    def _is_shared(self, folder: str, root: Root, evidence: Evidence) -> bool:
        files = evidence.files
        if folder in files.packages:
            return False
        below = folder[len(root.folder) :].strip("/")
        here = self._distributables.of(f"{root.folder}/")
        return any(
            join(other, below) in files.folders and self._distributables.of(f"{other}/") != here
            for other in files.tops.get(root.top, ())
            if other != root.folder
        )

    def _inferred(
        self, file: str, imports: Imports, roots: Mapping[Root, Votes], evidence: Evidence
    ) -> RootPackage | NoHelper:
        """Where no import says what this file's own package is called."""
        folder = parent(file)
        inside = {root.folder for root in roots if root.folder != folder and holds(root.folder, folder)}
        single = evidence.single_package
        if single is not None and holds(single, folder) and inside <= {parent(single)}:
            inside = {parent(single)}
        elif imports.reach is not None:
            return RootPackage(self._reached(imports.reach, evidence), None)
        likely = [Root(top, folder[len(top) :].strip("/").partition("/")[0]) for top in inside]
        likely = [root for root in likely if root.place in evidence.files.packages]
        if len(likely) != 1 or likely[0].top in sys.stdlib_module_names or likely[0].top in evidence.foreign:
            return UNKNOWN
        return self._within(file, imports, likely[0], evidence)

    def _reached(self, reach: str, evidence: Evidence) -> str:
        """The highest folder that relative imports prove to be in the same root package."""
        return min((place for place in evidence.reaches() if holds(place, reach)), key=len, default=reach)


def disagreement(said: Mapping[Root, Votes]) -> NoHelper:
    folders: dict[str, Votes] = {}
    for root, votes in said.items():
        folders.setdefault(root.folder, votes)
    first, second, *_ = (f"{v.path.partition('/')[2]} says {v.says}" for _, v in sorted(folders.items()))
    return NoHelper(f"import roots disagree: {first}, {second}")
