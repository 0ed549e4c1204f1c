"""Looks for byte strings in files: the first thing that is asked of each, and of most the last.

StringZilla finds one at 8 GB/s, with the vector instructions of the processor; Python's own search at 1.5 GB/s.
"""

from __future__ import annotations

from stringzilla import find


def holds(data: bytes, needle: bytes) -> bool:
    """The same as `needle in data`."""
    return find(data, needle) >= 0  # type: ignore[no-any-return]


class Held(dict[bytes, bool]):
    """Which needles a file holds: each is looked for once, when somebody first asks."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __missing__(self, needle: bytes) -> bool:
        found = self[needle] = holds(self.data, needle)
        return found
