"""What the whole checkout says. Each part is made when a rule first asks for it, from facts and from the file list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from perfmod.model import Change, Facts
from perfmod.reading import Folders, read_file
from perfmod.scanning import forks_for, spread

if TYPE_CHECKING:
    from perfmod.project.calls.mentions import Mentions
    from perfmod.project.layout.borrowing import Borrowers
    from perfmod.project.layout.layout import Layout
    from perfmod.project.web.importers import Modules
    from perfmod.project.web.packages import Packages
    from perfmod.source.text import Text
    from perfmod.source.tree import Source

Given = TypeVar("Given")
Found = TypeVar("Found")

ITEMS_PER_PROCESS = 12
SOURCES = 16  # parsed files that are kept: a megabyte of text makes a tree of 45 MB


class Project:
    """A checkout as rules see it while they judge."""

    def __init__(
        self,
        root: Path,
        files: Sequence[str],
        facts: Facts,
        overlay: Mapping[str, bytes] | None = None,
        watch: Callable[[str], None] | None = None,
        jobs: int | None = 1,
    ) -> None:
        self.root = root
        self.files = files  #: sorted relative POSIX paths of everything that discovery found
        self.facts = facts
        self._overlay = overlay or {}  #: bytes of files that are not to be read from the disk
        self._folders = Folders(root)
        self._watch = watch  #: told of each file before it is read
        self._jobs = jobs  #: processes that may work at a time; None: as many as there are processors
        self._texts: dict[str, Text | None] = {}
        self._sources: dict[str, tuple[Source | None]] = {}  #: the most recently used last
        self.too_much: dict[str, str] = {}  #: files that would take too long, and why; they have no text

    @cached_property
    def paths(self) -> frozenset[str]:
        return frozenset(self.files)

    def raw(self, path: str) -> bytes | None:
        """The bytes of a file of the checkout; None where there is none or it can't be read."""
        if path in self._overlay:
            return self._overlay[path]
        if self._watch is not None:
            self._watch(path)
        if self._folders.lead_out(path):
            return None
        data = read_file(self.root, path)
        return data if isinstance(data, bytes) else None

    def text(self, path: str) -> Text | None:
        """The decoded text of a file, read once; None where it can't be had."""
        if path in self.too_much:
            return None
        if path not in self._texts:
            from perfmod.source.text import Text, Unreadable

            data = self.raw(path)
            try:
                self._texts[path] = None if data is None else Text.decode(path, data)
            except Unreadable:
                self._texts[path] = None
        return self._texts[path]

    def source(self, path: str) -> Source | None:
        """A Python file, parsed; None where it can't be had or does not parse. The last few are kept."""
        kept = self._sources.pop(path, None)
        if kept is None:
            from perfmod.source.tree import Source

            text = self.text(path)
            source = Source(text, "python") if text is not None else None
            kept = (source if source is not None and source.error is None else None,)
        self._sources[path] = kept
        if len(self._sources) > SOURCES:
            del self._sources[next(iter(self._sources))]
        return kept[0]

    def processes(self, items: int) -> int:
        """How many processes work at so many items."""
        return forks_for(items, ITEMS_PER_PROCESS, self._jobs)

    def spread(
        self,
        work: Callable[[Sequence[Given]], Iterable[Found]],
        items: Sequence[Given],
        processes: int | None = None,
    ) -> Iterator[Found]:
        """What `work` finds in the items, in their order. Other processes that help know what this one does."""
        told = partial(self._told, work)
        for found, paths in spread(told, items, processes or self.processes(len(items)), share=8):
            for path in paths:
                if self._watch is not None:
                    self._watch(path)
            yield from found

    def _told(
        self, work: Callable[[Sequence[Given]], Iterable[Found]], items: Sequence[Given]
    ) -> Iterator[tuple[list[Found], list[str]]]:
        """The same, with the files that were read for it: what another process is told nobody hears here."""
        watch, paths = self._watch, list[str]()

        def note(path: str) -> None:
            if watch is not None:
                watch(path)
                paths.append(path)

        self._watch = note
        try:
            found = list(work(items))
        finally:
            self._watch = watch
        yield found, paths

    def afresh(self) -> Project:
        """The same checkout, at which nobody has looked yet."""
        return Project(self.root, self.files, self.facts, self._overlay, self._watch, self._jobs)

    def leave_out(self, path: str, why: str) -> None:
        """From now on a file has no text."""
        self.too_much[path] = why
        self._sources.pop(path, None)

    def take_over(self, changes: Iterable[Change]) -> None:
        """From now on these files are what a run has made of them."""
        for change in changes:
            self._overlay = {**self._overlay, change.path: change.after}
            self._texts.pop(change.path, None)
            self._sources.pop(change.path, None)

    @cached_property
    def layout(self) -> Layout:
        """Python import roots, and where a helper module goes."""
        from perfmod.project.layout.layout import Layout

        return Layout(self)

    @cached_property
    def mentions(self) -> Mentions:
        """Which Python files can refer to a name of another file."""
        from perfmod.project.calls.mentions import Mentions

        return Mentions(self)

    @cached_property
    def borrowers(self) -> Borrowers:
        """Which Python files use what another module imports."""
        from perfmod.project.layout.borrowing import Borrowers

        return Borrowers(self)

    @cached_property
    def modules(self) -> Modules:
        """Who imports a TypeScript or JavaScript module."""
        from perfmod.project.web.importers import Modules

        return Modules(self)

    @cached_property
    def packages(self) -> Packages:
        """package.json files, workspaces, bundlers, lockfiles."""
        from perfmod.project.web.packages import Packages

        return Packages(self)
