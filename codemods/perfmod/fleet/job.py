"""What goes to a worker, and what comes back. Plain, frozen, picklable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from perfmod.values import dataclass, field

if TYPE_CHECKING:
    from perfmod.config import Settings
    from perfmod.fleet.repositories import Repository
    from perfmod.options import Typed

Status = Literal["done", "failed", "unchanged"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one repository may take."""

    seconds: float
    memory: int  #: bytes


@dataclass(frozen=True, slots=True)
class Job:
    """One repository and all that its outcome depends on, but for the repository itself."""

    repository: Repository
    typed: Typed  #: the command and the options that the fleet's commands share with check, diff and apply
    settings: Settings | None  #: of --config; None: what the repository's own configuration says
    clones: str  #: the folder that clones go to, on the worker's machine
    limits: Limits
    today: str
    version: str  #: of perfmod where the fleet was started
    keep_clone: bool = True
    branch: str | None = None  #: where `apply` commits
    known: str | None = None  #: the key of the outcome that is there already
    known_tip: str | None = None  #: the commit at the end of the branch that this outcome made
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Branch:
    """Commits that wait for a pull request."""

    name: str
    commit: str
    folder: str  #: the checkout or clone that has the branch
    remote: str | None  #: where its `origin` is, without credentials
    base: str | None  #: the branch that it should be merged into, where that is known


@dataclass(frozen=True, slots=True)
class Record:
    """What became of a repository, in numbers: all that the reports over the fleet are made of."""

    name: str
    location: str  #: without credentials
    ref: str | None
    status: Literal["done", "failed"]
    commit: str | None = None  #: None: no commit stands for what was read: a folder outside git, or uncommitted edits
    reason: str | None = None  #: why it failed
    key: str | None = None  #: what the outcome depends on; None: it can't be used again
    until: str | None = None  #: the last day on which it holds: an ignore comment expires then
    files: int = 0
    findings: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  #: by rule and safety, without suppressed
    fixable: int = 0
    applied: int = 0
    suppressed: int = 0
    left: Mapping[str, int] = field(default_factory=dict)  #: why findings are not fixed, and how many
    changes: int = 0  #: files that change
    skipped: int = 0  #: files that could not be looked at
    branch: Branch | None = None

    @property
    def total(self) -> int:
        return sum(sum(counts.values()) for counts in self.findings.values())

    @property
    def open(self) -> int:
        """Findings that count and are not mended."""
        return self.total - self.applied

    def of_safety(self, safety: str) -> int:
        return sum(counts.get(safety, 0) for counts in self.findings.values())


@dataclass(frozen=True, slots=True)
class Effort:
    """What a job took. Differs from run to run, so no report but timings.csv says it."""

    seconds: float = 0.0
    memory: int = 0  #: bytes, the most that was seen
    worker: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job."""

    status: Status
    record: Record | None = None  #: None where it is unchanged
    files: Mapping[str, bytes] = field(default_factory=dict)  #: reports about the repository, by file name
    effort: Effort = field(default_factory=Effort)


def failed(job: Job, reason: str, **known: Any) -> Outcome:
    """The outcome of a job that came to nothing."""
    from perfmod.fleet.repositories import redacted
    from perfmod.reports.places import printable

    repository = job.repository
    said = printable(redacted(" ".join(reason.split())))
    return Outcome("failed", Record(repository.name, repository.shown, repository.ref, "failed", reason=said, **known))
