"""Whether a Python file is worth parsing for HTTP requests, as far as its bytes tell."""

from __future__ import annotations

from collections.abc import Iterator

from perfmod.needles import holds
from perfmod.patterns import pattern
from perfmod.source.words import is_imported, line_of, starts_of_word
from perfmod.values import dataclass

VERB = rb"(?:get|post|put|patch|delete|head|options|request|stream|send)"
#: What a file says that makes a client or a request of a library itself, or gets one that is annotated.
EVIDENCE = {
    b"httpx": pattern(rb"AsyncClient|\bClient\b|\bhttpx\s+as\b|\bhttpx\s*\.\s*" + VERB + rb"\s*\("),
    b"aiohttp": pattern(rb"ClientSession|\baiohttp\s+as\b|\baiohttp\s*\.\s*request\s*\("),
    b"requests": pattern(rb"\b[Ss]ession\s*\(|\brequests\s+as\b|\brequests\s*\.\s*" + VERB + rb"\s*\("),
}
FROM_OR_IMPORT = pattern(rb"\b(?:from|import)\b")
AWAITED = pattern(rb"\b(?:await|async with)[\s(]++[\w.() ]{1,300}\.\s*" + VERB + rb"\s*\(")
#: A dot, the verb, and an argument: what stands before the dot is looked at from the end.
CALL = pattern(rb"\.[\s\\]*" + VERB + rb"[\s\\]*\(\s*(?!\))")
LAST_NAME = pattern(rb"\b(\w+)[\s\\]*\Z")
WORD = pattern(rb"[A-Za-z_]\w*")
#: What stands before a word whose value, or what it gives back, a line hands on. Calls and their arguments do not.
WHOLE = rb"[\s(]*(?:await\b[\s(]*)?(?:\w+(?:\(\))?\s*\.\s*)*\Z"
ASSIGNED = pattern(rb"\b(\w+)\s*(?::[^=\n]*)?:?=(?!=)(?:[^=\n]*\b(?:or|else)\b)?" + WHOLE)
ANNOTATED = pattern(rb"\b(\w+)\s*:\s*+[\w.\[|, \"']*\Z")
HEADED = pattern(rb"\b(?:class|def)\s+(\w+)\s*\([^=]*\Z")
GIVEN_BACK = pattern(rb"\b(?:return|yield)\b(?:[^=\n]*\b(?:or|else)\b)?" + WHOLE)
ENTERED = pattern(rb"\b(?:with|import)\b")
ALIAS = pattern(rb"[^:]{0,300}?\bas\s+(\w+)\s*(?:[:,)\r\n]|\Z)")
FUNCTION = pattern(rb"\bdef\s+(\w+)")
NEAR = 300  # bytes in which a receiver stands before its verb, and `import` before a name
LONG = 500  # bytes of a line before a word; a file with more is parsed: patterns would be slow


@dataclass(frozen=True, slots=True)
class ClientsTaken:
    """A file that names no client itself, and may send requests with one of another file."""

    path: str


def may_send_requests(data: bytes) -> bool:
    """Whether a file itself says that something in it is a client."""
    return any(holds(data, library) and said.search(data) is not None for library, said in EVIDENCE.items())


def clients_taken(path: str, data: bytes) -> Iterator[ClientsTaken]:
    if (CALL if any(holds(data, library) and is_named(data, library) for library in EVIDENCE) else AWAITED).search(
        data
    ):
        yield ClientsTaken(path)


def is_named(data: bytes, library: bytes) -> bool:
    """Whether a library stands in a line behind `from` or `import`."""
    starts = starts_of_word(data, library)
    return any(FROM_OR_IMPORT.search(data, max(line_of(data, start), start - NEAR), start) for start in starts)


def takes_one_of(data: bytes, words: frozenset[bytes]) -> bool:
    """Whether a verb of a file is called on what one of these words may be, or give back, in another file."""
    known = {word for word in words if word in data}
    bare = {word for word in known if is_imported(data, word)}
    called = {found for match in CALL.finditer(data) for found in receiver(data, match.start())} if known else set()
    waiting = list(known)
    while waiting and not any(word in bare or (is_member and word in known) for word, is_member in called):
        word = waiting.pop()
        starts = [start for start in starts_of_word(data, word) if word in bare or data[start - 1 : start] == b"."]
        if any(start - statement_of(data, start) > LONG for start in starts):
            return True
        fresh = {name for start in starts for name in bound_near(data, start, start + len(word))} - bare
        waiting += fresh
        bare |= fresh
    return any(word in bare or (is_member and word in known) for word, is_member in called)


def bound_near(data: bytes, start: int, end: int) -> Iterator[bytes]:
    """The names that a statement gives the value of the word at this place, or of what it gives back."""
    before = data[statement_of(data, start) : start]
    if assigned := ASSIGNED.search(before):
        yield assigned[1]
    for naming in (ANNOTATED, HEADED):
        yield from naming.findall(before)
    if GIVEN_BACK.search(before):
        yield from FUNCTION.findall(data, max(0, start - 10 * NEAR), start)[-1:]
    if ENTERED.search(before) and (alias := ALIAS.match(data, end)):
        yield alias[1]


def statement_of(data: bytes, start: int) -> int:
    """Where the line begins in which a statement stands: the one above, where there are only blanks before `start`."""
    begin = line_of(data, start)
    return begin if data[begin:start].strip(b" \t") else line_of(data, max(0, begin - 1))


def receiver(data: bytes, end: int) -> list[tuple[bytes, bool]]:
    """The words of which one must mean a client if the expression that ends at `end` is one, and which are members."""
    before = data[max(0, end - NEAR) : end].rstrip(b" \t\r\n\\")
    if before.endswith(b")"):
        opened = opening(before)
        if not before[opened - 1 : opened].strip(b"( \t\n,=["):
            return [(m[0], before[m.start() - 1 : m.start()] == b".") for m in WORD.finditer(before, opened)]
        before = before[:opened]
    name = LAST_NAME.search(before)
    return [(name[1], before[: name.start()].rstrip(b" \t\r\n\\").endswith(b"."))] if name is not None else []


def opening(before: bytes) -> int:
    """Where the bracket is opened that ends the text."""
    depth = 0
    for position in range(len(before) - 1, -1, -1):
        depth += (before[position] == 0x29) - (before[position] == 0x28)
        if depth == 0:
            return position
    return 0
