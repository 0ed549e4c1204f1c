"""The helper that a site calls: one that the checkout has already, or perfmod's own module."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from perfmod.project.layout.layout import NoHelper
from perfmod.project.layout.loading import may_load
from perfmod.source.python.names import Binding, Names, only_for_type_checking
from perfmod.source.tasks.facts import TaskHelper
from perfmod.source.tree import Source
from perfmod.source.words import starts_of_word
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.model import Facts
    from perfmod.project import Project
    from perfmod.source.tasks.facts import TaskSite

FUNCTION = "create_background_task"


@dataclass(frozen=True, slots=True)
class Use:
    """A helper function as one site uses it."""

    function: str
    local: str  #: what the site's file calls it
    module: str | None  #: to import it from; None where the file does already
    created: str | None = None  #: the path of perfmod's own module
    takes_name: bool = True


class Helpers:
    """All helpers of a checkout."""

    def __init__(self, facts: Facts, project: Project, module: str | None) -> None:
        self.project = project
        self.wanted_module = module
        self.existing = facts.of(TaskHelper)
        self._may_load = cache(lambda path, target: may_load(project, path, target))

    def of(self, site: TaskSite) -> Use | str:
        """The helper of a site: best one that its file imports already, then one that takes a name, then perfmod's own.

        A string is the reason why there is none.
        """
        uses = [use for helper in self.existing if fits(helper, site) and (use := self.use(helper, site))]
        best = min(uses, key=lambda use: (use.module is not None, not use.takes_name), default=None)
        return best or self.ours(site)

    def ours(self, site: TaskSite) -> Use | str:
        place = self.project.layout.helper(site.path, "background_tasks", module=self.wanted_module)
        if isinstance(place, NoHelper):
            return place.reason
        taken = any(
            binding.qualified != f"{place.module}.{FUNCTION}"
            and not self.imports(site.path, binding, place.path, FUNCTION)
            for binding in self.bindings(site.path, FUNCTION)
        )
        return Use(FUNCTION, f"_{FUNCTION}" if taken else FUNCTION, place.module, created=place.path)

    def use(self, helper: TaskHelper, site: TaskSite) -> Use | None:
        """How a site's file uses a helper of another file; None where that is not sure to work."""
        takes_name = "name" in helper.accepts
        bindings = self.bindings(site.path, helper.function)
        ours = [binding for binding in bindings if self.imports(site.path, binding, helper.path, helper.function)]
        if len(ours) == len(bindings) and any(binding.scope.type == "module" for binding in ours):
            return Use(helper.function, helper.function, None, takes_name=takes_name)
        module = self.project.layout.import_of(site.path, helper.path)
        if module is None or self._may_load(helper.path, site.path):
            return None
        local = f"_{helper.function}" if len(ours) < len(bindings) else helper.function
        return Use(helper.function, local, module, takes_name=takes_name)

    def bindings(self, path: str, name: str) -> list[Binding]:
        """Where a file binds a name. It is parsed only if it holds the word."""
        text = self.project.text(path)
        if text is None or next(starts_of_word(text.utf8, name.encode()), None) is None:
            return []
        names = Names(Source(text, "python"))
        return [
            binding
            for found in names.bindings(name).values()
            for binding in found
            if not only_for_type_checking(binding.node, names)
        ]

    def imports(self, path: str, binding: Binding, helper: str, function: str) -> bool:
        """Whether a binding of the file `path` is an import of a function of the module `helper`."""
        module, _, name = binding.qualified.rpartition(".")
        return name == function and self.project.layout.module_path(path, module or ".") == helper


def fits(helper: TaskHelper, site: TaskSite) -> bool:
    """Whether a helper takes what a site passes."""
    keywords = site.keywords - {"coro", "coro_or_future"} | ({"loop"} if site.loop else frozenset())
    named = site.name is not None or "name" in site.keywords
    return helper.path != site.path and helper.takes(keywords) and (named or not helper.needs_name)
