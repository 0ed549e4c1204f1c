"""Container images that are made of single folders of the checkout: a new module beside them would not be there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from perfmod.patterns import pattern
from perfmod.project.layout.python_files import join, parent

if TYPE_CHECKING:
    from perfmod.project import Project

DOCKERFILE = pattern(r"(?:\A|/)(?:(?:Dockerfile|Containerfile)[^/]*|[^/]*\.[Dd]ockerfile)\Z")
COPY = pattern(r"^[ \t]*(?:COPY|ADD)[ \t]+((?:[^\n\\]|\\.|\\\n)+)", re.IGNORECASE | re.MULTILINE)


class Images:
    """What the Dockerfiles of a checkout copy."""

    def __init__(self, project: Project) -> None:
        self.copied = {
            path: list(sources(project.raw(path) or b"")) for path in project.files if DOCKERFILE.search(path)
        }

    def without(self, helper: str, path: str) -> str | None:
        """The Dockerfile that copies the file at `path`, but would not copy a new helper."""
        for dockerfile, patterns in self.copied.items():
            for context in contexts(dockerfile):
                if covers(context, patterns, path) and not covers(context, patterns, helper):
                    return dockerfile
        return None


def sources(dockerfile: bytes) -> Iterator[str]:
    """What is copied from the build context."""
    for match in COPY.finditer(dockerfile.decode("utf-8", errors="replace")):
        words = re.findall(r"[^\s\[\]\",\\]+", match[1])
        if not any(word.startswith("--from") for word in words):
            yield from (word for word in words[:-1] if not word.startswith("--"))


def contexts(dockerfile: str) -> Iterator[str]:
    """Where an image may be built: the folder of its Dockerfile, and those above."""
    folder = dockerfile
    while folder:
        folder = parent(folder)
        yield folder


def covers(context: str, patterns: list[str], path: str) -> bool:
    for ignored in patterns:
        place = join(context, ignored.strip("/").removeprefix("./")).removesuffix("/.").removesuffix(".").strip("/")
        if not place or path == place or path.startswith(f"{place}/") or fnmatchcase(path, place):
            return True
    return False
