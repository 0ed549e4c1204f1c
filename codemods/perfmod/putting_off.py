"""Modules that the standard library imports for what few runs need. Here they are imported when they are first used."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType


class PutOff(ModuleType):
    """Stands for a module until something of it is asked for.

    importlib.util.LazyLoader can't: the next `import` of such a module loads it.
    """

    def __getattr__(self, name: str) -> object:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        module = import_module(self.__name__)
        self.__dict__.update(vars(module))
        return getattr(module, name)


def put_off(name: str) -> None:
    """Have a module imported at its first use."""
    if name not in sys.modules:
        sys.modules[name] = PutOff(name)


put_off("inspect")  # for dataclasses, which makes docstrings with it: 6 ms
put_off("ipaddress")  # for urllib.parse, which pathlib needs: 2 ms
