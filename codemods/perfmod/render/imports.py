"""Adding and dropping imports of a Python file. Everything outside an edit stays byte-identical."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import Any

from tree_sitter import Node

from perfmod.model import AddImport, DropImport, Replace, Span
from perfmod.patterns import pattern
from perfmod.render import CannotRender
from perfmod.render.import_places import Clause, Place, Statements, place, sorted_place
from perfmod.source.tree import ancestors

TYPE_COMMENT = pattern(rb"#\s*type:")
PRAGMA = pattern(rb"noqa|type:|pragma|isort|ruff|fmt|pylint|pyright", re.IGNORECASE)


def import_edits(utf8: bytes, path: str, adds: Sequence[AddImport], drops: Sequence[DropImport]) -> list[Replace]:
    """The edits that add and drop imports, in offsets of `utf8`: sorted and disjoint."""
    if not adds and not drops:
        return []
    if b"\n" not in utf8 and b"\r" in utf8:
        raise CannotRender("line ends: the file ends its lines with a carriage return alone")
    statements = Statements(utf8)
    removed = {clause for drop in drops for clause in droppable(statements, drop.name)}
    gone = {clause.statement for clause in removed if set(statements.clauses_of(clause.statement)) <= removed}
    edits: list[Edit] = []
    inserted: dict[int, list[tuple[Place, str]]] = {}
    by_module: dict[str, list[AddImport]] = {}
    for add in adds:
        by_module.setdefault(add.module, []).append(add)
    for module, wanted in sorted(by_module.items()):
        first_use = min(statements.first_use(add.alias or add.name or module.partition(".")[0]) for add in wanted)
        names = sorted({written(add) for add in wanted} - bound(statements, module, first_use), key=natural)
        existing = extendable(statements, module, first_use) if names != [""] else None
        if names and existing is not None:
            edits += extension(statements, existing, names)
        elif names:
            line = f"from {module} import {', '.join(names)}" if names != [""] else f"import {module}"
            spot = sorted_place(statements, line, first_use) or place(statements, module, first_use, gone)
            inserted.setdefault(spot.offset, []).append((spot, line))
    lines = [whole_line(statements, statement) for statement in gone]
    edits += [deletion(statements, start, end, inserted) for start, end in merged(line for line in lines if line)]
    for statement, clauses in grouped(removed):
        edits += removal(statements, statement, clauses)
    for offset, imports in inserted.items():
        edits.append(insertion(statements, offset, imports, replaces=any(line and line[1] == offset for line in lines)))
    return sorted(Replace(Span(path, start, end), text) for start, end, text in edits)


Edit = tuple[int, int, str]


def written(add: AddImport) -> str:
    return f"{add.name} as {add.alias}" if add.alias and add.alias != add.name else add.name


def natural(name: str) -> tuple[bool, bool, str]:
    """isort's order: CONSTANTS, Classes, functions."""
    bare = name.partition(" ")[0]
    return not (bare.isupper() and len(bare) > 1), not bare[:1].isupper(), name


ORDERS: tuple[Callable[[str], Any], ...] = (natural, str, str.casefold)


def bound(statements: Statements, module: str, first_use: int) -> set[str]:
    """What module-level imports already take from `module`, as it is written."""
    early = [clause for clause in statements.clauses() if clause.statement.start_byte < first_use]
    plain = {"" for clause in early if clause.module is None and clause.text == module}
    return plain | {clause.text for clause in early if clause.module == module}


def extendable(statements: Statements, module: str, first_use: int) -> Node | None:
    """The last import of names from `module` that stands before the first use."""
    found = None
    for node in statements.imports:
        if node.type == "import_from_statement" and node.start_byte < first_use:
            clauses = statements.clauses_of(node)
            if clauses and clauses[0].module == module and not statements.is_star(node):
                found = node
    return found


def extension(statements: Statements, node: Node, names: Sequence[str]) -> Iterator[Edit]:
    """Put names into an existing import: in order where the names are sorted, else at the end."""
    clauses = statements.clauses_of(node)
    texts = [clause.text for clause in clauses]
    order = next((key for key in ORDERS if texts == sorted(texts, key=key)), None)
    before: dict[int, list[str]] = {}
    for name in names:
        index = len(texts)
        if order is not None:
            index = next((i for i, text in enumerate(texts) if order(name) < order(text)), len(texts))
        before.setdefault(index, []).append(name)
    for index, added in before.items():
        if index < len(texts):
            yield put_before(statements, clauses[index].node, added)
        else:
            yield from put_after(statements, node, clauses[-1].node, added)


def put_before(statements: Statements, node: Node, names: Sequence[str]) -> Edit:
    separator = separator_before(statements, node)
    return node.start_byte, node.start_byte, "".join(f"{name},{separator}" for name in names)


def put_after(statements: Statements, statement: Node, last: Node, names: Sequence[str]) -> Iterator[Edit]:
    """After the last name: behind the comment of its line, where the names have lines of their own."""
    separator = separator_before(statements, last)
    if separator == " " or statement.children[-1].start_byte < statements.line_end(last.end_byte):
        yield last.end_byte, last.end_byte, "".join(f",{separator}{name}" for name in names)
        return
    if last.next_sibling is None or last.next_sibling.type != ",":
        yield last.end_byte, last.end_byte, ","
    end = statements.text_end(last.end_byte)
    yield end, end, "".join(f"{separator}{name}," for name in names)


