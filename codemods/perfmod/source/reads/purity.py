"""Whether a function does nothing but read a file and make something of it."""

from __future__ import annotations

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.python.event_loops import last_segment
from perfmod.source.python.names import COMPREHENSIONS, Bound, Imported, Names, Unknown, is_member_name
from perfmod.source.python.strings import is_template
from perfmod.source.python.types import Target
from perfmod.source.reads.call_sites import target_of
from perfmod.source.reads.paths import Paths
from perfmod.source.reads.sites import read_at
from perfmod.source.reads.values import Value
from perfmod.source.tasks.coroutines import holds_yield
from perfmod.source.tree import field_of
from perfmod.values import dataclass

BUILTINS = frozenset(
    """str int float bool bytes complex len tuple list dict set frozenset sorted min max sum any all zip map filter
    enumerate range isinstance issubclass repr reversed abs round ord chr hash iter next slice type format
    divmod""".split()
)
MODULES = frozenset(
    """json yaml tomllib tomli toml csv pathlib re textwrap string copy collections dataclasses base64 hashlib html
    io codecs gzip posixpath ast unicodedata itertools functools operator math decimal fractions
    importlib_resources ruamel markdown configparser orjson ujson rapidjson""".split()
)
FUNCTIONS = frozenset(
    """typing.cast importlib.resources.files importlib.resources.read_text importlib.resources.read_binary
    pickle.load pickle.loads os.fspath os.path.join os.path.dirname os.path.abspath os.path.realpath
    os.path.exists os.path.isfile os.path.basename os.path.splitext os.path.normpath pkgutil.get_data
    types.MappingProxyType types.SimpleNamespace""".split()
)
IMPURE = frozenset(
    "pathlib.Path.cwd pathlib.Path.home functools.partial itertools.count io.StringIO io.BytesIO".split()
)
#: methods of texts, containers, paths, files and parsers
METHODS = frozenset(
    """strip lstrip rstrip split rsplit splitlines join replace lower upper title capitalize casefold format
    format_map startswith endswith removeprefix removesuffix partition rpartition find rfind index count
    encode decode zfill ljust rjust isdigit isidentifier isspace translate expandtabs read readline
    readlines read_text read_bytes open exists is_file is_dir resolve absolute joinpath with_name
    with_suffix relative_to as_posix get items keys values append extend insert update add setdefault sort
    reverse copy pop discard remove group groups groupdict match fullmatch search sub finditer findall union
    intersection difference load safe_load loads model_validate model_validate_json parse_obj from_dict
    substitute safe_substitute dedent hexdigest digest""".split()
)
#: of these only on what the function itself has made
CHANGING = frozenset(
    "append extend insert update add setdefault sort reverse pop discard remove load read readline readlines".split()
)
ASKING = frozenset({"exists", "is_file", "is_dir"})
ASKING_PATHS = frozenset({"os.path.exists", "os.path.isfile"})
#: what a module may keep in a variable that is as good as a constant
CONSTANT_MAKERS = pattern(
    r"(?:re|regex)\.compile|frozenset|tuple|logging\.getLogger|str|int|float|len|textwrap\.dedent"
)
MODULE_NAMES = frozenset({"open", "__name__", "__package__", "__file__"})
LOGGING = frozenset("debug info warning error exception critical log".split())


@dataclass(frozen=True, slots=True)
class Impure:
    """What a function does besides."""

    reason: str


@dataclass(frozen=True, slots=True)
class Variable:
    """What a function looks at, which is constant as long as nobody sets it: `NAME` of a module, `Owner.NAME`."""

    name: str


@dataclass(frozen=True, slots=True)
class Opened:
    """What a function reads."""

    file: Value


Look = Impure | Target | Variable | Opened


