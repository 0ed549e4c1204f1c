"""Whole words in bytes: the cheapest question that can be asked of a file."""

from __future__ import annotations

import re
from collections.abc import Iterator

WORD_BYTES = frozenset(bytes((byte,)) for byte in range(256) if byte >= 0x80 or chr(byte).isalnum() or byte == 0x5F)

# What stands before `.create_task` where it may be asyncio's: the module, a loop, a call or an item.
TASK_RECEIVER = re.compile(rb"(?:asyncio|loop|tasks|[)\]])[\s\\]*\.[\s\\]*\Z")
# asyncio, or its tasks, under another name; a loop under any name.
RENAMED = (b"asyncio as", b"tasks as", b"= asyncio\n", b"= asyncio\r")
LOOP_MADE = (b"EventLoop", b"_event_loop(", b"_running_loop(")
# What stands before a call that is a statement of its own.
STATEMENT_START = re.compile(rb"(?:^|[\n;:])[ \t]*(?:\w+[ \t]*=[ \t]*)?[\w.()]*\Z")

# What stands before a call whose value is awaited or given back, and before the name of a definition.
KEPT = re.compile(rb"\b(?:await|return|def)[ \t]+[\w.]*\Z")
# What follows asyncio.Task where it is a type or a word of a sentence, not called and not given another name.
NO_CALL = re.compile(rb"[ \t]*[\[\]|,.:=)\"'`]")


def starts_of_word(data: bytes, word: bytes) -> Iterator[int]:
    """Every offset at which `word` stands as a whole word. Faster than a pattern with word boundaries."""
    start = data.find(word)
    while start >= 0:
        end = start + len(word)
        if data[start - 1 : start] not in WORD_BYTES and data[end : end + 1] not in WORD_BYTES:
            yield start
        start = data.find(word, end)


def may_make_tasks(data: bytes) -> bool:
    """Whether parsing a Python file could find an asyncio task that is let go."""
    if any(renamed in data for renamed in RENAMED):
        return True
    any_receiver = any(made in data for made in LOOP_MADE)
    for word in (b"create_task", b"ensure_future", b"run_coroutine_threadsafe"):
        for start in starts_of_word(data, word):
            may_be_loop = any_receiver or data[start - 1 : start] != b"."
            if (may_be_loop or TASK_RECEIVER.search(data, max(0, start - 40), start)) and not is_kept(data, start):
                return True
    bare = (b"gather", b"shield") if b"from asyncio" in data else (b"asyncio.gather", b"asyncio.shield")
    for word in (*bare, b"asyncio.Task", b"asyncio.tasks.Task", b"run_in_executor"):
        for start in starts_of_word(data, word):
            is_type = word.endswith(b"Task") and NO_CALL.match(data, start + len(word))
            if not is_type and STATEMENT_START.search(data, max(0, start - 120), start) and not is_kept(data, start):
                return True
    return False


def is_kept(data: bytes, start: int) -> bool:
    """Whether what is called at `start` is awaited or given back, or no call: a definition, a comment."""
    line = data.rfind(b"\n", 0, start) + 1
    return data[line:start].lstrip().startswith(b"#") or KEPT.search(data, line, start) is not None
