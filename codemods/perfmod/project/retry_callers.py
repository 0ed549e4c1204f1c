"""Who calls the function around a request, and whether they repeat it already: retries inside retries multiply."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perfmod.project.definitions import source_of
from perfmod.source.http_requests import RequestSite

if TYPE_CHECKING:
    from tree_sitter import Node

    from perfmod.project import Project
    from perfmod.source.python import Names

#: The function that a site stands in: its file, its class or "", its name.
Target = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Caller:
    """A call of a function that sends a request."""

    path: str
    line: int
    retried: bool


def target_of(site: RequestSite) -> Target:
    return site.path, site.owner.name if site.owner is not None else "", site.function


def callers_of(project: Project, sites: Iterable[RequestSite]) -> Mapping[Target, list[Caller]]:
    """The resolved calls of the functions that the sites stand in."""
    targets = {target_of(site) for site in sites if site.function}
    names = sorted({function for _, _, function in targets})
    found: dict[Target, list[Caller]] = {}
    if not names:
        return found
    called = re.compile(rb"\b(" + "|".join(map(re.escape, names)).encode() + rb")\s*\(")
    for path in project.files:
        raw = project.raw(path) if path.endswith(".py") else None
        if raw is None or b"except" not in raw or not called.search(raw):
            continue
        for target, caller in calls_in(project, path, called, targets):
            found.setdefault(target, []).append(caller)
    return found


def calls_in(
    project: Project, path: str, called: re.Pattern[bytes], targets: set[Target]
) -> Iterator[tuple[Target, Caller]]:
    """The calls of a file that certainly mean one of the targets."""
    from perfmod.source.python import Names
    from perfmod.source.retry_loops import retried_by
    from perfmod.source.tree import Source

    text = project.text(path)
    if text is None:
        return
    source = Source(text, "python")
    if source.error is not None:
        return
    names = Names(source)
    for node in source.find(called):
        member = node.parent if node.parent is not None and node.parent.type == "attribute" else node
        call = member.parent
        if call is None or call.type != "call" or call.child_by_field_name("function") != member:
            continue
        target = meant(project, names, member, targets)
        if target is not None:
            yield target, Caller(path, text.position(call.start_byte)[0], retried_by(names, call) is not None)


def meant(project: Project, names: Names, function: Node, targets: set[Target]) -> Target | None:
    """The target that a called expression means."""
    from perfmod.source.instances import instance_of, self_member
    from perfmod.source.python import Bound, Imported

    code, path = names.source.code, names.source.path
    owner, member = self_member(names, function)
    if owner is not None:
        name = owner.child_by_field_name("name")
        return one_of(targets, (path, code(name) if name is not None else "", member))
    meaning = names.meaning(function)
    if isinstance(meaning, Imported):
        return one_of(targets, resolved(project, path, meaning.qualified, ""))
    if isinstance(meaning, Bound):
        return one_of(targets, (path, "", code(function)))
    receiver, attribute = function.child_by_field_name("object"), function.child_by_field_name("attribute")
    if receiver is None or attribute is None:
        return None
    instance = instance_of(names, receiver)
    if instance is None or not instance.origin or instance.member or instance.is_value:
        return None
    return one_of(targets, resolved(project, path, instance.origin, code(attribute)))


def resolved(project: Project, path: str, origin: str, method: str) -> Target | None:
    found = source_of(project, path, origin)
    if found is None:
        return None
    source, name = found
    return (source.path, name, method) if method else (source.path, "", name)


def one_of(targets: set[Target], target: Target | None) -> Target | None:
    return target if target in targets else None