def impurities(names: Names, definition: Node) -> list[Look]:
    """Why a function may not be cached, and what has to be looked at elsewhere to know it."""
    if holds_yield(definition):
        return [Impure("it is a generator")]
    body = definition.child_by_field_name("body")
    found: list[Look] = []
    asked: list[Value] = []
    paths = Paths(names)
    stack = [body] if body is not None else []
    while stack:
        node = stack.pop()
        stack.extend(reversed(node.children))
        kind = node.type
        if kind in ("global_statement", "nonlocal_statement"):
            found.append(Impure(f"it sets {names.source.code(node).partition(' ')[2]}"))
        elif kind in ("function_definition", "class_definition", "delete_statement"):
            found.append(Impure("it holds a definition of its own" if "definition" in kind else "it deletes something"))
        elif kind in ("assignment", "augmented_assignment"):
            found.extend(stored(names, node, definition))
        elif kind == "call":
            found.extend(made_call(names, paths, node, definition))
            asked.extend(asked_for(names, paths, node))
        elif kind == "identifier" or kind == "attribute":
            found.extend(looked_at(names, node))
    if any(Opened(file) not in found for file in asked):
        found.append(Impure("it asks whether another file is there"))
    return list(dict.fromkeys(found))


def asked_for(names: Names, paths: Paths, call: Node) -> list[Value]:
    """The path that a call asks for."""
    function, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
    if function is None or arguments is None:
        return []
    meaning = names.meaning(function)
    if isinstance(meaning, Imported) and meaning.qualified in ASKING_PATHS and arguments.named_children:
        return [paths.value(arguments.named_children[0])]
    if function.type == "attribute" and last_segment(names, function) in ASKING:
        return [paths.value(function.child_by_field_name("object"))]
    return []


def stored(names: Names, assignment: Node, definition: Node) -> list[Look]:
    """What an assignment changes outside of the function."""
    target = assignment.child_by_field_name("left")
    if target is None or target.type not in ("attribute", "subscript"):
        return []
    return [] if is_own(names, target, definition) else [Impure(f"it sets {names.source.code(target)}")]


def is_own(names: Names, node: Node, definition: Node) -> bool:
    """Whether a value was made inside the function."""
    root = node
    while root.type in ("attribute", "subscript", "call", "parenthesized_expression"):
        inner = (
            root.child_by_field_name("object")
            or root.child_by_field_name("value")
            or root.child_by_field_name("function")
        )
        root = inner if inner is not None else root.named_children[0]
        if root.type in ("string", "concatenated_string", "list", "dictionary", "tuple"):
            return True
    if root.type in ("string", "concatenated_string", "list", "dictionary", "binary_operator", "tuple"):
        return True
    if root.type != "identifier":
        return False
    meaning = names.meaning(root)
    if isinstance(meaning, Bound):
        scopes = {binding.scope for binding in meaning.bindings}
        return all(s.start_byte >= definition.start_byte and s.end_byte <= definition.end_byte for s in scopes) and all(
            b.kind != "parameter" or b.owner != definition for b in meaning.bindings
        )
    return isinstance(meaning, Unknown) and names.source.code(root) in BUILTINS | MODULE_NAMES


def made_call(names: Names, paths: Paths, call: Node, definition: Node) -> list[Look]:
    function = call.child_by_field_name("function")
    if function is None:
        return [Impure("it calls what can't be told")]
    code = names.source.code(function)
    read = read_at(names, paths, call)
    if read is not None:
        return [Opened(read[1])]
    meaning = names.meaning(function)
    if isinstance(meaning, Imported):
        origin = meaning.qualified
        if origin in FUNCTIONS or (origin.partition(".")[0] in MODULES and origin not in IMPURE):
            return []
        last = origin.rpartition(".")[2]
        if last in METHODS and paths.value(function.child_by_field_name("object")).kind == "imported":
            return []  # `PROMPTS.joinpath(...)`: whether it is a constant path is asked elsewhere
        return [Target(names.source.path, origin, imported=True)]
    if function.type == "identifier":
        name = names.source.code(function)
        if isinstance(meaning, Unknown):
            known = name in BUILTINS or name.endswith(("Error", "Exception"))
            return [] if known and not meaning.possible else [Impure(f"it calls {code}()")]
        target = target_of(names, function)
        return [target] if target is not None else [Impure(f"it calls {code}()")]
    if function.type != "attribute":
        return [Impure(f"it calls {code}")]
    receiver, last = function.child_by_field_name("object"), last_segment(names, function)
    if (
        last in LOGGING
        and receiver is not None
        and names.source.code(receiver) in ("logger", "log", "LOGGER", "_logger", "logging")
    ):
        return []
    if receiver is not None and last in METHODS:
        if is_own(names, receiver, definition):
            return []
        path = paths.value(receiver)
        if last in CHANGING:
            return [Impure(f"it calls {code}()")]
        if not any(part.kind in ("unknown", "literal") for part in path.walk()) or is_constant_object(names, receiver):
            return []
        if last in ("format", "strip", "split", "lower", "replace", "join", "get", "upper"):
            return []
    return [Impure(f"it calls {code}()")]


