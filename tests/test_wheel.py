"""The wheel: the same bytes from two builds, and nothing in it but the package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.slow
SOURCES = ("codemods", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two builds of the same sources in different folders, with what a developer's work tree has in it besides."""
    built = []
    for name in ("one", "another"):
        folder = tmp_path_factory.mktemp(name)
        for source in SOURCES:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, folder / source)
            else:
                shutil.copy(ROOT / source, folder / source)
        (folder / "codemods/perfmod/__pycache__").mkdir(exist_ok=True)
        (folder / "codemods/perfmod/__pycache__/left.cpython-311.pyc").write_bytes(name.encode())
        (folder / ".env").write_text(name)
        command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", "out", "."]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        built += (folder / "out").glob("*.whl")
    return built


def test_two_builds_are_equal(wheels: list[Path]) -> None:
    one, another = wheels
    assert one.name == another.name
    assert one.read_bytes() == another.read_bytes()


def test_it_holds_the_package_and_nothing_else(wheels: list[Path]) -> None:
    names = ZipFile(wheels[0]).namelist()
    package = {
        path.relative_to(ROOT / "codemods").as_posix()
        for path in (ROOT / "codemods").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    metadata = {name for name in names if name.split("/")[0].endswith(".dist-info")}
    assert set(names) - metadata == package
    assert {name.partition("/")[2] for name in metadata} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
    }
