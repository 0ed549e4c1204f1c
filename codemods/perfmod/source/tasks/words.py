"""Whether a Python file may let a task go: told from its bytes, before anything is imported that parses.

Everything here may only rule out what parsing would rule out as well; whatever is in doubt is parsed.
"""

from __future__ import annotations

import re

from perfmod.needles import holds
from perfmod.patterns import pattern
from perfmod.source.words import starts_of_word

# What stands before `.create_task` where it may be asyncio's: the module, a loop, a call or an item.
TASK_RECEIVER = pattern(rb"(?:asyncio|loop|tasks|[)\]])[\s\\]*\.[\s\\]*\Z")
# asyncio, or its tasks, under another name: what says so, and what stands before it where that is code.
ASSIGNED_TO = (b"= asyncio\n", b"= asyncio\r")
IMPORTED_AS = (b"asyncio as", b"tasks as")
IMPORT = pattern(rb"(?:\bimport|[,(\n]|^)[ \t\\]*(?:asyncio\.)?\Z")
# a loop under any name
LOOP_MADE = (b"EventLoop", b"_event_loop(", b"_running_loop(")

# What stands before a call that is a statement of its own.
STATEMENT_START = pattern(rb"(?:^|[\n;:])[ \t]*(?:\w+[ \t]*=[ \t]*)?[\w.()]*\Z")
# What stands before a call whose value is awaited or given back, and before the name of a definition.
KEPT = pattern(rb"\b(?:await|return|def)[ \t]+[\w.()\[{]*\Z")
# `self.task = `, `tasks[key] = `, `self.tasks.append(`
STORED = pattern(
    rb"[ \t]*(?:[\w.]+(?:\.\w+|\[[^\n=\[\]]*\])(?:[ \t]*:[^=\n]+|[ \t]*)=[ \t]*[\[{(]?"
    rb"|\w+\.[\w.]+\.(?:append|add|insert|appendleft|setdefault)\()[\w.()]*\Z"
)
# `task = `, `tasks = [`, `tasks.append(`
ASSIGNED = pattern(
    rb"([ \t]+)(\w+)(?:(?:[ \t]*:[^=\n]+)?[ \t]*=[ \t]*[\[{(]?[\w.()]*|\.(?:append|add|insert|appendleft)\([\w.()]*)\Z"
)
CALLED = pattern(rb"[ \t]*\(")
CALLED_OR_RENAMED = pattern(rb"[ \t]*(?:\(|as\b)")
OF_A_NAME = pattern(rb"[ \t]*\(\s*\w+\s*[,)]")
GIVEN_A_NAME = pattern(rb"=[ \t]*[\w.]*\Z")
IMPORTED = pattern(rb"[ \t]*from[ \t]+[\w.]+[ \t]+import[ \t]++[\w, \t]*\Z")
QUOTED = pattern(rb"[\"'`][\w.]*\Z")
FUNCTION = pattern(rb"^([ \t]*)(async[ \t]+)?def[ \t]", re.MULTILINE)
STRINGS = pattern(rb"\"\"\"|'''")
# A line that awaits, gives back or goes through something, as far as no string or comment begins.
USING = pattern(
    rb"\n[ \t]{0,100}(?:(?:[\w., \t\[\]]{1,200}=[ \t]*)?(?:return|await)\b"
    rb"|(?:async[ \t]+)?for[ \t][\w, \t]{1,200}[ \t]in\b)([^\n#\"']*)"
)
# A line that stores a variable.
STORING = pattern(
    rb"\n[ \t]{0,100}(?:[\w.]{1,100}(?:\.\w+|\[[^\n=\[\]]{1,200}\])[ \t]*=[ \t]*|\w+\.[\w.]{1,100}\.(?:append|add)\()"
    rb"(\w+)[ \t]*+(?:\)[ \t]*+)?(?=\r?\n)"
)
COLLECTING = pattern(rb"\n[ \t]*(\w+)\.(?:append|add)\((\w+)\)")
# What stands behind a name that is a keyword argument, and behind one that is given a value.
AS_KEYWORD = pattern(rb"[ \t]*=[^=]")
GIVEN_A_VALUE = pattern(rb"[ \t]*(?::[^\n=]{0,300})?:?=(?!=)")


LONG = 300  # bytes of a line before a call; nobody writes more, and patterns would be slow
MANY = 100  # calls; a file with more is parsed
BACK, AHEAD = 50_000, 20_000  # bytes around a call in which its function is looked at


