"""`pattern` is re.compile for the constants of modules: what it gives is compiled at its first use.

Compiling costs 0.1 ms for each, and a run over a mixed checkout imports a hundred and uses a third of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

__all__ = ["Later", "pattern"]

if TYPE_CHECKING:
    from re import compile as pattern
else:

    def pattern(text, flags=0):
        """What re.compile gives. Raises re.error when it is first used."""
        return Later(text, flags)


class Later:
    """A pattern until somebody asks something of it; from then on, what it answers with is that of the compiled one."""

    def __init__(self, text: Any, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        compiled = re.compile(self._text, self._flags)
        self.__dict__.update({each: getattr(compiled, each) for each in ANSWERS})
        return getattr(compiled, name)


ANSWERS = tuple(name for name in dir(re.Pattern) if not name.startswith("_"))
