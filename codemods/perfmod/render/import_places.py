"""The module-level imports of a Python file, and where a careful person would put another."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Set
from functools import cached_property

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.tree import ancestors, parser
from perfmod.values import dataclass

IMPORTS = ("import_statement", "import_from_statement")
DEFINITIONS = ("function_definition", "class_definition", "decorated_definition")
COMPOUND = ("try_statement", "if_statement", "with_statement")
PATH_HACK = pattern(rb"\bsys\s*\.\s*path\b|\baddsitedir\b")
CODING = pattern(rb"#!|#.*?coding[:=]")
LINE_END = pattern(rb"\r?\n|\Z")


@dataclass(frozen=True, slots=True)
class Clause:
    """One name of a module-level import."""

    statement: Node
    node: Node
    text: str  #: as it is written, spaces made one
    binds: str | None  #: None where it is a part of a dotted name
    module: str | None  #: of `from module import`
    explicit: bool  #: `import a as a`, a re-export


@dataclass(frozen=True, slots=True)
class Place:
    """Where a new import line goes: the beginning of a line, or the end of a file without a last line end."""

    offset: int
    blank_before: bool = False
    blank_after: bool = False


class Statements:
    """The module level of one file."""

    def __init__(self, utf8: bytes) -> None:
        self.utf8 = utf8
        self.root = parser("python").parse(utf8).root_node
        self.nodes = [n for n in self.root.named_children if n.type not in ("comment", "line_continuation")]
        self.imports = [n for n in self.nodes if n.type in IMPORTS]
        first = utf8.find(b"\n")
        self.newline = "\r\n" if first > 0 and utf8[first - 1] == 0x0D else "\n"

    def line_start(self, offset: int) -> int:
        return self.utf8.rfind(b"\n", 0, offset) + 1

    def line_end(self, offset: int) -> int:
        """The offset after the line end of the line that holds `offset`."""
        end = self.utf8.find(b"\n", offset)
        return len(self.utf8) if end < 0 else end + 1

    def text_end(self, offset: int) -> int:
        """The offset of the line end of the line that holds `offset`."""
        found = LINE_END.search(self.utf8, offset)
        return found.start() if found else len(self.utf8)

    def clauses(self) -> list[Clause]:
        return [clause for node in self.imports for clause in self.clauses_of(node)]

    def clauses_of(self, node: Node) -> list[Clause]:
        module = node.child_by_field_name("module_name")
        written = None if module is None else text_of(module)
        return [clause(node, name, written) for name in node.children_by_field_name("name")]

    def is_star(self, node: Node) -> bool:
        return any(child.type == "wildcard_import" for child in node.children)

    def comments(self, start: int, end: int) -> Iterator[Node]:
        for match in re.finditer(b"#", self.utf8[start:end]):
            node = self.root.descendant_for_byte_range(start + match.start(), start + match.start() + 1)
            if node is not None and node.type == "comment" and node.start_byte == start + match.start():
                yield node

    def neighbours(self, node: Node) -> tuple[Node | None, Node | None]:
        """The statements that `;` joins to this one, before and after it."""
        index = self.nodes.index(node)
        before = self.nodes[index - 1] if index else None
        after = self.nodes[index + 1] if index + 1 < len(self.nodes) else None
        return (
            before if before is not None and self.joined(before, node) else None,
            after if after is not None and self.joined(node, after) else None,
        )

    def joined(self, one: Node, other: Node) -> bool:
        return b"\n" not in self.utf8[one.end_byte : other.start_byte].replace(b"\\\r\n", b"").replace(b"\\\n", b"")

    def first_use(self, name: str) -> int:
        """Where the module-level statement begins that first needs `name` while the file is imported."""
        for match in re.finditer(rb"\b" + re.escape(name.encode()) + rb"\b", self.utf8):
            node = self.root.descendant_for_byte_range(match.start(), match.end())
            if node is None or node.type != "identifier":
                continue
            above = [node, *ancestors(node)]
            if any(n.type in IMPORTS for n in above) or any(is_body(n) for n in above):
                continue
            return above[-2].start_byte
        return len(self.utf8) + 1

    @cached_property
    def header(self) -> list[Node]:
        """What stands before the first definition or `__main__` guard."""
        found = []
        for node in self.nodes:
            if node.type in DEFINITIONS or is_main_guard(node):
                break
            found.append(node)
        return found


def text_of(node: Node) -> str:
    return re.sub(r"\s{0,99}\.\s{0,99}", ".", " ".join((node.text or b"").decode().replace("\\", " ").split()))


def clause(statement: Node, node: Node, module: str | None) -> Clause:
    name, alias = node, None
    if node.type == "aliased_import":
        name = node.child_by_field_name("name") or node
        alias = node.child_by_field_name("alias")
    original = text_of(name)
    if alias is not None:
        binds: str | None = text_of(alias)
        return Clause(statement, node, f"{original} as {binds}", binds, module, original == binds)
    return Clause(statement, node, original, None if "." in original else original, module, False)


def is_body(node: Node) -> bool:
    """Whether a node is what a function or lambda does when it is called."""
    parent = node.parent
    return (
        parent is not None
        and parent.type in ("function_definition", "lambda")
        and parent.child_by_field_name("body") == node
    )


def is_main_guard(node: Node) -> bool:
    condition = node.child_by_field_name("condition") if node.type == "if_statement" else None
    return condition is not None and b"__name__" in (condition.text or b"")


def is_type_checking(node: Node) -> bool:
    condition = node.child_by_field_name("condition") if node.type == "if_statement" else None
    return condition is not None and b"TYPE_CHECKING" in (condition.text or b"")


def imports_of(node: Node) -> list[Node]:
    """The imports that a module-level statement runs when the file is imported."""
    if node.type in IMPORTS:
        return [node]
    if node.type not in COMPOUND or is_type_checking(node) or is_main_guard(node):
        return []
    found = []
    stack = [node]
    while stack:
        inner = stack.pop()
        if inner.type in IMPORTS:
            found.append(inner)
        elif inner.type not in DEFINITIONS:
            stack.extend(inner.named_children)
    return found


def roots_of(node: Node) -> set[str]:
    """The first names of what an import statement imports; "." for a relative one."""
    module = node.child_by_field_name("module_name")
    paths = [module] if module is not None else node.children_by_field_name("name")
    return {"." if path.type == "relative_import" else text_of(path).partition(".")[0] for path in paths}


def place(statements: Statements, module: str, first_use: int, gone: Set[Node]) -> Place:
    """Where `from module import ...` goes, so that it runs before `first_use`. `gone` are imports that are dropped."""
    root = "." if module.startswith(".") else module.partition(".")[0]
    early = [node for node in statements.nodes if node.end_byte <= first_use]
    header = [node for node in statements.header if node.end_byte <= first_use]
    for region in (header, early):
        same = [node for node in region if any(root in roots_of(i) for i in imports_of(node))]
        plain = [node for node in same if node.type in IMPORTS]
        if same:
            anchor = (plain or same)[-1]
            return after(statements, anchor, blank=anchor.type not in IMPORTS)
    late = [node for node in early[len(header) :] if node.type in IMPORTS]
    below = header[-1].end_byte if header else 0
    if late and PATH_HACK.search(statements.utf8, below, late[-1].start_byte):
        return after(statements, late[-1], blank=new_section(statements, late[-1], gone))
    for node in reversed(header):
        if node.type in IMPORTS:
            return after(statements, node, blank=new_section(statements, node, gone))
        if imports_of(node) or PATH_HACK.search(node.text or b""):
            return after(statements, node, blank=True)
    if late:
        return after(statements, late[-1], blank=new_section(statements, late[-1], gone))
    return at_top(statements)


def sorted_place(statements: Statements, line: str, first_use: int) -> Place | None:
    """Where an import of the standard library, or of a whole module, goes among its like: plain imports come first."""
    root = re.split(r"[ .]", line)[1]
    standard = root in sys.stdlib_module_names
    if not root or not (standard or line.startswith("import ")):
        return None
    nodes = [n for n in statements.header if n.type in IMPORTS and n.end_byte <= first_use]
    alike = [n for n in nodes if "." not in roots_of(n) and (roots_of(n) <= sys.stdlib_module_names) == standard]
    if not alike:
        return Place(statements.line_start(nodes[0].start_byte), blank_after=True) if nodes and standard else None
    section = alike[: next((i for i, n in enumerate(alike[1:], 1) if apart(statements, alike[i - 1], n)), len(alike))]
    earlier = [n for n in section if import_order(text_of(n)) < import_order(line)]
    if earlier:
        return after(statements, earlier[-1], blank=False)
    return Place(statements.line_start(section[0].start_byte))


def apart(statements: Statements, one: Node, other: Node) -> bool:
    return statements.utf8[one.end_byte : other.start_byte].count(b"\n") > 1


def import_order(line: str) -> tuple[bool, str]:
    return line.startswith("from"), line.split()[1]


def after(statements: Statements, node: Node, *, blank: bool) -> Place:
    """The line after a statement and whatever `;` joins to it."""
    _, joined = statements.neighbours(node)
    while joined is not None:
        node = joined
        _, joined = statements.neighbours(node)
    offset = statements.line_end(node.end_byte)
    following = statements.utf8[offset : statements.line_end(offset)].strip()
    return Place(offset, blank, blank and bool(following))


def new_section(statements: Statements, node: Node, gone: Set[Node]) -> bool:
    """Whether an import of the project after this one begins a section of its own, set off by a blank line."""
    block = [node]
    for other in reversed(statements.imports[: statements.imports.index(node)]):
        between = statements.utf8[other.end_byte : block[-1].start_byte]
        if between.count(b"\n") > 1 or between.strip().startswith(b"#"):
            break
        block.append(other)
    kept = [import_ for import_ in block if import_ not in gone]
    kinds = {bool(roots_of(import_) & sys.stdlib_module_names) for import_ in kept}
    return len(kinds) == 1


def at_top(statements: Statements) -> Place:
    """After the docstring and `__future__`; else after the comments that the file begins with."""
    anchor = None
    for index, node in enumerate(statements.nodes):
        is_docstring = index == 0 and node.type == "expression_statement" and node.named_children[0].type in STRINGS
        if not (is_docstring or node.type == "future_import_statement"):
            break
        anchor = node
    if anchor is not None:
        return after(statements, anchor, blank=True)
    utf8 = statements.utf8
    offset = 0
    coding = 0
    while utf8[offset : statements.line_end(offset)].lstrip().startswith(b"#"):
        if CODING.match(utf8, offset):
            coding = statements.line_end(offset)
        offset = statements.line_end(offset)
    if offset < len(utf8) and utf8[offset : statements.line_end(offset)].strip():
        offset = coding  # the comment belongs to the code below it
    following = utf8[offset : statements.line_end(offset)].strip()
    return Place(offset, blank_before=offset > 0, blank_after=bool(following))


STRINGS = ("string", "concatenated_string")
