"""Modules that the standard library imports for what few runs need. Here they are imported when they are first used."""

from __future__ import annotations

import sys
from importlib.util import LazyLoader, find_spec, module_from_spec


def put_off(name: str) -> None:
    """Have a module imported when something of it is asked for (importlib.util.LazyLoader)."""
    spec = None if name in sys.modules else find_spec(name)
    if spec is None or spec.loader is None:
        return
    spec.loader = LazyLoader(spec.loader)
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)


put_off("inspect")  # for dataclasses, which documents classes without a docstring with it: 7 ms
put_off("ipaddress")  # for urllib.parse, which pathlib needs: 2 ms
