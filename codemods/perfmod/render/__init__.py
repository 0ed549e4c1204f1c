"""Intents -> text. The only place that imports libcst, and only when there is something to render."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from perfmod.model import AddImport, DropImport, InsertMember, Replace, RewriteCall

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.source.text import Text


class CannotRender(Exception):
    """A fix that can't be written. The message is the reason that the user reads: "cause" or "cause: detail"."""


def edits_for(
    text: Text,
    language: str | None,
    intents: Sequence[Replace | RewriteCall | InsertMember | AddImport | DropImport],
    project: Project,
) -> list[Replace]:
    """The text edits that realise the intents on one file: sorted, disjoint, in its own offsets."""
    edits = [intent for intent in intents if isinstance(intent, Replace)]
    others = [intent for intent in intents if not isinstance(intent, Replace)]
    if others:
        if language != "python":
            raise CannotRender(f"no way to render {type(others[0]).__name__} in {language}")
        from perfmod.render.python import python_edits

        edits += python_edits(text, edits, others, project)
    edits.sort()
    if any(a.span.end > b.span.start for a, b in pairwise(edits)):
        raise CannotRender("two edits overlap")
    return edits


def apply_edits(utf8: bytes, edits: Sequence[Replace]) -> bytes:
    """The text with sorted, disjoint edits made."""
    pieces = []
    end = 0
    for edit in edits:
        pieces += [utf8[end : edit.span.start], edit.text.encode()]
        end = edit.span.end
    return b"".join([*pieces, utf8[end:]])


def check_result(path: str, language: str | None, before: bytes, after: bytes) -> None:
    """Raises CannotRender where the new text is worse than the old one was. No single parser is an oracle."""
    if language == "python":
        from perfmod.render.python import check_python

        check_python(before, after)
    elif language is not None:
        check_tree(language, before, after)


def check_tree(language: str, before: bytes, after: bytes) -> None:
    from perfmod.source.tree import GRAMMARS, TooMuch, parse

    if language not in GRAMMARS:
        return
    try:
        old, new = parse(language, before).root_node, parse(language, after).root_node
    except TooMuch as error:
        raise CannotRender(f"the result can't be checked: {error}") from None
    if new.has_error and not old.has_error:
        raise CannotRender("the result would not parse")
