"""apply --verify: a command of the user's decides which fixes stay. What breaks it is put back and named."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic
from typing import TYPE_CHECKING, Literal

from perfmod.compose import compose
from perfmod.errors import PerfmodError
from perfmod.model import Change, Finding, Plan
from perfmod.values import dataclass, field
from perfmod.writing import Outcome, write

if TYPE_CHECKING:
    from perfmod.pipeline import Report

SHOWN = 20  # lines of the command's output
Verdict = Literal["passed", "failed", "timed out"]


@dataclass(frozen=True, slots=True)
class Check:
    """What decides."""

    command: str
    limit: float | None = None  #: seconds
    tell: Callable[[str], None] = lambda _line: None


@dataclass(frozen=True)
class Verified:
    """What the command let through."""

    plan: Plan = field(default_factory=Plan)
    outcome: Outcome | None = None  #: of the write, where the plan is on disk already
    culprits: Mapping[Finding, str] = field(default_factory=dict)  #: and what is said of each
    refused: str | None = None  #: why nothing can be kept


def verify(report: Report, plan: Plan, digests: Mapping[str, bytes], check: Check) -> Verified:
    """Run the command, write the plan, run it again; where it then fails, find out which fixes it lets through."""
    verdict = run(check, report.request.root, "before the changes")
    if verdict != "passed":
        how = "fails" if verdict == "failed" else f"takes longer than {check.limit:g} s"
        return Verified(refused=f"`{check.command}` {how} before anything is changed; nothing was written")
    return Search(report, digests, check).start(plan)


class TimedOut(Exception):
    """The command took too long on changed files."""


class Search:
    """Trials on the same originals: write some fixes, run the command, put them back."""

    def __init__(self, report: Report, digests: Mapping[str, bytes], check: Check) -> None:
        self.report = report
        self.root = report.request.root
        self.digests = digests
        self.check = check
        self.kept: list[Finding] = []
        self.culprits: dict[Finding, str] = {}
        self.trials = 0

    def start(self, plan: Plan) -> Verified:
        outcome = self.write(plan)
        if not outcome.written:
            return Verified(plan, outcome)
        with put_back_on_error(self.root, outcome.written):
            verdict = run(self.check, self.root, f"with {count(len(plan.paths), 'fix')}")
        if verdict == "passed":
            return Verified(plan, outcome)
        put_back(self.root, outcome.written)
        if verdict == "timed out":
            return self.timed_out()
        try:
            self.search(sorted(plan.paths, key=lambda finding: (finding.rule, finding.span)))
        except TimedOut:
            return self.timed_out()
        if not self.kept:
            said = f"`{self.check.command}` fails with every fix, so nothing could be kept; nothing was written"
            return Verified(culprits=self.culprits, refused=said)
        return Verified(self.compose(self.kept), None, self.culprits)

    def timed_out(self) -> Verified:
        said = f"`{self.check.command}` takes longer than {self.check.limit:g} s with the changes"
        return Verified(refused=f"{said}; nothing was written")

    def search(self, suspects: Sequence[Finding]) -> None:
        """Sort out `suspects`, of which some fail on top of what is kept."""
        if len(suspects) == 1:
            self.culprits[suspects[0]] = f"verify failed: `{self.check.command}` fails with this fix"
            return
        first, second = halves(suspects)
        if self.passes(first):
            self.kept += first
            self.search(second)  # which is known to fail on top of it
            return
        self.search(first)
        if self.passes(second):
            self.kept += second
        else:
            self.search(second)

    def passes(self, more: Sequence[Finding]) -> bool:
        """Whether the command passes with these fixes on top of what is kept."""
        self.trials += 1
        outcome = self.write(self.compose([*self.kept, *more]))
        with put_back_on_error(self.root, outcome.written):
            verdict = run(self.check, self.root, f"trial {self.trials}, {count(len(self.kept) + len(more), 'fix')}")
        put_back(self.root, outcome.written)
        if verdict == "timed out":
            raise TimedOut
        return verdict == "passed"

    def compose(self, findings: Sequence[Finding]) -> Plan:
        ordered = [r.finding for r in self.report.results if r.finding in set(findings)]
        return compose(ordered, self.report.project, self.digests)

    def write(self, plan: Plan) -> Outcome:
        request = self.report.request
        return write(
            request.root,
            plan.changes,
            plan.paths.values(),
            allow_dirty=request.allow_dirty,
            allow_staged=request.staged,
        )


def halves(findings: Sequence[Finding]) -> tuple[Sequence[Finding], Sequence[Finding]]:
    """Two parts: at the border between rules that is next to the middle, else in the middle."""
    middle = len(findings) // 2
    borders = [n for n in range(1, len(findings)) if findings[n - 1].rule != findings[n].rule]
    at = min(borders, key=lambda border: abs(border - middle)) if borders else middle
    return findings[:at], findings[at:]


def run(check: Check, root: Path, when: str) -> Verdict:
    """Run the command in the root, in a process group of its own, and say how it went."""
    started = monotonic()
    check.tell(f"verify {when}: {check.command}")
    with TemporaryFile() as output:
        process = subprocess.Popen(
            check.command,
            shell=True,
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        verdict: Verdict = "timed out"
        try:
            verdict = "passed" if process.wait(check.limit) == 0 else "failed"
        except subprocess.TimeoutExpired:
            pass
        finally:
            end(process)
        check.tell(f"verify {when}: {verdict} after {monotonic() - started:.1f} s")
        if verdict != "passed":
            output.seek(0)
            for line in output.read().decode("utf-8", "replace").splitlines()[-SHOWN:]:
                check.tell(f"  | {line}")
    return verdict


def end(process: subprocess.Popen[bytes]) -> None:
    """End the command with all that it started."""
    with suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        elif process.poll() is None:
            process.kill()
    process.wait()


@contextmanager
def put_back_on_error(root: Path, changes: Sequence[Change]) -> Iterator[None]:
    """Puts changes back where the block is left by an exception, as Ctrl-C is."""
    try:
        yield
    except BaseException:
        put_back(root, changes)
        raise


def put_back(root: Path, changes: Sequence[Change]) -> None:
    """Undo changes that are on disk. Raises PerfmodError for files that the command has edited; they stay."""
    modified = [Change(c.path, c.after, c.before, c.rules) for c in changes if c.before is not None]
    outcome = write(root, modified, [[change.path] for change in modified], allow_dirty=True)
    edited = [skipped.path for skipped in outcome.skipped]
    if outcome.refused and not edited:
        raise PerfmodError(f"the changes can't be put back: {outcome.refused}")
    for change in changes:
        path = root / change.path
        if change.before is None and not edited:  # what is left may need it
            if path.is_file() and path.read_bytes() == change.after:
                path.unlink()
                remove_empty_folders(root, path.parent)
            elif path.exists():
                edited.append(change.path)
    if edited:
        raise PerfmodError(f"{edited[0]} changed while the command ran, so it is left with its fix: look at it")


def remove_empty_folders(root: Path, folder: Path) -> None:
    """Remove the folders that a helper module was made in; git knows no empty ones."""
    with suppress(OSError):
        while folder != root:
            folder.rmdir()
            folder = folder.parent


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}es"