def is_constant_object(names: Names, node: Node) -> bool:
    """Whether a module sets a variable once, to a pattern or the like."""
    meaning = names.meaning(node)
    only = meaning.only if isinstance(meaning, Bound) else None
    return only is not None and only.scope.type == "module" and is_constant_value(names, only.value)


def is_constant_value(names: Names, value: Node | None) -> bool:
    """Whether what a variable is set to can't be changed, as far as the expression says it."""
    if value is None or is_template(value):
        return False
    if value.type in ("string", "concatenated_string", "integer", "float", "true", "false", "none", "unary_operator"):
        return True
    if value.type in ("tuple", "parenthesized_expression", "binary_operator", "conditional_expression"):
        return all(is_constant_value(names, child) for child in value.named_children)
    function = value.child_by_field_name("function") if value.type == "call" else None
    if function is not None:
        meaning = names.meaning(function)
        made_by = meaning.qualified if isinstance(meaning, Imported) else names.source.code(function)
        if CONSTANT_MAKERS.fullmatch(made_by):
            return True
    return not any(part.kind in ("unknown", "literal") for part in Paths(names).value(value).walk())


def looked_at(names: Names, node: Node) -> list[Look]:
    """What a function sees of the world besides its arguments."""
    parent = node.parent
    if parent is not None and parent.type == "attribute" and node.type == "attribute":
        return []
    if node.type == "identifier" and is_member_name(node):
        return []
    meaning = names.meaning(node)
    code = names.source.code(node)
    if isinstance(meaning, Imported):
        if meaning.qualified.startswith(("os.environ", "sys.argv", "sys.path")):
            return [Impure("it looks at the environment")]
        return [Impure(f"it looks at {code}, which may change")] if is_foreign_variable(node, meaning.qualified) else []
    if node.type == "attribute" or not isinstance(meaning, Bound):
        return []
    module = [b for b in meaning.bindings if b.scope.type == "module"]
    if not module:
        return []
    kinds = {b.kind for b in module}
    if len(meaning.bindings) > 1 or not kinds <= {"assignment", "function", "class", "import"}:
        return [Impure(f"it looks at {code}, which may change")]
    if kinds == {"function"}:
        called = field_of(node) == "function"
        return [] if called else [Target(names.source.path, code)]  # handed to someone who calls it
    if kinds == {"class"}:
        member = parent.child_by_field_name("attribute") if parent is not None and parent.type == "attribute" else None
        if parent is None or member is None or field_of(parent) == "function":
            return []
        name = names.source.code(member)
        return [Variable(name)] if name.isupper() else [Impure(f"it looks at {code}.{name}, which may change")]
    value = module[0].value
    is_container = value is not None and value.type in {"dictionary", "list", "set", *COMPREHENSIONS}
    if kinds == {"assignment"} and not is_constant_value(names, value) and not (is_container and code.isupper()):
        return [Impure(f"it looks at {code}, which may change")]
    return [Variable(code)] if kinds == {"assignment"} else []


def is_foreign_variable(node: Node, origin: str) -> bool:
    """Whether an imported name in small letters is used as a value: `settings.language`."""
    top, last = origin.lstrip(".").partition(".")[0], origin.rpartition(".")[2]
    role = field_of(node)
    if role == "function" or (role == "object" and node.parent is not None and field_of(node.parent) == "function"):
        return False
    return last.islower() and top not in MODULES | {"os", "typing", "importlib", "pickle", "pkgutil", "types"}
