"""What a checkout says about each request: whether it may be sent again, and through which method."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING

from perfmod.model import AddImport, AddModule, Facts, Finding, InsertMember, Intent, RewriteCall, Safety
from perfmod.project.http.bases import callers_in_bases
from perfmod.project.http.callers import Caller, callers_of, places, target_of
from perfmod.project.http.evidence import client_elsewhere, decorator_loops
from perfmod.project.http.messages import prospect
from perfmod.project.http.sites import Sites
from perfmod.project.layout.images import Images
from perfmod.project.layout.layout import Helper, NoHelper
from perfmod.source.http.facts import ModulePlace, RequestSite
from perfmod.source.http.requests import WRITES
from perfmod.source.http.retry_places import METHOD, TYPES_ONLY

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.rules.retry_requests import RetryOptions as Options
    from perfmod.templates.request_retry_forms import Member, Policy

RULE = "retry-requests"
TEMPLATE = "request_retry"
FUNCTION = "request_with_retry"
RESPONSES = "response_retry"
RESPONSE = "response_with_retry"
ONE_CALL = "a client for one call: nobody knows who calls this function, and how often they try already"
BLOCKING = "a sync client inside async def: its wait would block the event loop"
READ_FIRST = "the whole body is read before the block begins, also where the block would not read it"
UPLOAD = "an upload: a second one may store the file twice (option uploads)"


class Judgement:
    """The findings of one checkout."""

    def __init__(self, options: Options, facts: Facts, project: Project) -> None:
        self.options = options
        self.project = project
        self._helpers: dict[str, Helper | NoHelper] = {}
        found = Sites(facts, project)
        self.places = found.places
        self.sites = list(project.spread(self.known, found.sites))

    def known(self, sites: Sequence[RequestSite]) -> Iterator[RequestSite]:
        """The sites that are certainly requests, and that nothing repeats yet."""
        clients = cache(partial(client_elsewhere, self.project))
        for site in sites:
            if site.retried:
                continue
            if site.owner is not None and site.function in (*site.owner.retry_methods, METHOD):
                continue
            if site.origin is not None:
                client = clients(site.path, site.origin)
                if client is None:
                    continue
                site = replace(site, client=client, origin=None)
            by_client = "requests", "httpx" if self.options.backend == "httpx-retries" else ""
            if not site.bare and site.client.library in by_client:
                continue  # the finding is where the client is made
            if not decorator_loops(self.project, site.path, site.decorators):
                yield site

    def findings(self) -> Iterator[Finding]:
        for site in self.sites:
            yield self.finding(site)

    @cached_property
    def callers(self) -> Mapping[tuple[str, str, str], list[Caller]]:
        return callers_of(self.project, self.sites)

    def retrying_callers(self, site: RequestSite) -> tuple[list[Caller], bool]:
        """The callers that repeat the request already, and whether these are all that are known."""
        callers = [*self.callers.get(target_of(site), []), *self.callers_in_bases(site)]
        retrying = [caller for caller in callers if caller.retried]
        return retrying, len(retrying) == len(callers)

    @cached_property
    def callers_in_bases(self) -> Callable[[RequestSite], list[Caller]]:
        return cache(partial(callers_in_bases, self.project))

    def finding(self, site: RequestSite) -> Finding:
        finding = Finding(RULE, site.span, self.message(site), Safety.MANUAL)
        reason = self.unroutable(site)
        if reason is not None:
            return replace(finding, reason=reason)
        route = self.route(site)
        if isinstance(route, str):
            return replace(finding, reason=route)
        unsafe = self.unsafe(site)
        callee, intents = route
        return replace(
            finding,
            safety=Safety.UNSAFE if unsafe else Safety.SAFE,
            reason=unsafe,
            title=f"Send it through {callee.rpartition('.')[2]}()",
            intents=(rewrite(site, callee, idempotent=self.is_idempotent(site)), *intents),
        )

    def message(self, site: RequestSite) -> str:
        """What is wrong, and when the request would be sent again."""
        if self.unroutable(site) is not None:
            return "one attempt only: a dropped connection or a passing 503 is an error at once"
        retrying, _ = self.retrying_callers(site)
        also = f"; {places(retrying)} repeats it too" if retrying else ""
        always = self.options.retry_writes == "always"
        return prospect(site, idempotent=self.is_idempotent(site), always=always) + also

    def is_idempotent(self, site: RequestSite) -> bool:
        """Whether the checkout or the user says that this write may be carried out twice."""
        if site.payment or site.verb not in WRITES:
            return False
        name = f"{site.owner.name}.{site.function}" if site.owner is not None else site.function
        return site.keyed or name in self.options.idempotent

    def unroutable(self, site: RequestSite) -> str | None:
        library = site.client.library
        if library == "requests":
            return "requests: mount an HTTPAdapter(max_retries=Retry(...)) on a Session, and use that"
        if site.manual is not None:
            return site.manual
        if library == "aiohttp" and site.held is not None:
            return f"aiohttp: {site.held}"
        if self.late(site) == "under a condition":
            return f"{library} is optional here: a retry would need it always"
        if site.upload and not (self.options.uploads and site.unsafe is None):
            return UPLOAD
        retrying, all_of_them = self.retrying_callers(site)
        if retrying and all_of_them:
            return f"every caller repeats it already: {places(retrying)}"
        if site.owner is not None and site.owner.retry_methods:
            return f"the class has a retry method of its own: send this through {site.owner.retry_methods[0]}()"
        if library == "aiohttp" and self.options.retry_writes == "always":
            return "aiohttp: retry-writes is for httpx alone"
        if library == "httpx" and self.options.backend == "httpx-retries":
            return "no client: use one, and give it the transport RetryTransport()"
        return None

    def unsafe(self, site: RequestSite) -> str | None:
        if self.late(site):
            return f"{site.client.library} is imported {self.late(site)}: the retry needs it when the module is loaded"
        if site.unsafe is not None:
            return site.unsafe
        if not site.client.is_async and site.in_async:
            return BLOCKING
        if site.one_call and (site.owner is None or site.receiver == "httpx"):
            return ONE_CALL
        return READ_FIRST if site.client.library == "aiohttp" else None

    def late(self, site: RequestSite) -> str:
        """Where the client's library is imported, if not when the module is loaded."""
        place = self.places[site.path]
        return place.late_aiohttp if site.client.library == "aiohttp" else place.late

    def route(self, site: RequestSite) -> tuple[str, tuple[Intent, ...]] | str:
        """The callee and what it needs. A string is the reason why there is none."""
        sync = not site.client.is_async
        owner = site.owner
        if site.client.library == "aiohttp":
            return self.helped(site, self.project.layout.helper(site.path, RESPONSES), RESPONSE, RESPONSES)
        if owner is not None and has_method(site):
            return f"{owner.receiver}.{METHOD}", ()
        helper = self.helper(site)
        owners, kinds = self.groups[group_of(site, helper)]
        exists = isinstance(helper, Helper) and helper.path in self.project.paths
        alone = not exists and len(kinds) == 1
        if owner is not None and alone and len(owners) == 1:
            method = self.method(site, sync)
            if method is not None:
                return f"{owner.receiver}.{METHOD}", method
        if alone and (owners == {None} or isinstance(helper, NoHelper)):
            function = self.function(site, sync)
            if function is not None:
                return FUNCTION, function
        return self.helped(site, helper, f"{FUNCTION}_sync" if sync else FUNCTION, TEMPLATE)

    def helped(
        self, site: RequestSite, helper: Helper | NoHelper, function: str, template: str
    ) -> tuple[str, tuple[Intent, ...]] | str:
        """The function of a helper module, and what brings it here."""
        if isinstance(helper, NoHelper):
            return helper.reason
        image = self.images.without(helper.path, site.path)
        if image is not None:
            return f"{image} does not copy {helper.path}: let it, or say where (option helper-module)"
        taken = function in self.places[site.path].bound and not self.imports_helper(site.path, template, function)
        local = f"_{function}" if taken else function
        values = self.constants if template == RESPONSES else self.values
        imported = AddImport(site.path, helper.module, function, local if taken else None)
        return local, (imported, AddModule(helper.path, template, values))

    def imports_helper(self, path: str, template: str, function: str) -> bool:
        text = self.project.text(path)
        return text is not None and f"{template} import {function}".encode() in text.utf8

    @cached_property
    def policy(self) -> Policy:
        from perfmod.templates.request_retry_forms import Policy

        names = Policy.__dataclass_fields__
        return Policy(**{name: getattr(self.options, name) for name in names})

    @cached_property
    def values(self) -> tuple[tuple[str, object], ...]:
        return tuple(sorted((name, getattr(self.policy, name)) for name in type(self.policy).__dataclass_fields__))

    @cached_property
    def constants(self) -> tuple[tuple[str, object], ...]:
        return tuple(sorted(self.policy.constants.items()))

    @cached_property
    def images(self) -> Images:
        return Images(self.project)

    @cached_property
    def groups(self) -> dict[str, tuple[set[object], set[object]]]:
        """The sites that can be routed, by the place where their helper would be.

        Of each place the classes (None: a function), and the files with what their clients are.
        """
        groups: dict[str, tuple[set[object], set[object]]] = {}
        for site in self.sites:
            if site.client.library == "httpx" and not has_method(site) and self.unroutable(site) is None:
                owners, kinds = groups.setdefault(group_of(site, self.helper(site)), (set(), set()))
                owners.add((site.path, site.owner.span) if site.owner is not None else None)
                kinds.add((site.path, site.client.is_async))
        return groups

    def helper(self, site: RequestSite) -> Helper | NoHelper:
        if site.path not in self._helpers:
            layout = self.project.layout
            self._helpers[site.path] = layout.helper(site.path, TEMPLATE, module=self.options.helper_module)
        return self._helpers[site.path]

    def method(self, site: RequestSite, sync: bool) -> tuple[Intent, ...] | None:
        """What puts the method into the site's class; None where a name that it needs is taken."""
        place, owner = self.places[site.path], site.owner
        if owner is None or owner.method_is_async is not None or place.late == TYPES_ONLY:
            return None
        anchor = next((span for start, span in place.anchors if start == owner.span.start), None)
        member = self.member(place, sync=sync, method=True)
        if anchor is None or place.clashes(member.names, member.imports):
            return None
        return (
            InsertMember(anchor, member.definitions, member.names[0]),
            InsertMember(owner.anchor, member.method, METHOD),
            *(AddImport(site.path, module, name) for module, name in member.imports),
        )

    def function(self, site: RequestSite, sync: bool) -> tuple[Intent, ...] | None:
        """What puts the function into the site's module."""
        place = self.places[site.path]
        if FUNCTION in place.bound:
            return () if self.has_function(site.path, sync) else None
        member = self.member(place, sync=sync, method=False)
        if place.function_anchor is None or place.late == TYPES_ONLY or place.clashes(member.names, member.imports):
            return None
        return (
            InsertMember(place.function_anchor, f"{member.definitions}\n\n\n{member.method}", FUNCTION),
            *(AddImport(site.path, module, name) for module, name in member.imports),
        )

    def has_function(self, path: str, sync: bool) -> bool:
        text = self.project.text(path)
        start = b"def " if sync else b"async def "
        pattern = rb"^" + start + FUNCTION.encode() + rb"\(\r?\n    client\b"
        return text is not None and re.search(pattern, text.utf8, re.MULTILINE) is not None

    def member(self, place: ModulePlace, *, sync: bool, method: bool) -> Member:
        from perfmod.templates.request_retry_forms import render_member

        return render_member(
            self.policy,
            sync=sync,
            method=method,
            logger=place.logger,
            typed=place.typed,
            new_unions=place.new_unions,
        )


def group_of(site: RequestSite, helper: Helper | NoHelper) -> str:
    return helper.path if isinstance(helper, Helper) else site.path


def has_method(site: RequestSite) -> bool:
    """Whether the class has perfmod's method already, for this kind of client."""
    return site.owner is not None and site.owner.method_is_async is site.client.is_async


def rewrite(site: RequestSite, callee: str, *, idempotent: bool) -> RewriteCall:
    verb = f"{site.quote}{site.method}{site.quote}"
    keywords = (("idempotent", "True"),) if idempotent else ()
    positional = "method" if site.verb_keyword else None
    return RewriteCall(site.span, callee, prepend=(site.receiver, verb), keywords=keywords, positional=positional)
