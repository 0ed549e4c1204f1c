"""Looks for byte strings in files: the first thing that is asked of each, and of most the last.

StringZilla finds one at 8 GB/s, with the vector instructions of the processor; Python's own search at 1.5 GB/s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import stringzilla

#: find(data, needle, start, end) is data.find(needle, start, end), for places that are not negative
find: Callable[..., int] = stringzilla.find


def holds(data: bytes, needle: bytes) -> bool:
    """The same as `needle in data`."""
    return find(data, needle) >= 0


def places(data: bytes, needle: bytes, first: int = 0, last: int | None = None) -> Iterator[int]:
    """Every offset at which a needle begins behind the end of the one before."""
    last = len(data) if last is None else last
    start = find(data, needle, first, last)
    while start >= 0:
        yield start
        start = find(data, needle, start + len(needle), last)
