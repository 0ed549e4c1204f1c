"""What a finding is recognised by in another run: it keeps its fingerprint when lines move or files are renamed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perfmod.model import Finding
    from perfmod.project import Project


def fingerprints(findings: Sequence[Finding], project: Project) -> list[str]:
    """One for each finding: a hash of its rule, its lines without their indentation, and its number among equals."""
    seen: Counter[tuple[str, str]] = Counter()
    made = []
    for finding in findings:
        key = (finding.rule, content(finding, project))
        made.append(
            blake2b("\0".join((*key, str(seen[key]))).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
        )
        seen[key] += 1
    return made


def content(finding: Finding, project: Project) -> str:
    """The lines that a finding touches, with every run of white space as one blank; the path where there is no text."""
    text = project.text(finding.span.path)
    if text is None:
        return finding.span.path
    utf8 = text.utf8
    start = utf8.rfind(b"\n", 0, finding.span.start) + 1
    end = utf8.find(b"\n", max(finding.span.end - 1, finding.span.start))
    return " ".join(utf8[start : end if end >= 0 else len(utf8)].decode("utf-8", "replace").split())
