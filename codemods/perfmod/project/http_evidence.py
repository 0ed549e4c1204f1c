"""Evidence about HTTP clients that stands in another file than the request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from perfmod.project.definitions import source_of
from perfmod.source.http_clients import CLIENTS, Client

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.source.http_requests import Elsewhere

MAXIMUM_HOPS = 6
TEST = re.compile(r"^(?:test_.*|.*_test|conftest)\.pyi?$")


def client_elsewhere(project: Project, path: str, evidence: Elsewhere) -> Client | None:
    """The kind of client that a class, a class's attribute or a value of another file is."""
    from perfmod.source.instances import class_instance, instance_of, joined, local_classes, member
    from perfmod.source.python import Names

    for _ in range(MAXIMUM_HOPS):
        origin, attribute, is_value = evidence
        if origin in CLIENTS and not attribute and not is_value:
            return CLIENTS[origin]
        found = source_of(project, path, origin)
        if found is None:
            return None
        source, name = found
        names = Names(source)
        bindings = names.bindings(name).get(source.root.id, [])
        if len(bindings) != 1:
            return None
        binding = bindings[0]
        if binding.kind == "import":
            path, evidence = source.path, (binding.qualified, attribute, is_value)
            continue
        if binding.kind == "class" and binding.owner is not None and not is_value:
            if attribute:
                owners = local_classes(names, binding.owner)
                instance = joined(m for owner in owners for m in member(names, owner, attribute, 0))
            else:
                instance = class_instance(names, binding.owner, 0)
        elif is_value and binding.value is not None:
            instance = instance_of(names, binding.value)
        else:
            return None
        if instance is None:
            return None
        path, evidence = source.path, (instance.origin, instance.member, instance.is_value)
    return None


def decorator_loops(project: Project, path: str, origins: tuple[str, ...]) -> bool:
    """Whether a decorator of another file repeats what it decorates."""
    from perfmod.source.python import Names
    from perfmod.source.retry_loops import loops_around_try

    for origin in origins:
        found = source_of(project, path, origin)
        if found is None:
            continue
        source, name = found
        for binding in Names(source).bindings(name).get(source.root.id, ()):
            if binding.owner is not None and loops_around_try(binding.owner):
                return True
    return False


def is_test(path: str) -> bool:
    """Whether a file is a test: a retry would hide what it is to show."""
    *folders, name = path.split("/")
    return TEST.search(name) is not None or not {"tests", "test", "testing"}.isdisjoint(folders)
