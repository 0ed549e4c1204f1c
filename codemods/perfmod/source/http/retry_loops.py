"""Is a request repeated already? A loop, a decorator or a recursion that sends the same request after a failure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.python.instances import own_method
from perfmod.source.python.names import Bound, Imported, Names, enclosing, is_member_name
from perfmod.source.tree import ancestors

LOOPS = ("for_statement", "while_statement")
RETRY = pattern(r"retr(?:y|ies|ying)|backoff|tenacity|stamina|on_exception|on_predicate", re.IGNORECASE)
OURS = pattern(r"\bresponse_with_retry\b")
STATUS = pattern(r"status|\bis_error\b|\bis_success\b|\bis_server_error\b|\.ok\b", re.IGNORECASE)
LEAVES = ("raise_statement", "return_statement", "break_statement")
SLEEP = pattern(r"sleep\s*\(")
SUCCESS = pattern(r"^(?!not\b).*(?:status\w{0,40}\s{0,40}(?:==\s*20\d|<\s*[345]00)|\bis_success\b|\.ok\b)", re.DOTALL)


def retried_by(names: Names, node: Node) -> str | None:
    """What repeats the request at `node` after a failure: "the loop", a decorator ... None where nothing does."""
    code = names.source.code
    child = node
    in_lambda = False
    for parent in ancestors(node):
        in_lambda = in_lambda or parent.type == "lambda"
        if parent.type in LOOPS and parent.child_by_field_name("body") == child and is_retry_loop(names, parent, node):
            return "the loop around it"
        if parent.type == "call" and child.type == "argument_list":
            function = parent.child_by_field_name("function")
            if function is not None and (
                RETRY.search(code(function).rpartition(".")[2]) or (in_lambda and repeats_argument(names, function))
            ):
                return f"{code(function)}()"
        if parent.type == "try_statement" and sends_again(names, parent, node):
            return "the try around it"
        if parent.type == "with_statement" and RETRY.search(OURS.sub("", code(parent.named_children[0]))):
            return "the with block around it"
        if parent.type == "function_definition":
            by = decorated_with_retry(names, parent) or calls_itself(names, parent) or handed_to_retry(names, parent)
            if by is not None:
                return by
            if waits_and_sends_again(names, parent, node):
                return "the if after it"
        child = parent
    return None


def sends_again(names: Names, attempt: Node, site: Node) -> bool:
    """Whether an except clause of a try holds the request that the try sends."""
    parts = [c for c in attempt.named_children if c.type == "except_clause" or c == attempt.child_by_field_name("body")]
    found = [part for part in parts if same_calls(names, part, site)]
    return len(found) > 1 and parts[0] in found


def waits_and_sends_again(names: Names, function: Node, site: Node) -> bool:
    """Whether the request is sent, its status asked, and it is sent once more after a sleep."""
    if not SLEEP.search(names.source.code(function)):
        return False
    calls = same_calls(names, function, site)
    for call in calls[1:]:
        for parent in ancestors(call):
            condition, block = parent.child_by_field_name("condition"), parent.child_by_field_name("consequence")
            if parent.type != "if_statement" or condition is None or not holds(block, call) or holds(block, calls[0]):
                continue
            if STATUS.search(names.source.code(condition)) and SLEEP.search(names.source.code(parent)):
                return True
    return False


def same_calls(names: Names, node: Node, call: Node) -> list[Node]:
    """The calls below a node that say the same as a call, whatever their lines, from the first on."""
    text = "".join(names.source.code(call).split())
    found = [n for n in below(node) if n.type == "call" and "".join(names.source.code(n).split()) == text]
    return sorted(found, key=lambda n: n.start_byte)


def decorators(function: Node) -> list[Node]:
    above = function.parent
    if above is None or above.type != "decorated_definition":
        return []
    return [child for child in above.children if child.type == "decorator"]


def decorated_with_retry(names: Names, function: Node) -> str | None:
    """A decorator that repeats the call: by its name, or because it loops around a try."""
    for decorator in decorators(function):
        text = names.source.code(decorator).partition("(")[0].lstrip("@").strip()
        if RETRY.search(text):
            return f"@{text}"
        target = decorator.named_children[0]
        called = target.child_by_field_name("function") if target.type == "call" else target
        meaning = names.meaning(called) if called is not None and called.type in ("identifier", "attribute") else None
        if isinstance(meaning, Imported) and RETRY.search(meaning.qualified):
            return f"@{text}"
        owner = meaning.only.owner if isinstance(meaning, Bound) and meaning.only is not None else None
        if owner is not None and loops_around_try(owner):
            return f"@{text}"
    return None


def handed_to_retry(names: Names, function: Node) -> str | None:
    """What gets a function as an argument to repeat it: `with_retry(function)`."""
    name = function.child_by_field_name("name")
    for node in names.source.find_word(names.source.code(name).encode()) if name is not None else ():
        value = node.parent if is_member_name(node) else node
        arguments = value.parent if value is not None else None
        call = arguments.parent if arguments is not None and arguments.type == "argument_list" else None
        called = call.child_by_field_name("function") if call is not None else None
        if value is None or called is None or helper_of(names, value) != function:
            continue
        if RETRY.search(names.source.code(called).rpartition(".")[2]) or repeats_argument(names, called):
            return f"{names.source.code(called)}()"
    return None


def repeats_argument(names: Names, called: Node) -> bool:
    """Whether a function of this file calls one of its parameters in a loop, again after a failure."""
    function = helper_of(names, called)
    for node in below(function) if function is not None else ():
        target = node.child_by_field_name("function") if node.type == "call" else None
        meaning = names.meaning(target) if target is not None and target.type == "identifier" else None
        if not isinstance(meaning, Bound) or meaning.only is None or meaning.only.kind != "parameter":
            continue
        if any(loop.type in LOOPS and is_retry_loop(names, loop, node) for loop in ancestors(node)):
            return True
    return False


def helper_of(names: Names, function: Node) -> Node | None:
    """The function of this file that an expression means."""
    meaning = names.meaning(function) if function.type in ("identifier", "attribute") else None
    if isinstance(meaning, Bound) and meaning.only is not None and meaning.only.kind == "function":
        return meaning.only.owner
    return own_method(names, function)


def loops_around_try(function: Node) -> bool:
    """Whether a decorator's own text has a loop with a try in it."""
    waiting = [function]
    while waiting:
        node = waiting.pop()
        if node.type in LOOPS and any(inner.type == "try_statement" for inner in below(node)):
            return True
        waiting += node.named_children
    return False


