"""Facts about debug consoles: what loads one, and which bundler configuration names one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfmod.model import Span
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.source.consoles.gating import Gating
    from perfmod.source.script.conditions import Place


@dataclass(frozen=True, slots=True)
class ConsoleImport:
    """One import of a console package."""

    path: str
    span: Span
    package: str
    kind: str  #: as in source/script/imports.py
    place: Place  #: when the import itself is reached
    gating: Gating
    alone: bool  #: the module does nothing but start consoles
    embedded: bool  #: in a script of a .vue, .svelte or HTML file


@dataclass(frozen=True, slots=True)
class ConsoleAddress:
    """A console that is loaded from an address: a script element, or a string that looks like one."""

    path: str
    span: Span
    package: str
    place: Place | None  #: None for a script element


@dataclass(frozen=True, slots=True)
class ConsoleInBundler:
    """Bundler configuration that names a console package."""

    path: str
    package: str
