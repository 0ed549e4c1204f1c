"""Where a retry method goes in a Python file: into a class, or into the module as a function."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.http.facts import ClassPlace, ModulePlace
from perfmod.source.http.retry_loops import decorators, inside_class, leaves, retry_methods
from perfmod.source.python.instances import base_nodes
from perfmod.source.python.names import FUNCTIONS, Imported, Names, enclosing, enclosing_class, is_async
from perfmod.source.tree import Source, ancestors

TYPES_ONLY = "for type checking only"
METHOD = "_request_with_retry"
MAKES_CLIENT = pattern(r"\b(?:AsyncClient|Client|ClientSession|Session)\s*\(")
LOGGER = pattern(r"^(\w+)(?:\s*:[^=\n]++)?\s*=\s*(?:logging\.)?getLogger\(", re.MULTILINE)
TYPED = pattern(r"->|\bdef \w+\([^)]{0,500}\w\s*:", re.DOTALL)


def class_place(names: Names, node: Node) -> ClassPlace | None:
    """The class whose instance method holds a place."""
    method = enclosing(node, *FUNCTIONS)
    while method is not None and enclosing_of(method) is not None:
        method = enclosing_of(method)
    owner = enclosing_class(method) if method is not None and method.type == "function_definition" else None
    if owner is None or method is None or not is_top_level(owner):
        return None
    if any("staticmethod" in t or "classmethod" in t for t in map(names.source.code, decorators(method))):
        return None
    receiver = first_parameter(names, method)
    if not receiver or method not in inside_class(owner):
        return None
    return replace(place_of_class(names, owner), receiver=receiver)


@lru_cache(maxsize=1)  # the requests of a class follow one another
def place_of_class(names: Names, owner: Node) -> ClassPlace:
    methods = list(inside_class(owner))
    ours = [m for m in methods if method_name(names, m) == METHOD and is_ours(names, m)]
    return ClassPlace(
        names.source.code(owner.child_by_field_name("name") or owner),
        names.source.span(owner),
        names.source.span(anchor(names, methods)),
        "self",
        is_async(ours[0]) if ours else None,
        tuple(name for name in retry_methods(names, owner) if not ours or name != METHOD),
        tuple(
            meaning.qualified if isinstance(meaning := names.meaning(base), Imported) else names.source.code(base)
            for base in base_nodes(owner)
        ),
    )


def enclosing_of(function: Node) -> Node | None:
    """The function around a nested one; None for a method and at module level."""
    around = enclosing(function, *FUNCTIONS, "class_definition")
    return around if around is not None and around.type in FUNCTIONS else None


def is_top_level(owner: Node) -> bool:
    above = owner.parent
    if above is not None and above.type == "decorated_definition":
        above = above.parent
    return above is not None and above.type == "module"


def first_parameter(names: Names, method: Node) -> str:
    parameters = method.child_by_field_name("parameters")
    first = (
        next((p for p in parameters.named_children if p.type != "comment"), None) if parameters is not None else None
    )
    if first is None or first.type not in ("identifier", "typed_parameter"):
        return ""
    return names.source.code(first).partition(":")[0].strip().lstrip("*")


def method_name(names: Names, method: Node) -> str:
    name = method.child_by_field_name("name")
    return names.source.code(name) if name is not None else ""


def is_ours(names: Names, method: Node) -> bool:
    parameters = method.child_by_field_name("parameters")
    text = re.sub(r"\s+", " ", names.source.code(parameters)) if parameters is not None else ""
    return re.match(r"\( ?self, client\b.{0,300}, method\b.{0,300}, \*args\b", text) is not None


def anchor(names: Names, methods: list[Node]) -> Node:
    """The method that makes the client, else __init__, else the last one."""
    made = [m for m in methods if MAKES_CLIENT.search(names.source.code(m)) and method_name(names, m) != "__init__"]
    getters = [
        m for m in made if "client" in method_name(names, m).lower() or "session" in method_name(names, m).lower()
    ]
    first = [m for m in methods if method_name(names, m) == "__init__"]
    chosen = (getters or first or [methods[-1]])[0]
    above = chosen.parent
    return above if above is not None and above.type == "decorated_definition" else chosen


def module_place(names: Names) -> ModulePlace:
    source = names.source
    code = source.code(source.root)
    statements = [n for n in source.root.named_children if n.type != "comment"]
    anchors = []
    function_anchor = None
    for before, node in zip([None, *statements], statements, strict=False):
        definition = node.child_by_field_name("definition") if node.type == "decorated_definition" else node
        if definition is None or definition.type not in ("class_definition", "function_definition"):
            continue
        if before is not None:
            function_anchor = function_anchor or source.span(before)
            if definition.type == "class_definition":
                anchors.append((definition.start_byte, source.span(before)))
    logger = LOGGER.search(code)
    future = any(n.type == "future_import_statement" and "annotations" in source.code(n) for n in statements)
    return ModulePlace(
        source.path,
        frozenset(bound_names(source)),
        frozenset(imported(names)),
        late_import(names, "httpx", "AsyncClient", "Client"),
        late_import(names, "aiohttp", "ClientSession"),
        logger[1] if logger else None,
        TYPED.search(code) is not None,
        future or re.search(r":[^\n=]{0,300}\w \| None|-> [^\n]{0,300}\w \| None", code) is not None,
        tuple(anchors),
        function_anchor,
    )


def late_import(names: Names, library: str, *classes: str) -> str:
    """Where a library is imported, if not unconditionally when the module is loaded; "" too where it is not at all."""
    origins = [b for found in names.bindings(library).values() for b in found if b.kind == "import"]
    origins += [
        binding
        for name in classes
        for found in names.bindings(name).values()
        for binding in found
        if binding.qualified.startswith(f"{library}.")
    ]
    statements = [b.node.parent for b in origins]
    late = ""
    for node in statements:
        while node is not None and node.type not in ("import_statement", "import_from_statement"):
            node = node.parent
        above = node.parent if node is not None else None
        if above is not None and above.type == "module":
            return ""
        if above is not None and enclosing(above, *FUNCTIONS) is not None:
            late = late or "in a function"
        elif node is not None:
            late = "in a try that raises" if is_required(node) else "under a condition"
            if any(a.type == "if_statement" and b"TYPE_CHECKING" in condition(a) for a in ancestors(node)):
                late = TYPES_ONLY
    return late


def condition(statement: Node) -> bytes:
    node = statement.child_by_field_name("condition")
    return node.text or b"" if node is not None else b""


def is_required(statement: Node) -> bool:
    """Whether a failing import of a `try` is raised again in other words."""
    attempt = next((a for a in ancestors(statement) if a.type == "try_statement"), None)
    clauses = [c for c in attempt.named_children if c.type == "except_clause"] if attempt is not None else []
    return bool(clauses) and all(leaves(clause) for clause in clauses)


def bound_names(source: Source) -> Iterator[str]:
    """Every word that a module-level statement may bind: a superset, as a clash is only looked for."""
    for match in re.finditer(rb"^(?:async +def|def|class)? *([A-Za-z_]\w*)", source.utf8, re.MULTILINE):
        yield match[1].decode()
    for match in re.finditer(
        rb"\bimport\b([^\n#]*(?:\([^)]*\))?)|\bfor +(\w+)|\bas +(\w+)|\bglobal +([\w, ]+)", source.utf8
    ):
        yield from (word for group in match.groups() if group for word in re.findall(r"\w+", group.decode()))


def imported(names: Names) -> Iterator[tuple[str, str]]:
    """The names that the module imports at its top level, with their origins."""
    for name in (
        "asyncio",
        "httpx",
        "logging",
        "random",
        "re",
        "time",
        "stamina",
        "tenacity",
        "Any",
        "mktime_tz",
        "parsedate_tz",
    ):
        for binding in names.bindings(name).get(names.source.root.id, ()):
            yield name, binding.qualified if binding.kind == "import" else ""