def below(node: Node) -> Iterator[Node]:
    waiting = list(node.named_children)
    while waiting:
        inner = waiting.pop()
        yield inner
        waiting += inner.named_children


def own(loop: Node) -> Iterator[Node]:
    """What a loop's body does itself: not what functions defined in it do."""
    body = loop.child_by_field_name("body")
    waiting = [body] if body is not None else []
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [
            c for c in node.named_children if c.type not in ("function_definition", "class_definition", "lambda")
        ]


def is_retry_loop(names: Names, loop: Node, site: Node) -> bool:
    """Whether a loop sends the request again after a failure and stops after a success.

    A job that goes on for ever, a poll and a loop over items do not: success does not end them, or failure does.
    """
    head = loop.child_by_field_name("right") or loop.child_by_field_name("condition")
    if loop.type == "for_statement" and head is not None and RETRY.search(names.source.code(head)):
        return True
    return goes_on_after_failure(names, loop, site) and stops_after_success(names, loop, site)


def goes_on_after_failure(names: Names, loop: Node, site: Node) -> bool:
    for node in own(loop):
        if node.type == "try_statement" and holds(node.child_by_field_name("body"), site):
            clauses = [c for c in node.named_children if c.type in ("except_clause", "except_group_clause")]
            if any(not leaves(clause) for clause in clauses):
                return True
        if node.type == "if_statement" and not holds(node.child_by_field_name("consequence"), site):
            condition, block = node.child_by_field_name("condition"), node.child_by_field_name("consequence")
            if condition is None or block is None or not STATUS.search(names.source.code(condition)):
                continue
            if any(n.type == "continue_statement" and nearest_loop(n) == loop for n in below(block)):
                return True
            if SUCCESS.search(names.source.code(condition)) and leaves(block) and is_the_same(names, loop, site):
                return True
            if SLEEP.search(names.source.code(block)) and not leaves(block):
                return True
    return False


