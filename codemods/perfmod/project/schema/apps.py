"""Which app of a checkout a file belongs to: apps beside each other may have databases of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perfmod.project import Project

MANIFESTS = ("package.json", "pyproject.toml", "requirements.txt", "deno.json", "setup.py", "Pipfile")


def app_of(project: Project, path: str) -> str:
    """The folder of the app that a file belongs to: the nearest one with a manifest."""
    folder = path.rpartition("/")[0]
    while folder and not any(f"{folder}/{name}" in project.paths for name in MANIFESTS):
        folder = folder.rpartition("/")[0]
    return folder


def are_beside(project: Project, path: str, other: str) -> bool:
    """Whether two files belong to apps of which neither contains the other."""
    one, two = app_of(project, path), app_of(project, other)
    return not (holds(one, two) or holds(two, one))


def holds(folder: str, path: str) -> bool:
    """Whether a path is a folder, or below it. "" is the root."""
    return not folder or path == folder or path.startswith(folder + "/")
