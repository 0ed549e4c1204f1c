"""The class of a value, as far as constructors, assignments and annotations say it."""

from __future__ import annotations

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.python.event_loops import annotation_of, self_assignments
from perfmod.source.python.functions import dotted_name
from perfmod.source.python.names import Binding, Bound, Imported, Names, enclosing_class
from perfmod.values import dataclass

MAXIMUM_DEPTH = 6
#: what an annotation may wrap around the one class that it names
WRAPPERS = frozenset("Optional Annotated Final ClassVar Type type Union None".split())
DOTTED = pattern(r"[A-Za-z_][\w.]*")


@dataclass(frozen=True, slots=True)
class Target:
    """A function, class or attribute by its dotted name: from the module of `path`, or as that file imports it."""

    path: str
    name: str
    imported: bool = False


def target_of_member(owner: Target, name: str) -> Target:
    return Target(owner.path, f"{owner.name}.{name}", owner.imported)


def type_of(names: Names, node: Node, depth: int = 0) -> Target | None:
    """The class that a value is of, or the class itself. None where it can't be told."""
    if depth > MAXIMUM_DEPTH:
        return None
    kind = node.type
    if kind in ("parenthesized_expression", "await"):
        return type_of(names, node.named_children[0], depth + 1)
    if kind == "call":
        return made_by(names, node, depth)
    if kind == "boolean_operator":
        right = node.child_by_field_name("right")
        return type_of(names, right, depth + 1) if right is not None else None
    if kind == "identifier":
        return type_of_name(names, node, depth)
    if kind == "attribute":
        return type_of_attribute(names, node, depth)
    return None


def made_by(names: Names, call: Node, depth: int) -> Target | None:
    """The class whose constructor is called, or that the called function says it gives back."""
    function = call.child_by_field_name("function")
    if function is None:
        return None
    meaning = names.meaning(function)
    if isinstance(meaning, Imported):
        return Target(names.source.path, meaning.qualified, imported=True)
    only = meaning.only if isinstance(meaning, Bound) else None
    if only is not None and only.owner is not None:
        if only.kind == "class":
            return Target(names.source.path, dotted_name(names, only.owner))
        returns = only.owner.child_by_field_name("return_type") if only.kind == "function" else None
        return annotated(names, returns) if returns is not None else None
    if function.type == "attribute":
        # a class method that makes an instance: `Storage.of(client)`
        value = function.child_by_field_name("object")
        owner = type_of(names, value, depth + 1) if value is not None else None
        member = function.child_by_field_name("attribute")
        return target_of_member(owner, names.source.code(member)) if owner is not None and member is not None else None
    return None


def type_of_name(names: Names, node: Node, depth: int) -> Target | None:
    if names.source.code(node) in ("self", "cls"):
        owner = enclosing_class(node)
        return Target(names.source.path, dotted_name(names, owner)) if owner is not None else None
    meaning = names.meaning(node)
    if isinstance(meaning, Imported):
        return Target(names.source.path, meaning.qualified, imported=True)
    if not isinstance(meaning, Bound):
        return None
    found = {type_of_binding(names, binding, depth) for binding in meaning.bindings if binding.kind != "global"}
    found.discard(NOTHING)
    return found.pop() if len(found) == 1 else None


#: of `name = None`: says nothing about the class
NOTHING = Target("", "")


def type_of_binding(names: Names, binding: Binding, depth: int) -> Target | None:
    annotation = annotation_of(binding)
    if annotation is not None:
        return annotated(names, annotation)
    if binding.kind == "class" and binding.owner is not None:
        return Target(names.source.path, dotted_name(names, binding.owner))
    if binding.value is None:
        parent = binding.node.parent
        entered = parent.parent if parent is not None and parent.type == "as_pattern_target" else None
        if entered is not None and entered.type == "as_pattern" and entered.named_children[0].type == "call":
            return type_of(names, entered.named_children[0], depth + 1)
        return None
    return NOTHING if binding.value.type == "none" else type_of(names, binding.value, depth + 1)


def type_of_attribute(names: Names, node: Node, depth: int) -> Target | None:
    meaning = names.meaning(node)
    if isinstance(meaning, Imported):
        return Target(names.source.path, meaning.qualified, imported=True)
    value, member = node.child_by_field_name("object"), node.child_by_field_name("attribute")
    if value is None or member is None:
        return None
    owner = type_of(names, value, depth + 1)
    return target_of_member(owner, names.source.code(member)) if owner is not None else None


def type_of_member(names: Names, owner: Node, name: str) -> Target | None:
    """The class of an attribute, from the assignments to self.<name> and the annotations of the class."""
    found = set()
    for assignment in self_assignments(names, owner, name):
        annotation, value = assignment.child_by_field_name("type"), assignment.child_by_field_name("right")
        if annotation is not None:
            found.add(annotated(names, annotation))
        elif value is not None and value.type != "none":
            found.add(type_of(names, value, 1))
    for binding in names.bindings(name).get(owner.id, ()):
        if binding.kind != "function":
            found.add(type_of_binding(names, binding, 1))
    found.discard(NOTHING)
    return found.pop() if len(found) == 1 else None


def annotated(names: Names, annotation: Node) -> Target | None:
    """The one class that an annotation names, also in quotes, as Optional and in a union with None."""
    text = names.source.code(annotation).strip().strip("\"'")
    words = [word for word in DOTTED.findall(text) if word.rpartition(".")[2] not in WRAPPERS]
    if len(words) != 1 or words[0].startswith(("list", "dict", "Callable")):
        return None
    return named_class(names, annotation, words[0])


def named_class(names: Names, place: Node, dotted: str) -> Target | None:
    """What a dotted name in an annotation means: type checking imports count here."""
    first, _, rest = dotted.partition(".")
    bindings = names.bindings(first).get(names.source.root.id, [])
    if len({b.qualified for b in bindings}) != 1 or not bindings:
        return None
    binding = bindings[0]
    tail = f".{rest}" if rest else ""
    if binding.kind == "import":
        return Target(names.source.path, binding.qualified + tail, imported=True)
    return Target(names.source.path, dotted) if binding.kind == "class" else None


def base_targets(names: Names, owner: Node) -> list[Target]:
    """The bases of a class."""
    listed = owner.child_by_field_name("superclasses")
    found = []
    for base in listed.named_children if listed is not None else ():
        if base.type in ("identifier", "attribute"):
            target = type_of(names, base)
            if target is not None:
                found.append(target)
    return found