def may_let_go(data: bytes, *, held: bool = False) -> bool:
    """Whether parsing could find an asyncio task that is let go or, with `held`, one that is kept in silence."""
    if is_renamed(data):
        return True
    for word in (b"create_task", b"ensure_future", b"run_coroutine_threadsafe"):
        for number, start in enumerate(starts_of_word(data, word)):
            if number > MANY:
                return True
            if may_be_asyncio(data, start) and not is_kept(data, start, start + len(word), held=held):
                return True
    bare = (b"gather", b"shield") if holds(data, b"from asyncio") else (b"asyncio.gather", b"asyncio.shield")
    for word in (*bare, b"asyncio.Task", b"asyncio.tasks.Task", b"run_in_executor"):
        for number, start in enumerate(starts_of_word(data, word)):
            end = start + len(word)
            if number > MANY:
                return True
            if not (CALLED_OR_RENAMED.match(data, end) or GIVEN_A_NAME.search(data, max(0, start - 40), start)):
                continue
            if STATEMENT_START.search(data, max(0, start - 120), start) and not is_kept(data, start, end, held=held):
                return True
    return False


def may_be_asyncio(data: bytes, start: int) -> bool:
    """Whether the function named at `start` may be asyncio's, or a loop's."""
    is_method = data[start - 1 : start] == b"."
    return (
        not is_method
        or TASK_RECEIVER.search(data, max(0, start - 40), start) is not None
        or any(holds(data, made) for made in LOOP_MADE)
    )


def is_renamed(data: bytes) -> bool:
    """Whether asyncio or its tasks may have another name in this file."""
    return any(holds(data, assigned) for assigned in ASSIGNED_TO) or any(
        IMPORT.search(data, max(0, start - 40), start) for words in IMPORTED_AS for start in starts_of_word(data, words)
    )


def is_kept(data: bytes, start: int, end: int, *, held: bool) -> bool:
    """Whether the value of the call of data[start:end] is surely kept, or there is no call: a definition, a comment."""
    line = data.rfind(b"\n", 0, start) + 1
    if start - line > LONG:
        return False
    if data[line:start].lstrip().startswith(b"#") or KEPT.search(data, line, start):
        return True
    if not CALLED.match(data, end):
        quoted = QUOTED.search(data, line, start) is not None and data[end : end + 1] in b"\"'`"
        return quoted or (IMPORTED.match(data, line, start) is not None and not CALLED_OR_RENAMED.match(data, end))
    if STORED.match(data, line, start):
        return not held
    assigned = ASSIGNED.match(data, line, start)
    return assigned is not None and is_used(data, assigned[2], len(assigned[1]), end)


def is_used(data: bytes, name: bytes, indent: int, start: int) -> bool:
    """Whether the function around `start`, in a line that is indented so far, surely keeps what the variable holds."""
    definition = None
    for found in FUNCTION.finditer(data, max(0, start - BACK), start):
        if len(found[1]) < indent:
            definition = found
    if definition is None:
        return False
    rest = data[start : end_of_function(data, len(definition[1]), start)]
    if not (definition[1] or definition[2]) and OF_A_NAME.match(data, start) and b".add_done_callback(" in rest:
        return False  # it may be the helper of the checkout itself
    string = STRINGS.search(rest)
    code = rest[: string.start()] if string is not None else rest
    if is_used_in(code, name):
        return True
    holder = next((found[1] for found in COLLECTING.finditer(code) if found[2] == name), None)
    if holder is None:
        return False
    return not is_bound(data, holder) or is_used_in(code, holder)


def is_used_in(code: bytes, name: bytes) -> bool:
    """Whether a variable is awaited, given back, gone through, or stored."""
    if any(found[1] == name for found in STORING.finditer(code)):
        return True
    return any(
        code[start - 1 : start] != b"." and not AS_KEYWORD.match(code, start + len(name))
        for line in USING.finditer(code)
        for start in starts_of_word(code, name, *line.span(1))
    )


def is_bound(data: bytes, name: bytes) -> bool:
    """Whether something is assigned to a variable in a line after other code."""
    return any(
        start and data[start - 1] not in b".\n" and GIVEN_A_VALUE.match(data, start + len(name))
        for start in starts_of_word(data, name)
    )


def end_of_function(data: bytes, indent: int, start: int) -> int:
    """Where the first line stands that is indented no further than the `def`, or where nobody looks any further."""
    after = re.compile(rb"\n[ \t]{0,%d}(?![ \t\r\n])" % indent).search(data, start, start + AHEAD)
    return after.start() if after is not None else start + AHEAD
