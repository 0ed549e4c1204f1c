"""Python edits: calls through LibCST on the smallest outermost fragment, members and imports as insertions."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from perfmod.model import AddImport, DropImport, InsertMember, Replace, RewriteCall, Span
from perfmod.render import CannotRender, apply_edits
from perfmod.render.imports import import_edits

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.source.text import Text


def python_edits(
    text: Text,
    edits: Sequence[Replace],
    intents: Sequence[RewriteCall | InsertMember | AddImport | DropImport],
    project: Project,
) -> list[Replace]:
    """The text edits of the intents on one Python file, in its own offsets. `edits` are made besides.

    Imports are looked at last, in the text that the other edits leave: only then is it known which name is unused.
    """
    body = [
        *call_edits(text, [i for i in intents if isinstance(i, RewriteCall)]),
        *(insertion(text, i) for i in intents if isinstance(i, InsertMember)),
    ]
    made = sorted([*edits, *body])
    rewritten = apply_edits(text.utf8, made)
    adds = [i for i in intents if isinstance(i, AddImport)]
    drops = [i for i in intents if isinstance(i, DropImport) and not project.borrowers.takes(i.path, i.name)]
    imports = import_edits(rewritten, text.path, adds, drops)
    return [*body, *(shifted_back(edit, made) for edit in imports)]


def call_edits(text: Text, calls: Sequence[RewriteCall]) -> list[Replace]:
    """One edit for each outermost rewritten call; the calls inside it are rewritten with it."""
    from perfmod.render.calls import rewrite_fragment

    edits = []
    rest = sorted(calls, key=lambda call: (call.span.start, -call.span.end))
    while rest:
        outer = rest[0].span
        inside = [call for call in rest if call.span.end <= outer.end]
        rest = rest[len(inside) :]
        edits.append(Replace(outer, rewrite_fragment(text.slice(outer.start, outer.end), outer, inside)))
    return edits


def insertion(text: Text, intent: InsertMember) -> Replace:
    """A member, indented as the statement that it follows, with the blank lines of PEP 8 around it."""
    line_start = text.utf8.rfind(b"\n", 0, intent.span.start) + 1
    lead = text.slice(line_start, intent.span.start)
    indent = lead[: len(lead) - len(lead.lstrip())]
    gap = text.newline * (2 if indent else 3)
    body = intent.text.strip("\n")
    if re.search(rb"^\t", text.utf8, re.MULTILINE):
        body = re.sub(r"^(?: {4})+", lambda spaces: "\t" * (len(spaces[0]) // 4), body, flags=re.MULTILINE)
    lines = [indent + line if line.strip() else "" for line in body.split("\n")]
    end = text.utf8.find(b"\n", intent.span.end)
    end = len(text.utf8) if end < 0 else end - (text.utf8[end - 1] == 0x0D)
    definition = not indent and re.match(rb"\r?\n\r?\n[^\r\n]", text.utf8[end : end + 5]) is not None
    return Replace(Span(text.path, end, end), gap + text.newline.join([*lines, *([""] * definition)]))


def shifted_back(edit: Replace, made: Sequence[Replace]) -> Replace:
    """An edit of the text that `made` leaves, in offsets of the text before."""
    shift = 0
    for earlier in made:
        start = earlier.span.start + shift
        if start >= edit.span.end:
            break
        if start + len(earlier.text.encode()) > edit.span.start:
            raise CannotRender("an import stands inside another edit")
        shift += len(earlier.text.encode()) - (earlier.span.end - earlier.span.start)
    return Replace(Span(edit.span.path, edit.span.start - shift, edit.span.end - shift), edit.text)


def check_python(before: bytes, after: bytes) -> None:
    """Raises CannotRender unless the new text parses: for `ast` where the old one did, else for LibCST."""
    if parses(before):
        if not parses(after):
            raise CannotRender("the result would not parse")
        return
    import libcst

    for text in (before, after):
        try:
            libcst.parse_module(text)
        except (libcst.ParserSyntaxError, libcst.CSTLogicError) as error:
            where = f" (line {error.raw_line})" if isinstance(error, libcst.ParserSyntaxError) else ""
            own = f"Python {sys.version_info.major}.{sys.version_info.minor}"
            raise CannotRender(f"neither {own} nor LibCST reads this file{where}: a newer Python may") from None
        except RecursionError:
            raise CannotRender("the file is nested too deeply to be checked") from None


def parses(utf8: bytes) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(utf8.decode())
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True
