"""load-once: files that never change while the program runs are read once, at the start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from perfmod.model import Fact, Facts, Finding, Note, Safety, Span
from perfmod.rule import Triggers
from perfmod.source.reads.words import may_read
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.project.reads.caching import Cache
    from perfmod.project.reads.constants import File
    from perfmod.project.reads.rereads import Reread, Start, Unfollowed
    from perfmod.source.python.functions import Function
    from perfmod.source.reads.facts import Read
    from perfmod.source.reads.values import Value
    from perfmod.source.tree import Source

BLOCKS = "and the event loop stands still meanwhile"


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """The options of load-once."""

    depth: int = 8
    """how many calls may lie between an async function or handler and the read"""


class LoadOnce:
    """Files that never change while the program runs are read once, at the start.

    What it finds:
        Reads of a file with a constant path that happen again and again: in an async function or a handler of a web,
        bot or task framework, directly or through the functions, methods and constructors that it calls (the finding
        shows the way), and in a loop whose path does not change.

    Why it matters:
        A blocking read holds up everything else that the event loop serves. What a release brings along, prompts,
        templates, tables, configuration, is the same from start to end: reading it again gives nothing new.

    What it changes:
        A module-level function that does nothing but read and make something of it gets `@functools.cache`. Everything
        else is reported with the reason: async functions, methods, results that somebody changes.

    When the fix is unsafe:
        Always: caching freezes the file. An edit on disk shows only after a restart.

    Leaves alone:
        What runs at the start: module level, main(), what asyncio.run() gets and what that calls, lifespan and start-up
        hooks. What is kept already (`@cache`, `if self._data is None:`). Reads in threads. Paths that depend on an
        argument or a user. Files that may change: logs, uploads, secrets, temporary files, what the checkout itself
        writes, what is watched or reloaded. Tests. Calls that can't be resolved, such as dependency injection, and
        chains of more than `depth` calls; from one read, 400 functions are looked at.
    """

    Options = LoadOptions
    languages = ("python",)
    triggers = Triggers(
        (
            (b"open",),
            (b"read_",),
            (b"get_data",),
            (b"loadtxt",),
            (b"genfromtxt",),
            (b"fromfile",),
            (b"getlines",),
            (b".load",),
        ),
        may_read,
    )
    reviewed = ("ASYNC230", "ASYNC101", "ASYNC240")
    scanners = ()

    def __init__(self, options: LoadOptions) -> None:
        self.options = options

    def scan(self, source: Source) -> Iterator[Fact]:
        from perfmod.source.reads.sites import reads
        from perfmod.source.reads.words import is_test

        if not is_test(source.path):
            yield from reads(source)

    def judge(self, facts: Facts, project: Project) -> Iterator[Finding | Note]:
        from perfmod.source.reads.facts import Read

        found = facts.of(Read)
        if found:
            yield from Judgement(self.options, project).judge(found)


class Judgement:
    """What the checkout says about each read. Callers are looked for, and parsed, only where a path may be constant."""

    def __init__(self, options: LoadOptions, project: Project) -> None:
        from perfmod.project.calls.callers import Calls
        from perfmod.project.reads.caching import Caching
        from perfmod.project.reads.changing import Changing
        from perfmod.project.reads.constants import Constants
        from perfmod.project.reads.rereads import Rereads

        self.calls = Calls(project)
        self.known: dict[Value, File | None] = {}
        self.constants = Constants(self.calls)
        self.rereads = Rereads(self.calls, self.may_stay, options.depth)
        self.changing = Changing(self.calls, self.constants)
        self.caching = Caching(self.calls, self.constants, lambda value: self.unchanging(value) is not None)

    def judge(self, reads: Iterable[Read]) -> Iterator[Finding | Note]:
        from perfmod.project.reads.rereads import Reread, Start, Unfollowed

        again: dict[Span, list[tuple[Reread, File]]] = {}
        at_start: list[tuple[Read, Start, File, int]] = []
        in_loops: dict[Span, Finding] = {}
        for read in reads:
            found = list(self.rereads.of(read))
            rereads = [each for each in found if isinstance(each, Reread)]
            starts = [each for each in found if isinstance(each, Start)]
            yield from (unfollowed(read, each) for each in found if isinstance(each, Unfollowed))
            for reread in rereads:
                file = self.unchanging(reread.file)
                if file is not None:
                    again.setdefault(reread.span, []).append((reread, file))
            if not rereads and (file := self.unchanging(read.file)) is not None:
                if read.loop == "again" and read.invariant and not read.remembered:
                    in_loops[read.span] = in_loop(read, file)
                elif starts:
                    at_start.append((read, starts[0], file, len(starts)))
        reread_files = {file.text for found in again.values() for _, file in found}
        yield from (self.finding(found) for _, found in sorted(again.items()))
        yield from in_loops.values()
        for read, start, file, ways in at_start:
            if file.text not in reread_files:
                yield note(read, start, file, ways)

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

    def finding(self, found: list[tuple[Reread, File]]) -> Finding:
        """One place, and all that it has read."""
        from perfmod.project.reads.caching import Cache

        reread, file = found[0]
        others = len({f.text for _, f in found}) - 1
        blocks = f", {BLOCKS}" if reread.root.is_async else ""
        which = f"{file.text} and {others} more" if others else file.text
        message = f"{way(reread.root, reread.chain, reread.read, file)}: {which} is read again on every call{blocks}"
        finding = Finding("load-once", reread.span, message, Safety.MANUAL)
        caches = [self.cache(reread) for reread, _ in found]
        reasons = [cache for cache in caches if isinstance(cache, str)]
        if reasons:
            return replace(finding, reason=reasons[0])
        made = [cache for cache in caches if isinstance(cache, Cache)]
        return replace(
            finding,
            safety=Safety.UNSAFE,
            reason=made[0].reason,
            title=f"Cache {made[0].function.name}()",
            intents=tuple(dict.fromkeys(intent for cache in made for intent in cache.intents)),
        )

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


def in_loop(read: Read, file: File) -> Finding:
    return Finding(
        "load-once",
        read.span,
        f"{file.text} is read again in every round of the loop, and the path is always the same",
        Safety.MANUAL,
        reason="a read in a loop: read the file in front of it",
    )


def note(read: Read, start: Start, file: File, ways: int) -> Note:
    """What can honestly be said of a read that happens at the start."""
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
