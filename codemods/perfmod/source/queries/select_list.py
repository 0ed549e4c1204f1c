"""The list that a PostgREST query selects: `*, author:users!author_id(*, name)` level by level."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, TypeAlias

from perfmod.patterns import pattern
from perfmod.values import dataclass

COLUMN = pattern(r"(?:(?P<alias>[\w$]+)\s*:\s*)?(?P<name>[^\W\d][\w$]*|\"[^\"]+\")\Z")
EMBED = pattern(
    r"(?P<spread>\.\.\.)?(?:(?P<alias>[\w$]+)\s*:\s*)?(?P<target>[^\W\d][\w$]*)(?P<hints>(?:![\w$]+)*)\s*\Z"
)
Kind: TypeAlias = Literal["star", "column", "embed", "other"]


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a level: offsets are those of the trimmed text."""

    kind: Kind
    start: int
    end: int
    name: str = ""  #: of a column its name, of an embed its target
    alias: str | None = None
    children: tuple[Item, ...] = ()

    @property
    def is_bare_column(self) -> bool:
        return self.kind == "column" and self.alias is None


class Unreadable(Exception):
    """A select list that can't be taken apart."""


def parse(text: str) -> tuple[Item, ...]:
    """The items of a list. Raises Unreadable."""
    items, end = level(text, 0)
    if end != len(text):
        raise Unreadable("unbalanced parentheses")
    return items


def level(text: str, position: int) -> tuple[tuple[Item, ...], int]:
    """The items up to the parenthesis that closes this level, or the end."""
    items = []
    start = position
    children: tuple[Item, ...] | None = None
    while True:
        letter = text[position : position + 1]
        if letter == '"':
            position = text.find('"', position + 1)
            if position < 0:
                raise Unreadable("an open quote")
        elif letter == "(":
            if children is not None:
                raise Unreadable("two lists in one item")
            head = text[start:position]
            children, position = level(text, position + 1)
            if text[position : position + 1] != ")":
                raise Unreadable("unbalanced parentheses")
            items.append(embed(text, start, head, children, position + 1))
        elif letter in (",", ")", ""):
            if children is None:
                item = plain(text, start, position)
                if item is not None:
                    items.append(item)
            elif text[items[-1].end : position].strip():
                items[-1] = Item("other", items[-1].start, position)
            if letter != ",":
                return tuple(items), position
            start, children = position + 1, None
        position += 1


def embed(text: str, start: int, head: str, children: tuple[Item, ...], end: int) -> Item:
    start += len(head) - len(head.lstrip())
    found = EMBED.match(head.strip())
    if found is None:
        return Item("other", start, end, children=children)
    return Item("embed", start, end, found["target"], found["alias"] or found["spread"], children)


def plain(text: str, start: int, end: int) -> Item | None:
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    piece = piece.strip()
    end = start + len(piece)
    if not piece:
        return None
    if piece == "*":
        return Item("star", start, end)
    found = COLUMN.match(piece)
    if found is None:
        return Item("other", start, end)
    return Item("column", start, end, found["name"].strip('"'), found["alias"])


def has_star(items: Sequence[Item]) -> bool:
    return any(item.kind == "star" or has_star(item.children) for item in items)


def is_named(items: Sequence[Item], item: Item) -> bool:
    """Whether an item names a column. `select('count')` counts rows, whatever the columns are."""
    return item.kind == "column" and not (item.name == "count" and len(items) == 1)


def targets(items: Sequence[Item]) -> Iterator[str]:
    """The tables whose stars have to be expanded, without the outermost one."""
    for item in items:
        if item.kind == "embed" and any(child.kind == "star" for child in item.children):
            yield item.name
        yield from targets(item.children)


def expand(text: str, items: Sequence[Item], table: str, columns_of: Callable[[str], Sequence[str]]) -> str:
    """The text with every star replaced by the columns of its level's table. Raises Unreadable."""
    edits = sorted(replacements(items, table, columns_of), reverse=True)
    for start, end, new in edits:
        text = text[:start] + new + text[end:]
    return text


def replacements(
    items: Sequence[Item], table: str, columns_of: Callable[[str], Sequence[str]]
) -> Iterator[tuple[int, int, str]]:
    stars = [item for item in items if item.kind == "star"]
    if stars:
        if any(item.kind == "other" and not item.children for item in items) or len(stars) > 1:
            raise Unreadable("a cast, an aggregate or a JSON path stands beside the star")
        named = {item.name for item in items if item.is_bare_column}
        columns = [column for column in columns_of(table) if column not in named]
        if not columns:
            raise Unreadable("every column is listed beside the star")
        yield stars[0].start, stars[0].end, ", ".join(columns)
    for item in items:
        if item.kind == "other" and has_star(item.children):
            raise Unreadable("an embedded table that can't be read")
        yield from replacements(item.children, item.name, columns_of)
