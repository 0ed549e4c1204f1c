"""scripts/docs: the pages of the rules."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from perfmod.rule import OWN_RULES, rule_ids

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def docs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs", REPOSITORY / "scripts" / "docs.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_rule_has_a_page_and_a_line_in_the_index(docs: ModuleType) -> None:
    pages = docs.pages()
    assert set(pages) == {"README.md", *(f"{rule}.md" for rule in (*rule_ids(), *OWN_RULES))}
    for rule in (*rule_ids(), *OWN_RULES):
        assert f"[{rule}]({rule}.md)" in pages["README.md"]
        assert f"\n# {rule}\n" in pages[f"{rule}.md"] and "\n## Why it matters\n" in pages[f"{rule}.md"]


@pytest.mark.parametrize("rule", rule_ids())
def test_the_example_of_a_rule_is_its_basic_fixture(docs: ModuleType, rule: str) -> None:
    page = docs.pages()[f"{rule}.md"]
    basic = REPOSITORY / "fixtures" / rule / "basic"
    assert (basic / "findings.txt").read_text().rstrip() in page
    diff = page.partition("```diff\n")[2].partition("```")[0]
    done = subprocess.run(
        ["git", "apply", "--check", "-"], cwd=basic / "before", input=diff.encode(), capture_output=True
    )
    assert done.returncode == 0, done.stderr
    for link in [part.partition(")")[0] for part in page.split("](")[1:]]:
        assert (REPOSITORY / "docs" / "rules" / link).resolve().is_file(), link


def test_stale_pages_are_told_and_mended(
    docs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(docs, "FOLDER", tmp_path / "docs" / "rules")
    assert docs.main(["--check"]) == 1
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0
    (docs.FOLDER / "parse-error.md").write_text("old\n")
    (docs.FOLDER / "gone.md").write_text("old\n")
    capsys.readouterr()
    assert docs.main(["--check"]) == 1
    assert capsys.readouterr().err == (
        "docs/rules/gone.md is stale: run scripts/docs\ndocs/rules/parse-error.md is stale: run scripts/docs\n"
    )
    assert docs.main([]) == 0 and docs.main(["--check"]) == 0
    assert docs.main(["--chek"]) == 2
