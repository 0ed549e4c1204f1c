"""Who calls the function around a request, and whether they repeat it already: retries inside retries multiply."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

from perfmod.patterns import pattern
from perfmod.source.http.facts import RequestSite
from perfmod.values import dataclass

if TYPE_CHECKING:
    from tree_sitter import Node

    from perfmod.project import Project
    from perfmod.source.python.names import Names

NEAR = 4_000  # bytes before and after a call in which a loop, a decorator or an except clause would stand
RETRIES = pattern(rb"retr(?:y|ies|ying)|backoff|tenacity|stamina|on_exception|on_predicate", re.IGNORECASE)
LOOP = pattern(rb"\b(?:for|while)\b")
DEFINED = pattern(rb"\bdef\s+(\w+)")

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


def places(callers: Iterable[Caller]) -> str:
    return ", ".join(f"{caller.path}:{caller.line}" for caller in callers)


def callers_of(project: Project, sites: Iterable[RequestSite]) -> Mapping[Target, list[Caller]]:
    """The resolved calls of those functions that the sites stand in and that some caller repeats.

    The bytes around a call say whether it can be repeated at all. Only a function with such a caller is worth the
    parsing of all files that call it.
    """
    calling = files_calling(project, {target_of(site) for site in sites if site.function})
    suspects = {
        target
        for path, targets in calling.items()
        for target, caller in calls_where(project, path, targets, may_be_repeated)
        if caller.retried
    }
    found: dict[Target, list[Caller]] = {}
    for path, targets in calling.items() if suspects else ():
        for target, caller in calls_where(project, path, targets & suspects, lambda raw, start: True):
            found.setdefault(target, []).append(caller)
    return found


def files_calling(project: Project, targets: set[Target]) -> dict[str, set[Target]]:
    """The files that catch errors and may call one of the targets, which they spell with its class and module."""
    found: dict[str, set[Target]] = {}
    for target in targets:
        path, owner, function = target
        words = [word for word in (function.encode(), owner.encode(), module_word(path)) if word]
        for file in {path, *project.mentions.reaching(*words)}:
            found.setdefault(file, set()).add(target)
    return {path: found[path] for path in sorted(found) if b"except" in project.mentions.raw(path)}


def calls_where(
    project: Project, path: str, targets: set[Target], holds: Callable[[bytes, int], bool]
) -> Iterator[tuple[Target, Caller]]:
    """The calls of a file that mean one of the targets; the file is parsed only where `holds` is true of one."""
    raw, called = project.mentions.raw(path), calls_of(frozenset(target[2] for target in targets))
    if targets and any(holds(raw, match.start()) for match in called.finditer(raw)):
        yield from calls_in(project, path, called, targets)


def module_word(path: str) -> bytes:
    """The last name of a module as an import spells it; nothing of a package, which may be just a dot."""
    name = path.removesuffix(".py").rpartition("/")[2]
    return b"" if name == "__init__" else name.encode()


@cache
def calls_of(names: frozenset[str]) -> re.Pattern[bytes]:
    return re.compile(rb"\b(" + "|".join(map(re.escape, sorted(names))).encode() + rb")\s*\(")


def may_be_repeated(raw: bytes, start: int) -> bool:
    """Whether the bytes around a call leave room for a loop, a retrying decorator or block, or a second attempt."""
    before, after = raw[max(0, start - NEAR) : start], raw[start : start + NEAR]
    if RETRIES.search(before) or RETRIES.search(after):
        return True
    if b"except" not in after:
        return False
    name = after[: after.index(b"(")].rstrip()
    own = DEFINED.findall(before)[-1:]
    return LOOP.search(before) is not None or after.count(name) > 1 or any(function in after for function in own)


def calls_in(
    project: Project, path: str, called: re.Pattern[bytes], targets: set[Target]
) -> Iterator[tuple[Target, Caller]]:
    """The calls of a file that certainly mean one of the targets."""
    from perfmod.source.http.retry_loops import retried_by
    from perfmod.source.python.names import Names
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
    from perfmod.source.python.instances import instance_of, self_member
    from perfmod.source.python.names import Bound, Imported

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
    module, _, name = origin.rpartition(".")
    found = project.layout.module_path(path, module) if module else None
    return None if found is None else (found, name, method) if method else (found, "", name)


def one_of(targets: set[Target], target: Target | None) -> Target | None:
    return target if target in targets else None
