"""Comments that say that a finding has been reviewed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perfmod.model import Finding, Span

if TYPE_CHECKING:
    from tree_sitter import Node

    from perfmod.source.tree import Source

COMMENT = re.compile(rb"#|//|/\*")
# perfmod: ignore[rule-a, rule-b] reason          perfmod: file-ignore[rule-a] reason
OWN = re.compile(r"perfmod:\s*(?P<file>file-)?ignore\[(?P<codes>[^\]]*)\]\s*(?P<reason>.*)")
# Forms of ruff and flake8: `noqa`, `noqa: A1, B2`, `ruff: noqa`, `ruff: noqa: A1`, `flake8: noqa`, and ruff's
# `ruff: ignore[code]`, `ruff: file-ignore[code]`.
NOQA = re.compile(
    r"#\s*(?P<file>(?:ruff|flake8):\s*)?noqa(?::\s*(?P<codes>[A-Z][A-Z0-9]+(?:[,\s]+[A-Z][A-Z0-9]+)*))?(?![\w:-])", re.I
)
RUFF = re.compile(r"#\s*ruff:\s*(?P<file>file-)?ignore\[(?P<codes>[^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Suppression:
    """A comment that silences rules on what its `covers` touches. No codes: every rule."""

    path: str
    comment: Span
    covers: Span
    codes: tuple[str, ...]
    own: bool  #: perfmod's own form, rather than another linter's
    reason: str = ""


def scan_comments(source: Source) -> Iterator[Suppression]:
    """The suppressions of one file."""
    utf8 = source.utf8
    if b"perfmod:" not in utf8 and b"noqa" not in utf8.lower() and b"ruff:" not in utf8:
        return
    for match in COMMENT.finditer(utf8):
        node = source.root.descendant_for_byte_range(match.start(), match.end())
        if node is None or node.type != "comment" or node.start_byte != match.start():
            continue
        yield from read_comment(source, node)


def read_comment(source: Source, node: Node) -> Iterator[Suppression]:
    comment = source.code(node).removesuffix("*/").rstrip()
    line_start = source.utf8.rfind(b"\n", 0, node.start_byte) + 1
    own_line = not source.utf8[line_start : node.start_byte].strip()
    for pattern in (OWN, NOQA, RUFF):
        for match in pattern.finditer(comment):
            codes = tuple(re.split(r"[,\s]+", match["codes"].strip())) if match["codes"] else ()
            if match["file"]:
                covers = Span(source.path, 0, len(source.utf8))
            elif own_line and pattern is not NOQA and (below := following(node)) is not None:
                covers = Span(source.path, line_start, header_end(below))
            else:
                covers = Span(source.path, line_start, node.end_byte)
            reason = match["reason"].strip() if pattern is OWN else ""
            yield Suppression(source.path, source.span(node), covers, codes, pattern is OWN, reason)


def following(comment: Node) -> Node | None:
    """The statement below a comment that stands on a line of its own."""
    node = comment.next_named_sibling
    while node is not None and node.type == "comment":
        node = node.next_named_sibling
    if node is None and comment.parent is not None and comment.parent.type != "module":
        # the last comment before a block may hang on the block's owner
        node = comment.parent.next_named_sibling if comment.parent.end_byte <= comment.end_byte else None
    return node


def header_end(statement: Node) -> int:
    """Where a statement ends; for a compound one, where its body begins."""
    body = statement.child_by_field_name("body") or statement.child_by_field_name("consequence")
    return statement.end_byte if body is None else body.start_byte


def suppressed(
    finding: Finding, suppressions: Mapping[str, Sequence[Suppression]], reviewed: Iterable[str]
) -> Suppression | None:
    """The comment that silences a finding. `reviewed`: codes of other linters that mean the same fault."""
    span = finding.span
    for suppression in suppressions.get(span.path, ()):
        covers = suppression.covers
        if covers.start > span.end or covers.end < span.start:
            continue
        if suppression.own and finding.rule in suppression.codes:
            return suppression
        if not suppression.own and (not suppression.codes or set(suppression.codes) & set(reviewed)):
            return suppression
    return None
