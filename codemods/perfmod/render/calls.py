"""Rewriting calls with LibCST: everything but the callee and the new arguments stays byte-identical."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

from perfmod.model import RewriteCall, Span
from perfmod.render import CannotRender

OPENING = "("  # a call that spans lines parses as a statement only in parentheses


def rewrite_fragment(fragment: str, span: Span, calls: Sequence[RewriteCall]) -> str:
    """The text of a call expression with the calls in it rewritten. `span` is the fragment's place in the file.

    Raises CannotRender where LibCST does not read the fragment as it stands.
    """
    try:
        module = cst.parse_module(f"({fragment})")
    except (cst.ParserSyntaxError, cst.CSTLogicError, RecursionError):
        raise CannotRender("LibCST can't read this expression") from None
    if module.code != f"({fragment})":
        raise CannotRender("LibCST does not print this expression as it stands")
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    spans = wrapper.resolve(ByteSpanPositionProvider)
    wanted = {(call.span.start - span.start + 1, call.span.end - call.span.start): call for call in calls}
    found: dict[cst.CSTNode, RewriteCall] = {}
    for node, place in spans.items():
        if isinstance(node, cst.Call) and (place.start, place.length) in wanted:
            found[node] = wanted.pop((place.start, place.length))
    if wanted:
        raise CannotRender("tree-sitter and LibCST disagree about this expression")
    return wrapper.module.visit(CallRewriter(found)).code[1:-1]


class CallRewriter(cst.CSTTransformer):
    """Rewrites the calls that it was given, inside out."""

    def __init__(self, calls: dict[cst.CSTNode, RewriteCall]) -> None:
        super().__init__()
        self.calls = calls

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        intent = self.calls.get(original_node)
        return updated_node if intent is None else rewritten(updated_node, intent)


def rewritten(call: cst.Call, intent: RewriteCall) -> cst.Call:
    if holds_comment(call.func):
        raise CannotRender("a comment stands inside the name of the called function")
    if intent.positional is not None:
        call = call.with_changes(args=made_positional(call.args, intent.positional))
    for text in reversed(intent.prepend):
        call = prepended(call, cst.Arg(cst.parse_expression(text)))
    for keyword, text in intent.keywords:
        call = appended(
            call,
            cst.Arg(
                cst.parse_expression(text),
                keyword=cst.Name(keyword),
                equal=cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace("")),
            ),
        )
    return call.with_changes(func=cst.parse_expression(intent.callee))


def holds_comment(node: cst.CSTNode) -> bool:
    return "#" in cst.Module([]).code_for_node(node)


def made_positional(args: Sequence[cst.Arg], keyword: str) -> list[cst.Arg]:
    """The arguments with one keyword argument as the first positional one."""
    rest = [arg for arg in args if arg.keyword is None or arg.keyword.value != keyword]
    moved = next(arg for arg in args if arg.keyword is not None and arg.keyword.value == keyword)
    first = moved.with_changes(keyword=None, equal=cst.MaybeSentinel.DEFAULT)
    if args[0] is moved:
        return [first, *rest]
    raise CannotRender(f"`{keyword}=` is not the first argument")


def is_exploded(call: cst.Call) -> bool:
    """Whether the first argument stands on a line of its own."""
    comma = call.args[0].comma if len(call.args) > 1 else None
    alone = not isinstance(comma, cst.Comma) or isinstance(comma.whitespace_after, cst.ParenthesizedWhitespace)
    return alone and isinstance(call.whitespace_before_args, cst.ParenthesizedWhitespace)


def between(call: cst.Call) -> cst.BaseParenthesizableWhitespace:
    """The space between two arguments: a new line where each has its own."""
    before = call.whitespace_before_args
    if isinstance(before, cst.ParenthesizedWhitespace) and is_exploded(call):
        return before.with_changes(first_line=cst.TrailingWhitespace(), empty_lines=[])
    return cst.SimpleWhitespace(" ")


def prepended(call: cst.Call, arg: cst.Arg) -> cst.Call:
    if not call.args:
        return call.with_changes(args=[arg])
    return call.with_changes(args=[arg.with_changes(comma=cst.Comma(whitespace_after=between(call))), *call.args])


def appended(call: cst.Call, arg: cst.Arg) -> cst.Call:
    """The call with one more argument at the end. In an exploded call it gets its own line and a trailing comma."""
    if not call.args:
        return call.with_changes(args=[arg])
    *before, last = call.args
    ending = last.comma.whitespace_after if isinstance(last.comma, cst.Comma) else last.whitespace_after_arg
    gap = between(call)
    comma: cst.Comma | cst.MaybeSentinel = cst.MaybeSentinel.DEFAULT
    if isinstance(ending, cst.ParenthesizedWhitespace) and is_exploded(call):
        gap = ending.with_changes(last_line=gap.last_line, indent=gap.indent)  # type: ignore[attr-defined]
        ending = ending.with_changes(first_line=cst.TrailingWhitespace(), empty_lines=[])
        comma = cst.Comma(whitespace_after=ending)
    elif isinstance(last.comma, cst.Comma):
        comma = last.comma
    own = last.comma if isinstance(last.comma, cst.Comma) else cst.Comma()
    last = last.with_changes(
        comma=own.with_changes(whitespace_after=gap), whitespace_after_arg=cst.SimpleWhitespace("")
    )
    arg = arg.with_changes(
        comma=comma,
        whitespace_after_arg=ending if isinstance(comma, cst.MaybeSentinel) else cst.SimpleWhitespace(""),
    )
    return call.with_changes(args=[*before, last, arg])
