"""Of a large checkout the tracked files are scanned while git looks for others: what is found is the same."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from perfmod import listing, pipeline
from perfmod.errors import PerfmodError
from perfmod.git import Asking
from perfmod.pipeline import Report, Request

LOST = "import asyncio\n\n\nasync def main(job):\n    asyncio.create_task(job())\n"
TRACKED = ("app/__init__.py", "app/main.py", "env/lib/thing.py", "gone.py", "web/app.min.js")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path in TRACKED:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(LOST if path.endswith(".py") else "x\n")
    for words in (["init"], ["add", "."]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


@pytest.fixture
def scanned_ahead(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was scanned before everything was listed; all indexes count as large."""
    monkeypatch.setattr(listing, "LARGE_INDEX", 0)
    seen: list[str] = []
    own = pipeline.look_ahead

    def noted(*arguments: object) -> pipeline.Ahead | None:
        ahead = own(*arguments)  # type: ignore[arg-type]
        seen.extend(sorted(ahead.scanned) if ahead else ())
        return ahead

    monkeypatch.setattr(pipeline, "look_ahead", noted)
    return seen


def found(root: Path, path: str = ".") -> list[str]:
    report = run(root, path)
    return [result.finding.span.path for result in report.results]


def run(root: Path, path: str = ".") -> Report:
    settings = pipeline.Settings(select=("supervise-tasks",))
    return pipeline.run(Request("check", root, (root / path,), settings))


def test_a_clean_checkout_is_scanned_once(root: Path, scanned_ahead: list[str]) -> None:
    assert found(root) == ["app/__init__.py", "app/main.py", "env/lib/thing.py", "gone.py"]
    assert scanned_ahead == ["app/__init__.py", "app/main.py", "env/lib/thing.py", "gone.py"]


def test_files_that_are_not_tracked_count_too(root: Path, scanned_ahead: list[str]) -> None:
    (root / "new.py").write_text(LOST)
    (root / "gone.py").unlink()
    assert found(root) == ["app/__init__.py", "app/main.py", "env/lib/thing.py", "new.py"]
    assert "new.py" not in scanned_ahead and "app/main.py" in scanned_ahead


def test_what_only_another_file_leaves_out_does_not_count(root: Path, scanned_ahead: list[str]) -> None:
    (root / "env/pyvenv.cfg").write_text("home = /usr\n")
    assert found(root) == ["app/__init__.py", "app/main.py", "gone.py"]
    assert "env/lib/thing.py" in scanned_ahead


def test_paths_are_obeyed(root: Path, scanned_ahead: list[str]) -> None:
    assert found(root, "app") == ["app/__init__.py", "app/main.py"]
    with pytest.raises(PerfmodError, match="no such file"):
        found(root, "nowhere")


@pytest.mark.parametrize("failing", ["--cached", "--others"])
def test_the_files_are_walked_through_where_git_fails(
    root: Path, scanned_ahead: list[str], monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    own = Asking.__init__

    def asking(self: Asking, folder: Path, arguments: tuple[str, ...]) -> None:
        own(self, folder, ("nonsense",) if failing in arguments else arguments)

    monkeypatch.setattr(Asking, "__init__", asking)
    (root / "new.py").write_text(LOST)
    assert found(root) == ["app/__init__.py", "app/main.py", "env/lib/thing.py", "gone.py", "new.py"]


def test_nothing_tracked(tmp_path: Path, scanned_ahead: list[str]) -> None:
    subprocess.run(["git", "init"], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "new.py").write_text(LOST)
    assert found(tmp_path) == ["new.py"] and scanned_ahead == []
