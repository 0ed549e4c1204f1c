"""The currency of perfmod: what one stage hands to the next. Plain, frozen, picklable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

from perfmod.values import dataclass, field


class Safety(StrEnum):
    """How far a fix can be trusted; see design, section 6."""

    SAFE = "safe"  #: the program keeps its behaviour, or gains only what the rule is for
    UNSAFE = "unsafe"  #: may change behaviour; applied with --unsafe-fixes
    MANUAL = "manual"  #: reported with its reason, never applied


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A piece of a file: UTF-8 byte offsets in the decoded text (a BOM is not part of it)."""

    path: str  #: relative to the root, POSIX
    start: int
    end: int


class Fact(Protocol):
    """What one file says. Any frozen dataclass with a path: no tree nodes, nothing that can't be pickled."""

    @property
    def path(self) -> str: ...


FactT = TypeVar("FactT")


class Facts:
    """All facts of a run, by type and in path order."""

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self._by_type: dict[type, list[Any]] = {}
        for fact in facts:
            self._by_type.setdefault(type(fact), []).append(fact)

    def __bool__(self) -> bool:
        return bool(self._by_type)

    @property
    def modules(self) -> frozenset[str]:
        """Where the types of all these facts are defined."""
        return frozenset(kind.__module__ for kind in self._by_type)

    def of(self, kind: type[FactT]) -> Sequence[FactT]:
        """Every fact of this type, sorted by path, in the order in which each file's scan yielded them."""
        return self._by_type.get(kind, ())

    def without(self, path: str) -> Facts:
        """The facts of all other files."""
        return Facts(fact for own in self._by_type.values() for fact in own if fact.path != path)

    def by_path(self, kind: type[FactT]) -> Mapping[str, Sequence[FactT]]:
        """The facts of this type, by the file that says them."""
        grouped: dict[str, list[FactT]] = {}
        for fact in self._by_type.get(kind, ()):
            grouped.setdefault(fact.path, []).append(fact)
        return grouped


# Intents: what should change. Rendering decides how the text looks.


@dataclass(frozen=True, slots=True, order=True)
class Replace:
    """Put `text` where `span` is. An empty span inserts."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class RewriteCall:
    """Rewrite one Python call at `span`: layout, comments and the trailing comma stay as they are."""

    span: Span
    callee: str  #: source text of the new callee
    prepend: tuple[str, ...] = ()  #: source texts of positional arguments that come first
    keywords: tuple[tuple[str, str], ...] = ()  #: (name, source text) of keyword arguments that come last
    positional: str | None = None  #: a keyword argument that becomes the first positional one


@dataclass(frozen=True, slots=True)
class InsertMember:
    """Insert `text` (unindented Python) into the class or module whose body holds `span`, after the statement there."""

    span: Span
    text: str
    name: str


@dataclass(frozen=True, slots=True, order=True)
class AddImport:
    """Make `name` of `module` known in a Python file as `alias` or `name`; no name: the module itself."""

    path: str
    module: str  #: as it is written: absolute, or with leading dots
    name: str
    alias: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class DropImport:
    """Drop the module-level import that binds `name`, if what was accepted removed its last use."""

    path: str
    name: str


@dataclass(frozen=True, slots=True)
class AddModule:
    """Create a helper module from a template, unless it stands there already."""

    path: str
    template: str
    options: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class MovePackage:
    """Move a package of a package.json from one dependency section to another, with its lockfile."""

    manifest: str
    package: str
    source: str
    target: str


Intent: TypeAlias = Replace | RewriteCall | InsertMember | AddImport | DropImport | AddModule | MovePackage


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault at one place, and what would mend it. A finding applies whole or not at all."""

    rule: str
    span: Span
    message: str  #: what is wrong and why it matters
    safety: Safety
    title: str | None = None  #: what the fix does; None where there is no fix
    reason: str | None = None  #: why it is unsafe or manual: "cause" or "cause: detail"; summaries group by cause
    intents: tuple[Intent, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth knowing that is no fault."""

    rule: str
    span: Span
    message: str


@dataclass(frozen=True, slots=True, order=True)
class Skipped:
    """A file that was not looked at or not written, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a finding in this run."""

    finding: Finding
    suppressed: Literal["comment", "baseline"] | None = None
    fixable: bool = False  #: would be applied with the options of this run
    applied: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A file that a run creates or modifies, as bytes on disk."""

    path: str
    before: bytes | None  #: None: the file is created
    after: bytes
    rules: tuple[str, ...] = ()

    @property
    def kind(self) -> Literal["create", "modify"]:
        return "create" if self.before is None else "modify"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would change, which findings that mends, and which could not be rendered."""

    changes: tuple[Change, ...] = ()
    paths: Mapping[Finding, frozenset[str]] = field(default_factory=dict)  #: accepted findings, and the files of each
    refused: tuple[tuple[Finding, str], ...] = ()  #: with the reason


@dataclass(frozen=True, slots=True)
class Suppression:
    """A comment that silences rules on what its `covers` touches. No codes: every rule."""

    path: str
    comment: Span
    covers: Span
    codes: tuple[str, ...]
    linter: Literal["perfmod", "ruff", "eslint"]
    reason: str = ""
    until: str | None = None  #: the last day on which it holds
    whole_file: bool = False
    removal: Span | None = None  #: what goes with it, of perfmod's own
    brackets: Span | None = None  #: between [ and ], of perfmod's own

    @property
    def own(self) -> bool:
        return self.linter == "perfmod"

    def covers_span(self, span: Span) -> bool:
        return self.covers.start <= span.end and self.covers.end >= span.start
