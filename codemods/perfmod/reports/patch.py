"""A unified diff that `git apply` accepts at the root: byte-exact, also for files that are not UTF-8."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from perfmod.patterns import pattern
from perfmod.reports.colors import BOLD, CYAN, GREEN, RED, paint

if TYPE_CHECKING:
    from perfmod.model import Change
    from perfmod.pipeline import Report
    from perfmod.reports import View

CONTEXT = 3
NO_NEWLINE = b"\\ No newline at end of file\n"
# git quotes a name that holds one of these; blanks are no reason.
QUOTED = pattern(rb'["\\\x00-\x1f\x7f-\xff]')
ESCAPES = {b"\a": b"a", b"\b": b"b", b"\t": b"t", b"\n": b"n", b"\v": b"v", b"\f": b"f", b"\r": b"r"}


def render(report: Report, view: View) -> str:
    patch = b"".join(patch_of(change) for change in report.changes)
    text = patch.decode("utf-8", "surrogateescape")
    return "".join(map(colored, text.split("\n"))) if view.color else text


def patch_of(change: Change) -> bytes:
    """The patch of one file."""
    name = change.path.encode("utf-8", "surrogateescape")
    old, new = quote(b"a/" + name), quote(b"b/" + name)
    head = b"diff --git %s %s\n" % (old, new)
    if change.before is None:
        head += b"new file mode 100644\n"
        old = b"/dev/null"
    hunks = b"".join(hunks_of(split_lines(change.before or b""), split_lines(change.after)))
    if not hunks:
        return head
    return head + b"--- %s\n+++ %s\n" % (end_name(old), end_name(new)) + hunks


def quote(name: bytes) -> bytes:
    """A name as git writes it: in quotes with octal escapes where it holds anything unusual."""
    if not QUOTED.search(name):
        return name
    return b'"' + QUOTED.sub(lambda match: b"\\" + escape(match[0]), name) + b'"'


def escape(byte: bytes) -> bytes:
    if byte in (b'"', b"\\"):
        return byte
    return ESCAPES.get(byte) or b"%03o" % byte[0]


def end_name(name: bytes) -> bytes:
    """A name of a ---/+++ line: a tab says where one with blanks ends."""
    return name + b"\t" if b" " in name else name


def split_lines(data: bytes) -> list[bytes]:
    r"""The lines of a file with their ends. Only \n ends a line, as for git."""
    lines = data.split(b"\n")
    last = lines.pop()
    return [line + b"\n" for line in lines] + ([last] if last else [])


class Edit(NamedTuple):
    """Lines [start, end) of the old file become lines [new_start, new_end) of the new one."""

    start: int
    end: int
    new_start: int
    new_end: int


def hunks_of(old: list[bytes], new: list[bytes]) -> Iterator[bytes]:
    """The hunks: edits whose lines of context would touch stand in one."""
    together: list[Edit] = []
    for edit in edits_between(old, new):
        if together and edit.start - together[-1].end > 2 * CONTEXT:
            yield hunk_of(together, old, new)
            together = []
        together.append(edit)
    if together:
        yield hunk_of(together, old, new)


def edits_between(old: list[bytes], new: list[bytes]) -> Iterator[Edit]:
    """What differs, in order. Equal lines at both ends, mostly nearly all of a file, need no search."""
    shorter = min(len(old), len(new))
    head = sum(1 for _ in takewhile(lambda i: old[i] == new[i], range(shorter)))
    tail = sum(1 for _ in takewhile(lambda i: old[-i] == new[-i], range(1, shorter - head + 1)))
    matcher = SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail])
    for tag, *places in matcher.get_opcodes():
        if tag != "equal":
            yield Edit(*(head + place for place in places))


def hunk_of(edits: list[Edit], old: list[bytes], new: list[bytes]) -> bytes:
    first, last = edits[0], edits[-1]
    before = min(CONTEXT, first.start)
    after = min(CONTEXT, len(old) - last.end)
    lines = []
    place = first.start - before
    for edit in edits:
        lines += [marked(b" ", line) for line in old[place : edit.start]]
        lines += [marked(b"-", line) for line in old[edit.start : edit.end]]
        lines += [marked(b"+", line) for line in new[edit.new_start : edit.new_end]]
        place = edit.end
    lines += [marked(b" ", line) for line in old[place : place + after]]
    old_extent = extent(first.start - before, last.end + after)
    new_extent = extent(first.new_start - before, last.new_end + after)
    return b"@@ -%s +%s @@\n" % (old_extent, new_extent) + b"".join(lines)


def extent(start: int, end: int) -> bytes:
    """A range of lines: an empty one names the line before it, one line needs no length."""
    if end - start == 1:
        return b"%d" % end
    return b"%d,%d" % (start + 1 if end > start else start, end - start)


def marked(sign: bytes, line: bytes) -> bytes:
    return sign + line if line.endswith(b"\n") else sign + line + b"\n" + NO_NEWLINE


def colored(line: str) -> str:
    """A line as `git diff` colours it, for a terminal."""
    if not line:
        return ""
    if line.startswith(("diff --git", "---", "+++", "new file")):
        return paint(line, BOLD) + "\n"
    color = {"@": CYAN, "-": RED, "+": GREEN}.get(line[0])
    return (paint(line, color) if color else line) + "\n"
