"""What class is a value an instance of? Constructors, annotations, `with` items and getters are evidence.

Names are not. An answer is a dotted origin as the file's imports say it. Of the file's own classes the bases answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from tree_sitter import Node

from perfmod.source.python.annotations import arms, origin_of
from perfmod.source.python.event_loops import annotation_of, self_assignments
from perfmod.source.python.names import Binding, Bound, Imported, Names, enclosing_class
from perfmod.values import dataclass

LIBRARIES = ("httpx", "aiohttp", "requests")
MAXIMUM_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Instance:
    """What is known of a value."""

    origin: str  #: the dotted origin of its class; "" where it is known to be something else
    member: str = ""  #: of a class elsewhere: what leads to the value, `http.client` or `pool.session()`
    is_value: bool = False  #: the origin names the value itself, in another file
    definition: Node | None = None  #: its class, where that is in this file
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
    if len({(a.origin, a.member, a.is_value, a.definition) for a in answers}) > 1:
        return OTHER
    return next((a for a in answers if a.construction is not None), answers[0])


def settled(by: Instance, values: Iterable[Instance | None]) -> Instance:
    """What an annotation says; of a client also the place that makes it, as that may say more."""
    if by.origin.partition(".")[0] not in LIBRARIES:
        return by
    made = (v.construction for v in values if v is not None and v.origin == by.origin and v.construction is not None)
    return replace(by, construction=next(made, None))


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
            return replace(class_instance(names, owner), construction=call)
        if meaning.only.kind == "function":
            return returned(names, owner, depth)
    if function.type != "attribute":
        return None
    return member_of(names, function, depth, call=True)


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


def returned(names: Names, function: Node, depth: int) -> Instance | None:
    """What a function of this file gives back, a context manager what it yields: by annotation, else by all values."""
    context = has_decorator(names, function, "contextmanager")
    annotation = function.child_by_field_name("return_type")
    values = [v for n in inside(function, "yield" if context else "return_statement") for v in n.named_children[:1]]
    found = (instance_of(names, value, depth + 1) for value in values)
    return settled(annotated(names, annotation, context=context), found) if annotation is not None else joined(found)


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
        value = instance_of(names, binding.value, depth + 1) if binding.value is not None else None
        return settled(annotated(names, annotation), [value])
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
    return instance_of(names, pattern.named_children[0], depth + 1)


def attribute(names: Names, node: Node, depth: int) -> Instance | None:
    meaning = names.meaning(node)
    if isinstance(meaning, Imported):
        return Instance(meaning.qualified, is_value=True)
    return member_of(names, node, depth)


def member_of(names: Names, node: Node, depth: int, *, call: bool = False) -> Instance | None:
    """What `value.name` is, or what `value.name()` gives back."""
    name = names.source.code(node.child_by_field_name("attribute") or node)
    owner, _ = self_member(names, node)
    if owner is not None:
        whose: Instance | None = class_instance(names, owner)
    else:
        receiver = node.child_by_field_name("object")
        whose = instance_of(names, receiver, depth + 1) if receiver is not None else None
    return member_of_instance(names, whose, f"{name}()" if call else name, depth) if whose is not None else None


def member_of_instance(names: Names, whose: Instance, path: str, depth: int = 0) -> Instance | None:
    """What an instance's attribute is; `name()` is what its method gives back, `a.b` what its attribute's is."""
    name, _, rest = path.partition(".")
    if whose.definition is not None:
        classes = local_classes(names, whose.definition)
        found = joined(m for owner in classes for m in member(names, owner, name, depth))
        if found is not None:
            return member_of_instance(names, found, rest, depth) if rest else found
    if not whose.origin:
        return None
    return replace(whose, member=f"{whose.member}.{path}".lstrip("."), definition=None, construction=None)


def member(names: Names, owner: Node, name: str, depth: int) -> Iterator[Instance | None]:
    """What a class says of its attribute, or of its method `name()`. An annotation settles it."""
    is_call, name = name.endswith("()"), name.removesuffix("()")
    annotation: Node | None = None
    values = []
    methods = []
    for assignment in self_assignments(names, owner, name):
        annotation = assignment.child_by_field_name("type") or annotation
        values.append(assignment.child_by_field_name("right"))
    for binding in names.bindings(name).get(owner.id, ()):
        if binding.kind == "function" and binding.owner is not None:
            methods.append(binding.owner)
        else:
            annotation = annotation_of(binding) or annotation
            values.append(binding.value)
    if is_call and (annotation is not None or any(values)):
        yield OTHER
        return
    made = [
        OTHER if is_unknown(names, value) else instance_of(names, value, depth + 1)
        for value in values
        if value is not None
    ]
    if annotation is not None:
        yield settled(annotated(names, annotation), made)
        return
    yield from made
    for method in methods:
        gives = has_decorator(names, method, "property") != is_call
        yield returned(names, method, depth) if gives else OTHER


def is_unknown(names: Names, value: Node) -> bool:
    """Whether a value is a parameter that must be passed and may be anything. With None as default it replaces one."""
    meaning = names.meaning(value) if value.type == "identifier" else None
    only = meaning.only if isinstance(meaning, Bound) else None
    return only is not None and only.kind == "parameter" and is_bare(only.node)


def is_bare(parameter: Node) -> bool:
    return parameter.parent is not None and parameter.parent.type in ("parameters", "lambda_parameters")


def has_decorator(names: Names, function: Node, word: str) -> bool:
    """Whether a decorator of a function has a word in its name."""
    above = function.parent
    return above is not None and any(
        word in names.source.code(child) for child in above.children if child.type == "decorator"
    )


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


def class_instance(names: Names, definition: Node) -> Instance:
    """An instance of a class of this file, with what it derives from."""
    origins = [o for c in local_classes(names, definition) for o in imported_bases(names, c)]
    return Instance(origins[0] if len(origins) == 1 else "", definition=definition)


def annotated(names: Names, annotation: Node, *, context: bool = False) -> Instance:
    """What an annotation says, also in quotes, optional, or as what a context manager yields."""
    found = {origin_of(names, annotation, word) for word in arms(names.source.code(annotation), context)}
    if len(found) != 1:
        return OTHER
    only = found.pop()
    if isinstance(only, Node):
        return class_instance(names, only)
    return Instance(only) if only else OTHER
