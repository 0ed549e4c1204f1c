"""Imports of TypeScript and JavaScript: every form, the names that they bind, and what hangs on them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Literal, TypeAlias

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.script.bindings import identifiers, is_binding, strip
from perfmod.source.script.conditions import Place
from perfmod.source.script.reach import FUNCTIONS, place_of, place_of_use
from perfmod.source.tree import Source, ancestors, field_of
from perfmod.values import dataclass

Kind: TypeAlias = Literal["dynamic", "static", "side-effect", "require", "re-export", "import-require"]

TYPES = frozenset({"type_query", "type_annotation", "type_alias_declaration", "interface_declaration", "type_arguments",
                   "ambient_declaration", "satisfies_type", "module"})  # fmt: skip
NAMES = frozenset({"identifier", "shorthand_property_identifier_pattern"})
LITERALS = frozenset({"string", "template_string", "array", "object", "regex", "arrow_function", "function_expression"})
#: Calls of these change nothing that the program reads.
PURE = frozenset({"console", "JSON", "Object", "String", "Error"})
LEAVING = frozenset({"return_statement", "yield_expression", "break_statement", "continue_statement"})
CONSOLE_GLOBAL = pattern(r"\(?(?:window|globalThis)(?: as \w+\))?!?\??\.(?:eruda|vConsole|VConsole)\b")
NOT_SHIPPED = pattern(
    r"(?:\A|/)(?:__tests__|__mocks__|__fixtures__|tests?|e2e|cypress|playwright|stories|\.storybook)/"
    r"|\.(?:test|tests|spec|stories|story|cy|bench)\.[cm]?[jt]sx?\Z"
    r"|\.d\.[cm]?ts\Z|\.config\.[cm]?[jt]s\Z|(?:\A|/)(?:webpack|rollup|vite|vitest|jest|craco|gulpfile|config-overrides|setupTests|metro)[\w.-]*\.[cm]?[jt]s\Z"
)


@dataclass(frozen=True, slots=True)
class Name:
    """A name that an import binds."""

    imported: str  #: the exported name; "default"; "*" for the whole module
    local: str


@dataclass(frozen=True)
class Import:
    """One import of a module, while its file is open."""

    source: Source
    kind: Kind
    node: Node  #: the statement, or the call of import() or require()
    string: Node  #: the specifier with its quotes
    names: tuple[Name, ...] = ()

    @property
    def specifier(self) -> str:
        return self.source.code(self.string)[1:-1]

    @cached_property
    def place(self) -> Place:
        """When the module is loaded, as far as this file says."""
        return place_of(self.source, self.node)

    def uses(self, name: Name) -> list[Node]:
        """The mentions of a bound name, without its import. Types count."""
        start, end = self.node.start_byte, self.node.end_byte
        found = identifiers(self.source, name.local)
        mentions = [node for node in found if not (start <= node.start_byte < end)]
        return [node for node in mentions if node.parent is not None and node.parent.type != "jsx_closing_element"]

    def places(self, name: Name) -> list[Place]:
        """When the uses of a bound name run it."""
        return [place for node in self.uses(name) if (place := place_of_use(self.source, node)) is not None]


def is_shipped(path: str) -> bool:
    """Whether a file is part of what users get: no test, story, configuration or declaration file."""
    return NOT_SHIPPED.search(path) is None


def imports(source: Source, pattern: re.Pattern[bytes], wanted: Callable[[str], bool]) -> Iterator[Import]:
    """The imports whose specifier is wanted. `pattern` is where in the bytes a string could hold one."""
    seen: set[int] = set()
    for found in source.find(pattern):
        node: Node | None = found
        while node is not None and node.type not in ("string", "template_string"):
            node = node.parent if node.type in ("string_fragment", "escape_sequence", '"', "'", "`") else None
        if node is None or node.start_byte in seen or not wanted(source.code(node)[1:-1]):
            continue
        seen.add(node.start_byte)
        if not any(parent.type in TYPES for parent in ancestors(node)):
            yield from import_at(source, node)


def import_at(source: Source, string: Node) -> Iterator[Import]:
    """The import that a string is the specifier of, if it is one and loads anything."""
    parent = string.parent
    if parent is None:
        return
    if parent.type == "import_require_clause" and parent.parent is not None:
        yield Import(source, "import-require", parent.parent, string)
    elif parent.type in ("import_statement", "export_statement") and field_of(string) == "source":
        if any(child.type == "type" for child in parent.children):
            return
        if parent.type == "export_statement":
            yield Import(source, "re-export", parent, string, tuple(reexported(source, parent)))
            return
        clause = next((child for child in parent.named_children if child.type == "import_clause"), None)
        names = tuple(bound_names(source, clause)) if clause is not None else ()
        if clause is None:
            yield Import(source, "side-effect", parent, string)
        elif names or not clause.named_children or not source.code(clause).strip("{} \n\t"):
            yield Import(source, "static", parent, string, names)
    elif parent.type == "arguments" and parent.parent is not None and first_argument(parent) == string:
        function = parent.parent.child_by_field_name("function")
        if function is not None and function.type == "import":
            yield Import(source, "dynamic", parent.parent, string)
        elif function is not None and source.code(function) == "require":
            yield Import(source, "require", parent.parent, string)


def first_argument(arguments: Node) -> Node | None:
    child: Node | None = arguments.named_child(0)
    while child is not None and child.type == "comment":
        child = child.next_named_sibling
    return child


def bound_names(source: Source, clause: Node) -> Iterator[Name]:
    """The names of an import clause that are no types."""
    for child in clause.named_children:
        if child.type == "identifier":
            yield Name("default", source.code(child))
        elif child.type == "namespace_import":
            yield Name("*", source.code(child.named_children[-1]))
        elif child.type == "named_imports":
            for specifier in child.named_children:
                name, alias = specifier.child_by_field_name("name"), specifier.child_by_field_name("alias")
                if name is not None and not any(part.type == "type" for part in specifier.children):
                    yield Name(source.code(name), source.code(alias if alias is not None else name))


def reexported(source: Source, statement: Node) -> Iterator[Name]:
    """What `export ... from` hands on: (their name, the name here)."""
    clause = next((child for child in statement.named_children if child.type == "export_clause"), None)
    if clause is None:
        yield Name("*", "*")
        return
    for specifier in clause.named_children:
        name, alias = specifier.child_by_field_name("name"), specifier.child_by_field_name("alias")
        if name is not None:
            yield Name(source.code(name), source.code(alias if alias is not None else name))


def package_of(specifier: str) -> str:
    """`@scope/name` of `@scope/name/sub`, `name` of `name/sub`."""
    parts = specifier.split("/")
    return "/".join(parts[: 2 if specifier.startswith("@") else 1])


# Expressions that hang on one expression


def chain_top(node: Node) -> Node:
    """The longest run of members, calls and awaits that begins with a node, as `import('x')` begins one."""
    top = node
    while (parent := top.parent) is not None:
        role = field_of(top)
        if (
            (parent.type in ("member_expression", "subscript_expression") and role == "object")
            or (parent.type == "call_expression" and role == "function")
            or (parent.type == "new_expression" and role == "constructor")
            or parent.type in ("parenthesized_expression", "await_expression", "non_null_expression", "as_expression")
        ):
            top = parent
        else:
            break
    return top


def discarding_statement(node: Node) -> Node | None:
    """The expression statement that throws the value of `node` away: below `void`, and on the right of `&&`."""
    while (parent := node.parent) is not None:
        operator = parent.child_by_field_name("operator")
        if parent.type == "expression_statement":
            return parent
        void = parent.type == "unary_expression" and operator is not None and operator.type == "void"
        last = parent.type == "binary_expression" and field_of(node) == "right" and operator is not None
        if not (
            void
            or parent.type == "parenthesized_expression"
            or (last and operator is not None and operator.type == "&&")
        ):
            return None
        node = parent
    return None


def root_of(node: Node) -> Node:
    """The expression that a run of members and calls begins with."""
    while True:
        node = strip(node)
        inner = None
        if node.type in ("member_expression", "subscript_expression"):
            inner = node.child_by_field_name("object")
        elif node.type == "call_expression":
            inner = node.child_by_field_name("function")
        elif node.type == "new_expression":
            inner = node.child_by_field_name("constructor")
        elif node.type == "await_expression":
            inner = node.named_children[-1]
        if inner is None:
            return node
        node = inner


def outside_effect(
    source: Source, node: Node, allowed: frozenset[str], is_console: Callable[[str], bool]
) -> str | None:
    """The first thing that code does to what is neither its own nor the console's; None where it does nothing such."""
    source.spend(node.descendant_count)
    made = frozenset(source.code(child) for child in walk(node) if child.type in NAMES and is_binding(child))
    for child in walk(node):
        inside = (parent for parent in ancestors(child) if node.start_byte <= parent.start_byte)
        if child.type in LEAVING and not any(parent.type in FUNCTIONS for parent in inside):
            return source.code(child)
        called = child.type in ("call_expression", "new_expression")
        target = child if called else changed_by(child)
        names = allowed | made | (PURE if called else frozenset())
        if target is not None and not belongs(source, target, names, is_console, called=called):
            return source.code(child)
    return None


def changed_by(node: Node) -> Node | None:
    """What an assignment changes."""
    if node.type in ("assignment_expression", "augmented_assignment_expression"):
        return node.child_by_field_name("left")
    return node.child_by_field_name("argument") if node.type == "update_expression" else None


def belongs(
    source: Source, node: Node, names: frozenset[str], is_console: Callable[[str], bool], *, called: bool = True
) -> bool:
    """Whether an expression begins with a literal, a console or one of `names`, or calls a console's global."""
    root = root_of(node)
    if root.type == "import" or (root.type == "identifier" and source.code(root) == "require"):
        call = root.parent
        arguments = call.child_by_field_name("arguments") if call is not None else None
        first = first_argument(arguments) if arguments is not None else None
        literal = first is not None and first.type in ("string", "template_string")
        return literal and first is not None and is_console(source.code(first)[1:-1])
    if root.type == "identifier" and source.code(root) in names:
        return True
    return root.type in LITERALS or (called and CONSOLE_GLOBAL.match(source.code(node)) is not None)


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.named_children:
        yield from walk(child)
