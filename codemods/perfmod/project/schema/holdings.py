"""Which files of a checkout hold something about tables, and its tests."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from perfmod.discovery import language_of
from perfmod.model import Facts
from perfmod.patterns import pattern
from perfmod.source.queries.holdings import HOLDINGS, Holding

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perfmod.project import Project

TEST = pattern(
    r"(?:\A|/)(?:tests?|__tests__|__mocks__|e2e)/|(?:\.(?:test|spec)\.[cm]?[jt]sx?|(?:\A|/)test_\w+\.py|_test\.py)\Z"
)


class Holdings:
    """The files that hold something, in path order; those of TypeScript and JavaScript before those of Python."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._all = sorted(
            project.facts.of(Holding), key=lambda holding: (language_of(holding.path) == "python", holding.path)
        )

    @cached_property
    def database_types(self) -> list[str]:
        return [holding.path for holding in self._all if holding.database_types]

    @cached_property
    def drizzle_tables(self) -> list[str]:
        return [holding.path for holding in self._all if holding.drizzle_tables]

    @cached_property
    def queries(self) -> list[tuple[str, bytes]]:
        """The files with queries and their bytes; no tests."""
        paths = [holding.path for holding in self._all if holding.query and not TEST.search(holding.path)]
        return [(path, self._project.raw(path) or b"") for path in paths]

    @cached_property
    def other_schemas(self) -> bool:
        """Whether some client may be made for another schema than public."""
        return any(holding.other_schema for holding in self._all)

    @cached_property
    def tests(self) -> list[str]:
        return [path for path in self._project.files if TEST.search(path)]


def facts_about_tables(root: Path, files: Sequence[str]) -> Facts:
    """What the files of a checkout hold about tables, for whoever runs no rule."""
    from perfmod.scanning import Scanned, files_of_languages, scan_files

    languages = {language for scanner in HOLDINGS for language in scanner.languages}
    found = scan_files(root, HOLDINGS, {}, files_of_languages(files, languages))
    return Facts(fact for scanned in found if isinstance(scanned, Scanned) for fact in scanned.facts)
