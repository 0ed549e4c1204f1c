"""From which folders the existing imports of a distributable resolve: the evidence for its import roots."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property

from perfmod.needles import places
from perfmod.patterns import pattern
from perfmod.project.layout.python_files import Found, PythonFiles, holds, join, parent
from perfmod.source.words import end_of_line
from perfmod.values import dataclass, field

# Each begins with the line end before it: ten times faster than ^ on a long text.
IMPORT = pattern(
    rb"\n([ \t]*)(?:from[ \t]++(\.*+)([\w.]*+)[ \t]+import[ \t]*(\([^)]*\)?|[^\n]*)|import[ \t]+([\w., \t]+))"
)
LONG_STRING = pattern(rb"(\"\"\"|''').*?\1", re.DOTALL)
NAMES = pattern(rb"(\w+)(?:[ \t]+as[ \t]+\w+)?")
COMMENT = pattern(rb"#[^\n]*")
READ = 8_192  # of each file: most imports stand at the beginning
READ_ALL = 800  # files; of a larger distributable a sample speaks, and the folders in question
SAMPLE = 100


@dataclass(frozen=True, slots=True)
class Root:
    """`top` is imported by its bare name from `folder`."""

    folder: str
    top: str

    @property
    def place(self) -> str:
        return join(self.folder, self.top)


@dataclass(slots=True)
class Imports:
    """What one file imports from its own checkout."""

    roots: dict[Root, str] = field(default_factory=dict)  #: with the dotted name that says so
    at_import: dict[Root, int] = field(default_factory=dict)  #: those at the left margin, and how often
    reach: str | None = None  #: the highest folder that its relative imports reach


@dataclass(slots=True)
class Votes:
    agree: int = 0
    differ: int = 0
    firm: bool = False  #: more than a bare `import name`
    path: str = ""  #: a file that says so, and what it says
    says: str = ""


class Evidence:
    """What the files of one distributable say about import roots. Files are read when they are asked for, once."""

    def __init__(
        self,
        folder: str,
        files: PythonFiles,
        members: list[str],
        read: Callable[[str], bytes | None],
        foreign: Callable[[], set[str]],
    ) -> None:
        self.folder = folder
        self.files = files
        self._read = read
        self._foreign = foreign
        self._seen: dict[str, Imports] = {}
        self._imports: dict[str, Imports] = {}
        self._votes: dict[Root, Votes] = {}
        self._cache: dict[tuple[str, str, bytes | None], list[tuple[Root, Found, str]]] = {}
        self._places_known: dict[tuple[str, str], list[str]] = {}
        self._words: dict[str, bytes] = {}
        self.include(members if len(members) <= READ_ALL else members[:: len(members) // SAMPLE])

    def include(self, paths: Iterable[str]) -> None:
        """Let these files speak too."""
        for path in paths:
            if path not in self._seen:
                self._seen[path] = self._judged(path, (self._read(path) or b"")[:READ])

    def imports(self, path: str) -> Imports:
        """What one file imports, read to its end."""
        if path not in self._imports:
            self.include([path])
            self._imports[path] = self._judged(path, LONG_STRING.sub(b"", self._read(path) or b""), votes={})
        return self._imports[path]

    def roots(self) -> dict[Root, Votes]:
        """The roots for which more imports speak than against."""
        return {root: votes for root, votes in self._votes.items() if votes.agree > votes.differ}

    def reaches(self) -> set[str]:
        """The folders that are packages because a relative import reaches them."""
        return {imports.reach for imports in self._seen.values() if imports.reach is not None}

    def _judged(self, path: str, data: bytes, votes: dict[Root, Votes] | None = None) -> Imports:
        votes = self._votes if votes is None else votes
        folder = parent(path)
        itself = folder if path.endswith("/__init__.py") else path[:-3]
        reach, wanted = written_imports(folder, data)
        found = Imports(reach=reach)
        for at_import, dotted, names in wanted:
            top = dotted.partition(".")[0]
            if top not in self.files.tops or top in sys.stdlib_module_names:
                continue
            outcomes = [
                (root, outcome)
                for root, outcome, place in self._candidates(folder, dotted, names)
                if place != itself and (reach is None or not holds(reach, root.folder))
            ]
            for root in self._meant(folder, outcomes):
                vote = votes.setdefault(root, Votes(path=path, says=dotted))
                vote.agree += 1
                vote.firm |= "." in dotted or names is not None
                found.roots.setdefault(root, dotted)
                if at_import:
                    found.at_import[root] = found.at_import.get(root, 0) + 1
            if not any(outcome is Found.MODULE for _, outcome in outcomes):
                for root, outcome in outcomes:
                    if outcome is Found.MISSING and holds(root.folder, folder):
                        votes.setdefault(root, Votes(path=path, says=dotted)).differ += 1
        return found

    def _meant(self, folder: str, outcomes: Sequence[tuple[Root, Found]]) -> list[Root]:
        """The roots that an import may mean, the likeliest only: one that holds the file, and then a real package."""
        meant = [root for root, outcome in outcomes if outcome is Found.MODULE]
        meant = [root for root in meant if holds(root.folder, folder)] or meant
        if len(meant) > 1:
            meant = [root for root in meant if root.folder] or meant
        if len(meant) > 1:
            meant = [root for root in meant if root.place in self.files.packages] or meant
        return meant

    def _candidates(self, folder: str, dotted: str, names: bytes | None) -> list[tuple[Root, Found, str]]:
        """The roots from which an import in `folder` may resolve, with how far it does and to what."""
        key = (folder, dotted, None if "." in dotted else names)
        known = self._cache.get(key)
        if known is None:
            top = dotted.partition(".")[0]
            known = []
            for place in self._places(folder, top):
                found, module = self.files.resolve(place, dotted)
                if names is not None and (found is Found.NAMESPACE or (found is Found.MODULE and "." not in dotted)):
                    found = self._named(found, module, names)
                known.append((Root(place, top), found, module))
            self._cache[key] = known
        return known

    def _places(self, folder: str, top: str) -> list[str]:
        """The folders from which a file in `folder` may import `top`: around it, or outside of packages beside it."""
        key = (folder, top)
        if key not in self._places_known:
            home = (self.folder, join(self.folder, "src"))
            self._places_known[key] = [
                place
                for place in self.files.tops[top]
                if (holds(place, folder) or (holds(self.folder, place) and place not in self.files.packages))
                and (place in home or top not in self.foreign)
            ]
        return self._places_known[key]

    @cached_property
    def foreign(self) -> set[str]:
        """The packages of others that the distributable says it needs."""
        return self._foreign()

    def _named(self, found: Found, module: str, names: bytes) -> Found:
        """Whether `from module import names` finds what it names: `openai` may be the real one, and not our folder."""
        wanted = NAMES.findall(COMMENT.sub(b"", names))
        below = [f"{module}/{name.decode()}" for name in wanted]
        if self.files.is_folder(module) and any(b in self.files.modules or b in self.files.folders for b in below):
            return Found.MODULE
        if found is Found.NAMESPACE:
            return Found.UNKNOWN
        if module not in self._words:
            file = f"{module}/__init__.py" if module in self.files.packages else f"{module}.py"
            self._words[module] = self._read(file) or b""
        text = self._words[module]
        if not wanted or re.search(rb"import[ \t]*\*|__getattr__|\b(?:%s)\b" % b"|".join(wanted), text):
            return Found.MODULE
        return Found.MISSING

    @cached_property
    def single_package(self) -> str | None:
        """The only package with __init__.py that stands at the top of the distributable or of its src folder."""
        for folder in (join(self.folder, "src"), self.folder):
            found = [p for p in self.files.packages if parent(p) == folder and not is_test_folder(p)]
            if found or folder in self.files.packages:
                return found[0] if len(found) == 1 and folder not in self.files.packages else None
        return None


def written_imports(folder: str, data: bytes) -> tuple[str | None, list[tuple[bool, str, bytes | None]]]:
    """The highest folder that relative imports reach, and the absolute imports: (at the left margin, module, names)."""
    reach = None
    absolute: list[tuple[bool, str, bytes | None]] = []
    for indent, dots, module, names, modules in import_statements(b"\n" + data.removeprefix(b"\xef\xbb\xbf")):
        if dots:
            reached = folder
            for _ in dots[1:]:
                reached = parent(reached)
            if reached and (reach is None or len(reached) < len(reach)):
                reach = reached
        elif module:
            absolute.append((not indent, module.decode(), names))
        else:
            absolute += [(not indent, m.split()[0].decode(), None) for m in modules.split(b",") if m.strip()]
    return reach, absolute


def import_statements(data: bytes) -> Iterator[tuple[bytes, ...]]:
    """What IMPORT.findall finds, in less than half of its time: the word is looked for first, then its line."""
    end = line_end = 0
    for place in places(data, b"import"):
        if place < line_end:
            continue
        line, line_end = data.rfind(b"\n", 0, place), end_of_line(data, place)
        statement = IMPORT.match(data, line) if line >= end else None
        if statement is not None:
            yield statement.groups(b"")
            end = statement.end()


def is_test_folder(folder: str) -> bool:
    return any(re.fullmatch(r"tests?|testing|docs?|examples?|scripts?|benchmarks?", f) for f in folder.split("/")[1:])
