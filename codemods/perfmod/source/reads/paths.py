"""Which path an expression stands for, as far as one file says it. What other files say is left open."""

from __future__ import annotations

import ast
from collections.abc import Callable

from tree_sitter import Node

from perfmod.source.python.event_loops import annotation_of, self_assignments
from perfmod.source.python.names import Binding, Bound, Imported, Names, Unknown, enclosing_class, enclosing_function
from perfmod.source.python.parameters import parameter_names
from perfmod.source.python.strings import is_template
from perfmod.source.reads.values import UNKNOWN, Value, choice, settled

PURE_PATHS = frozenset(f"pathlib.{name}" for name in ("Path", "PurePath", "PosixPath", "PurePosixPath"))
JOINS = frozenset({"os.path.join", "posixpath.join"})
PARENTS = frozenset({"os.path.dirname", "posixpath.dirname"})
SAME = frozenset(
    """os.path.abspath os.path.realpath os.path.normpath os.path.expanduser os.path.expandvars os.fspath str
    importlib.resources.as_file importlib_resources.as_file""".split()
)
PACKAGES = frozenset({"importlib.resources.files", "importlib_resources.files"})
SAME_METHODS = frozenset("resolve absolute expanduser as_posix strip __str__ __fspath__".split())
RENAMES = frozenset({"with_name", "with_suffix", "with_stem"})
METHODS = SAME_METHODS | RENAMES | {"joinpath", "format"}
RESOURCES = frozenset({"pkg_resources.resource_filename", "importlib.resources.path"})
OUTSIDE = {
    "os.getenv": "environment",
    "os.environ.get": "environment",
    "os.environ": "environment",
    "pathlib.Path.home": "home",
    "tempfile.gettempdir": "temporary",
    "tempfile.mkdtemp": "temporary",
    "tempfile.mkstemp": "temporary",
    "tempfile.NamedTemporaryFile": "temporary",
    "tempfile.TemporaryDirectory": "temporary",
}
HERE = frozenset({"pathlib.Path.cwd", "os.getcwd", "os.curdir"})
LITERALS = frozenset({"integer", "float", "true", "false", "none"})
DISPLAYS = frozenset({"list", "dictionary", "set", "lambda", "list_comprehension", "dictionary_comprehension"})
MAXIMUM_DEPTH = 14


