"""The properties of a TypeScript type, found through declarations, imports and generics: interfaces, aliases, zod."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tree_sitter import Node

from perfmod.project.web.modules import Declaration, ScriptModules
from perfmod.source.script.names import plain
from perfmod.source.tree import Source
from perfmod.values import dataclass

DEPTH = 8
# Named types that are values of one column.
SCALARS = frozenset("Json Date JSONContent JsonValue JSONValue Record Buffer Uint8Array UUID".split())
ZOD_OPTIONAL = ("optional", "nullish")


@dataclass(frozen=True, slots=True)
class Shape:
    """The properties of a type, and why they can't be taken for columns."""

    columns: tuple[str, ...]
    path: str
    line: int
    problem: str | None = None


@dataclass(frozen=True)
class Scope:
    """Where a type is written, and what its parameters stand for."""

    source: Source
    arguments: Mapping[str, tuple[Node, Scope]]


class Shapes:
    """Types of a checkout, as far as they are lists of properties.

    `strict`: a property that is itself a row makes the type unfit, for types that a person wrote.
    """

    def __init__(self, modules: ScriptModules, *, strict: bool = True) -> None:
        self._modules = modules
        self._strict = strict

    def named(self, path: str, name: str) -> Shape | None:
        """The shape of a type by its name in a file. None where there is no such declaration."""
        found = self._modules.declaration(path, name)
        return self.declared(found, (), 0) if found is not None else None

    def of(self, scope: Scope, node: Node, depth: int = 0) -> Shape:
        """The shape of a type expression."""
        source = scope.source
        here = Shape((), source.path, node.start_point[0] + 1)
        children = [child for child in node.named_children if child.type != "comment"]
        if depth > DEPTH:
            return replace(here, problem="a type that is nested too deep")
        if node.type in ("object_type", "interface_body"):
            return self._members(scope, node, here, depth)
        if node.type == "parenthesized_type" and children:
            return self.of(scope, children[0], depth + 1)
        if node.type == "intersection_type":
            return merge([self.of(scope, child, depth + 1) for child in children], here)
        if node.type == "type_identifier":
            return self._identifier(scope, node, here, depth)
        if node.type == "generic_type":
            return self._generic(scope, node, here, depth)
        return replace(here, problem=f"a type that can't be read: {first_line(source.code(node))}")

    def _identifier(self, scope: Scope, node: Node, here: Shape, depth: int) -> Shape:
        name = scope.source.code(node)
        if name in scope.arguments:
            argument, outer = scope.arguments[name]
            return self.of(outer, argument, depth + 1)
        found = self._modules.declaration(scope.source.path, name)
        if found is None:
            return replace(here, problem=f"the type {name} can't be found")
        return self.declared(found, (), depth + 1)

    def _generic(self, scope: Scope, node: Node, here: Shape, depth: int) -> Shape:
        name, given = node.child_by_field_name("name"), node.child_by_field_name("type_arguments")
        if name is None or given is None:
            return replace(here, problem="a type that can't be read")
        text = scope.source.code(name)
        if text in ("Readonly", "Required", "Prettify"):
            return self.of(scope, given.named_children[0], depth + 1)
        if text in ("z.infer", "z.output", "infer", "InferType") and given.named_children[0].type == "type_query":
            query = given.named_children[0].named_children[0]
            found = self._modules.declaration(scope.source.path, scope.source.code(query))
            return (
                self._zod(found, here) if found is not None else replace(here, problem="a schema that can't be found")
            )
        found = self._modules.declaration(scope.source.path, text)
        if found is None:
            return replace(here, problem=f"the type {text} can't be read")
        return self.declared(found, tuple((child, scope) for child in given.named_children), depth + 1)

    def declared(self, found: Declaration, arguments: tuple[tuple[Node, Scope], ...], depth: int) -> Shape:
        """The shape of an interface or type alias, with the types given for its parameters."""
        owner, source = found.owner, found.source
        here = Shape((), source.path, owner.start_point[0] + 1)
        names = owner.child_by_field_name("type_parameters")
        parameters = [source.code(p.named_children[0]) for p in names.named_children] if names is not None else []
        scope = Scope(source, dict(zip(parameters, arguments, strict=False)))
        if owner.type == "type_alias_declaration" and (value := owner.child_by_field_name("value")) is not None:
            return replace(self.of(scope, value, depth + 1), path=here.path, line=here.line)
        if owner.type != "interface_declaration" or (body := owner.child_by_field_name("body")) is None:
            return replace(here, problem=f"{source.code(found.bound.node)} is no type of rows")
        bases = [
            self.of(scope, base, depth + 1)
            for clause in owner.named_children
            if clause.type == "extends_type_clause"
            for base in clause.named_children
        ]
        return merge([*bases, self.of(scope, body, depth + 1)], here)

    def member(self, scope: Scope, node: Node, name: str, depth: int = 0) -> tuple[Node, Scope] | None:
        """The type of a property of a type expression."""
        if depth > DEPTH:
            return None
        if node.type in ("object_type", "interface_body"):
            for child in node.named_children:
                if child.type == "property_signature" and property_name(scope.source, child) == name:
                    annotation = child.child_by_field_name("type")
                    return (annotation.named_children[0], scope) if annotation is not None else None
            return None
        if node.type == "parenthesized_type":
            return self.member(scope, node.named_children[0], name, depth + 1)
        if node.type == "intersection_type":
            parts = (self.member(scope, child, name, depth + 1) for child in node.named_children)
            return next(filter(None, parts), None)
        target, arguments = node, ()
        if node.type == "generic_type":
            generic, given = node.child_by_field_name("name"), node.child_by_field_name("type_arguments")
            if generic is None or given is None:
                return None
            target, arguments = generic, tuple((child, scope) for child in given.named_children)  # type: ignore[assignment]
        if target.type != "type_identifier":
            return None
        text = scope.source.code(target)
        if text in scope.arguments:
            argument, outer = scope.arguments[text]
            return self.member(outer, argument, name, depth + 1)
        found = self._modules.declaration(scope.source.path, text)
        if found is None:
            return None
        names = found.owner.child_by_field_name("type_parameters")
        parameters = [found.source.code(p.named_children[0]) for p in names.named_children] if names is not None else []
        inner = Scope(found.source, dict(zip(parameters, arguments, strict=False)))
        value = found.owner.child_by_field_name("value") or found.owner.child_by_field_name("body")
        return self.member(inner, value, name, depth + 1) if value is not None else None

    def _members(self, scope: Scope, node: Node, here: Shape, depth: int) -> Shape:
        columns: list[str] = []
        problem = None
        for child in node.named_children:
            if child.type == "comment":
                continue
            name = property_name(scope.source, child) if child.type == "property_signature" else None
            if name is None:
                kind = {"index_signature": "an index signature", "method_signature": "methods"}.get(child.type)
                return replace(here, problem=kind or "members that are no columns")
            columns.append(name)
            if self._strict and problem is None:
                problem = self._unfit(scope, child, name, depth)
        return replace(here, columns=tuple(columns), problem=problem)

    def _unfit(self, scope: Scope, member: Node, name: str, depth: int) -> str | None:
        """Why a property can't be taken for a column."""
        if any(child.type == "?" for child in member.children):
            return f"{name} is optional"
        annotation = member.child_by_field_name("type")
        return self._joined(scope, annotation.named_children[0], name, depth) if annotation is not None else None

    def _joined(self, scope: Scope, node: Node, name: str, depth: int) -> str | None:
        """Why the type of a property is no value of one column."""
        if node.type in ("union_type", "array_type", "parenthesized_type", "readonly_type"):
            return next(filter(None, (self._joined(scope, c, name, depth) for c in node.named_children)), None)
        if node.type == "object_type":
            return f"{name} holds an object: a join, or JSON"
        if node.type == "function_type":
            return f"{name} is a function"
        if node.type == "generic_type":
            inner = node.child_by_field_name("name")
            text = scope.source.code(inner) if inner is not None else ""
            return None if text in ("Record", "Array", "ReadonlyArray") else f"the type of {name} can't be read"
        if node.type != "type_identifier" or (text := scope.source.code(node)) in SCALARS:
            return None
        found = self._modules.declaration(scope.source.path, text)
        if found is None:
            return f"the type of {name} can't be found"
        if found.owner.type == "enum_declaration":
            return None
        value = found.owner.child_by_field_name("value")
        if found.owner.type != "type_alias_declaration" or value is None or depth > DEPTH:
            return f"{name} is of type {text}: a join, or JSON"
        return self._joined(Scope(found.source, {}), value, name, depth + 1)

    def _zod(self, found: Declaration, here: Shape) -> Shape:
        """The keys of `z.object({...})`."""
        call = plain(found.bound.value) if found.bound.value is not None else None
        source = found.source
        function = call.child_by_field_name("function") if call is not None else None
        given = call.child_by_field_name("arguments") if call is not None else None
        here = Shape((), source.path, found.owner.start_point[0] + 1)
        if function is None or given is None or source.code(function) not in ("z.object", "z.strictObject"):
            return replace(here, problem="a schema that is no plain z.object")
        columns = []
        problem = None
        for pair in given.named_children[0].named_children if given.named_children else ():
            key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
            if pair.type == "comment":
                continue
            if key is None or value is None:
                return replace(here, problem="a schema that is put together")
            columns.append(source.code(key).strip("'\""))
            text = source.code(value)
            if any(f".{word}(" in text for word in ZOD_OPTIONAL) or ".object(" in text:
                problem = problem or f"{columns[-1]} is optional or an object"
        return replace(here, columns=tuple(columns), problem=problem)


def property_name(source: Source, member: Node) -> str | None:
    name = member.child_by_field_name("name")
    return (
        source.code(name).strip("'\"") if name is not None and name.type in ("property_identifier", "string") else None
    )


def merge(shapes: list[Shape], here: Shape) -> Shape:
    columns = tuple(dict.fromkeys(column for shape in shapes for column in shape.columns))
    problem = next((shape.problem for shape in shapes if shape.problem), None)
    return replace(here, columns=columns, problem=problem)


def first_line(code: str) -> str:
    return code.strip().splitlines()[0][:60] if code.strip() else ""
