"""What a request sends: whether it can be sent twice, and whether that does no more than sending it once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.http.retry_loops import below, helper_of
from perfmod.source.python.event_loops import annotation_of
from perfmod.source.python.instances import inside
from perfmod.source.python.names import Binding, Bound, Imported, Names, enclosing_function

BODIES = ("content", "data", "files")
REPLAYABLE = frozenset(
    "string concatenated_string none integer float true false binary_operator "
    "list_comprehension dictionary_comprehension".split()
)
REPLAYABLE_TYPES = pattern(r"\b(?:str|bytes|bytearray|memoryview|dict|Dict|Mapping|list|List|tuple|Tuple)\b")
STREAM_TYPES = pattern(r"Iterator|Iterable|Generator|\bIO\b|BinaryIO|TextIO|BytesIO|BufferedReader|UploadFile|Stream")
REPLAYABLE_CALLS = pattern(
    r"(?:dumps|encode|b64encode|urlencode|read_bytes|read_text|read|dict|str|bytes|model_dump_json|model_dump|format|join)\Z"
)
STREAM_CALLS = pattern(r"(?:open|BytesIO|StringIO|iter|chain|map|filter|FormData|MultipartEncoder|File)\Z")
SIGNS = r"hmac\.|nonce\w{0,60}\s*\(|(?<![a-z])sign(?:ed|_\w{1,60})?\s*\(|jwt\.encode"
DATES = r"time\.time\s*\(|time_ns\s*\(|utcnow\s*\(|datetime\.now\s*\(|timestamp\s*\("
SIGNED = pattern(f"{SIGNS}|{DATES}|hmac|nonce|signature", re.IGNORECASE)
SIGNED_URL = pattern(f"{SIGNS}|{DATES}", re.IGNORECASE)  #: its words may be the names of resources
SIGNED_BODY = pattern(SIGNS, re.IGNORECASE)  #: the time of an event stays what it was
UPSERT = pattern(r"resolution=(?:merge|ignore)-duplicates")
CONFLICT = pattern(r"[\"']on_conflict[\"']|[?&]on_conflict=")
PAYMENT = pattern(r"(?:\b|_|(?<=[a-z])(?=[A-Z]))(?i:payment|refund|order|charge|transfer|payout)s?(?![a-z])")


def arguments_of(names: Names, call: Node) -> tuple[list[Node], dict[str, Node], list[str]]:
    """The positional arguments of a call, its keyword arguments, and its splats."""
    arguments = call.child_by_field_name("arguments")
    positional: list[Node] = []
    keywords: dict[str, Node] = {}
    splats = []
    for argument in arguments.named_children if arguments is not None else ():
        if argument.type == "keyword_argument":
            name, value = argument.child_by_field_name("name"), argument.child_by_field_name("value")
            if name is not None and value is not None:
                keywords[names.source.code(name)] = value
        elif argument.type in ("list_splat", "dictionary_splat"):
            splats.append(names.source.code(argument))
        elif argument.type != "comment":
            positional.append(argument)
    return positional, keywords, splats


def meant(names: Names, node: Node, depth: int = 0) -> Iterator[Node]:
    """An expression and the values that the local variables in it were given."""
    yield node
    if depth > 3:
        return
    for inner in [node, *below(node)]:
        if inner.type != "identifier":
            continue
        meaning = names.meaning(inner)
        if isinstance(meaning, Bound):
            for binding in meaning.bindings:
                if binding.value is not None and binding.value != node and binding.value != inner:
                    yield from meant(names, binding.value, depth + 1)


def unsendable(names: Names, keywords: dict[str, Node]) -> tuple[str | None, str | None]:
    """Why the body can't be sent twice, and why it can't be told whether it can."""
    doubt = None
    for keyword in BODIES:
        if keyword not in keywords:
            continue
        answer = replayable(names, keywords[keyword], fields=keyword == "data")
        if answer is False:
            return f"{keyword}= is a stream or an open file: a second attempt would send nothing of it", None
        if answer is None:
            doubt = f"{keyword}= may be a stream, which can't be sent twice: annotate it to make sure"
    return None, doubt


def replayable(names: Names, node: Node, *, fields: bool, depth: int = 0) -> bool | None:
    """Whether a value is the same when it is read a second time. None: it can't be told.

    `fields`: the values in a dict are form fields, texts unless something says otherwise.
    """
    kind = node.type
    if kind in ("dictionary", "list", "tuple"):
        values = [c.child_by_field_name("value") if c.type == "pair" else c for c in node.named_children]
        found = {replayable(names, v, fields=fields, depth=depth) for v in values if v is not None}
        return False if False in found else None if None in found and not fields else True
    if kind in REPLAYABLE or kind == "comment":
        return True
    if kind == "generator_expression":
        return False
    if kind in ("await", "parenthesized_expression"):
        return replayable(names, node.named_children[0], fields=fields, depth=depth)
    if kind == "call":
        return replayable_call(names, node)
    meaning = names.meaning(node) if kind == "identifier" and depth < 5 else None
    if not isinstance(meaning, Bound):
        return None
    answers = {replayable_binding(names, binding, fields=fields, depth=depth) for binding in meaning.bindings}
    return False if False in answers else None if None in answers else True


def replayable_call(names: Names, call: Node) -> bool | None:
    function = call.child_by_field_name("function")
    text = names.source.code(function).rpartition(".")[2].strip() if function is not None else ""
    if function is None or STREAM_CALLS.search(text):
        return False
    made = helper_of(names, function)
    if made is not None:
        returns = made.child_by_field_name("return_type")
        if any(True for _ in inside(made, "yield")):
            return False
        if returns is not None:
            return replayable_type(names, returns)
    return True if REPLAYABLE_CALLS.search(text) else None


def replayable_type(names: Names, annotation: Node) -> bool | None:
    text = names.source.code(annotation)
    if STREAM_TYPES.search(text):
        return False
    return True if REPLAYABLE_TYPES.search(text) else None


def replayable_binding(names: Names, binding: Binding, *, fields: bool, depth: int) -> bool | None:
    annotation = annotation_of(binding)
    if annotation is not None:
        return replayable_type(names, annotation)
    if binding.value is not None:
        return replayable(names, binding.value, fields=fields, depth=depth + 1)
    above = binding.node.parent
    if above is not None and above.type == "as_pattern_target" and above.parent is not None:
        return replayable(names, above.parent.named_children[0], fields=fields, depth=depth + 1)
    return None


def is_signed(names: Names, keywords: dict[str, Node], url: Node | None) -> bool:
    """Whether a request holds a signature, a nonce or, outside its body, the time: a second attempt needs a new one."""
    parts = [(keywords.get(keyword), SIGNED) for keyword in ("headers", "params", "auth", "cookies")]
    parts += [(url, SIGNED_URL), *((keywords.get(keyword), SIGNED_BODY) for keyword in ("json", *BODIES))]
    return any(node is not None and says(names, node, words) for node, words in parts)


def says(names: Names, node: Node, words: re.Pattern[str]) -> bool:
    """Whether an expression, the variables in it or a helper that it calls have one of the words."""
    for value in meant(names, node):
        if words.search(names.source.code(value)):
            return True
        for inner in [value, *below(value)]:
            function = inner.child_by_field_name("function") if inner.type == "call" else None
            helper = helper_of(names, function) if function is not None else None
            if helper is not None and words.search(names.source.code(helper)):
                return True
    return False


def upsert(names: Names, keywords: dict[str, Node], url: Node | None) -> tuple[bool, bool]:
    """Whether a request is a PostgREST upsert, and whether it says which columns are its key."""
    headers = keywords.get("headers")
    if headers is None or not any(UPSERT.search(names.source.code(value)) for value in meant(names, headers)):
        return False, False
    if url is not None and re.search(r"[?&]on_conflict=\w", names.source.code(url)):
        return True, True
    params = keywords.get("params")
    return True, params is not None and any(names_key(names, value) for value in meant(names, params))


def names_key(names: Names, node: Node) -> bool:
    """Whether a dict display says `"on_conflict": <a value that is there>`."""
    if node.type != "dictionary":
        return False
    for pair in node.named_children:
        key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if key is not None and value is not None and names.source.code(key).strip("\"'") == "on_conflict":
            return is_given(names, value)
    return False


def is_given(names: Names, value: Node) -> bool:
    """Whether a value is a text that is not empty: a literal, or a parameter that must be passed."""
    if value.type in ("string", "concatenated_string"):
        return any(c.type != "interpolation" and c.type == "string_content" for c in value.named_children)
    if value.type == "call":
        function = value.child_by_field_name("function")
        inner = value.child_by_field_name("arguments")
        joins = function is not None and names.source.code(function).endswith(".join")
        return joins and inner is not None and all(is_given(names, c) for c in inner.named_children)
    meaning = names.meaning(value) if value.type == "identifier" else None
    if not isinstance(meaning, Bound) or meaning.only is None or meaning.only.kind != "parameter":
        return False
    parent = meaning.only.node.parent
    annotation = annotation_of(meaning.only)
    if annotation is None or parent is None or parent.type != "typed_parameter":
        return False
    return "None" not in names.source.code(annotation) and "Optional" not in names.source.code(annotation)


def means_payment(names: Names, url: Node | None) -> bool:
    """Whether the literal parts of a URL say payment, refund, order, charge, transfer or payout."""
    if url is None:
        return False
    for value in meant(names, url):
        for node in [value, *below(value)]:
            if node.type == "string_content" and PAYMENT.search(re.sub(r"^\w+://[^/]*", "", names.source.code(node))):
                return True
    return False


def uses_locals(names: Names, node: Node) -> bool:
    """Whether the function around a place looks at its variables by name."""
    function = enclosing_function(node)
    if function is None:
        return False
    for name in ("locals", "vars"):
        for found in names.occurrences(name):
            inner = function.start_byte <= found.start_byte < function.end_byte
            if inner and not isinstance(names.meaning(found), (Bound, Imported)):
                call = found.parent
                if call is not None and call.type == "call" and names.source.code(call) in ("locals()", "vars()"):
                    return True
    return False
