"""One self-contained page: charts, the list with filters, side-by-side diffs, the reasons of what was left.

Everything from the checkout is data: it stands in a JSON block that the script turns into text nodes, or is escaped.
The content security policy lets nothing run but the script of this page, and nothing be loaded at all.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from perfmod import __version__
from perfmod.reports.json import dumps
from perfmod.reports.page.charts import causes, chart, counts_by
from perfmod.reports.page.data import page_data
from perfmod.reports.places import locate, printable
from perfmod.reports.summary import fixable, found

if TYPE_CHECKING:
    from perfmod.pipeline import Report
    from perfmod.reports import View

PAGE = Path(__file__).parent / "page"
SCRIPTS = tuple(PAGE / name for name in ("colors.js", "diff.js", "report.js"))


def render(report: Report, view: View) -> str:
    return page_of(report, "perfmod report")


def page_of(report: Report, title: str) -> str:
    """The page under a title of its own."""
    data = page_data(report)
    counted = [finding for finding in data["findings"] if finding["state"] != "suppressed"]
    charts = [chart(f"By {key}", key, counts_by(key, counted)) for key in ("rule", "folder")]
    charts.append(causes(Counter(finding["cause"] for finding in counted if "cause" in finding)))
    parts = {
        "title": escape(title),
        "summary": sentence(" ".join([found(report), *fixable(report)])),
        "charts": "\n".join(charts) if counted else "",
        "aside": "\n".join([*skipped(report), *notes(report)]),
        "version": escape(f"perfmod {__version__}, {report.request.command}"),
        # `<` could end the block, or begin a comment in it.
        "data": dumps(data, indent=None).replace("<", "\\u003c"),
    }
    return filled(PAGE / "report.html", (PAGE / "report.css",), SCRIPTS, parts)


def filled(template: Path, styles: Sequence[Path], scripts: Sequence[Path], parts: Mapping[str, str]) -> str:
    """A page from its template: `parts` go where their names stand; nothing but its own style and script may run."""
    style = "".join(path.read_text("utf-8") for path in styles)
    script = "{\n" + "".join(path.read_text("utf-8") for path in scripts) + "}\n"
    policy = (
        f"default-src 'none'; style-src '{digest(style)}'; script-src '{digest(script)}'; base-uri 'none'; "
        "form-action 'none'"
    )
    named = {"policy": policy, "style": style, "script": script, **parts}
    return re.sub(r"<!-- (\w+) -->", lambda mark: named[mark[1]], template.read_text("utf-8"))


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
