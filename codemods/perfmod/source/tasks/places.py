"""Places where a supervised task would do harm."""

from __future__ import annotations

from tree_sitter import Node

from perfmod.source.python.names import Bound, Imported, Names, enclosing_class
from perfmod.source.tree import ancestors

LOGGING_PARTS = ("Handler", "Filter", "Formatter", "Logger", "LoggerAdapter")


def forbidden_place(names: Names, node: Node) -> str | None:
    """Why a place must not get a strong reference or a log call; None where it may."""
    child = node
    for parent in ancestors(node):
        if parent.type == "function_definition" and parent.child_by_field_name("body") == child:
            name = parent.child_by_field_name("name")
            if name is not None and names.source.code(name) == "__del__":
                return "inside `__del__`: a strong reference would revive the object"
            if takes_event_dict(names, parent):
                return "inside a structlog processor: logging the failure would recurse"
        child = parent
    if any(is_logging_base(base) for base in class_bases(names, node)):
        return "inside a logging handler: logging the failure would recurse"
    return None


def is_logging_base(origin: str) -> bool:
    """Whether a class of the logging module takes part in logging a record."""
    return origin.startswith("logging.") and origin.endswith(LOGGING_PARTS)


def takes_event_dict(names: Names, function: Node) -> bool:
    """structlog's processors get (logger, method_name, event_dict)."""
    parameters = function.child_by_field_name("parameters")
    last = [p for p in parameters.named_children if p.type != "comment"][-1:] if parameters is not None else []
    return bool(last) and names.source.code(last[0]).partition(":")[0].strip() == "event_dict"


def class_bases(names: Names, node: Node) -> tuple[str, ...]:
    """The dotted origins of all bases of the class around a place, as far as this file tells."""
    owner = enclosing_class(node)
    found: list[str] = []
    seen = set()
    waiting = [owner] if owner is not None else []
    while waiting:
        definition = waiting.pop()
        if definition.id in seen:
            continue
        seen.add(definition.id)
        bases = definition.child_by_field_name("superclasses")
        for base in bases.named_children if bases is not None else ():
            meaning = names.meaning(base)
            if isinstance(meaning, Imported):
                found.append(meaning.qualified)
            elif isinstance(meaning, Bound) and meaning.only is not None and meaning.only.kind == "class":
                waiting.append(meaning.only.owner or definition)
    return tuple(dict.fromkeys(found))
