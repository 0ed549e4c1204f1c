"""perfmod server: a language server. It looks at the texts that the editor holds, and offers what diff would show."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path

from perfmod import __version__
from perfmod.adding_ignores import comment_for
from perfmod.compose import compose
from perfmod.config import config_file, find_root, load_settings
from perfmod.discovery import language_of
from perfmod.errors import PerfmodError
from perfmod.model import Finding, Replace, Result, Safety
from perfmod.pipeline import Report, Request, run
from perfmod.reports.fixes import edits_of_fix
from perfmod.rule import OWN_RULES
from perfmod.source.text import COOKIE, Text

PATIENCE = 0.3  # seconds without a key press before a text is looked at
FIX_ALL = "source.fixAll.perfmod"


class Server(LanguageServer):
    """Keeps the last report of each open file; positions are told in the units that the editor asked for."""

    def __init__(self) -> None:
        super().__init__("perfmod", __version__, text_document_sync_kind=lsp.TextDocumentSyncKind.Incremental)
        self.reports: dict[str, tuple[int | None, str, Report]] = {}

    async def look_at(self, uri: str) -> None:
        """Run perfmod on an open file, once it rests, and say what was found."""
        version = self.workspace.get_text_document(uri).version
        await asyncio.sleep(PATIENCE)
        if uri not in self.workspace.text_documents or self.workspace.get_text_document(uri).version != version:
            return
        try:
            path, request = self.request_for(uri)
            report = await asyncio.to_thread(run, request)
        except PerfmodError as error:
            self.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Error, f"perfmod: {error}"))
            return
        if uri in self.workspace.text_documents and self.workspace.get_text_document(uri).version == version:
            self.reports[uri] = (version, path, report)
            found = [self.diagnostic(result, report) for result in report.open]
            self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, found, version))

    def request_for(self, uri: str) -> tuple[str, Request]:
        """The file below its root, and the run on it. Raises PerfmodError on a configuration that can't be read."""
        file = real(uri)
        root = find_root(file)
        overlay = {}
        for open_uri, document in self.workspace.text_documents.items():
            if real(open_uri).is_relative_to(root):
                overlay[real(open_uri).relative_to(root).as_posix()] = to_disk(document.source)
        settings = load_settings(config_file(root))
        path = file.relative_to(root).as_posix()
        return path, Request("check", root, (file,), settings, jobs=1, cache=True, overlay=overlay)

    def diagnostic(self, result: Result, report: Report) -> lsp.Diagnostic:
        finding = result.finding
        text = report.project.text(finding.span.path)
        manual = finding.safety is Safety.MANUAL
        return lsp.Diagnostic(
            self.range_of(text, finding.span.start, finding.span.end),
            finding.message if finding.reason is None else f"{finding.message} ({finding.safety}: {finding.reason})",
            lsp.DiagnosticSeverity.Information if manual else lsp.DiagnosticSeverity.Warning,
            finding.rule,
            source="perfmod",
        )

    def range_of(self, text: Text | None, start: int, end: int) -> lsp.Range:
        return lsp.Range(self.position(text, start), self.position(text, end))

    def position(self, text: Text | None, offset: int) -> lsp.Position:
        if text is None:
            return lsp.Position(0, 0)
        line = text.position(offset)[0]
        start = text.utf8.rfind(b"\n", 0, offset) + 1
        units = self.workspace.position_codec.client_num_units(text.utf8[start:offset].decode("utf-8", "replace"))
        return lsp.Position(line - 1, units)

    def actions(self, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        """What can be done about the findings in a range; about all of the file, if that was asked for."""
        uri = params.text_document.uri
        version, path, report = self.reports.get(uri, (None, "", None))
        if report is None or self.workspace.get_text_document(uri).version != version:
            return []
        only = params.context.only
        offered: list[lsp.CodeAction] = []
        for result in report.open if wanted(lsp.CodeActionKind.QuickFix, only) else ():
            diagnostic = self.diagnostic(result, report)
            if touches(diagnostic.range, params.range):
                offered += self.quick_fixes(result.finding, diagnostic, report)
        if wanted(FIX_ALL, only) and (edit := self.fix_all(path, report)):
            offered.append(lsp.CodeAction("perfmod: fix all that is safe", FIX_ALL, edit=edit))
        return offered

    def quick_fixes(self, finding: Finding, diagnostic: lsp.Diagnostic, report: Report) -> Iterable[lsp.CodeAction]:
        kind = lsp.CodeActionKind.QuickFix
        edits = edits_of_fix(finding, report)
        if edits and finding.title is not None:
            title = finding.title if finding.safety is Safety.SAFE else f"{finding.title} (unsafe)"
            preferred = finding.safety is Safety.SAFE
            edit = self.workspace_edit(edits, report)
            yield lsp.CodeAction(title, kind, [diagnostic], is_preferred=preferred, edit=edit)
        comment = None
        if finding.rule not in OWN_RULES:
            comment = comment_for([finding], report.project, finding.span.path, "")
        if comment is not None:
            edit = self.workspace_edit([comment], report)
            yield lsp.CodeAction(f"Ignore {finding.rule} here", kind, [diagnostic], edit=edit)

    def fix_all(self, path: str, report: Report) -> lsp.WorkspaceEdit | None:
        """All fixes that `apply` would make in a file."""
        plan = compose([result.finding for result in report.results if result.fixable], report.project, {})
        edits = []
        for change in plan.changes:
            old = Text.decode(change.path, change.before or b"").utf8
            edits.append(difference(change.path, old, Text.decode(change.path, change.after).utf8))
        return self.workspace_edit(edits, report) if edits else None

    def workspace_edit(self, edits: Sequence[Replace], report: Report) -> lsp.WorkspaceEdit:
        """Edits as the editor applies them; files that are not there are created."""
        changes: list[lsp.TextDocumentEdit | lsp.CreateFile | lsp.RenameFile | lsp.DeleteFile] = []
        by_path: dict[str, list[Replace]] = {}
        for edit in edits:
            by_path.setdefault(edit.span.path, []).append(edit)
        for path, own in by_path.items():
            uri = self.uri_of(report.request.root / path)
            text = report.project.text(path)
            if text is None:
                changes.append(lsp.CreateFile(uri, options=lsp.CreateFileOptions(ignore_if_exists=True)))
            document = self.workspace.text_documents.get(uri)
            version = document.version if document is not None else None
            said: list[lsp.TextEdit | lsp.AnnotatedTextEdit | lsp.SnippetTextEdit] = [
                lsp.TextEdit(self.range_of(text, e.span.start, e.span.end), e.text) for e in own
            ]
            changes.append(lsp.TextDocumentEdit(lsp.OptionalVersionedTextDocumentIdentifier(uri, version), said))
        return lsp.WorkspaceEdit(document_changes=changes)

    def uri_of(self, file: Path) -> str:
        """The name that the editor has for a file."""
        known = next((uri for uri in self.workspace.text_documents if real(uri) == file), None)
        return known or from_fs_path(str(file)) or file.as_uri()


def real(uri: str) -> Path:
    path = Path(to_fs_path(uri) or "")
    return path.parent.resolve() / path.name


def to_disk(source: str) -> bytes:
    """A text as its file would hold it: Python may declare an encoding."""
    utf8 = source.encode("utf-8", "surrogatepass")
    cookie = COOKIE.match(utf8)
    try:
        return source.encode(cookie[1].decode("ascii")) if cookie else utf8
    except (LookupError, UnicodeError):
        return utf8


def difference(path: str, old: bytes, new: bytes) -> Replace:
    """One edit from an old text to a new one: whole lines, without those that are the same at both ends."""
    from perfmod.model import Span

    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    first = sum(map(len, before[:start]))
    last = len(old) - sum(map(len, before[len(before) - end :]))
    return Replace(Span(path, first, last), b"".join(after[start : len(after) - end]).decode())


def wanted(kind: str, only: Sequence[str] | None) -> bool:
    """Whether the editor asked for this kind of action."""
    return not only or any(kind == asked or kind.startswith(f"{asked}.") for asked in only)


def touches(one: lsp.Range, other: lsp.Range) -> bool:
    return one.start <= other.end and other.start <= one.end


def make_server() -> Server:
    server = Server()

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        await server.look_at(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        await server.look_at(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    async def saved(_params: lsp.DidSaveTextDocumentParams) -> None:
        for uri in list(server.workspace.text_documents):  # what one file says can change what is found in another
            if language_of(uri) is not None:
                await server.look_at(uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        server.reports.pop(params.text_document.uri, None)
        server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(params.text_document.uri, []))

    @server.feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION,
        lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix, FIX_ALL]),
    )
    def act(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        return server.actions(params)

    return server


def serve() -> None:
    """Talk to an editor over standard input and output until it says that it is done."""
    make_server().start_io()
