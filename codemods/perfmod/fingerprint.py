"""What a finding is recognised by in another run: it keeps its fingerprint when lines move or files are renamed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perfmod.model import Finding
    from perfmod.project import Project

LONGEST_CHAIN = 30  # lines


def fingerprints(findings: Sequence[Finding], project: Project) -> list[str]:
    """One for each finding: a hash of its rule, its lines without their indentation, and its number among equals."""
    seen: Counter[tuple[str, str]] = Counter()
    made = []
    for finding in findings:
        key = (finding.rule, content(finding, project))
        made.append(hashed(*key, str(seen[key])))
        seen[key] += 1
    return made


def fingerprint(finding: Finding, project: Project) -> str:
    """What all equal findings share."""
    return hashed(finding.rule, content(finding, project), "0")


def hashed(*words: str) -> str:
    return blake2b("\0".join(words).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def content(finding: Finding, project: Project) -> str:
    """The lines that a finding touches, with every run of white space as one blank; the path where there is no text.

    To a link of a call chain belong the lines above it, up to where the chain begins: `.select("*")` says little.
    """
    text = project.text(finding.span.path)
    if text is None:
        return finding.span.path
    utf8 = text.utf8
    start = chain_start(utf8, utf8.rfind(b"\n", 0, finding.span.start) + 1)
    end = utf8.find(b"\n", max(finding.span.end - 1, finding.span.start))
    return " ".join(utf8[start : end if end >= 0 else len(utf8)].decode("utf-8", "replace").split())


def chain_start(utf8: bytes, start: int) -> int:
    """The start of the line where the call chain begins that the line at `start` goes on with."""
    first = start
    for _ in range(LONGEST_CHAIN):
        line = utf8[first : first + 200].lstrip(b" \t")
        if not line.startswith((b".", b"?.", b")", b"}", b"]")) or first == 0:
            return first
        first = utf8.rfind(b"\n", 0, first - 1) + 1
    return start
