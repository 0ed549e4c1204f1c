"""A static import of a console as a dynamic one: the new statements, with the comments of the old."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tree_sitter import Node

from perfmod.model import Replace, Span
from perfmod.source.script.conditions import Place, When
from perfmod.source.script.imports import Import, Name, package_of
from perfmod.source.script.statements import (
    GUARD,
    alone_on_line,
    extent,
    guarded,
    indent,
    indentation,
    line_margin,
)
from perfmod.source.tree import Source


def spoken_of(found: Import, name: Name) -> re.Pattern[str]:
    """What a comment about an import says: the package, its name here, or what it is for."""
    words = (package_of(found.specifier), name.local, "console", "debug", "devtool", "dev tool")
    return re.compile("|".join(map(re.escape, words)), re.IGNORECASE)


def load_inside(
    source: Source, found: Import, name: Name, statement: Node, started: Node, place: Place, remarks: Sequence[str]
) -> Iterator[Replace]:
    """The statement with a dynamic import that runs `started`, under a guard unless it stands under one, below the
    comments of the static import."""
    pair = name.local if name.imported == name.local else f"{name.imported}: {name.local}"
    parameter = name.local if name.imported == "*" else f"{{ {pair} }}"
    before, after = f"import({source.code(found.string)}).then(({parameter}) => ", ")"
    start, end = extent(source, statement, statement)
    margin, newline = line_margin(source, start), source.text.newline
    if place.when is When.DEVELOPMENT and statement.type == "expression_statement":
        yield Replace(source.span(started), f"{before}{source.code(started)}{after}")
        if remarks:
            yield Replace(Span(source.path, start, start), lines_of(remarks, newline, margin))
        return
    unit = indentation(source) if alone_on_line(source, start, end) else ""
    parts = [(start, started.start_byte), (started.start_byte, started.end_byte), (started.end_byte, end)]
    head, code, tail = (indent(source, *part, unit) for part in parts)
    if statement.type != "expression_statement":  # `const v = new VConsole()`: nobody reads v
        head = source.text.slice(start, statement.start_byte)
    text = f"{lines_of(remarks, newline, margin + unit)}{head}{before}{code}{after}{tail}"
    yield Replace(Span(source.path, start, end), guarded(source, statement, text, start, end))


def lines_of(remarks: Sequence[str], newline: str, margin: str) -> str:
    """Comments as lines of their own, for a place that is indented already."""
    return "".join(f"{line}{newline}{margin}" for remark in remarks for line in remark.split(newline))


def move_below_imports(source: Source, statement: Node, call: str) -> list[Replace]:
    """The import as a guarded dynamic one, below the other imports so that they stay together."""
    semicolon = ";" if source.code(statement).endswith(";") else ""
    newline, unit = source.text.newline, indentation(source)
    start, end = extent(source, statement, statement)
    trailing = source.text.slice(statement.end_byte, end)
    text = f"if ({GUARD}) {{{newline}{unit}{call}{semicolon}{trailing}{newline}}}"
    siblings = [child for child in source.root.named_children if child.type == "import_statement"]
    last = siblings[-1]
    alone = alone_on_line(source, statement.start_byte, end)
    if last == statement or not alone or not alone_on_line(source, last.start_byte, extent(source, last, last)[1]):
        gap = newline if alone and statement != siblings[0] and source.text.slice(0, start).endswith(newline) else ""
        return [Replace(Span(source.path, start, end), gap + text)]
    place = extent(source, last, last)[1]
    line_end = source.utf8.index(b"\n", end) + 1
    added = f"{newline}{newline}{text}"
    if source.text.slice(place, place + len(newline)) == newline:  # behind it, since that line may go as a whole
        place += len(newline)
        added = f"{newline}{text}{newline}"
    return [Replace(Span(source.path, start, line_end), ""), Replace(Span(source.path, place, place), added)]
