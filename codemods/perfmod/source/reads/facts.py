"""Facts about files: the reads of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfmod.model import Span
from perfmod.source.reads.values import Value
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.source.python.functions import Function
    from perfmod.source.reads.repeats import Loop


@dataclass(frozen=True, slots=True)
class Read:
    """A call that reads a file from disk and blocks while it does."""

    path: str
    span: Span
    verb: str  #: `open`, `read_text`, `pandas.read_csv`
    file: Value
    function: Function
    loop: Loop
    invariant: bool  #: every argument is the same in each round of the loop
    remembered: bool  #: it stands behind a check whether its result is there already
