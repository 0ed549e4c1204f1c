"""Comments that say that a finding has been reviewed: perfmod's own, and those of linters that know the same fault."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from time import strftime
from typing import TYPE_CHECKING, Literal

from perfmod.model import Finding, Span, Suppression
from perfmod.patterns import pattern

if TYPE_CHECKING:
    from tree_sitter import Node

    from perfmod.source.tree import Source

COMMENT = pattern(rb"#|//|/\*|<!--")
# perfmod: ignore[rule-a, rule-b] reason     perfmod: file-ignore[rule-a] until=2027-01-31 reason
OWN = pattern(
    rb"(?:#|//|/\*+|\*|<!--)?[ \t]{0,40}perfmod:[ \t]{0,40}(?P<file>file-)?ignore(?![\w-])(?:\[(?P<codes>[^\]\n]*)\])?"
    rb"(?P<rest>(?:(?!\*/|-->|[ \t](?:#|//)[ \t]|[ \t]#(?:noqa|type:|pragma))[^\r\n])*)"
)
UNTIL = pattern(r"(?:^|\s)until=(\S*)")
# Forms of ruff and flake8: `noqa`, `noqa: A1, B2`, `ruff: noqa`, `ruff: noqa: A1`, `flake8: noqa`, and ruff's
# `ruff: ignore[code]`, `ruff: file-ignore[code]`.
NOQA = pattern(
    r"#\s*(?P<file>(?:ruff|flake8):\s*)?noqa(?::\s*(?P<codes>[A-Z][A-Z0-9]+(?:[,\s]+[A-Z][A-Z0-9]+)*))?(?![\w:-])", re.I
)
RUFF = pattern(r"#\s*ruff:\s*(?P<file>file-)?ignore\[(?P<codes>[^\]]{0,500})\]")
# `eslint-disable-line a, b -- reason`; `eslint-disable` ends at the next `eslint-enable` of the same rules.
ESLINT = pattern(
    r"(?://|/\*)\s*eslint-(?P<verb>disable-next-line|disable-line|disable|enable)(?![\w-])(?P<codes>.*)", re.S
)
MARKUP = frozenset({"html", "vue", "svelte"})


def scan_comments(source: Source) -> Iterator[Suppression]:
    """The suppressions of one file."""
    for part in parts_of(source):
        yield from comments_of(part)


def parts_of(source: Source) -> list[Source]:
    """What holds comments: the file; of .html, .vue and .svelte the markup and each script that parses."""
    if source.language not in MARKUP:
        return [source]
    from perfmod.source.embedded import scripts
    from perfmod.source.tree import Source

    return [Source(source.text, "html"), *scripts(source.text, source)]


def comments_of(source: Source) -> Iterator[Suppression]:
    utf8 = source.utf8
    last = -1
    disabled: list[tuple[Node, tuple[str, ...]]] = []
    for match in COMMENT.finditer(utf8):
        node = source.root.descendant_for_byte_range(match.start(), match.end())
        if node is None or node.type != "comment" or node.start_byte != match.start() or node.start_byte <= last:
            continue
        last = node.end_byte - 1
        yield from own_comments(source, node)
        if source.language == "python":
            yield from ruff_comments(source, node)
        else:
            yield from eslint_comments(source, node, disabled)
    for node, codes in disabled:
        yield foreign(source, node, Span(source.path, node.start_byte, len(utf8)), codes, "eslint")


def own_comments(source: Source, node: Node) -> Iterator[Suppression]:
    """perfmod's own."""
    utf8 = source.utf8
    for match in OWN.finditer(utf8, node.start_byte, node.end_byte):
        rest = match["rest"].decode("utf-8", "replace")
        until = UNTIL.search(rest)
        reason = UNTIL.sub("", rest).strip(" \t:-")
        brackets = None if match["codes"] is None else Span(source.path, match.start("codes"), match.end("codes"))
        yield Suppression(
            source.path,
            source.span(node),
            Span(source.path, 0, len(utf8)) if match["file"] else covered(source, node),
            split_codes((match["codes"] or b"").decode("utf-8", "replace")),
            "perfmod",
            reason,
            until[1] if until else None,
            bool(match["file"]),
            removal_of(source, node, match.start(), match.end()),
            brackets,
        )