class Paths:
    """Reads path expressions of one Python file."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.source = names.source
        self._local: dict[tuple[str, int], Value | None] = {}

    def value(self, node: Node | None, depth: int = 0) -> Value:
        """What `node` stands for."""
        if node is None or depth > MAXIMUM_DEPTH:
            return UNKNOWN
        kind = node.type
        if kind == "string":
            return UNKNOWN if is_template(node) else self._string(node, depth)
        if kind in LITERALS:
            return Value("literal", self.source.code(node))
        if kind == "concatenated_string":
            return Value("add", parts=tuple(self.value(part, depth + 1) for part in node.named_children))
        if kind == "identifier":
            return self._name(node, depth)
        if kind == "attribute":
            return self._attribute(node, depth)
        if kind == "call":
            return self._call(node, depth)
        if kind == "binary_operator":
            return self._operator(node, depth)
        if kind == "subscript":
            return self._subscript(node, depth)
        if kind in ("parenthesized_expression", "await"):
            return self.value(node.named_children[0], depth + 1) if kind[0] == "p" else UNKNOWN
        if kind == "named_expression":
            return self.value(node.child_by_field_name("value"), depth + 1)
        if kind == "conditional_expression":
            return choice([self.value(node.named_children[i], depth + 1) for i in (0, 2)])
        if kind == "boolean_operator":
            return choice([self.value(node.child_by_field_name(side), depth + 1) for side in ("left", "right")])
        return UNKNOWN

    def _string(self, node: Node, depth: int) -> Value:
        code = self.source.code(node)
        if all(child.type != "interpolation" for child in node.named_children):
            try:
                said = ast.literal_eval(code.replace("f", "", 1) if code[:1] in "fF" else code)
            except (SyntaxError, ValueError):
                return UNKNOWN
            return Value("text", said) if isinstance(said, str) else Value("literal", code)
        parts = []
        for child in node.named_children:
            if child.type == "string_content":
                parts.append(Value("text", self.source.code(child)))
            elif child.type == "interpolation":
                parts.append(self.value(child.child_by_field_name("expression"), depth + 1))
        return Value("add", parts=tuple(parts))

    def _name(self, node: Node, depth: int) -> Value:
        name = self.source.code(node)
        meaning = self.names.meaning(node)
        if isinstance(meaning, Imported):
            return self._imported(meaning.qualified)
        if isinstance(meaning, Unknown):
            return Value("file", self.source.path) if name == "__file__" else UNKNOWN
        scope = meaning.bindings[0].scope
        key = (name, scope.id)
        if key not in self._local:
            self._local[key] = None  # a name that is made from itself is unknown
            self._local[key] = self._bound(name, meaning, depth)
        return self._local[key] or UNKNOWN

    def _bound(self, name: str, meaning: Bound, depth: int) -> Value:
        if len(meaning.bindings) == 1 and meaning.bindings[0].kind == "parameter":
            return Value("param", name)
        values = [self._binding(binding, depth) for binding in meaning.bindings]
        if len(values) > 4:
            return UNKNOWN
        only = meaning.only
        if only is not None and only.scope.type == "module" and is_settled(only):
            return settled(name, choice(values))
        return Value("named", name, (choice(values),))

    def _binding(self, binding: Binding, depth: int) -> Value:
        if binding.kind == "assignment":
            return self.value(binding.value, depth + 1)
        loop = binding.node.parent
        if loop is not None and loop.type in ("for_statement", "for_in_clause"):
            return self._items(loop.child_by_field_name("right"), depth + 1)
        return UNKNOWN

    def _items(self, node: Node | None, depth: int) -> Value:
        """One of the items of a literal, or of a constant that is one."""
        if node is not None and node.type == "identifier":
            meaning = self.names.meaning(node)
            only = meaning.only if isinstance(meaning, Bound) else None
            node = only.value if only is not None and only.kind == "assignment" else None
        if node is None or node.type not in ("list", "tuple", "set", "expression_list") or not node.named_children:
            return UNKNOWN
        return choice([self.value(item, depth + 1) for item in node.named_children if item.type != "comment"])

    def _imported(self, origin: str) -> Value:
        if origin in OUTSIDE:
            return Value("outside", OUTSIDE[origin])
        return Value("text", ".") if origin in HERE else Value("imported", origin, where=self.source.path)

    def _attribute(self, node: Node, depth: int) -> Value:
        value, member = node.child_by_field_name("object"), node.child_by_field_name("attribute")
        if value is None or member is None:
            return UNKNOWN
        name = self.source.code(member)
        if name == "parent":
            return Value("parent", parts=(self.value(value, depth + 1),))
        if isinstance(meaning := self.names.meaning(node), Imported):
            return self._imported(meaning.qualified)
        owner = self._class_of(value)
        return UNKNOWN if owner is None else self._member(owner, name, depth)

    def _class_of(self, value: Node) -> Node | None:
        """The class of `self`, or the one that is named."""
        if self.source.code(value) in ("self", "cls"):
            return enclosing_class(value)
        meaning = self.names.meaning(value) if value.type == "identifier" else None
        only = meaning.only if isinstance(meaning, Bound) else None
        return only.owner if only is not None and only.kind == "class" else None

    def _member(self, owner: Node, name: str, depth: int) -> Value:
        """A constant of a class, or an attribute that its __init__ alone sets."""
        bindings = self.names.bindings(name).get(owner.id, [])
        listed = owner.child_by_field_name("superclasses")
        is_decorated = owner.parent is not None and owner.parent.type == "decorated_definition"
        is_model = is_decorated or listed is not None
        if is_model and any(annotation_of(binding) is not None for binding in bindings):
            return UNKNOWN  # a field with a default: each instance may have its own
        values = [self._binding(binding, depth) for binding in bindings]
        for assignment in self_assignments(self.names, owner, name):
            function = enclosing_function(assignment)
            made_by = function.child_by_field_name("name") if function is not None else None
            if made_by is None or self.source.code(made_by) != "__init__":
                return UNKNOWN
            made = self.value(assignment.child_by_field_name("right"), depth + 1)
            # a parameter of __init__ is none of the method that reads the attribute
            values.append(made.replaced(lambda part: UNKNOWN if part.kind == "param" else None))
        return Value("named", name, (choice(values),)) if values else UNKNOWN

    def _call(self, node: Node, depth: int) -> Value:
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None or arguments is None:
            return UNKNOWN
        positional = [child for child in arguments.named_children if child.type != "comment"]
        meaning = self.names.meaning(function)
        origin = meaning.qualified if isinstance(meaning, Imported) else ""
        if isinstance(meaning, Unknown) and self.source.code(function) == "str":
            origin = "str"
        if any(p.type in ("list_splat", "dictionary_splat", "keyword_argument") for p in positional) and not origin:
            return UNKNOWN

        def at(place: int) -> Value:
            return self.value(positional[place], depth + 1) if place < len(positional) else UNKNOWN

        if origin in PURE_PATHS | JOINS | RESOURCES:
            parts = tuple(at(place) for place in range(len(positional)))
            return Value("join", parts=parts or (Value("text", "."),))
        if origin in PARENTS:
            return Value("parent", parts=(at(0),))
        if origin in PACKAGES and positional:
            return self.package(positional[0], depth)
        if origin in SAME:
            return at(0)
        if origin in OUTSIDE or origin in HERE:
            return self._imported(origin)
        member = function.child_by_field_name("attribute") if function.type == "attribute" else None
        if member is not None and (not origin or self.source.code(member) in METHODS):
            return self._method(function, at, len(positional), depth)
        if isinstance(meaning, Bound) and meaning.only is not None and meaning.only.kind == "function":
            return self._helper(meaning.only.owner, [at(place) for place in range(len(positional))], depth)
        if origin:
            plain = tuple(at(place) for place in range(len(positional)))
            return Value("call", origin, plain, self.source.path)
        return UNKNOWN

    def package(self, node: Node, depth: int = 0) -> Value:
        """The folder of a package that is named, or the one of this file."""
        code = self.source.code(node)
        if code.startswith(("__package__", "__name__", "__spec__.parent")):
            return Value("parent", parts=(Value("file", self.source.path),))
        meaning = self.names.meaning(node)
        if isinstance(meaning, Imported) and not meaning.qualified.startswith("."):
            return folder_of(meaning.qualified)
        made = self.value(node, depth + 1)
        return folder_of(made.text) if made.kind == "text" else UNKNOWN

    def _method(self, function: Node, at: Callable[[int], Value], count: int, depth: int) -> Value:
        value, member = function.child_by_field_name("object"), function.child_by_field_name("attribute")
        name = self.source.code(member) if member is not None else ""
        receiver = self.value(value, depth + 1)
        if name in SAME_METHODS:
            return receiver
        if name == "joinpath":
            return Value("join", parts=(receiver, *(at(place) for place in range(count))))
        if name in RENAMES:
            return Value("rename", name, (receiver, at(0)))
        if name == "format":
            return Value("add", parts=(receiver, UNKNOWN))
        return UNKNOWN

    def _helper(self, definition: Node | None, arguments: list[Value], depth: int) -> Value:
        """What a function of this file gives back for these arguments."""
        made = self.returned(definition, depth)
        if definition is None or made is None:
            return UNKNOWN
        given = dict(zip(parameter_names(self.names, definition), arguments, strict=False))
        return made.replaced(lambda part: given.get(part.text, UNKNOWN) if part.kind == "param" else None)

    def returned(self, definition: Node | None, depth: int = 0) -> Value | None:
        """What a function with one plain `return` gives back, made of its parameters."""
        body = definition.child_by_field_name("body") if definition is not None else None
        if body is None or definition is None or definition.children[0].type == "async":
            return None
        last = body.named_children[-1]
        if last.type != "return_statement" or not last.named_children:
            return None
        if self.source.utf8[body.start_byte : body.end_byte].count(b"return") > 1:
            return None
        return self.value(last.named_children[0], depth + 1)

    def _operator(self, node: Node, depth: int) -> Value:
        operator = node.child_by_field_name("operator")
        sides = tuple(self.value(node.child_by_field_name(side), depth + 1) for side in ("left", "right"))
        if operator is None or operator.type not in ("/", "+"):
            return UNKNOWN
        return Value("join" if operator.type == "/" else "add", parts=sides)

    def _subscript(self, node: Node, depth: int) -> Value:
        value, index = node.child_by_field_name("value"), node.child_by_field_name("subscript")
        if value is None or index is None:
            return UNKNOWN
        meaning = self.names.meaning(value)
        if isinstance(meaning, Imported) and meaning.qualified == "os.environ":
            return Value("outside", "environment")
        if value.type == "attribute" and index.type == "integer":
            member, receiver = value.child_by_field_name("attribute"), value.child_by_field_name("object")
            if member is not None and self.source.code(member) == "parents":
                made = self.value(receiver, depth + 1)
                for _ in range(int(self.source.code(index)) + 1):
                    made = Value("parent", parts=(made,))
                return made
        return UNKNOWN


def is_settled(binding: Binding) -> bool:
    """Whether a module sets a variable once, to something that may be a path."""
    value = binding.value
    return binding.kind == "assignment" and value is not None and value.type not in LITERALS | DISPLAYS


def folder_of(package: str) -> Value:
    """The folder of a package: it does not depend on the working directory."""
    return Value("parent", parts=(Value("file", f"{package.replace('.', '/')}/__init__.py"),))
