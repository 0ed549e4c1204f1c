"""One parsed file, and the verbs that rules use on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from perfmod.source.text import Text, Unreadable
    from perfmod.source.tree import Source

__all__ = ["Source", "Text", "Unreadable"]


def __getattr__(name: str) -> Any:
    """Import what is asked for, when it is: a run that parses nothing needs no tree-sitter."""
    from importlib import import_module

    if name not in __all__:
        raise AttributeError(name)
    return getattr(import_module("perfmod.source.tree" if name == "Source" else "perfmod.source.text"), name)
