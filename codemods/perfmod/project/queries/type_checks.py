"""Findings with the compiler's verdict on their edits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from perfmod.model import Finding, Note, Safety
from perfmod.project.queries.judgement import RETYPED
from perfmod.tsc.checking import prove

if TYPE_CHECKING:
    from perfmod.project import Project


def type_checked(found: Sequence[Finding | Note], project: Project) -> list[Finding | Note]:
    """The findings with what the checkout's own compiler says of their edits, and how often it was asked."""
    edits = [f for f in found if isinstance(f, Finding) and f.intents and not f.span.path.endswith(".py")]
    proof = prove(edits, project)
    checked: list[Finding | Note] = []
    for said in found:
        if isinstance(said, Finding) and said in proof.reasons:
            said = replace(said, safety=Safety.MANUAL, reason=proof.reasons[said], title=None, intents=())
        elif isinstance(said, Finding) and said in edits and said not in proof.unseen and said.reason == RETYPED:
            said = replace(said, safety=Safety.SAFE, reason=None)
        checked.append(said)
    if edits:
        seen = len(edits) - len(proof.unseen)
        message = f"tsc has checked {seen} edits in {proof.passes} passes; {len(proof.reasons)} were refused"
        if proof.unseen:
            message += f"; {len(proof.unseen)} are part of no TypeScript project"
        checked.append(Note("select-columns", edits[0].span, message))
    return checked
