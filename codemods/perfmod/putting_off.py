"""Modules that others import for what few runs need. Here they are imported when they are first used."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class PutOff(ModuleType):
    """Stands for a module until something of it is asked for.

    importlib.util.LazyLoader can't: the next `import` of such a module loads it.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(loaded(self), name)


def loaded(stand_in: PutOff) -> ModuleType:
    """The module itself. What has been imported of the stand-in is the same from now on."""
    name = stand_in.__name__
    if sys.modules.get(name) is stand_in:
        del sys.modules[name]
    module = import_module(name)
    for each, value in vars(stand_in).items():
        vars(module).setdefault(each, value)  # a submodule may have been imported before its package
    stand_in.__dict__.update(vars(module))
    return module


def put_off(name: str) -> None:
    """Have a module imported at its first use."""
    if name not in sys.modules:
        sys.modules[name] = PutOff(name)


def put_off_package(package: str, name: str, function: str) -> None:
    """Have a package inside of another imported at its first use. `function` of it may be imported before that."""
    if f"{package}.{name}" in sys.modules:
        return
    outer, module = import_module(package), PutOff(f"{package}.{name}")
    module.__path__ = [f"{folder}/{name}" for folder in outer.__path__]  # `from` asks for it
    setattr(module, function, later(module, function))
    sys.modules[module.__name__] = module
    setattr(outer, name, module)


def later(module: PutOff, function: str) -> Any:
    def call(*arguments: Any, **keywords: Any) -> Any:
        return getattr(loaded(module), function)(*arguments, **keywords)

    return call


put_off("inspect")  # for dataclasses, which makes docstrings with it: 6 ms
put_off("locale")  # for subprocess, which asks it for encodings: 2 ms
put_off("ipaddress")  # for urllib.parse, which pathlib needs: 2 ms
put_off_package("importlib", "resources", "files")  # for tree-sitter's grammars, which read queries with it: 7 ms
