"""Programs made at random: no crash, the result parses, nothing changes but what is declared, one run is enough.

PERFMOD_FUZZ_EXAMPLES=20000 runs long; without it, each test takes some seconds.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from console_programs import typescript_programs
from http_programs import http_programs
from hypothesis import HealthCheck, given, settings
from programs import python_programs
from query_programs import MIGRATION, query_modules, query_scripts
from read_programs import read_programs

from perfmod.compose import edits_of
from perfmod.config import Settings
from perfmod.model import Result
from perfmod.pipeline import Report, Request, run
from perfmod.render import apply_edits
from perfmod.source.text import Text
from perfmod.source.tree import parser

fuzz = settings(
    max_examples=int(os.environ.get("PERFMOD_FUZZ_EXAMPLES", "25")),
    deadline=None,
    derandomize="PERFMOD_FUZZ_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
NUMBERS = re.compile(r":\d+|line \d+")  # of lines
TEMPLATE = re.compile(rb"\b(r?)t(?=r?['\"])")
IMPORTS = re.compile(r"(?:\s*^[ \t]*(?:from [\w.]+ )?import [^\n]*$)+\s*", re.MULTILINE)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Don't wait for the disk."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@contextmanager
def checkout(files: dict[str, bytes]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        for path, data in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
        yield root


def perfmod(root: Path, command: Any, rule: str) -> Report:
    return run(Request(command, root, (root,), Settings(select=(rule,), unsafe_fixes=True), allow_dirty=True))


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def said(report: Report) -> list[tuple[str, ...]]:
    """The findings without their places."""
    rules = report.request.settings.select  # an ignore comment may cover another line now
    results = [r.finding for r in report.results if r.finding.rule in (rules or ())]
    return [(f.span.path, NUMBERS.sub("", f.message), f.safety, NUMBERS.sub("", f.reason or "")) for f in results]


def apply_twice(root: Path, rule: str) -> Report:
    """The first of two runs; the second one changes nothing and says what the first one left."""
    first = perfmod(root, "apply", rule)
    assert not first.refused
    now = contents(root)
    second = perfmod(root, "apply", rule)
    assert contents(root) == now, "a second run changes something"
    left = [r.finding.message for r in first.results if not r.applied]
    assert [r.finding.message for r in second.results] == left
    return first


def parses(data: bytes) -> bool:
    """Whether it is Python 3.14; an older Python takes its t-strings for f-strings."""
    if sys.version_info < (3, 14):
        data = TEMPLATE.sub(rb"\1f", data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(data)
        except (SyntaxError, ValueError):
            return False
    return True


def only_calls_and_imports_changed(mended: list[Result], path: str, before: bytes, after: bytes) -> None:
    """What stands between the mended findings is there, in order, with nothing else around it."""
    old, new = Text.decode(path, before), Text.decode(path, after)
    spans = sorted(((r.finding.span.start, r.finding.span.end) for r in mended), key=lambda s: (s[0], -s[1]))
    assert before.count(b"\r\n") != before.count(b"\n") or after.count(b"\r\n") == after.count(b"\n")
    marked, end = "", 0
    for start, stop in spans:
        if stop > end:
            marked += old.slice(end, start) + "\0"
            end = stop
    marked += old.slice(end, len(old.utf8))
    kept = IMPORTS.sub("\n", marked.replace("\r\n", "\n")).split("\0")
    rest = IMPORTS.sub("\n", new.slice(0, len(new.utf8)).replace("\r\n", "\n"))
    pattern = r"create_background_task\w*\s*\(.*?".join(re.escape(part) for part in kept)
    assert re.fullmatch(pattern, rest, re.DOTALL), (kept, rest)


@pytest.mark.slow
@fuzz
@given(python_programs())
def test_python(program: bytes) -> None:
    with checkout({**APP, "app/main.py": program}) as root:
        checked = perfmod(root, "check", "supervise-tasks")
        applied = apply_twice(root, "supervise-tasks")
        after = (root / "app/main.py").read_bytes()
        if not parses(program):
            return
        assert parses(after)
        if any(r.applied for r in applied.results):
            mended = [c for c, a in zip(checked.results, applied.results, strict=True) if a.applied]
            only_calls_and_imports_changed(mended, "app/main.py", program, after)
        else:
            assert after == program


def same_after_ruff_format(program: bytes, rule: str, others: dict[str, bytes]) -> None:
    """The same findings, whatever the layout is."""
    with checkout({**others, "app/main.py": program}) as root:
        if not parses(program):
            return
        before = perfmod(root, "check", rule)
        ruff = [sys.executable, "-m", "ruff", "format", "--quiet", "--isolated", "--no-cache", "app/main.py"]
        if subprocess.run(ruff, cwd=root, capture_output=True, check=False).returncode == 0:
            assert said(perfmod(root, "check", rule)) == said(before)


@pytest.mark.slow
@fuzz
@given(python_programs())
def test_python_after_ruff_format(program: bytes) -> None:
    same_after_ruff_format(program, "supervise-tasks", APP)


def kept_outside_of_edits(program: bytes, rule: str, path: str, others: dict[str, bytes]) -> None:
    """No crash; what stands outside of the declared edits is there, in order; what parsed parses; one run is enough."""
    with checkout({**others, path: program}) as root:
        shown = perfmod(root, "diff", rule)
        edits = {e for r in shown.results if r.fixable for e in edits_of(r.finding, shown.project)}
        apply_twice(root, rule)
        data = (root / path).read_bytes()
        before, after = Text.decode(path, program), Text.decode(path, data)
        own = sorted(edit for edit in edits if edit.span.path == path)
        assert after.utf8.startswith(before.utf8[: own[0].span.start] if own else before.utf8)
        position = end = own[0].span.start if own else 0
        for edit in own:
            piece = before.utf8[end : max(end, edit.span.start)]
            position = after.utf8.find(piece, position) + len(piece)
            assert position >= len(piece), piece
            end = max(end, edit.span.end)
        assert after.utf8[position:].endswith(before.utf8[end:])
        assert edits or data == program
        if path.endswith(".py"):
            assert parses(data) or not parses(program)
            return
        language = "tsx" if path.endswith("x") else "typescript"
        if not parser(language).parse(before.utf8).root_node.has_error:
            assert not parser(language).parse(after.utf8).root_node.has_error


APP = {"app/__init__.py": b""}
READ = {**APP, "app/t.txt": b"one", "t.txt": b"two"}
ROWS = {**APP, "migrations/001_leads.sql": MIGRATION}


@pytest.mark.slow
@fuzz
@given(http_programs())
def test_requests(program: bytes) -> None:
    kept_outside_of_edits(program, "retry-requests", "app/main.py", APP)


@pytest.mark.slow
@fuzz
@given(http_programs())
def test_requests_after_ruff_format(program: bytes) -> None:
    same_after_ruff_format(program, "retry-requests", APP)


@pytest.mark.slow
@fuzz
@given(read_programs())
def test_reads(program: bytes) -> None:
    kept_outside_of_edits(program, "load-once", "app/main.py", READ)


@pytest.mark.slow
@fuzz
@given(read_programs())
def test_reads_after_ruff_format(program: bytes) -> None:
    same_after_ruff_format(program, "load-once", READ)


@pytest.mark.slow
@fuzz
@given(query_modules())
def test_queries(program: bytes) -> None:
    kept_outside_of_edits(program, "select-columns", "app/main.py", ROWS)


@pytest.mark.slow
@fuzz
@given(query_modules())
def test_queries_after_ruff_format(program: bytes) -> None:
    same_after_ruff_format(program, "select-columns", ROWS)


@pytest.mark.slow
@fuzz
@given(query_scripts())
def test_script_queries(program: bytes) -> None:
    for path in ("src/main.ts", "src/App.tsx"):
        kept_outside_of_edits(program, "select-columns", path, ROWS)


PACKAGE = b"""{
  "name": "app",
  "scripts": { "build": "vite build" },
  "dependencies": {
    "eruda": "^3.4.3",
    "vconsole": "^3.15.1"
  },
  "devDependencies": {
    "vite": "^7.0.0"
  }
}
"""
LOCK = b"""lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      eruda:
        specifier: ^3.4.3
        version: 3.4.3
      vconsole:
        specifier: ^3.15.1
        version: 3.15.1
    devDependencies:
      vite:
        specifier: ^7.0.0
        version: 7.0.0

packages: {}
"""
WEB = {
    "package.json": PACKAGE,
    "pnpm-lock.yaml": LOCK,
    "src/vite-env.d.ts": b'/// <reference types="vite/client" />\n',
}


@fuzz
@given(typescript_programs())
def test_typescript(program: bytes) -> None:
    for path in ("src/main.ts", "src/App.tsx"):
        with checkout({**WEB, path: program}) as root:
            shown = perfmod(root, "diff", "gate-dev-tools")
            edits = {e for r in shown.results if r.fixable for e in edits_of(r.finding, shown.project)}
            apply_twice(root, "gate-dev-tools")
            before, after = Text.decode(path, program), Text.decode(path, (root / path).read_bytes())
            own = sorted(edit for edit in edits if edit.span.path == path)
            assert after.utf8 == apply_edits(before.utf8, own)
            language = "tsx" if path.endswith("x") else "typescript"
            if not parser(language).parse(before.utf8).root_node.has_error:
                assert not parser(language).parse(after.utf8).root_node.has_error
            moved = b"devDependencies" in PACKAGE and (root / "package.json").read_bytes() != PACKAGE
            assert moved == ((root / "pnpm-lock.yaml").read_bytes() != LOCK), "one of the pair alone"
