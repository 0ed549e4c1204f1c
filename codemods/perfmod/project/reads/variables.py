"""Who sets a variable of a module from elsewhere, and who may come to a function without writing its name as a name."""

from __future__ import annotations

import re

from perfmod.project.calls.callers import Calls
from perfmod.source.reads.escapes import MUTATORS

CHANGES = rb"""\.%%b\s*[-+*/|&]?=(?!=)                      # module.NAME = ..., Owner.NAME += ...
    |(?<![\w.])%%b\s*(?:\[[^\n]{0,1000}?\]\s*[-+*/|&]?|[-+*/|&])=(?!=)    # NAME["key"] = ..., NAME += ...
    |\b%%b\s*\.\s*(?:%b)\s*\(                                   # NAME.append(...)
    |\bdel\s+[\w.]*\b%%b\b
    |\bglobal\b[^\n]{0,1000}\b%%b\b
    |\b(?:setattr|delattr|patch\w*(?:\.\w+)?)\s*\([^\n]{0,1000}[\"'.]%%b[\"']   # setattr(module, "NAME", ...)""" % (
    "|".join(sorted(MUTATORS)).encode()
)
HIDING = (b"getattr(", b"globals()", b"import_module", b"__import__", b"sys.modules", b"vars(", b"__dict__")


class Variables:
    """Asks the whole checkout, tests excepted; told from the bytes."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._known: dict[str, str | None] = {}

    def setter(self, name: str) -> str | None:
        """A file that may set a variable of this name again, or change what it holds."""
        if name not in self._known:
            pattern = re.compile(CHANGES.replace(b"%b", re.escape(name).encode()), re.VERBOSE)
            raw = self._calls.mentions.raw
            self._known[name] = next(
                (path for path in self._calls.mentions.files_with(name) if pattern.search(raw(path))),
                None,
            )
        return self._known[name]

    def hidden_use(self, name: str) -> str | None:
        """A file that may call a function by a text with its name, or on a module that it gets by a text."""
        word, mentions = name.encode(), self._calls.mentions
        for path in mentions.files_with(name):
            data = mentions.raw(path)
            is_hidden = any(hiding in data for hiding in HIDING)
            if is_hidden and re.search(rb"[\"']%b[\"']|[)\]]\s*\.\s*%b\b" % (word, word), data):
                return path
        return None
