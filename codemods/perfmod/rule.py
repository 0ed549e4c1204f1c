"""What a rule is, and how rules are found: dropping a file into rules/ registers it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.model import Fact, Facts, Finding, Note
    from perfmod.project import Project
    from perfmod.source.tree import Source

#: Not in rules/: findings that the pipeline itself makes.
PARSE_ERROR = "parse-error"
IGNORE_COMMENT = "ignore-comment"
OWN_RULES = (PARSE_ERROR, IGNORE_COMMENT)


@dataclass(frozen=True, slots=True)
class Triggers:
    """Which files are worth parsing: those that hold all byte strings of any one group.

    Groups that begin with the same byte string are dearest to have: where it is missing, one search rules out them all.
    `confirm` is a second, dearer test for a file that passed the first. `glance` gives the facts that the bytes of a
    file tell which passed the first and not the second: it is not parsed.
    """

    any_of: tuple[tuple[bytes, ...], ...]
    confirm: Callable[[bytes], bool] | None = None
    glance: Callable[[str, bytes], Iterable[Fact]] | None = None
    generated: bool = False  #: whether `glance` also looks at files that a program wrote

    def confirmed(self, data: bytes) -> bool:
        """Whether a file that passed the first test passes the second."""
        return self.confirm is None or self.confirm(data)

    def look(self, path: str, data: bytes) -> Iterable[Fact]:
        """What a glance tells."""
        return self.glance(path, data) if self.glance is not None else ()


class Scanner(Protocol):
    """Reads facts out of one file. Pure: it may run in another process, and what it yields may be cached."""

    languages: ClassVar[tuple[str, ...]]
    triggers: ClassVar[Triggers]

    def scan(self, source: Source) -> Iterable[Fact]:
        """What this file says. `source` parses without an error; no tree node may leave."""
        ...


class Rule(Scanner, Protocol):
    """One codemod. Written in rules/<name>.py, made once per run, called by the pipeline.

    The class docstring is its documentation: the title in the first line, then the headings
    What it finds / Why it matters / What it changes / When the fix is unsafe / Leaves alone.
    """

    Options: ClassVar[type]  #: a frozen dataclass; a key `helper-module` in the configuration is its `helper_module`
    reviewed: ClassVar[tuple[str, ...]]  #: codes of other linters whose ignore comments count for this rule
    scanners: ClassVar[tuple[Scanner, ...]]  #: further facts that judging needs
    judged: ClassVar[str]  #: the module of the facts without which it has nothing to say: then it is not asked
    spreads: ClassVar[bool]  #: whether judging shares its work out to processes; other rules are judged side by side

    def __init__(self, options: Any) -> None: ...

    def judge(self, facts: Facts, project: Project) -> Iterator[Finding | Note]:
        """All findings of a checkout. Nothing is parsed again."""
        ...


@cache
def rule_ids() -> tuple[str, ...]:
    """The ids of all rules, sorted: file names in rules/ with dashes."""
    folder = Path(__file__).parent / "rules"
    return tuple(sorted(f.stem.replace("_", "-") for f in folder.glob("[a-z]*.py")))


def load_rule(rule_id: str) -> type[Rule]:
    """The class of a rule: `supervise-tasks` is SuperviseTasks in rules/supervise_tasks.py."""
    module = import_module("perfmod.rules." + rule_id.replace("-", "_"))
    name = "".join(word.capitalize() for word in rule_id.split("-"))
    return cast("type[Rule]", getattr(module, name))


def make_rules(rule_ids: Sequence[str], options: dict[str, Any]) -> list[Rule]:
    """The selected rules with their options (instances of each rule's Options, by rule id)."""
    made = []
    for rule_id in rule_ids:
        rule_class = load_rule(rule_id)
        made.append(rule_class(options.get(rule_id, rule_class.Options())))
    return made


def rule_id_of(rule: Rule) -> str:
    return type(rule).__module__.rpartition(".")[2].replace("_", "-")
