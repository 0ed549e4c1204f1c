"""What it takes to load an import in development only: the statements to wrap or rewrite, or why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from tree_sitter import Node

from perfmod.model import Replace, Safety
from perfmod.patterns import pattern
from perfmod.source.consoles.loading import load_inside, move_below_imports, spoken_of
from perfmod.source.script.bindings import identifiers, is_binding
from perfmod.source.script.conditions import Place, When
from perfmod.source.script.imports import (
    Import,
    belongs,
    chain_top,
    discarding_statement,
    outside_effect,
    package_of,
    root_of,
    walk,
)
from perfmod.source.script.reach import place_of
from perfmod.source.script.statements import (
    BLOCKS,
    GUARD,
    alone_on_line,
    brief,
    comment_above,
    directive_above,
    drop_statement,
    drop_with_remarks,
    extent,
    indent,
    indentation,
    wrap,
)
from perfmod.source.tree import Source, ancestors
from perfmod.values import dataclass

LATER = "the console starts a moment later: its module is loaded on its own"
BEFORE_REACT = frozenset({"react-scan", "@welldone-software/why-did-you-render"})
WANTS_REACT = "it wants to run before React: loaded on its own it runs after it"


CONDITIONAL = pattern(rb"#ifn?def\b")  # uni-app's preprocessor: an import must not leave its `#endif`


@dataclass(frozen=True, slots=True)
class Gating:
    """What would gate one import."""

    safety: Safety
    place: Place  #: when the code runs that the gate is put around
    edits: tuple[Replace, ...] = ()  #: with GUARD where the condition goes
    reason: str | None = None
    comment: str = ""  #: what a comment above it says
    form: str = ""  #: "require" where only bundlers of CommonJS will do, "sole" where nothing else makes it a module


ENOUGH = 100  # uses of one import are looked at to say when it runs; it is left anyhow
IsConsole = Callable[[str], bool]


def gate(found: Import, is_console: IsConsole) -> Gating:
    """What would gate an import."""
    if found.kind in ("dynamic", "require"):
        return gate_call(found, is_console)
    if found.kind == "static":
        return gate_binding(found)
    if found.kind == "side-effect":
        return gate_side_effect(found)
    return Gating(Safety.MANUAL, found.place, reason="the module is passed on: it is exported again")


# import('x') and require('x')


def gate_call(found: Import, is_console: IsConsole) -> Gating:
    source, place = found.source, found.place
    top = chain_top(found.node)
    form = "require" if found.kind == "require" else ""
    statement = discarding_statement(top)
    if statement is not None:
        outer = outermost(source, statement, is_console)
        effect = outside_effect(source, outer, frozenset(), is_console)
        if effect is not None:
            return manual(place, f"the statement does more than start the console: `{brief(effect)}`", form)
        safety = Safety.UNSAFE if form else Safety.SAFE
        reason = "require() runs in its place: what follows may count on the console" if form else None
        return Gating(safety, place, wrap(source, [outer]), reason, comment_above(source, outer), form)
    run = run_of(source, top, is_console)
    if isinstance(run, str):
        return manual(place, run, form)
    reason = "several statements go under the guard"
    return Gating(Safety.UNSAFE, place, wrap(source, run), reason, comment_above(source, run[0]), form)


def manual(place: Place, reason: str, form: str = "") -> Gating:
    return Gating(Safety.MANUAL, place, reason=reason, form=form)


def outermost(source: Source, statement: Node, is_console: IsConsole) -> Node:
    """The statement that gets the guard: the outer one where one console is loaded inside the callback of another."""
    found = statement
    for parent in ancestors(statement):
        if parent.type == "expression_statement" and outside_effect(source, parent, frozenset(), is_console) is None:
            first = parent.named_children[0] if parent.named_children else None
            if (
                first is not None
                and belongs(source, first, frozenset(), is_console)
                and root_of(first).type == "import"
            ):
                found = parent
    return found


def run_of(source: Source, top: Node, is_console: IsConsole) -> list[Node] | str:
    """`const m = await import('x'); m.default.init();` as a list of statements, or why it is no such run."""
    parent = top.parent
    if top.type not in ("await_expression", "call_expression", "member_expression", "parenthesized_expression"):
        return "the module is passed on"
    if parent is None or parent.type != "variable_declarator" or root_of(top).type not in ("import", "identifier"):
        return "the module is passed on"
    if root_of(top).type == "import" and not any(node.type == "await_expression" for node in walk(top)):
        return "the module is passed on"
    declaration = parent.parent
    pattern = parent.child_by_field_name("name")
    if declaration is None or pattern is None or declaration.parent is None or declaration.parent.type not in BLOCKS:
        return "the module is passed on"
    if sum(child.type == "variable_declarator" for child in declaration.named_children) != 1:
        return "the module is passed on"
    names = {source.code(node) for node in walk(pattern) if node.type == "identifier" or is_binding(node)}
    last = None
    for name in names:
        for use in identifiers(source, name):
            if not (parent.start_byte <= use.start_byte < parent.end_byte):
                statement = statement_in(use, declaration.parent)
                if statement is None or statement.start_byte < declaration.start_byte:
                    return f"the module is used in several places: `{name}`"
                last = statement if last is None or statement.start_byte > last.start_byte else last
    if last is None:
        return "the module is passed on"
    run = [declaration]
    while run[-1] != last and (following := run[-1].next_named_sibling) is not None:
        run.append(following)
    for statement in run[1:]:
        if statement.type != "comment" and statement.type != "expression_statement":
            return "the module is used in several places"
        effect = outside_effect(source, statement, frozenset(names), is_console)
        if effect is not None:
            return f"the statements do more than start the console: `{brief(effect)}`"
    return run


def statement_in(node: Node, block: Node) -> Node | None:
    """The statement of a block that holds a node."""
    current: Node | None = node
    while current is not None and current.parent != block:
        current = current.parent
    return current


# import x from 'x'


def gate_binding(found: Import) -> Gating:
    source = found.source
    if len(found.names) != 1:
        return manual(found.place, "several names are imported")
    name = found.names[0]
    uses = found.uses(name)
    values = [use for use in uses if use.type != "type_identifier"]
    if any(is_binding(use) for use in uses):
        return manual(found.place, f"`{name.local}` means several things here")
    if len(values) < len(uses) or any(parent.type.startswith("type_") for use in values for parent in ancestors(use)):
        return manual(found.place, f"`{name.local}` is also used as a type")
    if not values:
        return manual(found.place, f"`{name.local}` is imported and not used")
    place = place_of(source, values[0])
    if len(values) > 1:
        return manual(worst(source, values[:ENOUGH]), f"`{name.local}` is used in several places")
    if directive_above(source, found.node):
        return manual(place, "a directive in a comment stands above the import")
    if any(child.type == "import_attribute" for child in found.node.named_children):
        return manual(place, "the import has attributes")
    use = used_expression(source, values[0])
    if isinstance(use, str):
        return manual(place, use)
    statement, expression = use
    dropped = drop_statement(source, found.node)
    remarks: list[str] = []
    about = spoken_of(found, name)
    if alone_on_line(source, *extent(source, statement, statement)):
        dropped, remarks = drop_with_remarks(source, found.node, about)
    edits = [dropped, *load_inside(source, found, name, statement, expression, place, remarks)]
    reason = WANTS_REACT if package_of(found.specifier) in BEFORE_REACT else LATER
    said = comment_above(source, found.node)
    comment = comment_above(source, statement) or (said if about.search(said) else "")
    return Gating(Safety.UNSAFE, place, tuple(edits), reason, comment, sole(source, found.node))


def sole(source: Source, statement: Node) -> str:
    """Whether an import is the one thing that makes its file a module."""
    others = (child for child in source.root.named_children if child.type in ("import_statement", "export_statement"))
    return "" if any(child != statement for child in others) else "sole"


def worst(source: Source, nodes: Sequence[Node]) -> Place:
    """The most usual of the places: a console that is started anywhere without a condition is started."""
    places = [place_of(source, node) for node in nodes]
    for when in (When.ALWAYS, When.UNKNOWN, When.LEAKY, When.SWITCH):
        found = next((place for place in places if place.when is when), None)
        if found is not None:
            return found
    return places[0]


def used_expression(source: Source, use: Node) -> tuple[Node, Node] | str:
    """The statement that holds the one use of a binding and the expression to run there, or why there is none."""
    parent = use.parent
    if parent is not None and parent.type.startswith("jsx_"):
        return "the console wraps or stands in the page as a component"
    top = chain_top(use)
    if top == use or not any(node.type in ("call_expression", "new_expression") for node in walk(top)):
        return "its value is passed on"
    if any(node.type in ("await_expression", "yield_expression") for node in walk(top)):
        return "its start is awaited"
    statement = discarding_statement(top)
    if statement is not None:
        return statement, top
    declarator = top.parent
    declaration = declarator.parent if declarator is not None else None
    if declarator is None or declarator.type != "variable_declarator" or declaration is None:
        return "its value is passed on"
    name = declarator.child_by_field_name("name")
    if name is None or name.type != "identifier" or declaration.parent is None or declaration.parent.type not in BLOCKS:
        return "its value is passed on"
    if len(list(identifiers(source, source.code(name)))) > 1 or len(declaration.named_children) != 1:
        return f"the console is used later: `{source.code(name)}`"
    return declaration, top


# import 'x'


def gate_side_effect(found: Import) -> Gating:
    source = found.source
    if CONDITIONAL.search(source.utf8):
        return manual(found.place, "comments compile parts of this file on condition: `#ifdef`")
    if directive_above(source, found.node):
        return manual(found.place, "a directive in a comment stands above the import")
    pattern = re.compile(rb"\b(?:window|globalThis)\b[^;\n]{0,20}?\.((?:eruda|vConsole|VConsole))\b")
    users = {user.start_byte: user for node in source.find(pattern) if (user := top_statement(node)) is not None}
    reason = LATER
    if len(users) > 1:
        return manual(found.place, "the console is used in several places")
    call = f"import({source.code(found.string)})"
    comment = comment_above(source, found.node)
    if not users:
        below = tuple(move_below_imports(source, found.node, call))
        return Gating(Safety.UNSAFE, found.place, below, reason, comment, sole(source, found.node))
    statement = next(iter(users.values()))
    names = frozenset({"window", "globalThis"})
    if statement.type not in ("if_statement", "expression_statement") or outside_effect(
        source, statement, names, lambda _: False
    ):
        return manual(found.place, "the statement does more than start the console")
    unit, newline = indentation(source), source.text.newline
    semicolon = ";" if source.code(found.node).endswith(";") else ""
    inner = indent(source, statement.start_byte, statement.end_byte, unit * 2)
    body = f"{newline}{unit * 2}{inner}{newline}{unit}"
    text = f"if ({GUARD}) {{{newline}{unit}{call}.then(() => {{{body}}}){semicolon}{newline}}}"
    edits = (drop_statement(source, found.node), Replace(source.span(statement), text))
    comment = comment or comment_above(source, statement)
    return Gating(Safety.UNSAFE, place_of(source, statement), edits, reason, comment, sole(source, found.node))


def top_statement(node: Node) -> Node | None:
    """The statement of the module that holds a node."""
    found = node
    for parent in ancestors(node):
        if parent.type == "program":
            return found
        found = parent
    return None
