"""supervise-tasks: fire-and-forget asyncio tasks get a strong reference and an error log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, Literal

from perfmod.model import AddImport, AddModule, DropImport, Fact, Facts, Finding, Intent, RewriteCall, Safety
from perfmod.rule import Triggers
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.project.task_helpers import Use
    from perfmod.source.tasks.facts import TaskSite
    from perfmod.source.tree import Source

TEMPLATE = "background_tasks"

LOST = "it may vanish before it is done, and nobody is told if it fails"
WHY = {
    "dropped": f"nothing keeps this task: {LOST}",
    "unread": f"nobody reads the name that holds this task: {LOST}",
    "callback": f"the loop drops the task that this callback gives back: {LOST}",
    "followed": "nothing keeps this task: it may vanish before its callback runs",
    "held": "this task is kept, so its failure stays in it without a word",
    "reported": f"nothing keeps what this makes: {LOST}",
}
NO_COROUTINE = "ensure_future of a value that may be no coroutine"


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """The options of supervise-tasks."""

    task_errors: Literal["auto", "log", "handler"] = "auto"
    """where failures go: the log, or the loop's exception handler; auto: the handler where the checkout sets one"""
    drain: bool = False
    """add drain_background_tasks() to the helper, to be awaited at shutdown"""
    helper_module: str | None = None
    """the dotted module for the helper, where the default does not suit"""
    report_held: bool = False
    """report tasks that are kept but whose failure nobody would see"""


@dataclass(frozen=True, slots=True)
class HandlerSet:
    """This file sets a loop's exception handler."""

    path: str


def may_let_go(data: bytes, *, held: bool = False) -> bool:
    from perfmod.source.tasks import words  # its patterns are compiled where some file needs them

    return words.may_let_go(data, held=held)


class HandlerScanner:
    """Finds set_exception_handler(...)."""

    languages = ("python",)
    triggers = Triggers(((b"asyncio", b".set_exception_handler("), (b"loop", b".set_exception_handler(")))

    def scan(self, source: Source) -> Iterator[Fact]:
        yield HandlerSet(source.path)


class SuperviseTasks:
    """Fire-and-forget asyncio tasks get a strong reference and an error log.

    What it finds:
        asyncio.create_task(), ensure_future() and loop.create_task() whose task nobody keeps: as a statement, in a
        name that is never read, in a callback whose result is dropped.

    Why it matters:
        The event loop keeps only weak references to tasks. A task that nobody holds may be collected before it is
        done, and a failure is told, if at all, only when the task is collected. Source: the asyncio documentation,
        asyncio.create_task, "Important: save a reference".

    What it changes:
        The call becomes create_background_task() of a small helper module (standard library only) that perfmod adds to
        your package, or of the helper that you have already. It keeps the task in a set until it is done and logs a
        failure with its traceback. The task gets a name.

    When the fix is unsafe:
        Where only a name such as self.loop says that the receiver is an event loop, and where the task has a done
        callback of its own, so that an error would be handled twice.

    Leaves alone:
        Tasks that are stored, awaited, returned or passed on; TaskGroups and nurseries; wrappers of your own; lines
        marked `# noqa: RUF006` or `# perfmod: ignore[supervise-tasks]`.
    """

    Options = TaskOptions
    languages = ("python",)
    triggers = Triggers(
        (
            (b"asyncio", b"create_task"),
            (b"asyncio", b"ensure_future"),
            (b"asyncio", b"run_coroutine_threadsafe"),
            (b"asyncio", b"run_in_executor"),
            (b"asyncio", b"gather"),
            (b"asyncio", b"shield"),
            (b"asyncio", b"asyncio.Task"),
            (b"asyncio", b"asyncio.tasks"),
            (b"asyncio", b"asyncio as"),
            (b"loop", b"create_task"),
            (b"loop", b"run_in_executor"),
        ),
        may_let_go,
    )
    reviewed = ("RUF006", "ASYNC300", "asyncio-dangling-task")
    scanners = (HandlerScanner(),)
    judged = "perfmod.source.tasks.facts"
    spreads = False

    def __init__(self, options: TaskOptions) -> None:
        self.options = options
        if options.report_held:
            self.triggers = replace(self.triggers, confirm=partial(may_let_go, held=True))

    def scan(self, source: Source) -> Iterator[Fact]:
        from perfmod.source.tasks.helpers import task_helpers
        from perfmod.source.tasks.sites import task_sites

        if source.utf8.startswith(b"# perfmod: background_tasks template"):
            return
        yield from task_helpers(source)
        yield from task_sites(source)

    def judge(self, facts: Facts, project: Project) -> Iterator[Finding]:
        from perfmod.source.tasks.facts import TaskSite

        sites = [site for site in facts.of(TaskSite) if site.shape != "held" or self.options.report_held]
        if sites:
            judgement = Judgement(self.options, facts, project)
            yield from (judgement.finding(site) for site in sites)


