"""Whole words in bytes: the cheapest question that can be asked of a file."""

from __future__ import annotations

from collections.abc import Iterator

WORD_BYTES = frozenset(bytes((byte,)) for byte in range(256) if byte >= 0x80 or chr(byte).isalnum() or byte == 0x5F)


def starts_of_word(data: bytes, word: bytes) -> Iterator[int]:
    """Every offset at which `word` stands as a whole word. Faster than a pattern with word boundaries."""
    start = data.find(word)
    while start >= 0:
        end = start + len(word)
        if data[start - 1 : start] not in WORD_BYTES and data[end : end + 1] not in WORD_BYTES:
            yield start
        start = data.find(word, end)
