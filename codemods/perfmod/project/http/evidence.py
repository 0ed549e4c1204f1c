"""Evidence about HTTP clients that stands in another file than the request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfmod.patterns import pattern
from perfmod.project.calls.definitions import source_of
from perfmod.source.http.clients import NO_NETWORK, client_kind, retries_by_itself, transport_text
from perfmod.source.http.facts import Client, Elsewhere

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.source.python.instances import Instance
    from perfmod.source.python.names import Names

MAXIMUM_HOPS = 6
TEST = pattern(r"^(?:test_.*|.*_test|conftest)\.pyi?$")


def client_elsewhere(project: Project, path: str, evidence: Elsewhere) -> Client | None:
    """The kind of client that a class, a function, a value of another file is, or what is reached from there."""
    from perfmod.source.python.instances import member_of_instance

    for _ in range(MAXIMUM_HOPS):
        origin, member, is_value = evidence
        found = defined(project, path, origin, is_value)
        if found is None:
            return None
        names, whose = found
        instance = member_of_instance(names, whose, member) if member else whose
        client = client_kind(instance)
        if instance is None or client is not None or not instance.origin:
            text = transport_text(names, instance.construction if instance is not None else None)
            return None if NO_NETWORK.search(text) or retries_by_itself(text) else client
        path, evidence = names.source.path, (instance.origin, instance.member, instance.is_value)
    return None


def defined(project: Project, path: str, origin: str, is_value: bool) -> tuple[Names, Instance] | None:
    """What the one definition of an origin says, in its own file."""
    from perfmod.source.python.event_loops import annotation_of
    from perfmod.source.python.instances import Instance, annotated, class_instance, instance_of, returned
    from perfmod.source.python.names import Names

    found = source_of(project, path, origin)
    if found is None:
        return None
    source, name = found
    names = Names(source)
    bindings = [b for b in names.bindings(name).get(source.root.id, []) if b.value is None or b.value.type != "none"]
    if len(bindings) != 1:
        return None
    binding = bindings[0]
    instance = None
    if binding.kind == "import":
        instance = Instance(binding.qualified, is_value=is_value)
    elif binding.owner is not None and not is_value:
        is_class = binding.kind == "class"
        instance = class_instance(names, binding.owner) if is_class else returned(names, binding.owner, 0)
    elif is_value and (annotation := annotation_of(binding)) is not None:
        instance = annotated(names, annotation)
    elif is_value and binding.value is not None:
        instance = instance_of(names, binding.value)
    return (names, instance) if instance is not None else None


def decorator_loops(project: Project, path: str, origins: tuple[str, ...]) -> bool:
    """Whether a decorator of another file repeats what it decorates."""
    from perfmod.source.http.retry_loops import loops_around_try
    from perfmod.source.python.names import Names

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
