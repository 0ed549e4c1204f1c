"""What a condition around TypeScript or JavaScript proves: development, a browser, a switch that someone chose."""

from __future__ import annotations

from enum import StrEnum

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.script.bindings import first_line, identifiers, is_binding, strip
from perfmod.source.tree import Source
from perfmod.values import dataclass

DEVELOPMENT = pattern(r"\Aimport\.meta\.env\??\.(DEV|PROD)\Z")
MODES = pattern(r"\A(?:import\.meta\.env\??\.MODE|process\.env\.NODE_ENV)\Z")
ENVIRONMENT = pattern(r"import\.meta\.env\??\.(?:DEV|PROD|MODE)\b|process\.env\.NODE_ENV\b")
CONSOLE_THERE = pattern(
    r"(?:\(?window(?: as [\w<>, ]+\))?|globalThis)\??\.(?:document|eruda|VConsole|vConsole)|import\.meta\.env\.SSR"
)
BROWSER = pattern(r"\A(?:window|document|navigator|globalThis|self)\Z")


class When(StrEnum):
    """What is known of when code runs."""

    ALWAYS = "always"
    DEVELOPMENT = "development"  #: behind a guard that the bundler drops with everything in it
    INDIRECT = "indirect"  #: in development only, but the bundler may not see it
    LEAKY = "leaky"  #: the guard lets production through
    SWITCH = "switch"  #: behind a condition that someone chose
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Place:
    """When the code of one place runs, as far as its own file says."""

    when: When
    detail: str = ""  #: the condition, or why nobody knows
    exports: tuple[str, ...] = ()  #: it runs when one of these exported functions is called
    calls: bool = True  #: it also runs from within the file; False: only through `exports`


# The strongest first: one switch makes the whole a switch.
STRENGTH = (When.UNKNOWN, When.LEAKY, When.SWITCH, When.ALWAYS, When.INDIRECT, When.DEVELOPMENT)


def judge(source: Source, condition: Node | None, *, holds: bool) -> Place | None:
    """What it says about code that it runs where `condition` holds, or does not. None: nothing."""
    if condition is None:
        return Place(When.UNKNOWN, "a condition that could not be read")
    detail = first_line(source.code(strip(condition)))
    mode = in_development(source, condition, holds)
    if mode is not None:
        return Place(When.DEVELOPMENT, mode)
    if in_development(source, condition, holds, through_names=True) is not None:
        return Place(When.INDIRECT, f"`{detail}` is no guard that every bundler sees")
    if harmless(source, condition) or strip(condition).type == ("true" if holds else "false"):
        return None
    if ENVIRONMENT.search(source.code(condition)):
        return Place(When.LEAKY, f"`{detail}` also lets production through")
    return Place(When.SWITCH, detail)


def in_development(source: Source, node: Node, holds: bool, *, through_names: bool = False) -> str | None:
    """Not None where a condition that holds (or does not) proves a development build; the text is the MODE it needs."""
    node = strip(node)
    code = source.code(node)
    if node.type == "unary_expression" and code.startswith("!"):
        argument = node.child_by_field_name("argument")
        return None if argument is None else in_development(source, argument, not holds, through_names=through_names)
    if node.type == "call_expression" and code.startswith("Boolean("):
        arguments = node.child_by_field_name("arguments")
        inner = arguments.named_children[0] if arguments is not None and arguments.named_children else None
        return None if inner is None else in_development(source, inner, holds, through_names=through_names)
    if node.type == "member_expression" and (match := DEVELOPMENT.match(code)):
        return "" if (match[1] == "DEV") == holds else None
    if node.type == "identifier" and through_names:
        value = constant(source, code)
        return None if value is None else in_development(source, value, holds, through_names=True)
    if node.type != "binary_expression":
        return None
    left, operator, right = (node.child_by_field_name(name) for name in ("left", "operator", "right"))
    if left is None or operator is None or right is None:
        return None
    if operator.type in ("&&", "||"):
        sides = [in_development(source, side, holds, through_names=through_names) for side in (left, right)]
        proofs = [side for side in sides if side is not None]
        needed = 1 if (operator.type == "&&") == holds else 2
        return proofs[0] if len(proofs) >= needed else None
    if operator.type in ("===", "==", "!==", "!="):
        return compared(source, left, right, holds == operator.type.startswith("="), through_names)
    return None


def compared(source: Source, left: Node, right: Node, equal: bool, through_names: bool) -> str | None:
    """in_development() of `left === right` (or not)."""
    for one, other in ((left, right), (right, left)):
        code, against = source.code(strip(one)), strip(other)
        if MODES.match(code) and against.type == "string":
            value = source.code(against)[1:-1]
            is_mode = "MODE" in code
            if equal and value != "production":
                return value if is_mode else ""
            if not equal and value == "production":
                return "!production" if is_mode else ""
        if against.type in ("true", "false"):
            return in_development(source, one, equal == (against.type == "true"), through_names=through_names)
    return None


def constant(source: Source, name: str) -> Node | None:
    """The value of a `const` that is declared once in the file."""
    found = [node for node in identifiers(source, name) if is_binding(node)]
    if len(found) != 1 or found[0].parent is None or found[0].parent.type != "variable_declarator":
        return None
    declaration = found[0].parent.parent
    if declaration is None or not source.code(declaration).startswith("const"):
        return None
    return found[0].parent.child_by_field_name("value")


def harmless(source: Source, node: Node) -> bool:
    """Whether a condition only asks whether there is a browser, or whether the console is there."""
    node = strip(node)
    code = source.code(node)
    if node.type == "unary_expression" and code.startswith("!"):
        argument = node.child_by_field_name("argument")
        return argument is not None and harmless(source, argument)
    if node.type == "binary_expression":
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        if left is None or right is None or operator is None:
            return False
        if operator.type in ("&&", "||"):
            return harmless(source, left) and harmless(source, right)
        return any(
            code.startswith("typeof ") and BROWSER.match(code[7:].strip()) for code in map(source.code, (left, right))
        )
    if node.type == "identifier":
        return bool(BROWSER.match(code))
    return CONSOLE_THERE.fullmatch(code) is not None