def is_the_same(names: Names, loop: Node, site: Node) -> bool:
    """Whether every round sends the same request: none of its words is set by the loop."""
    words = set(re.findall(r"\w+", names.source.code(site)))
    targets = [loop.child_by_field_name("left")] if loop.type == "for_statement" else []
    targets += [node.child_by_field_name("left") for node in own(loop) if node.type.endswith("assignment")]
    return words.isdisjoint(word for node in targets if node for word in re.findall(r"\w+", names.source.code(node)))


def stops_after_success(names: Names, loop: Node, site: Node) -> bool:
    """Whether the loop ends on a path that is no failure's, or asks a variable that it sets."""
    for node in own(loop):
        if node.type == "return_statement" or (node.type == "break_statement" and nearest_loop(node) == loop):
            clause = enclosing(node, "except_clause")
            if clause is None or not holds(loop, clause):
                return True
    condition = loop.child_by_field_name("condition")
    if condition is None:
        return False
    words = set(re.findall(r"\w+", names.source.code(condition)))
    for node in own(loop):
        if node.type in ("assignment", "augmented_assignment"):
            target = node.child_by_field_name("left")
            if target is not None and names.source.code(target).rpartition(".")[2].strip() in words:
                return True
    return False


def leaves(block: Node) -> bool:
    """Whether a block ends in raise, return or break."""
    body = block if block.type == "block" else next((c for c in block.named_children if c.type == "block"), None)
    statements = [c for c in body.named_children if c.type != "comment"] if body is not None else []
    return bool(statements) and statements[-1].type in LEAVES


def nearest_loop(node: Node) -> Node | None:
    return next((parent for parent in ancestors(node) if parent.type in LOOPS), None)


def holds(outer: Node | None, inner: Node) -> bool:
    return outer is not None and outer.start_byte <= inner.start_byte and inner.end_byte <= outer.end_byte


def calls_itself(names: Names, function: Node) -> str | None:
    """A function that calls itself in an except clause or after a look at the status."""
    name = function.child_by_field_name("name")
    if name is None:
        return None
    text = names.source.code(name)
    for node in names.source.find_word(text.encode(), function):
        if node == name:
            continue
        expression = node.parent if is_member_name(node) else node
        call = expression.parent if expression is not None else None
        if call is None or call.type != "call" or call.child_by_field_name("function") != expression:
            continue
        if expression is not None and expression.type == "attribute":
            receiver = expression.child_by_field_name("object")
            if receiver is None or names.source.code(receiver) not in ("self", "cls"):
                continue
        for parent in ancestors(call):
            if parent == function:
                break
            if parent.type == "except_clause":
                return f"{text}(), which calls itself"
            condition = parent.child_by_field_name("condition") if parent.type == "if_statement" else None
            if condition is not None and STATUS.search(names.source.code(condition)):
                return f"{text}(), which calls itself"
    return None


def retry_methods(names: Names, owner: Node) -> list[str]:
    """The methods of a class that retry, by their names."""
    found = []
    for method in inside_class(owner):
        name = method.child_by_field_name("name")
        text = names.source.code(name) if name is not None else ""
        if re.search(r"(?<![a-z])retr(?:y|ies|ying)", text) and any(n.type in LOOPS for n in below(method)):
            found.append(text)
    return found


def inside_class(owner: Node) -> Iterator[Node]:
    """The methods of a class."""
    body = owner.child_by_field_name("body")
    for child in body.named_children if body is not None else ():
        definition = child.child_by_field_name("definition") if child.type == "decorated_definition" else child
        if definition is not None and definition.type == "function_definition":
            yield definition