class Judgement:
    """What the checkout says about each site."""

    def __init__(self, options: TaskOptions, facts: Facts, project: Project) -> None:
        from perfmod.project.calls.definitions import inherits_logging_handler
        from perfmod.project.task_helpers import Helpers

        self.options = options
        self.facts = facts
        self.project = project
        self.helpers = Helpers(facts, project, options.helper_module)
        self.is_logging_handler = cache(partial(inherits_logging_handler, project))

    @cached_property
    def template_options(self) -> tuple[tuple[str, object], ...]:
        errors = self.options.task_errors
        if errors == "auto":
            errors = "handler" if self.facts.of(HandlerSet) else "log"
        return (("task_errors", errors), ("drain", self.options.drain))

    def finding(self, site: TaskSite) -> Finding:
        finding = Finding("supervise-tasks", site.span, WHY[site.shape], Safety.MANUAL, reason=site.manual)
        reason = site.manual or self.unsuitable(site)
        if reason:
            return replace(finding, reason=reason)
        use = self.helpers.of(site)
        if isinstance(use, str):
            return replace(finding, reason=use)
        made, kept = f"Make it with {use.function}()", "which keeps a reference and logs a failure"
        return replace(
            finding,
            safety=Safety.UNSAFE if site.unsafe else Safety.SAFE,
            reason=site.unsafe,
            title=f"{made}, {kept}" if use.created else f"{made}, your helper that keeps and logs it",
            intents=tuple(self.intents(site, use)),
        )

    def intents(self, site: TaskSite, use: Use) -> Iterator[Intent]:
        yield rewrite(site, use)
        if use.module is not None:
            yield AddImport(site.path, use.module, use.function, use.local if use.local != use.function else None)
        if site.binding:
            yield DropImport(site.path, site.binding)
        if use.created is not None:
            yield AddModule(use.created, TEMPLATE, self.template_options)

    def unsuitable(self, site: TaskSite) -> str | None:
        """Why the checkout forbids a rewrite that the file alone would allow."""
        from perfmod.project.calls.definitions import is_async_function

        if isinstance(site.coroutine, str) and not is_async_function(self.project, site.path, site.coroutine):
            return NO_COROUTINE
        if site.coroutine is False:
            return NO_COROUTINE
        if site.bases and self.is_logging_handler(site.path, site.bases):
            return "inside a logging handler: logging the failure would recurse"
        return None


def rewrite(site: TaskSite, use: Use) -> RewriteCall:
    keywords = []
    if use.takes_name and site.name is not None:
        keywords.append(("name", f"{site.quote}{site.name}{site.quote}"))
    if site.loop is not None:
        keywords.append(("loop", site.loop))
    renamed = {"coro_or_future"} if use.created else {"coro", "coro_or_future"}
    positional = next(iter(renamed & site.keywords), None)
    return RewriteCall(site.span, use.local, keywords=tuple(keywords), positional=positional)
