"""What files hold that say something about tables, as far as their bytes tell: none of them is parsed for that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from perfmod.needles import holds, places
from perfmod.patterns import pattern
from perfmod.rule import Triggers
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.model import Fact
    from perfmod.rule import Scanner
    from perfmod.source.tree import Source

QUERY = pattern(rb"\.\s*(?:from_?|table)\s*[(<]")
# The same without the dot, by the word that it begins with: that is found many times faster.
WORDS = ((b"from", pattern(rb"from_?\s*[(<]")), (b"table", pattern(rb"table\s*[(<]")))
OTHER_SCHEMA = pattern(
    rb"(?:\bdb\s*:\s*\{|PostgrestClient\b[^{}]{0,500}\{)[^{}]{0,500}\bschema\b(?!\s*:\s*[\"'`]public[\"'`])"
    rb"|Client<[^<>()]{0,200},\s*[\"'](?!public[\"'])\w"
    rb"|ClientOptions\([^()]{0,500}\bschema\s*=(?!=|\s*[\"']public[\"'])"
)


@dataclass(frozen=True, slots=True)
class Holding:
    """What one file holds."""

    path: str
    database_types: bool  #: may describe a database as a type
    drizzle_tables: bool
    query: bool
    other_schema: bool  #: may make a client for another schema than public


def script_holding(path: str, data: bytes) -> Iterator[Holding]:
    """What a file of TypeScript or JavaScript holds; nothing where that is none of it."""
    is_typed = not path.endswith((".js", ".jsx", ".mjs", ".cjs"))
    types = is_typed and all(holds(data, word) for word in (b"Database", b"Tables", b"Row"))
    other = holds(data, b"Client") and OTHER_SCHEMA.search(data) is not None
    holding = Holding(path, types, holds(data, b"pgTable"), holds_query(data), other)
    if holding.database_types or holding.drizzle_tables or holding.query or holding.other_schema:
        yield holding


def python_holding(path: str, data: bytes) -> Iterator[Holding]:
    """What a file of Python holds; nothing where that is none of it."""
    other = holds(data, b"ClientOptions") and OTHER_SCHEMA.search(data) is not None
    holding = Holding(path, False, False, holds_query(data), other)
    if holding.query or holding.other_schema:
        yield holding


def holds_query(data: bytes) -> bool:
    is_likely = any(call.match(data, start) for word, call in WORDS for start in places(data, word))
    return is_likely and QUERY.search(data) is not None


def never(_data: bytes) -> bool:
    return False


class ScriptHoldings:
    """What TypeScript and JavaScript hold."""

    languages: ClassVar[tuple[str, ...]] = ("typescript", "tsx", "javascript")
    triggers: ClassVar[Triggers] = Triggers(
        ((b"from",), (b"table",), (b"Client",), (b"pgTable",), (b"Database",)), never, script_holding, generated=True
    )

    def scan(self, source: Source) -> Iterator[Fact]:
        yield from script_holding(source.path, source.utf8)


class PythonHoldings:
    """What Python holds."""

    languages: ClassVar[tuple[str, ...]] = ("python",)
    triggers: ClassVar[Triggers] = Triggers(
        ((b"from_",), (b"table",), (b"ClientOptions",)), never, python_holding, generated=True
    )

    def scan(self, source: Source) -> Iterator[Fact]:
        yield from python_holding(source.path, source.utf8)


HOLDINGS: tuple[Scanner, ...] = (ScriptHoldings(), PythonHoldings())
