"""Files written another way that means the same: perfmod must say the same of them. Those of Python are made here."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import script_metamorphs

from perfmod.config import Settings
from perfmod.pipeline import Request, run
from perfmod.rule import PARSE_ERROR

SCRIPTS = (".ts", ".tsx", ".js", ".jsx", ".mts", ".cts", ".mjs", ".cjs")
Function = ast.FunctionDef | ast.AsyncFunctionDef
#: They bind a name without an `ast.Name`, so that a name can't be told apart by its nodes alone.
OTHER_BINDINGS = (ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping, ast.Global, ast.Nonlocal,
                  ast.alias, ast.JoinedStr)  # fmt: skip


def with_comments(code: bytes) -> bytes:
    """A comment and an empty line before every statement of a function, where no comment stands already."""
    lines = code.splitlines(keepends=True)
    newline = b"\r\n" if code.count(b"\r\n") else b"\n"
    for number in sorted({first_line(node) for node in statements(ast.parse(code))}, reverse=True):
        line = lines[number - 1]
        indent = line[: len(line) - len(line.lstrip())]
        above = lines[number - 2].strip() if number > 1 else b""
        if line.lstrip().startswith(b"elif") or above.startswith(b"#") or above.endswith(b"\\"):
            continue
        lines[number - 1 : number - 1] = [newline, indent + b"# another comment" + newline]
    return b"".join(lines)


def statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements of functions that begin their line."""
    for function in functions(tree):
        for node in ast.walk(function):
            for body in ("body", "orelse", "finalbody"):
                found = getattr(node, body, None)
                if isinstance(found, list) and found and found[0].lineno != getattr(node, "lineno", 0):
                    taken = set()
                    for statement in found:
                        if first_line(statement) not in taken:
                            yield statement
                        taken.add(statement.end_lineno)


def first_line(node: ast.stmt) -> int:
    return min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def with_other_names(code: bytes) -> bytes:
    """Every local variable that is surely one gets another name."""
    edits: dict[tuple[int, int], bytes] = {}
    for function in functions(ast.parse(code)):
        inner = list(ast.walk(function))
        if any(isinstance(node, Function | ast.ClassDef | ast.Lambda) for node in inner if node is not function):
            continue
        if any(isinstance(node, ast.Name) and node.id in ("locals", "eval", "exec", "vars") for node in inner):
            continue
        for name in local_names(function, inner):
            for node in inner:
                if isinstance(node, ast.Name) and node.id == name:
                    edits[(node.lineno, node.col_offset)] = name.encode()
    lines = code.split(b"\n")
    for (line, column), name in sorted(edits.items(), reverse=True):
        text = lines[line - 1]
        assert text[column : column + len(name)] == name
        lines[line - 1] = text[: column + len(name)] + b"_renamed" + text[column + len(name) :]
    return b"\n".join(lines)


def local_names(function: Function, inner: list[ast.AST]) -> set[str]:
    stored = {node.id for node in inner if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    arguments = {node.arg for node in inner if isinstance(node, ast.arg)}
    for node in inner:
        if isinstance(node, OTHER_BINDINGS):
            stored -= {word for each in ast.walk(node) for word in words_of(each)}
    return {name for name in stored - arguments if name.isascii() and not name.startswith("_")}


def words_of(node: ast.AST) -> Iterator[str]:
    for field in ("id", "name", "rest", "asname"):
        if isinstance(word := getattr(node, field, None), str):
            yield word
    yield from getattr(node, "names", ()) if isinstance(node, ast.Global | ast.Nonlocal) else ()


def in_blocks(code: bytes) -> bytes:
    """The body of every innermost function stands in a block of its own."""
    lines = code.split(b"\n")
    for function in sorted(functions(ast.parse(code)), key=lambda node: -node.lineno):
        if any(isinstance(node, Function | ast.ClassDef) for node in ast.walk(function) if node is not function):
            continue
        body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
        strings = [n for b in body for n in ast.walk(b) if isinstance(n, ast.Constant | ast.JoinedStr)]
        if not body or body[0].lineno == function.lineno or any(n.lineno != n.end_lineno for n in strings):
            continue
        start, end = first_line(body[0]) - 1, body[-1].end_lineno or 0
        first = lines[start]
        indent = first[: len(first) - len(first.lstrip())]
        if b"\\" in b"".join(lines[start:end]) or not indent:
            continue
        step = b"\t" if indent.startswith(b"\t") else b"    "
        ending = b"\r" if first.endswith(b"\r") else b""
        block = [step + line if line.strip() else line for line in lines[start:end]]
        lines[start:end] = [indent + b"if True:" + ending, *block]
    return b"\n".join(lines)


def reformatted(code: bytes) -> bytes:
    """What `ruff format` makes of it."""
    ruff = [sys.executable, "-m", "ruff", "format", "--isolated", "--no-cache", "--line-length", "70", "-"]
    return subprocess.run(ruff, input=code, capture_output=True, check=True).stdout


METAMORPHS: dict[str, Callable[[bytes], bytes]] = {
    "comments": with_comments,
    "names": with_other_names,
    "blocks": in_blocks,
    "format": reformatted,
}


@dataclass(frozen=True)
class Said:
    """What perfmod says of one function of one file."""

    path: str
    rule: str
    safety: str
    function: str


def written_another_way(root: Path, metamorph: str, paths: Iterable[str]) -> dict[str, bytes]:
    """These files of a checkout; those that can't be read are left out."""
    overlay = {}
    for path in sorted(paths):
        code = (root / path).read_bytes()
        if path.endswith(SCRIPTS):
            other = script_metamorphs.METAMORPHS[metamorph](path, code)
            if script_metamorphs.parses(path, code):
                assert script_metamorphs.parses(path, other), (metamorph, path)
                overlay[path] = other
        if path.endswith(".py"):
            with suppress(SyntaxError, ValueError, subprocess.CalledProcessError):
                other = METAMORPHS[metamorph](code)
                ast.parse(other)
                overlay[path] = other
    return overlay


def said(root: Path, settings: Settings, overlay: Mapping[str, bytes]) -> Counter[Said]:
    """What perfmod says of the Python and script files of a checkout, and how often."""
    report = run(Request("check", root, (root,), settings, jobs=1, overlay=overlay))
    found: Counter[Said] = Counter()
    for result in report.results:
        finding = result.finding
        text = report.project.text(finding.span.path)
        path, start = finding.span.path, finding.span.start
        if text is not None and finding.rule != PARSE_ERROR and path.endswith((".py", *SCRIPTS)):
            if path.endswith(".py"):
                function = function_at(text.utf8, text.position(start)[0])
            else:
                function = script_metamorphs.function_at(path, text.utf8, start)
            found[Said(path, finding.rule, str(finding.safety), function)] += 1
    return found


def function_at(code: bytes, line: int) -> str:
    """The name of the innermost function around a line."""
    try:
        around = [f for f in functions(ast.parse(code)) if f.lineno <= line <= (f.end_lineno or 0)]
    except SyntaxError:
        return "?"
    return max(around, key=lambda function: function.lineno).name if around else "the module"
