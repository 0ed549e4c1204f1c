"""What the scripts of a checkout hold, as far as their bytes tell. All of them are read once, for all that ask."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from perfmod.discovery import language_of

if TYPE_CHECKING:
    from perfmod.project import Project

SCRIPTS = ("typescript", "tsx", "javascript")
TEST = re.compile(
    r"(?:\A|/)(?:tests?|__tests__|__mocks__|e2e)/|(?:\.(?:test|spec)\.[cm]?[jt]sx?|(?:\A|/)test_\w+\.py|_test\.py)\Z"
)
QUERY = re.compile(rb"\.\s*(?:from_?|table)\s*[(<]")
# The same without the dot: a pattern that begins with a word is found many times faster.
WORDS = (re.compile(rb"from_?\s*[(<]"), re.compile(rb"table\s*[(<]"))
OTHER_SCHEMA = re.compile(
    rb"(?:\bdb\s*:\s*\{|PostgrestClient\b[^{}]{0,500}\{)[^{}]{0,500}\bschema\b(?!\s*:\s*[\"'`]public[\"'`])"
    rb"|Client<[^<>()]{0,200},\s*[\"'](?!public[\"'])\w"
    rb"|ClientOptions\([^()]{0,500}\bschema\s*=(?!=|\s*[\"']public[\"'])"
)
UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Holding(NamedTuple):
    """The files of TypeScript and JavaScript that hold something, in path order."""

    database_types: list[str]  #: may describe a database as a type
    drizzle_tables: list[str]
    queries: list[tuple[str, bytes]]  #: with their bytes; no tests
    other_schemas: list[str]  #: may make a client for another schema than public


class Needles:
    """Looks through the files of a checkout when somebody asks for the first time."""

    def __init__(self, project: Project) -> None:
        self._project = project

    @cached_property
    def scripts(self) -> Holding:
        """What TypeScript and JavaScript hold."""
        holding = Holding([], [], [], [])
        for path in self._project.files:
            language = language_of(path)
            if language not in SCRIPTS:
                continue
            data = self._project.raw(path) or b""
            plain = data.replace(b"\0", b"") if data[:2] in UTF16 else data
            if language != "javascript" and b"Database" in plain and b"Tables" in plain and b"Row" in plain:
                holding.database_types.append(path)
            if b"pgTable" in plain:
                holding.drizzle_tables.append(path)
            if b"Client" in plain and OTHER_SCHEMA.search(plain):
                holding.other_schemas.append(path)
            if holds_query(data) and not TEST.search(path):
                holding.queries.append((path, data))
        return holding

    @cached_property
    def queries(self) -> list[tuple[str, bytes]]:
        """The files with queries, also those of Python, and their bytes; no tests."""
        python = ((path, data) for path, data in self._python if holds_query(data) and not TEST.search(path))
        return [*self.scripts.queries, *python]

    @cached_property
    def _python(self) -> list[tuple[str, bytes]]:
        """The files of Python that speak of a client or hold queries."""
        paths = (path for path in self._project.files if language_of(path) == "python")
        read = ((path, self._project.raw(path) or b"") for path in paths)
        return [(path, data) for path, data in read if b"ClientOptions" in data or holds_query(data)]

    @cached_property
    def other_schemas(self) -> bool:
        """Whether some client may be made for another schema than public."""
        own = any(b"ClientOptions" in data and OTHER_SCHEMA.search(data) for _, data in self._python)
        return own or bool(self.scripts.other_schemas)

    @cached_property
    def tests(self) -> list[str]:
        return [path for path in self._project.files if TEST.search(path)]


def holds_query(data: bytes) -> bool:
    return any(word.search(data) for word in WORDS) and QUERY.search(data) is not None
