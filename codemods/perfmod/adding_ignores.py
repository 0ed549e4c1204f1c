"""--add-ignore: findings that are marked as reviewed, each with a comment, instead of being fixed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from perfmod.discovery import language_of
from perfmod.errors import PerfmodError
from perfmod.model import Finding, Replace, Result, Safety, Span
from perfmod.rule import OWN_RULES

if TYPE_CHECKING:
    from perfmod.model import Suppression
    from perfmod.project import Project
    from perfmod.source.text import Text

WIDTH = 120  # a longer line gets the comment above it, if one can stand there
SIGNS = {
    "python": ("# {}",),
    "yaml": ("# {}",),
    "typescript": ("// {}",),
    "javascript": ("// {}", "{{/* {} */}}"),
    "tsx": ("// {}", "{{/* {} */}}"),
    "html": ("<!-- {} -->", "// {}"),
    "vue": ("<!-- {} -->", "// {}"),
    "svelte": ("<!-- {} -->", "// {}"),
}
NO_PLACE = "no comment can stand here: use a baseline or per-file-ignores"


def mark_reviewed(results: Sequence[Result], project: Project, reason: str) -> list[Result]:
    """The results, with a comment as the fix of each open finding. Findings on one line share theirs."""
    reason = " ".join(reason.split())
    if "*/" in reason or "-->" in reason:
        raise PerfmodError("--add-ignore: a reason can't hold `*/` or `-->`")
    lines: dict[tuple[str, int], list[Finding]] = {}
    for result in results:
        finding = result.finding
        text = project.text(finding.span.path)
        if result.suppressed is None and finding.rule not in OWN_RULES and text is not None:
            line, _ = text.position(finding.span.start)
            lines.setdefault((finding.span.path, line), []).append(finding)
    edits: dict[Finding, Replace | None] = {}
    for (path, _), findings in lines.items():
        edits.update(dict.fromkeys(findings, comment_for(findings, project, path, reason)))
    return [marked(result, edits) for result in results]


def marked(result: Result, edits: dict[Finding, Replace | None]) -> Result:
    finding = result.finding
    edit = edits.get(finding)
    if edit is not None:
        fixed = replace(finding, safety=Safety.SAFE, title="Mark it as reviewed", reason=None, intents=(edit,))
        return replace(result, finding=fixed)
    left = NO_PLACE if finding in edits else finding.reason
    return replace(result, finding=replace(finding, safety=Safety.MANUAL, title=None, reason=left, intents=()))


def comment_for(findings: Sequence[Finding], project: Project, path: str, reason: str) -> Replace | None:
    """The edit that silences findings on one line. None where no comment can stand."""
    from perfmod.model import Suppression

    text = project.text(path)
    language = language_of(path)
    if text is None or language not in SIGNS:
        return None
    rules = tuple(sorted({finding.rule for finding in findings}))
    spans = [finding.span for finding in findings]
    for known in project.facts.by_path(Suppression).get(path, ()):
        if known.own and known.codes and not known.whole_file and known.until is None:
            extended = Replace(known.brackets or known.comment, ", ".join((*known.codes, *rules)))
            if all(map(known.covers_span, spans)):
                return extended
    said = f"perfmod: ignore[{', '.join(rules)}] {reason}".rstrip()
    return next(
        (edit for edit in candidates(text, language, spans, said) if holds(edit, text, language, spans, rules)), None
    )


def candidates(text: Text, language: str, spans: Sequence[Span], said: str) -> Iterator[Replace]:
    """Where the comment may stand: after the code, above the line, after the code though the line gets long."""
    start = min(spans).start
    utf8 = text.utf8
    first = utf8.rfind(b"\n", 0, start) + 1
    end = utf8.find(b"\n", start)
    end = len(utf8) if end < 0 else end - (utf8[end - 1 : end] == b"\r")
    line = utf8[first:end].decode()
    indent = line[: len(line) - len(line.lstrip())]
    gap = "  " if language in ("python", "yaml") else " "
    signs = [sign.format(said) for sign in SIGNS[language]]
    after = [Replace(Span(text.path, end, end), gap + comment) for comment in signs if not comment.startswith("{")]
    if line.rstrip() == line:
        yield from (edit for edit in after if len(line) + len(edit.text) <= WIDTH)
    for comment in signs:
        yield Replace(Span(text.path, first, first), indent + comment + text.newline)
    yield from after


def holds(edit: Replace, text: Text, language: str, spans: Sequence[Span], rules: Sequence[str]) -> bool:
    """Whether the text with the comment parses as before, and the comment silences every finding."""
    from perfmod.source.text import Text
    from perfmod.source.tree import GRAMMARS, Source
    from perfmod.suppression import scan_comments

    at = edit.span.start
    utf8 = text.utf8[:at] + edit.text.encode() + text.utf8[at:]
    source = Source(Text(text.path, utf8), language)
    if language in GRAMMARS and source.error is not None:
        return False
    added = len(edit.text.encode())
    moved = [Span(s.path, s.start + added, s.end + added) if s.start >= at else s for s in spans]
    return any(covers_all(known, moved, rules) for known in scan_comments(source) if known.own)


def covers_all(known: Suppression, spans: Sequence[Span], rules: Sequence[str]) -> bool:
    return known.codes == tuple(rules) and all(map(known.covers_span, spans))
