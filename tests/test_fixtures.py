"""Every fixture is a little checkout: what perfmod says of it, what it makes of it, and that one run is enough."""

from __future__ import annotations

import ast
import pickle
import re
import shutil
from pathlib import Path

import pytest
from fixture_cases import CASES, concise_report, expected, name_of, reasons, run_on, tree

from perfmod.model import Result

VARIANTS = ("crlf", "bom", "tabs")


@pytest.fixture
def checkout(case: Path, tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    shutil.copytree(case / "before", root)
    return root


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_findings_are_those_of_findings_txt(case: Path, checkout: Path) -> None:
    report = run_on(case, checkout, "check")
    assert concise_report(report) == (case / "findings.txt").read_text()
    assert reasons(report) == ((case / "reasons.txt").read_text() if (case / "reasons.txt").exists() else "")


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_apply_gives_after(case: Path, checkout: Path) -> None:
    report = run_on(case, checkout, "apply")
    made = tree(checkout)
    assert sorted(made) == sorted(expected(case))
    for path, content in expected(case).items():
        assert made[path].decode() == content.decode(), path
    assert {change.path for change in report.changes} == set(tree(case / "after") if (case / "after").is_dir() else {})


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_check_diff_and_apply_agree(case: Path, checkout: Path) -> None:
    checked, shown = run_on(case, checkout, "check"), run_on(case, checkout, "diff")
    assert checked.results == shown.results
    applied = run_on(case, checkout, "apply")
    assert [said(r) for r in applied.results] == [said(r) for r in checked.results]
    assert [r.applied for r in applied.results] == [r.fixable for r in checked.results]


def said(result: Result) -> tuple[str, ...]:
    """What a person reads of a finding, without the lines that other findings' edits have moved."""
    finding = result.finding
    words = (finding.rule, finding.span.path, finding.message, finding.safety, finding.reason or "")
    return tuple(re.sub(r"(?<=\w):\d+", "", word) for word in words)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_second_apply_changes_nothing(case: Path, checkout: Path) -> None:
    first = run_on(case, checkout, "apply")
    before = tree(checkout)
    second = run_on(case, checkout, "apply")
    assert tree(checkout) == before
    assert not second.changes
    assert [said(r) for r in second.open] == [said(r) for r in first.open]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_findings_are_plain_data(case: Path, checkout: Path) -> None:
    findings = [result.finding for result in run_on(case, checkout, "check").results]
    assert pickle.loads(pickle.dumps(findings)) == findings
    assert len(set(findings)) == len(findings)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_python_that_parsed_still_parses(case: Path, checkout: Path) -> None:
    before = tree(checkout)
    run_on(case, checkout, "apply")
    for path, content in tree(checkout).items():
        if path.endswith(".py") and parses(before.get(path, b"")):
            assert parses(content), path


def parses(content: bytes) -> bool:
    try:
        ast.parse(content)
    except (SyntaxError, ValueError):
        return False
    return True


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_variants_give_the_same_edit(case: Path, checkout: Path, variant: str) -> None:
    """CRLF, a byte order mark and tabs change the bytes around an edit, and nothing else.

    CRLF are in every text, as git with core.autocrlf checks it out, and in new files.
    """
    found = [said(result) for result in run_on(case, checkout, "check").results]
    for path, content in tree(checkout).items():
        if is_varied(path, content, variant):
            (checkout / path).write_bytes(vary(content, variant))
    if variant == "crlf":
        assert [said(result) for result in run_on(case, checkout, "check").results] == found
    run_on(case, checkout, "apply")
    made = tree(checkout)
    created = set(expected(case)) - set(tree(case / "before"))
    for path, content in expected(case).items():
        is_left = path in created and variant != "crlf"
        wanted = vary(content, variant) if is_varied(path, content, variant) and not is_left else content
        assert made[path].decode() == wanted.decode(), path


def is_varied(path: str, content: bytes, variant: str) -> bool:
    if variant == "crlf":
        return b"\0" not in content
    return path.endswith((".py", ".ts", ".tsx", ".js", ".jsx"))


def vary(content: bytes, variant: str) -> bytes:
    if variant == "crlf":
        return content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if variant == "bom":
        return content if content.startswith(b"\xef\xbb\xbf") else b"\xef\xbb\xbf" + content
    lines = content.split(b"\n")
    return b"\n".join(tabbed(line) for line in lines)


def tabbed(line: bytes) -> bytes:
    body = line.lstrip(b" ")
    spaces = len(line) - len(body)
    return b"\t" * (spaces // 4) + b" " * (spaces % 4) + body