def separator_before(statements: Statements, node: Node) -> str:
    """What stands before a name in parentheses that begins its line: a line end and indentation; else one space."""
    start = statements.line_start(node.start_byte)
    indent = statements.utf8[start : node.start_byte]
    parenthesised = node.parent is not None and node.parent.children[-1].type == ")"
    return f"{statements.newline}{indent.decode()}" if parenthesised and not indent.strip() else " "


def insertion(statements: Statements, offset: int, imports: Sequence[tuple[Place, str]], *, replaces: bool) -> Edit:
    """New import lines; `replaces` the line that ends there."""
    newline = statements.newline
    spot = imports[0][0]
    text = newline.join(sorted((line for _, line in imports), key=lambda line: line.startswith("from"))) + newline
    text = newline * spot.blank_before + text + newline * spot.blank_after
    if offset and statements.utf8[offset - 1 : offset] != b"\n":  # the last line has no line end: keep it so
        text = (newline if not replaces else "") + text[: -len(newline)]
    return offset, offset, text


def droppable(statements: Statements, name: str) -> Iterable[Clause]:
    """The one module-level import that binds `name`, if nothing needs it any more."""
    clauses = [clause for clause in statements.clauses() if clause.binds == name]
    if len(clauses) != 1 or clauses[0].explicit or commented(statements, clauses[0]):
        return ()
    return () if named_elsewhere(statements, name, clauses[0].node) else clauses


def commented(statements: Statements, clause: Clause) -> bool:
    """Whether someone wrote something about this import: noqa, a pragma, a reason."""
    node = clause.statement
    start, end = statements.line_start(node.start_byte), statements.line_end(node.end_byte)
    own_start, own_end = statements.line_start(clause.node.start_byte), statements.line_end(clause.node.end_byte)
    for comment in statements.comments(start, end):
        if PRAGMA.search(comment.text or b"") or own_start <= comment.start_byte < own_end:
            return True
    return False


def named_elsewhere(statements: Statements, name: str, own: Node) -> bool:
    """Whether a name stands anywhere else in code, strings or type comments. Plain comments don't count."""
    for match in re.finditer(rb"\b" + re.escape(name.encode()) + rb"\b", statements.utf8):
        if own.start_byte <= match.start() < own.end_byte:
            continue
        node = statements.root.descendant_for_byte_range(match.start(), match.end())
        if node is None or not is_other_name(node):
            return True
    return False


def is_other_name(node: Node) -> bool:
    """Whether a word is no use of the module-level name: a plain comment, an attribute, the path of another import."""
    if node.type == "comment":
        return not TYPE_COMMENT.match(node.text or b"")
    parent = node.parent
    if node.type != "identifier" or parent is None:
        return False
    if parent.type == "attribute":
        return parent.child_by_field_name("attribute") == node
    if parent.type != "dotted_name":
        return False
    statement = next(a for a in ancestors(parent) if a.type.endswith("statement"))
    if statement.type == "import_from_statement":
        module = statement.child_by_field_name("module_name")
        return module is not None and module.start_byte <= node.start_byte < module.end_byte
    return statement.type == "import_statement" and parent.children[0] != node


def grouped(removed: Iterable[Clause]) -> Iterator[tuple[Node, list[Clause]]]:
    by_statement: dict[Node, list[Clause]] = {}
    for clause in sorted(removed, key=lambda clause: clause.node.start_byte):
        by_statement.setdefault(clause.statement, []).append(clause)
    yield from by_statement.items()


def removal(statements: Statements, statement: Node, removed: Sequence[Clause]) -> Iterator[Edit]:
    """Take clauses out of an import, or an import out of the statements that `;` joins."""
    clauses = statements.clauses_of(statement)
    kept = [clause for clause in clauses if clause not in removed]
    if kept:
        for clause in removed:
            index = clauses.index(clause)
            if clause.node.start_byte < kept[0].node.start_byte:
                yield clause.node.start_byte, clauses[index + 1].node.start_byte, ""
            else:
                yield clauses[index - 1].node.end_byte, clause.node.end_byte, ""
        return
    before, after = statements.neighbours(statement)
    if after is not None:
        yield statement.start_byte, after.start_byte, ""
    elif before is not None:
        yield before.end_byte, statement.end_byte, ""


def whole_line(statements: Statements, statement: Node) -> tuple[int, int] | None:
    """The lines of a statement that has them to itself."""
    if any(statements.neighbours(statement)):
        return None
    return statements.line_start(statement.start_byte), statements.line_end(statement.end_byte)


def merged(lines: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, end in sorted(lines):
        if found and found[-1][1] == start:
            start = found.pop()[0]
        found.append((start, end))
    return found


def deletion(statements: Statements, start: int, end: int, inserted: Container[int]) -> Edit:
    """Lines and, where they were a paragraph, the blank lines that are now too many."""
    if end in inserted:
        return start, end, ""
    spare = blank_lines_above(statements, start)
    while spare and end < len(statements.utf8) and not statements.utf8[end : statements.line_end(end)].strip():
        end = statements.line_end(end)
        spare -= 1
    return start, end, ""


def blank_lines_above(statements: Statements, offset: int) -> int:
    """How many; at the top of a file, as many as you like."""
    count = 0
    while offset:
        start = statements.line_start(offset - 1)
        if statements.utf8[start:offset].strip():
            return count
        offset, count = start, count + 1
    return sys.maxsize
