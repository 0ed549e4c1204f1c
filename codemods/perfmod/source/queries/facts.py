"""Facts about PostgREST queries: which table, what they select, which columns they name, and on which client."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from perfmod.model import Span
from perfmod.patterns import pattern
from perfmod.source.words import starts_of_word
from perfmod.values import dataclass

Evidence: TypeAlias = Literal["made", "typed", "named", "unknown", "foreign"]

#: Why a select on a variable gets no list.
SHARED = "the variable may hold another query here"

# In bytes: a select that may hold a star, or one that takes all columns without saying so.
STAR = pattern(
    rb"\bselect\s*(?:<[^()\n]{0,500}>\s*)?\(\s*+(?:(?>//[^\n]*|/\*.*?\*/|#[^\n]*)\s*+)*+"
    rb"(?:\)|[\"'`][^\"'`)]{0,2000}?\*|[\"'`]\s*[\"'`]|count\s*=|columns\s*=|undefined\b)",
    re.S,
)
SENSITIVE = pattern(
    r"(?:\A|_)(?:encrypted|passwords?|passwd|secrets?|token|api_?keys?|hash|ssn|salt|private_?key)(?:_|\Z)"
)
SENSITIVE_LIST = pattern(
    rb"\bselect\s*\(\s*[\"'`][^\"'`]*(?:encrypted|passw|secret|token|api_?key|hash|ssn|salt|private_?key)", re.I
)

BUILDER = pattern(rb"\.[\s\\]*(?:from_?|table|rpc)\s*[<(]")


def may_hold_queries(data: bytes) -> bool:
    """Whether parsing a file could find a star, or a list that names a secret."""
    if BUILDER.search(data) is None:
        return False
    # ten times faster than to search for the patterns, which begin with no plain byte
    starts = starts_of_word(data, b"select")
    return any(STAR.match(data, start) or SENSITIVE_LIST.match(data, start) for start in starts)


@dataclass(frozen=True, slots=True)
class Origin:
    """A name that another file explains: the module as it is written there, and the name that it exports."""

    module: str  #: "" for the same file
    name: str
    member: str = ""


@dataclass(frozen=True, slots=True)
class Client:
    """What the file says about the object that a query is built on."""

    evidence: Evidence
    database: str = ""  #: the generic argument, as in createClient<Database>
    origin: Origin | None = None  #: where more about it can be found
    schema: str = ""  #: the one that it is made for; "": public, as far as anybody says; "?": a computed one


@dataclass(frozen=True, slots=True)
class RowType:
    """A type that a query's result is given at its site."""

    text: str  #: of the type of one row
    offset: int
    how: str  #: as the message says it: "cast", "return type", ...


@dataclass(frozen=True, slots=True)
class Select:
    """One select(...) of a query."""

    span: Span  #: of the string; an empty span where one has to be put
    call: Span  #: from the word `select` to the closing parenthesis
    text: str | None  #: None: no string literal is given
    quote: str
    empty: bool = False  #: no list is given at all
    head: bool = False  #: only a count is asked for
    dynamic: bool = False  #: the list is computed
    after: str = ""  #: what has to follow a list that is put in
    problem: str | None = None  #: why no list can be put in here


@dataclass(frozen=True, slots=True)
class Use:
    """A column that a query names."""

    column: str
    offset: int


@dataclass(frozen=True, slots=True)
class Query:
    """One query, from the table to the end of its chain, with what is done to the builder later on."""

    path: str
    table: str | None
    origin: Origin | None  #: of the table's name, where it stands elsewhere
    schema: str  #: "" where the query does not say, "?" where it is computed
    client: Client
    selects: tuple[Select, ...] = ()
    uses: tuple[Use, ...] = ()
    rows: tuple[RowType, ...] = ()
    reads: tuple[Use, ...] = ()  #: what is read of the rows near the query
    call: str = "from"  #: "rpc" for a function call
    comment: str = ""  #: the comments at the star
    types: bool = False  #: the file is TypeScript


def words(name: str) -> str:
    """A column name as words between underscores: `apiKeyHash` is `api_key_hash`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def is_sensitive(column: str) -> bool:
    """Whether a column's name says that it holds a secret."""
    return SENSITIVE.search(words(column)) is not None
