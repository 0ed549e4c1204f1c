"""load-once: files that never change while the program runs are read once, at the start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from perfmod.model import Fact, Facts, Finding, Note
from perfmod.rule import Triggers
from perfmod.source.reads.words import may_read
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.source.tree import Source


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
    judged = "perfmod.source.reads.facts"
    spreads = True

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
            from perfmod.project.reads.judgement import Judgement

            yield from Judgement(self.options, project).judge(found)
