"""What the checkout's own TypeScript compiler says of edits, before anything is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from perfmod.errors import PerfmodError
from perfmod.model import Finding, Replace, Safety
from perfmod.render import apply_edits
from perfmod.tsc.compiler import ask, compiler_of
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.project import Project

Error: TypeAlias = tuple[str, int, int, str]  # file, line, code, message
Texts: TypeAlias = dict[str, str]


@dataclass(frozen=True, slots=True)
class Proof:
    """What the compiler said."""

    reasons: dict[Finding, str]  #: of the findings whose edits it does not accept
    unseen: frozenset[Finding]  #: those that no tsconfig.json includes, or that have no compiler
    passes: int  #: how many times it has checked a project


def prove(findings: Sequence[Finding], project: Project) -> Proof:
    """Which edits add a type error. Where a project was not clean before, only new errors count.

    All edits are tried together; only where that adds errors, the edits of the files in question one by one.
    """
    compilers = {finding: compiler_of(project.root, finding.span.path) for finding in findings}
    unseen = {finding for finding, compiler in compilers.items() if compiler is None}
    if findings and len(unseen) == len(findings):
        raise PerfmodError("--tsc needs the checkout's own node_modules/typescript: install its packages first")
    reasons: dict[Finding, str] = {}
    passes = 0
    for compiler in {compiler for compiler in compilers.values() if compiler is not None}:
        own = [finding for finding in findings if compilers[finding] == compiler]
        checker = Checker(project, compiler)
        reasons |= checker.refused(own)
        unseen |= checker.unseen
        passes += checker.passes
    return Proof(reasons, frozenset(unseen), passes)


class Checker:
    """One compiler, and the edits that it is asked about."""

    def __init__(self, project: Project, compiler: Path) -> None:
        self._project = project
        self._compiler = compiler
        self.passes = 0
        self.unseen: set[Finding] = set()

    def refused(self, findings: Sequence[Finding]) -> dict[Finding, str]:
        """The findings whose edits add errors, with the first one as the reason."""
        files = sorted({finding.span.path for finding in findings})
        answer = self._ask(files, [{}, self._texts(findings)])
        self.unseen = {finding for finding in findings if finding.span.path in answer["without"]}
        reasons: dict[Finding, str] = {}
        for part in answer["projects"]:
            own = [finding for finding in findings if finding.span.path in part["files"]]
            before, after = (Counter(map(read, errors)) for errors in part["errors"])
            added = sorted(after - before)
            if added:
                reasons |= self._blame(own, before, added)
        return reasons

    def _blame(self, findings: Sequence[Finding], before: Counter[Error], added: Sequence[Error]) -> dict[Finding, str]:
        """Which of the findings of one project bring errors."""
        near = [finding for finding in findings if any(finding.span.path == error[0] for error in added)]
        reasons = self._alone(self._likely(near or findings, findings, before), before)
        rest = [finding for finding in findings if finding not in reasons]
        if rest:
            errors = self._errors(rest, [self._texts(rest)])[0]
            if errors - before:
                first = describe(min(errors - before))
                reasons |= dict.fromkeys(rest, f"the edits together add a type error: {first}")
        return reasons

    def _likely(
        self, suspects: Sequence[Finding], findings: Sequence[Finding], before: Counter[Error]
    ) -> Sequence[Finding]:
        """The unsafe ones of the suspects, if nothing is wrong without them: that saves a pass for each other one."""
        unsafe = [finding for finding in suspects if finding.safety is Safety.UNSAFE]
        if not unsafe or len(unsafe) + 1 >= len(suspects):
            return suspects
        rest = [finding for finding in findings if finding not in unsafe]
        return suspects if self._errors(rest, [self._texts(rest)])[0] - before else unsafe

    def _alone(self, findings: Sequence[Finding], before: Counter[Error]) -> dict[Finding, str]:
        reasons = {}
        states = [self._texts([finding]) for finding in findings]
        for finding, errors in zip(findings, self._errors(findings, states), strict=True):
            added = errors - before
            if added:
                reasons[finding] = f"a type error: {describe(min(added))}"
        return reasons

    def _errors(self, findings: Sequence[Finding], states: Sequence[Texts]) -> list[Counter[Error]]:
        answer = self._ask(sorted({finding.span.path for finding in findings}), states)
        found: list[Counter[Error]] = [Counter() for _ in states]
        for part in answer["projects"]:
            for number, errors in enumerate(part["errors"]):
                found[number].update(map(read, errors))
        return found

    def _texts(self, findings: Iterable[Finding]) -> Texts:
        """The texts of the files that the findings edit."""
        edits: dict[str, list[Replace]] = {}
        for finding in findings:
            for intent in finding.intents:
                if isinstance(intent, Replace):
                    edits.setdefault(intent.span.path, []).append(intent)
        texts = {}
        for path, own in edits.items():
            text = self._project.text(path)
            if text is not None:
                texts[path] = apply_edits(text.utf8, sorted(set(own))).decode()
        return texts

    def _ask(self, files: Sequence[str], states: Sequence[Texts]) -> Any:
        question = {
            "typescript": str(self._compiler),
            "files": files,
            "states": states,
        }
        answer = ask("check.js", "--tsc", self._project.root, question)
        self.passes += len(states) * len(answer["projects"])
        return answer


def read(error: dict[str, Any]) -> Error:
    return error["file"], error["line"], error["code"], error["message"]


def describe(error: Error) -> str:
    file, line, code, message = error
    return f"{file}:{line} TS{code} {message}"
