"""What becomes of the result of a call: only looked at, changed, or handed to someone who may change it."""

from __future__ import annotations

from typing import Literal

from tree_sitter import Node

from perfmod.source.python.names import Imported, Names, Unknown
from perfmod.source.python.sinks import reads as uses_of_name
from perfmod.source.python.sinks import sink_of
from perfmod.source.tree import field_of
from perfmod.values import dataclass

MUTATORS = frozenset(
    """append extend insert remove pop clear sort reverse update setdefault add discard popitem
    intersection_update difference_update symmetric_difference_update""".split()
)
#: what a subscript may stand in where it is one of several targets
TARGETS = frozenset("pattern_list tuple_pattern list_pattern list_splat_pattern as_pattern_target".split())
#: calls that look at their arguments and keep nothing of them
LOOKERS = frozenset("len str repr bool any all print isinstance hash format int float".split())
#: calls whose result is a new container of the same items
COPIES = frozenset("list tuple set frozenset dict sorted enumerate reversed zip iter min max sum".split())
LOOKING_METHODS = frozenset("get items keys values copy index count join".split())
DUMPS = frozenset("json.dumps yaml.dump yaml.safe_dump random.choice random.sample copy.deepcopy".split())


@dataclass(frozen=True, slots=True)
class Misuse:
    """A place that changes a result, or lets it out of sight."""

    how: Literal["mutated", "handed on"]
    start: int


def misuse(names: Names, node: Node, *, flat: bool, depth: int = 0) -> Misuse | None:
    """The first use of the value of `node` that may change it. `flat`: its items can't be changed."""
    if depth > 8:
        return Misuse("handed on", node.start_byte)
    parent = node.parent
    if parent is None:
        return None
    kind, role = parent.type, field_of(node)
    if kind in ("parenthesized_expression", "conditional_expression", "boolean_operator"):
        return misuse(names, parent, flat=flat, depth=depth + 1)
    if kind in ("expression_statement", "comparison_operator", "not_operator", "if_statement", "while_statement",
                "interpolation", "assert_statement", "elif_clause"):  # fmt: skip
        return None
    if kind == "attribute" and role == "object":
        return method_misuse(names, parent, flat=flat, depth=depth)
    if kind == "subscript" and role == "value":
        return item_misuse(names, parent, flat=flat, depth=depth)
    if kind in ("for_statement", "for_in_clause") and role == "right":
        return None if flat else variable_misuse(names, parent.child_by_field_name("left"), depth)
    if kind == "argument_list":
        return argument_misuse(names, parent, flat=flat, depth=depth)
    if kind == "augmented_assignment" and role == "left":
        return Misuse("mutated", node.start_byte)
    if kind == "assignment" and role == "right":
        return assigned_misuse(names, node, parent, flat=flat, depth=depth)
    if kind == "delete_statement":
        return None
    return Misuse("handed on", node.start_byte)


def method_misuse(names: Names, attribute: Node, *, flat: bool, depth: int) -> Misuse | None:
    member = attribute.child_by_field_name("attribute")
    name = names.source.code(member) if member is not None else ""
    call = attribute.parent
    is_called = call is not None and call.type == "call" and call.child_by_field_name("function") == attribute
    if name in MUTATORS:
        return Misuse("mutated", attribute.start_byte)
    if not is_called or call is None or name not in LOOKING_METHODS:
        return Misuse("handed on", attribute.start_byte)
    return None if flat or name in ("index", "count", "join") else misuse(names, call, flat=False, depth=depth + 1)


def item_misuse(names: Names, subscript: Node, *, flat: bool, depth: int) -> Misuse | None:
    above, role = subscript.parent, field_of(subscript)
    stored = above is not None and (
        (above.type in ("assignment", "augmented_assignment") and role == "left") or above.type in TARGETS
    )
    if stored or (above is not None and above.type == "delete_statement"):
        return Misuse("mutated", subscript.start_byte)
    return None if flat else misuse(names, subscript, flat=False, depth=depth + 1)


def argument_misuse(names: Names, listed: Node, *, flat: bool, depth: int) -> Misuse | None:
    call = listed.parent
    function = call.child_by_field_name("function") if call is not None else None
    if function is None or call is None:
        return Misuse("handed on", listed.start_byte)
    meaning, code = names.meaning(function), names.source.code(function)
    if isinstance(meaning, Unknown) and code in LOOKERS:
        return None
    if isinstance(meaning, Unknown) and code in COPIES:
        return None if flat else misuse(names, call, flat=False, depth=depth + 1)
    if isinstance(meaning, Imported) and meaning.qualified in DUMPS:
        return None if flat or "dump" in meaning.qualified else misuse(names, call, flat=False, depth=depth + 1)
    if code.startswith(("logger.", "log.", "logging.")):
        return None
    if function.type == "attribute" and code.endswith(".join"):
        return None
    return Misuse("handed on", call.start_byte)


def assigned_misuse(names: Names, node: Node, assignment: Node, *, flat: bool, depth: int) -> Misuse | None:
    sink = sink_of(node)
    if sink.kind != "assigned":
        return Misuse("handed on", node.start_byte)
    return variable_misuse(names, assignment.child_by_field_name("left"), depth, flat=flat)


def variable_misuse(names: Names, target: Node | None, depth: int, *, flat: bool = False) -> Misuse | None:
    """The first use of a local variable, or of several, that may change what it holds."""
    targets = [target] if target is not None and target.type == "identifier" else []
    if target is not None and target.type in ("pattern_list", "tuple_pattern"):
        targets = list(target.named_children)
    if not targets or any(t.type != "identifier" for t in targets):
        return Misuse("handed on", target.start_byte if target is not None else 0)
    for variable in targets:
        uses = uses_of_name(names, variable)
        if uses is None:
            return Misuse("handed on", variable.start_byte)
        for use in uses:
            found = misuse(names, use, flat=flat, depth=depth + 1)
            if found is not None:
                return found
    return None
