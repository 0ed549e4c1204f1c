"""What class is a value an instance of? Constructors, annotations, `with` items and getters are evidence.

Names are not. An answer is a dotted origin as the file's imports say it. Of the file's own classes the bases answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tree_sitter import Node

from perfmod.source.event_loops import annotation_of, self_assignments
from perfmod.source.python import Binding, Bound, Imported, Names, enclosing_class, enclosing_function
from perfmod.source.tree import ancestors

DOTTED = re.compile(r"[A-Za-z_][\w.]*\Z")
WRAPPERS = re.compile(r"(?:[\w.]+\.)?(?:Optional|Annotated|Final|ClassVar|Type)\Z")
CONTEXTS = re.compile(r"(?:[\w.]+\.)?(?:Async)?(?:Iterator|Generator|Iterable|(?:Abstract)?(?:Async)?ContextManager)\Z")
MAXIMUM_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Instance:
    """What is known of a value."""

    origin: str  #: the dotted origin of its class; "" where it is known to be something else
    member: str = ""  #: of a base class elsewhere: the attribute that holds the value
    is_value: bool = False  #: the origin names the value itself, in another file
    construction: Node | None = None  #: the call that made it, where it is in this file


OTHER = Instance("")


def instance_of(names: Names, node: Node, depth: int = 0) -> Instance | None:
    """The class of an expression's value; None where nothing speaks for any."""
    if depth > MAXIMUM_DEPTH:
        return None
    kind = node.type
    if kind in ("parenthesized_expression", "await", "named_expression"):
        return instance_of(names, node.child_by_field_name("value") or node.named_children[0], depth + 1)
    if kind == "none":
        return None
    if kind == "call":
        return called(names, node, depth)
    if kind in ("boolean_operator", "conditional_expression"):
        arms = node.named_children if kind == "boolean_operator" else [node.named_children[0], node.named_children[2]]
        return joined(instance_of(names, arm, depth + 1) for arm in arms)
    if kind == "identifier":
        return named(names, node, depth)
    if kind == "attribute":
        return attribute(names, node, depth)
    return OTHER


def joined(found: Iterable[Instance | None]) -> Instance | None:
    """One answer from several places: they must agree."""
    answers = [answer for answer in found if answer is not None]
    if not answers:
        return None
    if len({(a.origin, a.member, a.is_value) for a in answers}) > 1:
        return OTHER
    return next((a for a in answers if a.construction is not None), answers[0])


def called(names: Names, call: Node, depth: int) -> Instance | None:
    """What a call gives back."""
    function = call.child_by_field_name("function")
    if function is None:
        return OTHER
    meaning = names.meaning(function)
    if isinstance(meaning, Imported):
        return Instance(meaning.qualified, construction=call)
    if isinstance(meaning, Bound) and meaning.only is not None and meaning.only.owner is not None:
        owner = meaning.only.owner
        if meaning.only.kind == "class":
            made = class_instance(names, owner, depth)
            return replace(made, construction=call) if made is not None else OTHER
        if meaning.only.kind == "function":
            return returned(names, owner, depth)
    method = own_method(names, function)
    return returned(names, method, depth) if method is not None else inherited(names, function)


def own_method(names: Names, function: Node) -> Node | None:
    """The method of the class around it that `self.name` means."""
    owner, name = self_member(names, function)
    if owner is None:
        return None
    found = [b.owner for c in local_classes(names, owner) for b in names.bindings(name).get(c.id, ()) if b.owner]
    return found[0] if found and found[0].type == "function_definition" else None


def self_member(names: Names, node: Node) -> tuple[Node | None, str]:
    """The class and the name of `self.name`; (None, "") for anything else."""
    member, value = node.child_by_field_name("attribute"), node.child_by_field_name("object")
    if node.type != "attribute" or member is None or value is None or value.type != "identifier":
        return None, ""
    owner = enclosing_class(node)
    if owner is None or names.source.code(value) not in ("self", "cls"):
        return None, ""
    return owner, names.source.code(member)


def returned(names: Names, function: Node, depth: int, *, context: bool = False) -> Instance | None:
    """What a function of this file gives back: its annotation says so, else all that it returns."""
    annotation = function.child_by_field_name("return_type")
    if annotation is not None:
        return annotated(names, annotation, depth, context=context)
    keyword = "yield" if context else "return_statement"
    values = [value for node in inside(function, keyword) for value in node.named_children[:1]]
    return joined(instance_of(names, value, depth + 1) for value in values)


def inside(function: Node, kind: str) -> Iterator[Node]:
    """The nodes of one type in a function's own body."""
    body = function.child_by_field_name("body")
    waiting = [body] if body is not None else []
    while waiting:
        node = waiting.pop()
        if node.type == kind:
            yield node
        waiting += [
            c for c in node.named_children if c.type not in ("function_definition", "class_definition", "lambda")
        ]


def named(names: Names, node: Node, depth: int) -> Instance | None:
    meaning = names.meaning(node)
    if isinstance(meaning, Imported):
        return Instance(meaning.qualified, is_value=True)
    if not isinstance(meaning, Bound):
        return None
    return joined(bound(names, binding, depth) for binding in meaning.bindings)


def bound(names: Names, binding: Binding, depth: int) -> Instance | None:
    annotation = annotation_of(binding)
    if annotation is not None:
        return annotated(names, annotation, depth)
    if binding.kind in ("parameter", "global", "nonlocal"):
        return None
    if binding.value is not None:
        return instance_of(names, binding.value, depth + 1)
    return entered(names, binding.node, depth)


