"""What the checkout says about each read, and what load-once says of that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from perfmod.model import Finding, Note, Safety, Span
from perfmod.project.calls.callers import Calls
from perfmod.project.reads.caching import Cache, Caching
from perfmod.project.reads.changing import Changing
from perfmod.project.reads.constants import Constants, File
from perfmod.project.reads.rereads import Reread, Rereads, Start, Unfollowed
from perfmod.source.python.functions import Function
from perfmod.source.reads.facts import Read
from perfmod.source.reads.values import Value
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.rules.load_once import LoadOptions

BLOCKS = "and the event loop stands still meanwhile"


@dataclass(frozen=True, slots=True)
class Again:
    """A place that has a file read every time it runs, and what may be cached on the way, or why nothing."""

    reread: Reread
    file: File
    cache: Cache | str


@dataclass(frozen=True, slots=True)
class AtStart:
    """A read that happens at the start, in so many ways."""

    read: Read
    start: Start
    file: File
    ways: int


class Judgement:
    """What the checkout says about each read. Callers are looked for, and parsed, only where a path may be constant."""

    def __init__(self, options: LoadOptions, project: Project) -> None:
        self.calls = Calls(project)
        self.known: dict[Value, File | None] = {}
        self.constants = Constants(self.calls)
        self.rereads = Rereads(self.calls, self.may_stay, options.depth)
        self.changing = Changing(self.calls, self.constants)
        self.caching = Caching(self.calls, self.constants, lambda value: self.unchanging(value) is not None)

    def judge(self, reads: Sequence[Read]) -> Iterator[Finding | Note]:
        again: dict[Span, list[Again]] = {}
        in_loops: dict[Span, Finding] = {}
        at_start: list[AtStart] = []
        project = self.calls.project
        if project.processes(len(reads)) > 1:
            project.mentions.prepare()
        for answer in project.spread(self.answers, reads):
            if isinstance(answer, Again):
                again.setdefault(answer.reread.span, []).append(answer)
            elif isinstance(answer, AtStart):
                at_start.append(answer)
            elif isinstance(answer, Note):
                yield answer
            else:
                in_loops[answer.span] = answer
        reread_files = {each.file.text for found in again.values() for each in found}
        yield from (finding(found) for _, found in sorted(again.items()))
        yield from in_loops.values()
        yield from (note(each) for each in at_start if each.file.text not in reread_files)

    def answers(self, reads: Iterable[Read]) -> Iterator[Again | AtStart | Finding | Note]:
        """What is to be said of reads, each by itself."""
        for read in reads:
            found = list(self.rereads.of(read))
            rereads = [each for each in found if isinstance(each, Reread)]
            starts = [each for each in found if isinstance(each, Start)]
            yield from (unfollowed(read, each) for each in found if isinstance(each, Unfollowed))
            for reread in rereads:
                file = self.unchanging(reread.file)
                if file is not None:
                    yield Again(reread, file, self.cache(reread))
            if not rereads and (file := self.unchanging(read.file)) is not None:
                if read.loop == "again" and read.invariant and not read.remembered:
                    yield in_loop(read, file)
                elif starts:
                    yield AtStart(read, starts[0], file, len(starts))

    def may_stay(self, value: Value) -> bool:
        """Whether a path, with parameters that are not filled in yet, may be that of a file that stays as it is.

        Asked on the way up from a read, so it must be cheap: who writes the file is asked of what is left at the end.
        """
        filled = self.constants.filled(value)
        kinds = {part.kind for part in filled.walk()}
        return "unknown" not in kinds and ("param" in kinds or self.named(filled) is not None)

    def named(self, filled: Value) -> tuple[File, ...] | None:
        """The files that a path stands for, if it is constant and no name says that the file changes."""
        files = self.constants.files(filled)
        constant = bool(files) and all(f.is_constant and f.text not in ("", ".") for f in files)
        return None if not constant or any(self.changing.by_name(file) for file in files) else files

    def unchanging(self, value: Value) -> File | None:
        """The file that a path stands for, if it is constant and nothing says that the file changes."""
        if value not in self.known:
            filled = self.constants.filled(value)
            files = self.named(filled)
            written = files is None or any(self.changing.writer(file, filled) is not None for file in files)
            self.known[value] = None if files is None or written else files[0]
        return self.known[value]

    def cache(self, reread: Reread) -> Cache | str:
        """The function on the way to the read that may be cached; the nearest to the read comes first."""
        if not reread.chain:
            what = "an async function" if reread.root.is_async else "a handler"
            return f"{what} is never cached: read the file at start-up, or in a function of its own"
        moving = None if is_anchored(self.constants.filled(reread.file)) else self.mover()
        if moving is not None:
            return f"the path is relative, and {moving} changes the working directory"
        first: str | None = None
        constructor = f"{reread.chain[-1].owner}.__init__"
        for function in reversed(reread.chain):
            cache = self.caching.of(function)
            if not isinstance(cache, str):
                return cache
            if first is None or function.name == constructor:  # what a constructor calls is in __init__ already
                first = cache
        return first or "nothing to cache"

    def mover(self) -> str | None:
        """A file of the checkout that changes the working directory."""
        return next(iter(self.calls.mentions.files_with("chdir")), None)


def is_anchored(file: Value) -> bool:
    """Whether a path does not depend on the working directory."""
    return any(part.kind in ("file", "outside") or part.text.startswith("/") for part in file.walk())


def finding(found: list[Again]) -> Finding:
    """One place, and all that it has read."""

    reread, file = found[0].reread, found[0].file
    others = len({each.file.text for each in found}) - 1
    blocks = f", {BLOCKS}" if reread.root.is_async else ""
    which = f"{file.text} and {others} more" if others else file.text
    message = f"{way(reread.root, reread.chain, reread.read, file)}: {which} is read again on every call{blocks}"
    manual = Finding("load-once", reread.span, message, Safety.MANUAL)
    caches = [each.cache for each in found]
    reasons = [cache for cache in caches if isinstance(cache, str)]
    if reasons:
        return replace(manual, reason=reasons[0])
    made = [cache for cache in caches if isinstance(cache, Cache)]
    return replace(
        manual,
        safety=Safety.UNSAFE,
        reason=made[0].reason,
        title=f"Cache {made[0].function.name}()",
        intents=tuple(dict.fromkeys(intent for cache in made for intent in cache.intents)),
    )


def in_loop(read: Read, file: File) -> Finding:
    return Finding(
        "load-once",
        read.span,
        f"{file.text} is read again in every round of the loop, and the path is always the same",
        Safety.MANUAL,
        reason="a read in a loop: read the file in front of it",
    )


def note(at_start: AtStart) -> Note:
    """What can honestly be said of a read that happens at the start."""
    read, start, file, ways = at_start.read, at_start.start, at_start.file, at_start.ways
    only = (
        "the only path starts" if ways == 1 else f"each of the {ways} paths starts at the start-up of the program, one"
    )
    return Note(
        "load-once",
        read.span,
        "No re-read found: in the analysed files no call to a known blocking read, "
        f"whose path resolves to {file.text}, "
        "can be reached through resolved calls from an async function or a registered handler; "
        f"{only} at {start.chain[0].title}: {way(start.chain[0], start.chain[1:], read, file)}",
    )


def unfollowed(read: Read, left: Unfollowed) -> Note:
    message = f"too many functions have this read done: who calls {left.functions} of them was not looked at"
    return Note("load-once", read.span, message)


def way(root: Function, chain: Iterable[Function], read: Read, file: File) -> str:
    """`main -> KnowledgeService.load -> read_text(playbook.md)`."""
    steps = [function.name or f"<module {function.path}>" for function in (root, *chain)]
    return " -> ".join([*steps, f"{read.verb}({file.base})"])
