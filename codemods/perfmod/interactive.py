"""apply -i: one finding at a time, with its diff and its reason; the person decides."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from perfmod.adding_ignores import comment_for
from perfmod.compose import compose
from perfmod.fingerprint import fingerprints
from perfmod.model import Finding, Plan, Replace, Result, Safety
from perfmod.reading import read_regular
from perfmod.reports import View, write_out
from perfmod.reports.patch import colored, patch_of
from perfmod.reports.text import block
from perfmod.rule import OWN_RULES
from perfmod.store import locate, write_whole
from perfmod.values import dataclass, field

if TYPE_CHECKING:
    from perfmod.pipeline import Report

HELP = {
    "y": "fix this one",
    "n": "leave it",
    "a": "fix this and all further ones of its rule that are as safe",
    "s": "leave it and mark it as reviewed, with an ignore comment and a reason",
    "q": "stop asking, and do what was decided so far; the next `perfmod apply -i` goes on from here",
    "?": "show this",
}


@dataclass
class Decisions:
    """What the person said."""

    fixed: set[Finding] = field(default_factory=set)
    marked: dict[Finding, Replace] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)  #: fingerprints
    rules: set[tuple[str, Safety]] = field(default_factory=set)  #: to be fixed without asking
    finished: bool = False


def choose(report: Report, digests: Mapping[str, bytes]) -> Report:
    """Ask about every open finding. The report then holds as fixable what was chosen."""
    memory = memory_of(report.request.root)
    before = remembered(memory)
    prints = dict(zip((r.finding for r in report.results), fingerprints_of(report), strict=True))
    waiting = [r for r in report.results if r.suppressed is None and prints[r.finding] not in before]
    if before:
        say(f"going on: {len(report.open) - len(waiting)} that you left are not shown again\n")
    decisions = Decisions(left=before)
    with suppress(EOFError):
        for number, result in enumerate(waiting, 1):
            if not ask(result, f"{number} of {len(waiting)}", report, digests, decisions, prints[result.finding]):
                break
        else:
            decisions.finished = True
    remember(memory, set() if decisions.finished else decisions.left)
    return replace(report, results=tuple(decided(result, decisions) for result in report.results))


def ask(
    result: Result,
    place: str,
    report: Report,
    digests: Mapping[str, bytes],
    decisions: Decisions,
    fingerprint: str,
) -> bool:
    """Ask about one finding. False: the person wants to stop."""
    finding = result.finding
    plan = compose([finding], report.project, digests) if finding.intents else Plan()
    comment = None
    if finding.rule not in OWN_RULES:
        comment = comment_for([finding], report.project, finding.span.path, "")
    if comment is not None and comment in decisions.marked.values():
        decisions.marked[finding] = comment
        return True
    if plan.changes and (finding.rule, finding.safety) in decisions.rules:
        decisions.fixed.add(finding)
        return True
    keys = ("ya" if plan.changes else "") + "n" + ("s" if comment is not None else "") + "q?"
    show(result, report, plan)
    while True:
        key = read_key(
            f"{place}: {'fix this' if plan.changes else 'no fix'} [{','.join(sorted(keys, key=ORDER.index))}] ", keys
        )
        if key == "?":
            say("".join(f"  {each}  {HELP[each]}\n" for each in ORDER if each in keys))
            continue
        if key == "s":
            reason = " ".join(read_line("reason: ").split())
            edit = comment_for([finding], report.project, finding.span.path, reason) if safe(reason) else None
            if edit is None:
                say("such a reason can't stand in a comment\n")
                continue
            decisions.marked[finding] = edit
        elif key in "ya":
            decisions.fixed.add(finding)
            if key == "a":
                decisions.rules.add((finding.rule, finding.safety))
        elif key == "n":
            decisions.left.add(fingerprint)
        return key != "q"


ORDER = "ynasq?"


def safe(reason: str) -> bool:
    return "*/" not in reason and "-->" not in reason


def show(result: Result, report: Report, plan: Plan) -> None:
    """The finding, and what its fix alone would change."""
    view = View().on(sys.stderr, report.request.color)
    lines = [*block(result, report, view), ""]
    patch = b"".join(map(patch_of, plan.changes)).decode("utf-8", "surrogateescape")
    shown = "".join(map(colored, patch.split("\n"))) if view.color else patch
    say("\n" + "".join(f"{line}\n" for line in lines) + shown)


def decided(result: Result, decisions: Decisions) -> Result:
    finding = result.finding
    if finding in decisions.marked:
        edit = decisions.marked[finding]
        marked = replace(finding, safety=Safety.SAFE, title="Mark it as reviewed", reason=None, intents=(edit,))
        return replace(result, finding=marked, fixable=True)
    return replace(result, fixable=finding in decisions.fixed)


# The terminal


def say(text: str) -> None:
    write_out(text, sys.stderr)


def read_key(prompt: str, keys: str) -> str:
    """One of the keys, as soon as it is pressed. Raises EOFError on Ctrl-D, KeyboardInterrupt on Ctrl-C."""
    import click

    say(prompt)
    while True:
        key = click.getchar().lower()
        if len(key) == 1 and key in keys:
            say(key + "\n")
            return key
        say("? shows what the keys mean\n" + prompt)


def read_line(prompt: str) -> str:
    """A line. Raises KeyboardInterrupt on Ctrl-C and on Ctrl-D."""
    import click

    try:
        return str(click.prompt(prompt, default="", show_default=False, prompt_suffix="", err=True))
    except click.Abort:
        raise KeyboardInterrupt from None


# What was left, until all has been asked


def memory_of(root: Path) -> Path | None:
    """Where the answers of an unfinished round are kept. None outside git: there the next round asks again."""
    store = locate(root.resolve())
    return store.folder / "interactive.json" if store.in_git and not store.folder.is_symlink() else None


def remembered(memory: Path | None) -> set[str]:
    try:
        return set() if memory is None else set(json.loads(read_regular(memory)))
    except (OSError, ValueError, TypeError):
        return set()


def remember(memory: Path | None, left: set[str]) -> None:
    with suppress(OSError):
        if memory is None:
            return
        if not left:
            memory.unlink(missing_ok=True)
            return
        memory.parent.mkdir(exist_ok=True)
        write_whole(memory, json.dumps(sorted(left)).encode())


def fingerprints_of(report: Report) -> Sequence[str]:
    return fingerprints([result.finding for result in report.results], report.project)
