"""perfmod server, spoken to by a real client over standard input and output."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from playground import Perfmod, write
from pygls.lsp.client import LanguageClient

HERE = Path(__file__).parent
START = "from replace_words import install; install(); from perfmod.cli import main; main(['server'])"
Talk = Callable[["Editor"], Awaitable[None]]


class Editor:
    """A client, and what it was told about each file."""

    def __init__(self) -> None:
        self.client = LanguageClient("test", "1")
        self.told: asyncio.Queue[lsp.PublishDiagnosticsParams] = asyncio.Queue()
        self.shown: list[str] = []

        @self.client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def _(params: lsp.PublishDiagnosticsParams) -> None:
            self.told.put_nowait(params)

        @self.client.feature(lsp.WINDOW_SHOW_MESSAGE)
        def _(params: lsp.ShowMessageParams) -> None:
            self.shown.append(params.message)

    def open(self, name: str, text: str) -> None:
        item = lsp.TextDocumentItem(uri_of(name), "python", 1, text)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))

    def change(self, name: str, text: str, version: int) -> None:
        identifier = lsp.VersionedTextDocumentIdentifier(version, uri_of(name))
        whole = lsp.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(lsp.DidChangeTextDocumentParams(identifier, [whole]))

    async def next(self) -> list[tuple[int, int, int, str]]:
        """The next diagnostics: line, start and end of each, and its rule."""
        told = await asyncio.wait_for(self.told.get(), 30)
        return [
            (d.range.start.line, d.range.start.character, d.range.end.character, str(d.code)) for d in told.diagnostics
        ]

    async def actions(self, name: str, line: int, only: list[str] | None = None) -> dict[str, Any]:
        place = lsp.Range(lsp.Position(line, 0), lsp.Position(line, 0 if line else 99))
        context = lsp.CodeActionContext([], only=only)
        params = lsp.CodeActionParams(lsp.TextDocumentIdentifier(uri_of(name)), place, context)
        found = await asyncio.wait_for(self.client.text_document_code_action_async(params), 30)
        return {action.title: action for action in found or [] if isinstance(action, lsp.CodeAction)}


def uri_of(name: str) -> str:
    return Path(name).absolute().as_uri()


def talk(conversation: Talk) -> None:
    """Start a server, have a conversation, and shut it down as editors do."""

    async def session() -> None:
        editor = Editor()
        os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), str(HERE.parent / "codemods")])
        await editor.client.start_io(sys.executable, "-c", START)
        params = lsp.InitializeParams(lsp.ClientCapabilities(), root_uri=Path.cwd().as_uri())
        result = await asyncio.wait_for(editor.client.initialize_async(params), 30)
        assert result.capabilities.code_action_provider is not None
        editor.client.initialized(lsp.InitializedParams())
        try:
            await conversation(editor)
        finally:
            await asyncio.wait_for(editor.client.shutdown_async(None), 30)
            editor.client.exit(None)
            await asyncio.wait_for(editor.client.stop(), 30)

    asyncio.run(session())


@pytest.fixture(autouse=True)
def folder(perfmod: Perfmod, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "")
    write("perfmod.toml", "")


def edits(action: lsp.CodeAction) -> list[tuple[str, str]]:
    assert action.edit is not None and action.edit.document_changes is not None
    said = []
    for change in action.edit.document_changes:
        if isinstance(change, lsp.TextDocumentEdit):
            said += [(Path(change.text_document.uri).name, edit.new_text) for edit in change.edits]  # type: ignore[union-attr]
        else:
            said.append((change.kind, Path(change.uri).name))  # type: ignore[union-attr]
    return said


def test_diagnostics_on_open_on_change_and_on_close() -> None:
    write("a.py", "f()\n")

    async def conversation(editor: Editor) -> None:
        editor.open("a.py", "x = 1\nold_safe()\n")
        assert await editor.next() == [(1, 0, 10, "replace-words")]
        editor.change("a.py", "# 😀 ü\n'😀'; old_manual()\n", 2)
        assert await editor.next() == [(1, 6, 18, "replace-words")]  # UTF-16 units
        editor.change("a.py", "f()\n", 3)
        assert await editor.next() == []
        editor.client.text_document_did_close(
            lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri_of("a.py")))
        )
        assert await editor.next() == []

    talk(conversation)
    assert Path("a.py").read_text() == "f()\n"


def test_only_the_last_of_many_changes_is_looked_at() -> None:
    async def conversation(editor: Editor) -> None:
        editor.open("new.py", "f()\n")
        for version in range(2, 12):
            editor.change("new.py", "old_safe()\n" * version, version)
        assert len(await editor.next()) == 11
        assert editor.told.empty()

    talk(conversation)


def test_quick_fixes() -> None:
    async def conversation(editor: Editor) -> None:
        editor.open("a.py", "old_safe()\nold_unsafe()\nold_manual()\nold_helper()\n")
        assert len(await editor.next()) == 4
        found = await editor.actions("a.py", 1, only=["quickfix"])
        assert list(found) == ["Write `new` instead of `old` (unsafe)", "Ignore replace-words here"]
        assert not found["Write `new` instead of `old` (unsafe)"].is_preferred
        assert edits(found["Write `new` instead of `old` (unsafe)"]) == [("a.py", "new")]
        assert edits(found["Ignore replace-words here"]) == [("a.py", "  # perfmod: ignore[replace-words]")]
        assert list(await editor.actions("a.py", 2, only=["quickfix"])) == ["Ignore replace-words here"]
        helper = edits((await editor.actions("a.py", 3))["Write `new` instead of `old`"])
        assert helper[0] == ("a.py", "new") and helper[1] == ("create", "background_tasks.py")
        assert helper[2][0] == "background_tasks.py" and "def create_background_task" in helper[2][1]

    talk(conversation)


def test_fix_all() -> None:
    async def conversation(editor: Editor) -> None:
        editor.open("a.py", "f()\nold_safe(1)\nold_unsafe()\nold_safe(2)\ng()\n")
        await editor.next()
        found = await editor.actions("a.py", 0, only=["source.fixAll"])
        assert list(found) == ["perfmod: fix all that is safe"]
        action = found["perfmod: fix all that is safe"]
        assert edits(action) == [("a.py", "new_safe(1)\nold_unsafe()\nnew_safe(2)\n")]
        assert await editor.actions("a.py", 0, only=["refactor"]) == {}

    talk(conversation)


def test_the_texts_of_all_open_files_count_and_a_broken_configuration_is_told() -> None:
    async def conversation(editor: Editor) -> None:
        editor.open("a.py", "old_safe()  # perfmod: ignore[replace-words]\n")
        assert await editor.next() == []
        write("perfmod.toml", "selct = []\n")
        editor.change("a.py", "old_safe()\n", 2)
        for _ in range(300):
            if editor.shown:
                break
            await asyncio.sleep(0.1)
        assert "unknown key `selct`" in editor.shown[0]
        write("perfmod.toml", "")
        editor.change("a.py", "old_safe(\n", 3)
        assert [found[3] for found in await editor.next()] == ["parse-error"]

    talk(conversation)


def test_without_the_extra(perfmod: Perfmod, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pygls", *(name for name in sys.modules if name.startswith("pygls."))):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "perfmod.server", raising=False)
    ran = perfmod("server")
    assert ran.code == 2 and "perfmod[server]" in ran.err
