"""Dealdesk in a real browser: no console in the production page after the fix, and still one in development."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from node_tools import installed, node, run

from perfmod.config import Settings
from perfmod.pipeline import Request
from perfmod.pipeline import run as run_perfmod

DEALDESK = Path(__file__).parent.parent / "fixtures" / "dealdesk" / "before"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH: install Debian's package chromium"),
]


class Page(SimpleHTTPRequestHandler):
    """The built files; any other address gets the page itself, as a host of single-page applications answers."""

    def do_GET(self) -> None:
        if not Path(self.translate_path(self.path)).is_file():
            self.path = "/index.html"
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Page, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()


@contextmanager
def developed(folder: Path) -> Iterator[str]:
    """The development server of vite."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = node(folder / "node_modules/vite/bin/vite.js", "--host", "127.0.0.1", "--port", str(port), "--strictPort")
    server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(url, timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait()


def look(url: str, folder: Path) -> dict[str, Any]:
    """What a person's browser sees at an address."""
    assert CHROMIUM is not None
    script = Path(__file__).parent / "browser.mjs"
    seen = run(node(script, str(installed() / "playwright-core"), CHROMIUM, url, str(folder)), folder.parent).stdout
    return dict(json.loads(seen.splitlines()[-1]))


def pnpm(root: Path, *arguments: str) -> None:
    run(node(installed() / "pnpm-10/bin/pnpm.cjs", *arguments), root)


def test_dealdesk_in_a_browser(tmp_path: Path) -> None:
    root, webapp = tmp_path / "dealdesk", tmp_path / "dealdesk/packages/webapp"
    shutil.copytree(DEALDESK, root)
    pnpm(root, "install", "--frozen-lockfile", "--ignore-scripts")
    pnpm(webapp, "run", "build")
    with served(webapp / "dist") as url:
        before = look(url, tmp_path / "one")
    assert before["console"]
    assert any("eruda" in request for request in before["requests"])

    settings = Settings(select=("gate-dev-tools",))
    report = run_perfmod(Request("apply", root, (root,), settings, allow_dirty=True))
    changed = {change.path for change in report.changes}
    assert changed == {"packages/webapp/package.json", "packages/webapp/src/main.tsx", "pnpm-lock.yaml"}

    pnpm(root, "install", "--frozen-lockfile", "--ignore-scripts")
    pnpm(webapp, "run", "build")
    with served(webapp / "dist") as url:
        after = look(url, tmp_path / "two")
    assert not after["console"]
    assert not [request for request in after["requests"] if "eruda" in request]
    assert after["errors"] == before["errors"] == []
    assert after["text"] == before["text"]
    assert not [file for file in (webapp / "dist").rglob("*") if file.is_file() and b"eruda" in file.read_bytes()]
    with developed(webapp) as url:
        assert look(url, tmp_path / "three")["console"]
