"""Consoles that are no imports of the code: script elements, addresses, builds that call themselves development."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from perfmod.model import Facts, Finding, Note, Safety, Span
from perfmod.patterns import pattern
from perfmod.project.web.packages import Manifest, Packages
from perfmod.project.web.reaching import Reaching
from perfmod.source.consoles.facts import ConsoleAddress, ConsoleImport
from perfmod.source.members import Object
from perfmod.source.script.conditions import When

if TYPE_CHECKING:
    from perfmod.project import Project

WORKFLOW = pattern(
    r"(?:\A|/)(?:\.github/workflows/[^/]+\.ya?ml|\.gitlab-ci\.ya?ml|Dockerfile|\.env(?:\.production)?)\Z"
)
DEVELOPMENT = pattern(rb"^[^#\n]*\bNODE_ENV['\"]?\s*[:=]\s*['\"]?(?:development|dev)\b.*$", re.M)


def at_addresses(rule: str, facts: Facts, project: Project, reaching: Reaching) -> Iterator[Finding | Note]:
    """Consoles that come from another server."""
    for fact in facts.of(ConsoleAddress):
        message = f"{fact.package} is a debug console, and production loads it from another server"
        if fact.place is None:
            if is_page(project.packages, fact.path):
                reason = "a script element: load it from the entry module under the guard"
                yield Finding(rule, fact.span, message, Safety.MANUAL, reason=reason)
            continue
        place = reaching.of(fact.path, fact.place)
        if place.when is When.SWITCH:
            text = f"{fact.package} is loaded behind a switch and ships with it: {place.detail}"
            yield Note(rule, fact.span, text)
        elif place.when is not When.DEVELOPMENT:
            reason = "loaded from an address: import the package under the guard"
            yield Finding(rule, fact.span, message, Safety.MANUAL, reason=reason)


def is_page(packages: Packages, path: str) -> bool:
    """Whether an HTML file is a page of the application, not a dump or a document. Other files are."""
    folder, _, name = path.rpartition("/")
    if not path.endswith(".html") or name == "index.html":
        return True
    owner = packages.owner(path)
    return owner is not None and folder in (owner.folder, f"{owner.folder}/public".lstrip("/"))


def at_builds(rule: str, facts: Facts, project: Project) -> Iterator[Finding]:
    """Builds that call themselves development: there no guard helps. Only where there is a console to keep."""
    message = "a build with NODE_ENV=development keeps the debug consoles, whatever guards them"
    reason = "build with NODE_ENV=production"
    owners = {m.path: m for site in facts.of(ConsoleImport) if (m := project.packages.owner(site.path)) is not None}
    for owner in owners.values():
        for script in owner.development_builds:
            yield Finding(rule, span_in(project, owner, "scripts", script), message, Safety.MANUAL, reason=reason)
    for path in project.files if owners else ():
        if WORKFLOW.search(path) and (text := project.text(path)) is not None and b"build" in text.utf8:
            for match in DEVELOPMENT.finditer(text.utf8):
                span = Span(path, match.start() + len(match[0]) - len(match[0].lstrip()), match.end())
                yield Finding(rule, span, message, Safety.MANUAL, reason=reason)


def span_in(project: Project, manifest: Manifest, section: str, key: str) -> Span:
    """Where a member of a section of a package.json stands."""
    text = project.text(manifest.path)
    block = Object.read(text) if text is not None else None
    found = block.get(section) if block is not None else None
    if found is None or key not in found.keys:
        return Span(manifest.path, 0, 0)
    index = found.keys.index(key)
    return Span(manifest.path, found.start(index), found.end(index))
