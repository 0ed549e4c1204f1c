"""The uses of a Python variable that see the value it is given at one place."""

from __future__ import annotations

from tree_sitter import Node

from perfmod.source.flow import Seen, Setting, holds, setting, uses_that_see
from perfmod.source.python.bindings import Binding
from perfmod.source.python.names import Names, statement_of, visible_scopes

BLOCKS = frozenset({"block", "module", "lambda", "conditional_expression", "boolean_operator", "for_in_clause"})
LOOPS = frozenset({"for_statement", "while_statement"})


def uses_of(names: Names, name: Node, *, grows: bool = False) -> list[Seen]:
    """The uses of the variable `name`, an identifier that is set where it stands.

    `grows`: an assignment of something made from the old value, as in `q = q.eq(...)`, leaves it what it is.
    """
    code = names.source.code(name)
    known = names.bindings(code)
    scope = scope_of(names, name, code)
    own = known.get(scope.id, []) if scope is not None else []
    if scope is None or any(binding.kind in ("global", "nonlocal") for binding in own):
        return []
    setters = {binding.node.start_byte: binding for binding in own}
    uses = [use for use in names.occurrences(code, scope) if use.start_byte not in setters]
    uses = [use for use in uses if scope_of(names, use, code) == scope]
    settings: dict[int, Setting] = {}
    for start, binding in setters.items():
        if not (grows and is_made_of_itself(binding, uses)) and not is_empty(names, binding):
            settings[start] = setting(statement_of(binding.node), BLOCKS)
    chosen = settings.get(name.start_byte)
    return uses_that_see(chosen, list(settings.values()), uses, LOOPS) if chosen is not None else []


def scope_of(names: Names, node: Node, code: str) -> Node | None:
    """The scope whose variable an identifier is."""
    known = names.bindings(code)
    return next((scope for scope in visible_scopes(node) if known.get(scope.id)), None)


def is_made_of_itself(binding: Binding, uses: list[Node]) -> bool:
    return binding.value is not None and any(holds(binding.value, use) for use in uses)


def is_empty(names: Names, binding: Binding) -> bool:
    return binding.value is not None and names.source.code(binding.value) == "None"
