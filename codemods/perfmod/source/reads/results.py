"""Whether what a function gives back can be changed by those who get it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.python.event_loops import last_segment
from perfmod.source.python.names import Bound, Imported, Names, Unknown, enclosing_function
from perfmod.source.python.strings import is_template
from perfmod.source.python.types import Target, named_class

#: frozen: all the way down. flat: a list, set or dict of frozen things. deep: anything may be changed.
#: unknown: the expression does not say. never: an open file, or something that can be gone through once
Result = Literal["frozen", "flat", "deep", "unknown", "never"]

FROZEN = frozenset(
    """str bytes int float bool complex None Path PurePath Pattern Decimal date datetime time timedelta UUID Enum
    LiteralString""".split()
)
FLAT = frozenset("list dict set List Dict Set Sequence Mapping Collection MutableMapping OrderedDict deque".split())
CONTAINERS = frozenset("tuple Tuple frozenset FrozenSet AbstractSet".split())
NESTING = frozenset("tuple Tuple frozenset FrozenSet Optional Union Final Literal Annotated AbstractSet".split())
TEXT_METHODS = frozenset(
    """read_text read_bytes strip lstrip rstrip join replace lower upper title capitalize casefold format format_map
    removeprefix removesuffix encode decode zfill ljust rjust translate expandtabs read readline dedent substitute
    safe_substitute hexdigest digest as_posix startswith endswith count find""".split()
)
FLAT_METHODS = frozenset("split rsplit splitlines readlines".split())
FROZEN_CALLS = frozenset(
    """str int float bool bytes len repr ord chr hash abs round sum textwrap.dedent re.compile re.sub html.escape
    base64.b64encode base64.b64decode pathlib.Path json.dumps importlib.resources.read_text pkgutil.get_data""".split()
)
LOADS = pattern(r"(?:json|yaml|tomllib|tomli|toml|orjson|ujson)\.(?:loads?|safe_load|full_load|CSafeLoader)")
TABLES = pattern(r"(?:pandas|polars)\.read_\w+")
TOKENS = pattern(r"[A-Za-z_][\w.]*|\.\.\.|[\[\],|]|\"|'")

Frozen = Callable[[Target], bool]


def result_of(names: Names, definition: Node, is_frozen: Frozen) -> Result:
    """What a function gives back, by its annotation and by its return statements. `is_frozen`: of a class."""
    returns = definition.child_by_field_name("return_type")
    said: Result = "unknown" if returns is None else annotated_result(names, returns, is_frozen)
    shown = worst(expression_result(names, value, is_frozen) for value in returned(definition))
    if "never" in (said, shown):
        return "never"
    if said == "unknown":
        return shown if shown != "unknown" else "never"
    if said == "frozen":
        return said if shown in ("frozen", "unknown") else shown
    return said


def worst(results: Iterable[Result]) -> Result:
    found = set(results)
    for result in ("never", "deep", "unknown", "flat"):
        if result in found:
            return result
    return "frozen"


def returned(definition: Node) -> list[Node]:
    """The values of the return statements of a function itself."""
    found, stack = [], [definition.child_by_field_name("body")]
    while stack:
        node = stack.pop()
        if node is None or node.type in ("function_definition", "lambda", "class_definition"):
            continue
        if node.type == "return_statement" and node.named_children:
            found.append(node.named_children[0])
        stack.extend(reversed(node.children))
    return found


def annotated_result(names: Names, annotation: Node, is_frozen: Frozen) -> Result:
    """What an annotation says: every name in it counts."""
    words = TOKENS.findall(names.source.code(annotation))
    top = True
    results: list[Result] = []
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if not (word[0].isalpha() or word[0] == "_"):
            continue
        last = word.rpartition(".")[2]
        if last in CONTAINERS and following != "[":
            results.append("unknown")  # `tuple`: of what?
        elif last in FROZEN or last in NESTING:
            pass
        elif last in FLAT:
            results.append("flat" if top else "deep")
        elif not named_frozen(names, annotation, word, is_frozen):
            results.append("deep" if not top or last == "Any" else "never")
        top = top and last in ("Optional", "Final", "None", "Annotated")
    return worst(results)


def named_frozen(names: Names, annotation: Node, dotted: str, is_frozen: Frozen) -> bool:
    target = named_class(names, annotation, dotted)
    return target is not None and is_frozen(target)


def expression_result(names: Names, node: Node, is_frozen: Frozen, depth: int = 0) -> Result:
    """What an expression makes."""
    kind = node.type
    if depth > 6:
        return "unknown"
    if is_template(node):
        return "unknown"
    if kind in ("string", "concatenated_string", "integer", "float", "true", "false", "none", "comparison_operator",
                "not_operator"):  # fmt: skip
        return "frozen"
    if kind == "parenthesized_expression":
        return expression_result(names, node.named_children[0], is_frozen, depth + 1)
    if kind in ("tuple", "expression_list"):
        return worst(expression_result(names, item, is_frozen, depth + 1) for item in node.named_children)
    if kind in ("list", "set", "dictionary", "list_comprehension", "dictionary_comprehension", "set_comprehension"):
        return "deep"
    if kind == "conditional_expression":
        return worst(expression_result(names, node.named_children[i], is_frozen, depth + 1) for i in (0, 2))
    if kind in ("binary_operator", "boolean_operator"):
        sides = [node.child_by_field_name(side) for side in ("left", "right")]
        return worst(expression_result(names, side, is_frozen, depth + 1) for side in sides if side is not None)
    if kind == "identifier":
        return name_result(names, node, is_frozen, depth)
    if kind == "generator_expression":
        return "never"
    return call_result(names, node, is_frozen, depth) if kind == "call" else "unknown"


def name_result(names: Names, node: Node, is_frozen: Frozen, depth: int) -> Result:
    meaning = names.meaning(node)
    if not isinstance(meaning, Bound):
        return "unknown"
    results: list[Result] = []
    for binding in meaning.bindings:
        if binding.value is None or enclosing_function(binding.node) != enclosing_function(node):
            return "unknown"
        results.append(expression_result(names, binding.value, is_frozen, depth + 1))
    return worst(results)


def call_result(names: Names, call: Node, is_frozen: Frozen, depth: int) -> Result:
    function = call.child_by_field_name("function")
    if function is None:
        return "unknown"
    meaning, last = names.meaning(function), last_segment(names, function)
    arguments = call.child_by_field_name("arguments")
    origin = meaning.qualified if isinstance(meaning, Imported) else last if isinstance(meaning, Unknown) else ""
    if function.type == "identifier" and isinstance(meaning, Unknown):
        if origin in FROZEN_CALLS:
            return "frozen"
        if origin in ("list", "dict", "set", "sorted", "bytearray"):
            return "deep"
        if origin in ("tuple", "frozenset") and arguments is not None and arguments.named_children:
            made = expression_result(names, arguments.named_children[0], is_frozen, depth + 1)
            if arguments.type == "generator_expression":
                return "frozen" if made == "frozen" else "unknown"
            return "frozen" if made in ("flat", "frozen") else "unknown"
        return "never" if origin in ("open", "map", "filter", "zip", "iter", "reversed", "enumerate") else "unknown"
    if isinstance(meaning, Imported) and function.type in ("identifier", "attribute"):
        if origin in FROZEN_CALLS:
            return "frozen"
        if LOADS.fullmatch(origin) or TABLES.fullmatch(origin):
            return "deep"
        if last not in TEXT_METHODS:
            return "frozen" if is_frozen(Target(names.source.path, origin, imported=True)) else "unknown"
    if function.type == "attribute":
        if last == "open":
            return "never"
        return "frozen" if last in TEXT_METHODS else "flat" if last in FLAT_METHODS else "unknown"
    only = meaning.only if isinstance(meaning, Bound) else None
    if only is not None and only.kind == "class":
        return "frozen" if is_frozen(Target(names.source.path, last)) else "unknown"
    return "unknown"