def entered(names: Names, target: Node, depth: int) -> Instance | None:
    """`with value as target`."""
    above = target.parent
    pattern = above.parent if above is not None else None
    if above is None or above.type != "as_pattern_target" or pattern is None or pattern.parent is None:
        return OTHER
    if pattern.parent.type != "with_item":
        return OTHER
    value = pattern.named_children[0]
    function = value.child_by_field_name("function") if value.type == "call" else None
    if function is not None:
        meaning = names.meaning(function)
        own = own_method(names, function)
        if isinstance(meaning, Bound) and meaning.only is not None and meaning.only.kind == "function":
            own = meaning.only.owner
        if own is not None:
            return returned(names, own, depth, context=True)
    return instance_of(names, value, depth + 1)


def attribute(names: Names, node: Node, depth: int) -> Instance | None:
    meaning = names.meaning(node)
    if isinstance(meaning, Imported):
        return Instance(meaning.qualified, is_value=True)
    owner, name = self_member(names, node)
    if owner is None:
        return None
    found = joined(m for c in local_classes(names, owner) for m in member(names, c, name, depth))
    return inherited(names, node) if found is None else found


def member(names: Names, owner: Node, name: str, depth: int) -> Iterator[Instance | None]:
    """What a class says of its attribute. An annotation settles it."""
    values: list[Instance | None] = []
    for assignment in self_assignments(names, owner, name):
        annotation, value = assignment.child_by_field_name("type"), assignment.child_by_field_name("right")
        if annotation is not None:
            yield annotated(names, annotation, depth)
            return
        if value is not None:
            values.append(instance_of(names, value, depth + 1))
    for binding in names.bindings(name).get(owner.id, ()):
        definition = binding.owner
        if binding.kind == "function" and definition is not None:
            yield returned(names, definition, depth) if is_property(names, definition) else OTHER
        elif (annotation := annotation_of(binding)) is not None:
            yield annotated(names, annotation, depth)
            return
        elif binding.value is not None:
            values.append(instance_of(names, binding.value, depth + 1))
    yield from values


def is_property(names: Names, function: Node) -> bool:
    above = function.parent
    return above is not None and any(
        "property" in names.source.code(child) for child in above.children if child.type == "decorator"
    )


def inherited(names: Names, node: Node) -> Instance | None:
    """`self.name` of a class whose bases are in other files."""
    owner, name = self_member(names, node)
    if owner is None:
        return None
    origins = [o for c in local_classes(names, owner) for o in imported_bases(names, c)]
    return Instance(origins[0], member=name) if len(origins) == 1 else None


def local_classes(names: Names, owner: Node) -> list[Node]:
    """A class and its bases, as far as this file defines them."""
    found = [owner]
    for definition in found:
        for base in base_nodes(definition):
            meaning = names.meaning(base)
            only = meaning.only if isinstance(meaning, Bound) else None
            if only is not None and only.kind == "class" and only.owner is not None and only.owner not in found:
                found.append(only.owner)
    return found


def base_nodes(definition: Node) -> list[Node]:
    bases = definition.child_by_field_name("superclasses")
    return [b for b in bases.named_children if b.type in ("identifier", "attribute")] if bases is not None else []


def imported_bases(names: Names, definition: Node) -> Iterator[str]:
    for base in base_nodes(definition):
        meaning = names.meaning(base)
        if isinstance(meaning, Imported):
            yield meaning.qualified


def class_instance(names: Names, definition: Node, depth: int) -> Instance | None:
    """An instance of a class of this file, by what it derives from."""
    origins = [o for c in local_classes(names, definition) for o in imported_bases(names, c)]
    return Instance(origins[0]) if len(origins) == 1 else OTHER


def annotated(names: Names, annotation: Node, depth: int, *, context: bool = False) -> Instance | None:
    """What an annotation says, also in quotes, optional, or as what a context manager yields."""
    found = {origin_of(names, annotation, word) for word in arms(names.source.code(annotation), context)}
    if len(found) != 1:
        return OTHER
    only = found.pop()
    if isinstance(only, Node):
        return class_instance(names, only, depth) or OTHER
    return Instance(only) if only else OTHER


def arms(text: str, context: bool = False) -> Iterator[str]:
    """The dotted names that an annotation offers, without None. An empty one stands for anything else."""
    text = text.strip().strip("\"'").strip()
    parts = split(text, "|")
    if len(parts) > 1:
        for part in parts:
            yield from arms(part, context)
        return
    head, bracket, inner = text.partition("[")
    if not bracket:
        if text != "None":
            yield text if DOTTED.match(text) else ""
        return
    items = split(inner.removesuffix("]"), ",")
    if head.rpartition(".")[2] == "Union":
        for item in items:
            yield from arms(item, context)
    elif WRAPPERS.match(head) or (context and CONTEXTS.match(head)):
        yield from arms(items[0], context)
    else:
        yield ""


def split(text: str, separator: str) -> list[str]:
    """The parts of an annotation, where the separator stands outside of brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "[") - (letter == "]")
        if letter == separator and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def origin_of(names: Names, place: Node, dotted: str) -> str | Node:
    """The dotted origin of a name in an annotation, or the class of this file that it means; "" for neither."""
    head, dot, rest = dotted.partition(".")
    if not head:
        return ""
    bindings = names.bindings(head).get(names.source.root.id, [])
    function = enclosing_function(place)
    scopes = [names.bindings(head).get(scope.id, []) for scope in ancestors(place)] if function is not None else []
    found = [b for scope in scopes for b in scope if b.kind == "import"] or bindings
    origins = {b.qualified for b in found if b.kind == "import"}
    others = [b for b in found if b.kind != "import"]  # `httpx = None`, where it is not installed
    if len(origins) == 1 and all(b.value is not None and b.value.type == "none" for b in others):
        return f"{origins.pop()}{dot}{rest}"
    if len(found) == 1 and found[0].kind == "class" and found[0].owner is not None and not dot:
        return found[0].owner
    return ""
