"""When a place in TypeScript or JavaScript runs: always, only in development, behind a switch, or nobody knows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.script.bindings import first_line, identifiers, is_binding, last_name
from perfmod.source.script.conditions import STRENGTH, Place, When, judge
from perfmod.source.tree import Source, ancestors, field_of

FUNCTIONS = frozenset({"arrow_function", "function_expression", "function_declaration", "generator_function",
                       "generator_function_declaration", "method_definition"})  # fmt: skip
LOOPS = frozenset({"for_statement", "for_in_statement", "while_statement", "do_statement"})
# A callback that these get runs soon and once, whatever the user does.
IMMEDIATE = frozenset(
    """useEffect useLayoutEffect useInsertionEffect useMount onMounted onBeforeMount onMount createEffect
    setTimeout queueMicrotask requestIdleCallback requestAnimationFrame startTransition then finally""".split()
)
# These hand on the component or function that they get.
WRAPPERS = frozenset("memo forwardRef observer useCallback".split())
LOADED = frozenset({"load", "DOMContentLoaded", "readystatechange", "pageshow"})
RENDERS = frozenset({"render", "hydrate", "hydrateRoot"})
PLAIN_PARENT = pattern(
    r"\A(?:[a-z][\w-]*|(?:\w+\.)?\w*(?:Provider|StrictMode|Suspense|Boundary|Router|Fragment|Root))\Z"
)


def combine(places: Sequence[Place]) -> Place:
    """One answer for a function that is called at several places."""
    exports = tuple(sorted({name for place in places for name in place.exports}))
    own = [place for place in places if place.calls]
    if not own:
        return Place(When.ALWAYS, exports=exports, calls=False)
    first = min(own, key=lambda place: STRENGTH.index(place.when))
    if first.when is When.DEVELOPMENT:
        return Place(When.INDIRECT, "it is called under the guard, but the bundler may not follow the call", exports)
    return Place(first.when, first.detail, exports)


def place_of(source: Source, node: Node, seen: frozenset[str] = frozenset()) -> Place:
    """When the code at `node` runs."""
    found: Place | None = None
    inner: Node | None = None
    rendered = node.type.startswith("jsx_")
    child = node
    for parent in ancestors(node):
        said = condition_on(source, child, parent, inside_jsx=rendered and inner is None)
        if said is not None and said.when is When.DEVELOPMENT:
            return said
        if said is not None and (found is None or STRENGTH.index(said.when) < STRENGTH.index(found.when)):
            found = said
        if parent.type in FUNCTIONS and inner is None:
            called = role_of(source, parent)
            if isinstance(called, Node):
                inner = called
            elif called is not None and found is None:
                found = called
        child = parent
    if found is not None or inner is None:
        return found or Place(When.ALWAYS)
    return place_of_function(source, inner, seen)


def condition_on(source: Source, child: Node, parent: Node, *, inside_jsx: bool) -> Place | None:
    """What a parent says about when its child runs; None where it says nothing."""
    kind, role = parent.type, field_of(child)
    if kind in ("if_statement", "ternary_expression") and role in ("consequence", "alternative"):
        return judge(source, parent.child_by_field_name("condition"), holds=role == "consequence")
    if kind == "binary_expression" and role == "right":
        operator = parent.child_by_field_name("operator")
        if operator is not None and operator.type in ("&&", "||"):
            return judge(source, parent.child_by_field_name("left"), holds=operator.type == "&&")
        return Place(When.SWITCH, source.code(parent)) if operator is not None and operator.type == "??" else None
    if kind in ("statement_block", "program"):
        return early_exit(source, child)
    if kind in LOOPS and role == "body":
        return Place(When.UNKNOWN, "it stands in a loop")
    if kind in ("switch_case", "switch_default") and role != "value":
        return Place(When.SWITCH, first_line(source.code(parent)))
    if kind == "catch_clause":
        return Place(When.UNKNOWN, "it stands in a catch block")
    if kind in ("class_body", "public_field_definition", "field_definition"):
        return Place(When.UNKNOWN, "it stands in a class")
    return jsx_condition(source, child, parent) if inside_jsx else None


def jsx_condition(source: Source, child: Node, parent: Node) -> Place | None:
    """What stands between a rendered element and the function that returns it."""
    kind = parent.type
    if kind == "jsx_element":
        tag = parent.child_by_field_name("open_tag")
        name = tag.child_by_field_name("name") if tag is not None else None
        if name is None or PLAIN_PARENT.match(source.code(name)):
            return None
        return Place(When.UNKNOWN, f"<{source.code(name)}> decides whether it is shown")
    if kind == "arguments":
        call = parent.parent
        function = call.child_by_field_name("function") if call is not None else None
        if function is not None and last_name(source, function) in RENDERS:
            return None
    if kind in ("jsx_attribute", "pair", "array", "arguments", "variable_declarator", "assignment_expression"):
        return Place(When.UNKNOWN, "the component is passed on")
    return None


def early_exit(source: Source, statement: Node) -> Place | None:
    """What an `if (...) return;` above a statement says about it."""
    sibling = statement.prev_named_sibling
    found: Place | None = None
    while sibling is not None:
        source.spend(sibling.descendant_count if sibling.type == "if_statement" else 1)
        if sibling.type == "if_statement" and leaves(sibling):
            branch = sibling.child_by_field_name("consequence")
            sure = branch is not None and ends(branch) and sibling.child_by_field_name("alternative") is None
            condition = sibling.child_by_field_name("condition")
            said = judge(source, condition, holds=False) if sure else Place(When.UNKNOWN, "an earlier `if` may return")
            if said is not None and said.when is When.DEVELOPMENT:
                said = Place(When.INDIRECT, "an early return is no guard that every bundler sees")
            if said is not None and (found is None or STRENGTH.index(said.when) < STRENGTH.index(found.when)):
                found = said
        sibling = sibling.prev_named_sibling
    return found


def leaves(node: Node) -> bool:
    """Whether a statement holds a way out of the block around it."""
    if node.type in ("return_statement", "throw_statement", "continue_statement", "break_statement"):
        return True
    return node.type not in FUNCTIONS and any(leaves(child) for child in node.named_children)


def ends(branch: Node) -> bool:
    """Whether a branch always leaves."""
    if branch.type == "statement_block":
        statements = [child for child in branch.named_children if child.type != "comment"]
        return bool(statements) and ends(statements[-1])
    return branch.type in ("return_statement", "throw_statement", "continue_statement", "break_statement")


# Functions


def role_of(source: Source, function: Node) -> Node | Place | None:
    """How a function comes to run: the identifier that names it, a Place, or None where it runs at once."""
    if function.type == "method_definition":
        return Place(When.UNKNOWN, "it stands in a method")
    name = function.child_by_field_name("name")
    if function.type.endswith("_declaration") and name is not None:
        return name
    value, parent = function, function.parent
    while parent is not None and parent.type in ("parenthesized_expression", "as_expression", "satisfies_expression"):
        value, parent = parent, parent.parent
    if parent is None:
        return Place(When.UNKNOWN, "nobody knows who calls it")
    if parent.type == "call_expression" and field_of(value) == "function":
        return None
    if parent.type == "variable_declarator":
        target = parent.child_by_field_name("name")
        return target if target is not None and target.type == "identifier" else Place(When.UNKNOWN, "it is passed on")
    if parent.type == "export_statement":
        return Place(When.ALWAYS, exports=("default",), calls=False)
    if parent.type == "assignment_expression":
        left = parent.child_by_field_name("left")
        if left is not None and re.search(r"\.on[a-z]+\Z", source.code(left)):
            return Place(When.SWITCH, source.code(left))
    if parent.type == "jsx_expression" and parent.parent is not None and parent.parent.type == "jsx_attribute":
        attribute = first_line(source.code(parent.parent)).partition("=")[0]
        return Place(When.SWITCH if attribute.startswith("on") else When.UNKNOWN, attribute)
    if parent.type == "arguments" and parent.parent is not None:
        return role_of_callback(source, parent.parent, value)
    return Place(When.UNKNOWN, "nobody knows who calls it")


def role_of_callback(source: Source, call: Node, value: Node) -> Node | Place | None:
    function = call.child_by_field_name("function")
    name = last_name(source, function) if function is not None else ""
    if name in IMMEDIATE:
        return None
    if name == "addEventListener":
        arguments = call.child_by_field_name("arguments")
        event = source.code(arguments.named_children[0])[1:-1] if arguments is not None else ""
        return None if event in LOADED else Place(When.SWITCH, f"a {event} event")
    parent = call.parent
    if name in WRAPPERS and parent is not None:
        if parent.type == "variable_declarator":
            return parent.child_by_field_name("name")
        if parent.type == "export_statement":
            return Place(When.ALWAYS, exports=("default",), calls=False)
    return Place(When.UNKNOWN, f"it is a callback of {name or 'something'}")


def place_of_function(source: Source, name: Node, seen: frozenset[str]) -> Place:
    """When a named function is called, as far as its own file says."""
    word = source.code(name)
    nodes = list(identifiers(source, word))
    if word in seen or sum(map(is_binding, nodes)) != 1:
        return Place(When.UNKNOWN, f"`{word}` means several things here")
    places = [use for node in nodes if (use := place_of_use(source, node, seen | {word})) is not None]
    exports = exported_names(source, name)
    if exports:
        places.append(Place(When.ALWAYS, exports=exports, calls=False))
    return combine(places) if places else Place(When.UNKNOWN, f"`{word}` is not called in this file")


def place_of_use(source: Source, node: Node, seen: frozenset[str] = frozenset()) -> Place | None:
    """When one mention of a function or component makes it run; None for its declaration and for types."""
    parent = node.parent
    if parent is None or is_binding(node) or parent.type in ("jsx_closing_element", "export_specifier", "type_query"):
        return None
    if parent.type == "export_statement":
        return None
    if parent.type == "call_expression" and field_of(node) == "function":
        return place_of(source, parent, seen)
    if parent.type in ("jsx_opening_element", "jsx_self_closing_element") and field_of(node) == "name":
        element = parent.parent if parent.type == "jsx_opening_element" else parent
        return place_of(source, element, seen) if element is not None else None
    if parent.type == "arguments" and parent.parent is not None:
        called = role_of_callback(source, parent.parent, node)
        if called is None:
            return place_of(source, parent.parent, seen)
        if isinstance(called, Place):
            return called
    return Place(When.UNKNOWN, f"`{source.code(node)}` is passed on")


def exported_names(source: Source, name: Node) -> tuple[str, ...]:
    """The names under which a declaration leaves its file."""
    word = source.code(name)
    found: set[str] = set()
    statement = next(
        (a for a in ancestors(name) if a.parent is not None and a.parent.type in ("program", "export_statement")), None
    )
    if statement is not None and statement.parent is not None and statement.parent.type == "export_statement":
        default = any(child.type == "default" for child in statement.parent.children)
        found.add("default" if default else word)
    for node in identifiers(source, word):
        parent = node.parent
        if parent is not None and parent.type == "export_specifier" and field_of(node) == "name":
            alias = parent.child_by_field_name("alias")
            found.add(source.code(alias) if alias is not None else word)
        exported = (
            parent.parent.parent if parent is not None and parent.type == "arguments" and parent.parent else parent
        )
        if exported is not None and exported.type == "export_statement" and field_of(node) != "declaration":
            found.add("default")
    return tuple(sorted(found))
