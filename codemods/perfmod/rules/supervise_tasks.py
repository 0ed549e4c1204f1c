"""supervise-tasks: fire-and-forget asyncio tasks get a strong reference and an error log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from perfmod.model import AddImport, AddModule, DropImport, Fact, Facts, Finding, RewriteCall, Safety
from perfmod.rule import Triggers
from perfmod.source.words import may_make_tasks

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.source.tasks import TaskSite
    from perfmod.source.tree import Source

TEMPLATE = "background_tasks"
FUNCTION = "create_background_task"

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
TITLE = f"Make it with {FUNCTION}(), which keeps a reference and logs a failure"


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


class HandlerScanner:
    """Finds set_exception_handler(...)."""

    languages = ("python",)
    triggers = Triggers(((b".set_exception_handler(",),))

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
            (b"create_task",),
            (b"ensure_future",),
            (b"run_coroutine_threadsafe",),
            (b"run_in_executor",),
            (b"asyncio.gather",),
            (b"asyncio.shield",),
            (b"asyncio.Task",),
            (b"asyncio as",),
        ),
        may_make_tasks,
    )
    reviewed = ("RUF006", "ASYNC300", "asyncio-dangling-task")
    scanners = (HandlerScanner(),)

    def __init__(self, options: TaskOptions) -> None:
        self.options = options

    def scan(self, source: Source) -> Iterator[Fact]:
        from perfmod.source.task_helpers import task_helpers
        from perfmod.source.tasks import task_sites

        if source.utf8.startswith(b"# perfmod: background_tasks template"):
            return
        yield from task_helpers(source)
        yield from task_sites(source)

    def judge(self, facts: Facts, project: Project) -> Iterator[Finding]:
        from perfmod.source.tasks import TaskSite

        sites = [site for site in facts.of(TaskSite) if site.shape != "held" or self.options.report_held]
        if sites:
            judgement = Judgement(self.options, facts, project)
            yield from (judgement.finding(site) for site in sites)


class Judgement:
    """What the checkout says about each site."""

    def __init__(self, options: TaskOptions, facts: Facts, project: Project) -> None:
        self.options = options
        self.facts = facts
        self.project = project

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
        helper = self.helper(site)
        if isinstance(helper, str):
            return replace(finding, reason=helper)
        path, module, function, named = helper
        local = f"_{function}" if site.helper_name_taken and function == FUNCTION else function
        imported = AddImport(site.path, module, function, local if local != function else None)
        return replace(
            finding,
            safety=Safety.UNSAFE if site.unsafe else Safety.SAFE,
            reason=site.unsafe,
            title=TITLE if function == FUNCTION else f"Make it with {function}(), your helper that keeps and logs it",
            intents=(
                rewrite(site, local, with_name=named),
                imported,
                *([DropImport(site.path, site.binding)] if site.binding else ()),
                *([AddModule(path, TEMPLATE, self.template_options)] if path else ()),
            ),
        )

    def unsuitable(self, site: TaskSite) -> str | None:
        """Why the checkout forbids a rewrite that the file alone would allow."""
        from perfmod.project.definitions import inherits_logging_handler, is_async_function

        if isinstance(site.coroutine, str) and not is_async_function(self.project, site.path, site.coroutine):
            return NO_COROUTINE
        if site.coroutine is False:
            return NO_COROUTINE
        if site.bases and inherits_logging_handler(self.project, site.path, site.bases):
            return "inside a logging handler: logging the failure would recurse"
        return None

    def helper(self, site: TaskSite) -> tuple[str | None, str, str, bool] | str:
        """Where the helper comes from: the module to create (None: it is there), the module to import, its function,
        whether it takes a name. A string is the reason why there is none."""
        from perfmod.project.layout import NoHelper

        own = self.existing(site)
        if own is not None:
            return own
        place = self.project.layout.helper(site.path, TEMPLATE, module=self.options.helper_module)
        if isinstance(place, NoHelper):
            return place.reason
        return place.path, place.module, FUNCTION, True

    def existing(self, site: TaskSite) -> tuple[None, str, str, bool] | None:
        """A helper of the checkout that does the same and takes what this site passes."""
        from perfmod.source.task_helpers import TaskHelper

        needed = site.keywords - {"coro", "coro_or_future", "name", "loop"} | ({"loop"} if site.loop else set())
        for helper in self.facts.of(TaskHelper):
            if not helper.takes_anything and not needed <= helper.accepts:
                continue
            if ("name" in site.keywords and "name" not in helper.accepts) or helper.path == site.path:
                continue
            module = self.project.layout.import_of(site.path, helper.path)
            if module is not None:
                return None, module, helper.function, "name" in helper.accepts
        return None


def rewrite(site: TaskSite, function: str, *, with_name: bool) -> RewriteCall:
    keywords = []
    if with_name and site.name is not None:
        keywords.append(("name", f"{site.quote}{site.name}{site.quote}"))
    if site.loop is not None:
        keywords.append(("loop", site.loop))
    positional = "coro_or_future" if "coro_or_future" in site.keywords else None
    return RewriteCall(site.span, function, keywords=tuple(keywords), positional=positional)