def ruff_comments(source: Source, node: Node) -> Iterator[Suppression]:
    comment = source.code(node)
    for directive in (NOQA, RUFF):
        for match in directive.finditer(comment):
            if match["file"]:
                covers = Span(source.path, 0, len(source.utf8))
            elif directive is RUFF:
                covers = covered(source, node)
            else:
                covers = Span(source.path, line_start(source.utf8, node.start_byte), node.end_byte)
            yield foreign(source, node, covers, split_codes(match["codes"] or ""), "ruff")


def eslint_comments(source: Source, node: Node, disabled: list[tuple[Node, tuple[str, ...]]]) -> Iterator[Suppression]:
    """ESLint's. `disabled` holds the blocks that are open: their start and codes."""
    match = ESLINT.match(source.code(node).removesuffix("*/"))
    if match is None:
        return
    codes = split_codes(match["codes"].partition("--")[0])
    start, end = line_start(source.utf8, node.start_byte), line_end(source.utf8, node.end_byte)
    if match["verb"] == "disable-line":
        yield foreign(source, node, Span(source.path, start, end), codes, "eslint")
    elif match["verb"] == "disable-next-line":
        yield foreign(source, node, Span(source.path, end + 1, line_end(source.utf8, end + 1)), codes, "eslint")
    elif match["verb"] == "disable":
        disabled.append((node, codes))
    else:
        for begun in list(disabled):
            if not codes or set(begun[1]) & set(codes):
                disabled.remove(begun)
                covers = Span(source.path, begun[0].start_byte, node.end_byte)
                yield foreign(source, begun[0], covers, begun[1], "eslint")


def foreign(
    source: Source, node: Node, covers: Span, codes: tuple[str, ...], linter: Literal["ruff", "eslint"]
) -> Suppression:
    return Suppression(source.path, source.span(node), covers, codes, linter)


def split_codes(typed: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for code in re.split(r"[,\s]+", typed) if code))


def line_start(utf8: bytes, offset: int) -> int:
    return utf8.rfind(b"\n", 0, offset) + 1


def line_end(utf8: bytes, offset: int) -> int:
    """Where the line of an offset ends, before its line end."""
    end = utf8.find(b"\n", offset)
    return len(utf8) if end < 0 else end


def covered(source: Source, node: Node) -> Span:
    """What a comment is about: the statement below it if it stands alone on its line, else its line."""
    first, last = line_start(source.utf8, node.start_byte), line_end(source.utf8, node.end_byte)
    before, after = source.utf8[first : node.start_byte], source.utf8[node.end_byte : last]
    if before.strip() in (b"", b"{") and after.strip() in (b"", b"}") and (below := following(node)) is not None:
        return Span(source.path, first, header_end(below))
    return Span(source.path, first, last)


def following(comment: Node) -> Node | None:
    """The statement below a comment that stands on a line of its own."""
    if comment.parent is not None and comment.parent.type == "jsx_expression":
        comment = comment.parent
    node = comment.next_named_sibling
    while node is not None and (node.type == "comment" or (node.type == "jsx_text" and not (node.text or b"").strip())):
        node = node.next_named_sibling
    if node is not None and node.type == "block" and node.named_children:  # Python: a comment above its first statement
        return next((child for child in node.named_children if child.type != "comment"), node)
    if node is None and comment.parent is not None and comment.parent.type != "module":
        # the last comment before a block may hang on the block's owner
        node = comment.parent.next_named_sibling if comment.parent.end_byte <= comment.end_byte else None
    return node


