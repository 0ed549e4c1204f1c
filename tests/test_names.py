"""Name resolution and call spans, held against LibCST's scope analysis and `ast` on real code: the standard library.

Where LibCST says that a called name comes from an import, perfmod must say the same, or that it can't tell.
"""

from __future__ import annotations

import ast
import os
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path

import libcst as cst
import pytest
from libcst.metadata import (
    ByteSpanPositionProvider,
    ImportAssignment,
    MetadataWrapper,
    Scope,
    ScopeProvider,
)
from tree_sitter import Node

from perfmod.source.python.names import Imported, Names, Unknown
from perfmod.source.text import Text, Unreadable
from perfmod.source.tree import Source, first_error

LIBRARY = Path(sysconfig.get_path("stdlib"))
PACKAGES = ("asyncio", "concurrent", "http", "logging", "unittest")
FAST = 24  # files of the fast run


def modules() -> list[Path]:
    """Some packages and half of the single modules; other folders with PERFMOD_NAMES=folder:folder."""
    folders = os.environ.get("PERFMOD_NAMES")
    if folders:
        return sorted(file for folder in folders.split(os.pathsep) for file in Path(folder).rglob("*.py"))
    files = [file for package in PACKAGES for file in (LIBRARY / package).rglob("*.py") if "test" not in file.parts]
    return sorted([*files, *sorted(LIBRARY.glob("*.py"))[::2]])


def cases() -> list[object]:
    files = modules()
    step = max(1, len(files) // FAST)
    return [
        pytest.param(file, id=file.name, marks=[pytest.mark.slow] if index % step else [])
        for index, file in enumerate(files)
    ]


@pytest.mark.parametrize("file", cases())
def test_names_and_spans_agree(file: Path) -> None:
    source = read(file)
    if source is None:
        pytest.skip("no Python that all three read")
    assert list(disagreements(source)) == []


def read(file: Path) -> Source | None:
    try:
        source = Source(Text.decode(str(file), file.read_bytes()), "python")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source.utf8)
        cst.parse_module(source.utf8.decode())
    except (Unreadable, SyntaxError, cst.ParserSyntaxError, RecursionError):
        return None
    return None if first_error(source.root) else source


def disagreements(source: Source) -> Iterator[str]:
    """What perfmod sees otherwise than LibCST or `ast`."""
    calls = {(node.start_byte, node.end_byte) for node in calls_below(source.root)}
    for start, end in sorted(set(ast_calls(source.utf8)) - calls):
        if not source.utf8.startswith(b"type(", start):  # `type(x).y = z` is a type alias for tree-sitter
            yield f"{place(source, start)}: ast sees a call that ends at {end}"
    names = Names(source)
    for start, callee, origins in callees(source.utf8.decode()):
        node = source.root.descendant_for_byte_range(start, start + len(callee.encode()))
        assert node is not None
        meaning = names.meaning(node)
        if isinstance(meaning, Unknown):
            continue
        told = meaning.qualified if isinstance(meaning, Imported) and meaning.binding.kind == "import" else None
        if told is not None if origins is None else told not in origins:
            yield f"{place(source, start)}: {callee} is {origins or 'no import'} for LibCST, {meaning} for perfmod"


def place(source: Source, offset: int) -> str:
    return f"{source.path}:{source.text.position(offset)[0]}"


def calls_below(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type == "call":
            yield node
        waiting.extend(node.children)


def ast_calls(utf8: bytes) -> Iterator[tuple[int, int]]:
    """The spans of calls, outside of f-strings: before Python 3.12 `ast` has no true places there."""
    lines = [0]
    for line in utf8.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    waiting: list[ast.AST] = [ast.parse(utf8)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            assert node.end_lineno is not None and node.end_col_offset is not None
            yield lines[node.lineno - 1] + node.col_offset, lines[node.end_lineno - 1] + node.end_col_offset
        if not isinstance(node, ast.JoinedStr) or sys.version_info >= (3, 12):
            waiting.extend(ast.iter_child_nodes(node))


class Calls(cst.CSTVisitor):
    """Every call of a plain or dotted name, with its scope and place."""

    METADATA_DEPENDENCIES = (ScopeProvider, ByteSpanPositionProvider)

    def __init__(self, module: cst.Module) -> None:
        super().__init__()
        self.module = module
        self.found: list[tuple[int, str, Scope]] = []

    def visit_Call(self, node: cst.Call) -> None:
        if not is_dotted(node.func) or node.func.lpar:
            return
        scope = self.get_metadata(ScopeProvider, node, None)
        if scope is not None:
            start = self.get_metadata(ByteSpanPositionProvider, node.func).start
            self.found.append((start, self.module.code_for_node(node.func), scope))


def is_dotted(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Name) or (isinstance(node, cst.Attribute) and is_dotted(node.value) and not node.lpar)


def callees(code: str) -> Iterator[tuple[int, str, set[str] | None]]:
    """Offset and text of each called name that the file binds, with its dotted origins if imports do; None if not.

    Names that imports and something else bind are left out.
    """
    wrapper = MetadataWrapper(cst.parse_module(code), unsafe_skip_copy=True)
    calls = Calls(wrapper.module)
    wrapper.visit(calls)
    for start, callee, scope in calls.found:
        kinds = {isinstance(assignment, ImportAssignment) for assignment in scope[callee.partition(".")[0].strip()]}
        if kinds == {False}:
            yield start, callee, None
        elif kinds == {True}:
            yield start, callee, {name.name for name in scope.get_qualified_names_for(callee)}
