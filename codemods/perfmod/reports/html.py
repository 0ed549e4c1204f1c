"""One self-contained page: charts, the list with filters, side-by-side diffs, the reasons of what was left.

Everything from the checkout is data: it stands in a JSON block that the script turns into text nodes, or is escaped.
The content security policy lets nothing run but the script of this page, and nothing be loaded at all.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from perfmod import __version__
from perfmod.reports.json import dumps
from perfmod.reports.page.charts import causes, chart
from perfmod.reports.page.data import page_data
from perfmod.reports.places import locate, printable
from perfmod.reports.summary import fixable, found

if TYPE_CHECKING:
    from perfmod.pipeline import Report
    from perfmod.reports import View

PAGE = Path(__file__).parent / "page"
SCRIPTS = ("colors.js", "diff.js", "report.js")


def render(report: Report, view: View) -> str:
    data = page_data(report)
    counted = [finding for finding in data["findings"] if finding["state"] != "suppressed"]
    style = (PAGE / "report.css").read_text("utf-8")
    script = "{\n" + "".join((PAGE / name).read_text("utf-8") for name in SCRIPTS) + "}\n"
    policy = (
        f"default-src 'none'; style-src '{digest(style)}'; script-src '{digest(script)}'; base-uri 'none'; "
        "form-action 'none'"
    )
    charts = [chart("By rule", "rule", counted), chart("By folder", "folder", counted), causes(counted)]
    page = (PAGE / "report.html").read_text("utf-8")
    parts = {
        "policy": policy,
        "style": style,
        "summary": sentence(" ".join([found(report), *fixable(report)])),
        "charts": "\n".join(charts) if counted else "",
        "aside": "\n".join([*skipped(report), *notes(report)]),
        "version": escape(f"perfmod {__version__}, {report.request.command}"),
        # `<` could end the block, or begin a comment in it.
        "data": dumps(data, indent=None).replace("<", "\\u003c"),
        "script": script,
    }
    for name, part in parts.items():
        before, mark, after = page.partition(f"<!-- {name} -->")
        assert mark, name
        page = before + part + after
    return page


def sentence(text: str) -> str:
    """What stands between backticks is code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


def skipped(report: Report) -> list[str]:
    return folded("Skipped files", [f"{printable(each.path)}: {printable(each.reason)}" for each in report.skipped])


def notes(report: Report) -> list[str]:
    lines = []
    for note in report.notes:
        place = locate(note.span, report.project)
        lines.append(f"{printable(note.span.path)}:{place.line} {note.rule} {printable(note.message)}")
    return folded("Notes", lines)


def folded(title: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return [f"<details><summary>{title} ({len(lines):,})</summary><ul>{items}</ul></details>"]