def header_end(statement: Node) -> int:
    """Where a statement ends; for a compound one, where its body begins."""
    for field in ("definition", "declaration"):  # below decorators, after `export`
        inner = statement.child_by_field_name(field)
        if inner is not None:
            return header_end(inner)
    body = statement.child_by_field_name("body") or statement.child_by_field_name("consequence")
    return statement.end_byte if body is None else body.start_byte


def removal_of(source: Source, node: Node, start: int, end: int) -> Span:
    """What to remove with a piece of a comment: where nothing else stands in it the whole comment, with its line."""
    utf8 = source.utf8
    rest = utf8[node.start_byte : start] + utf8[end : node.end_byte]
    if rest.strip(b"#/*!<>- \t\r\n"):
        following_marker = re.compile(rb"[ \t]*(?=#|//)").match(utf8, end, node.end_byte)
        if start == node.start_byte and following_marker:
            return Span(source.path, start, following_marker.end())
        while utf8[start - 1 : start] in (b" ", b"\t"):
            start -= 1
        return Span(source.path, start, end)
    parent = node.parent
    if parent is not None and parent.type == "jsx_expression" and parent.named_child_count == 1:
        node = parent
    start, end = node.start_byte, node.end_byte
    first, last = line_start(utf8, start), line_end(utf8, end)
    if not utf8[end:last].strip():
        if not utf8[first:start].strip():
            return Span(source.path, first, min(last + 1, len(utf8)))
        while utf8[start - 1 : start] in (b" ", b"\t"):
            start -= 1
        return Span(source.path, start, end)
    while utf8[end : end + 1] in (b" ", b"\t"):
        end += 1
    return Span(source.path, start, end)


class Comments:
    """The suppressions of a run, and which of their codes silenced a finding."""

    def __init__(self, suppressions: Mapping[str, Sequence[Suppression]], today: str) -> None:
        self.by_path = {path: sorted(own, key=lambda s: s.whole_file) for path, own in suppressions.items()}
        self.today = today
        self.used: set[tuple[Suppression, str]] = set()

    def silence(self, finding: Finding, reviewed: Collection[str]) -> bool:
        """Whether a comment silences a finding; remembers which."""
        found = suppressed_by(finding, self.by_path, reviewed, self.today)
        if found is not None:
            self.used.add(found)
        return found is not None


def suppressed(
    finding: Finding, suppressions: Mapping[str, Sequence[Suppression]], reviewed: Collection[str]
) -> Suppression | None:
    """The comment that silences a finding today. `reviewed`: codes of other linters that mean the same fault."""
    found = suppressed_by(finding, suppressions, reviewed, strftime("%Y-%m-%d"))
    return None if found is None else found[0]


def suppressed_by(
    finding: Finding, suppressions: Mapping[str, Sequence[Suppression]], reviewed: Collection[str], today: str
) -> tuple[Suppression, str] | None:
    """The first comment that silences a finding, and with which of its codes."""
    for suppression in suppressions.get(finding.span.path, ()):
        if not suppression.covers_span(finding.span):
            continue
        code = code_for(suppression, finding.rule, reviewed)
        if code is not None and (suppression.until is None or suppression.until >= today):
            return suppression, code
    return None


def code_for(suppression: Suppression, rule: str, reviewed: Collection[str]) -> str | None:
    """The code of a comment that means a rule; "" for a comment that means every rule."""
    if suppression.own:
        return next((code for code in suppression.codes if rule in (code, meant(code))), None)
    if suppression.codes:
        return next((code for code in suppression.codes if code in reviewed), None)
    # A bare eslint-disable says nothing about what ESLint does not know.
    return "" if suppression.linter == "ruff" or reviewed else None


def meant(code: str) -> str | None:
    """The rule that a misspelt name stands for."""
    from perfmod.rule import OWN_RULES, rule_ids

    if code in rule_ids() or code in OWN_RULES:
        return code
    from difflib import get_close_matches

    return next(iter(get_close_matches(code, rule_ids(), n=1, cutoff=0.8)), None)
