"""The page over the whole fleet: charts over all repositories, the trend, and a row for each that links to its page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path

from perfmod import __version__
from perfmod.fleet.history import Run
from perfmod.fleet.job import Record
from perfmod.fleet.page.trend import trend
from perfmod.fleet.results import RESULTS
from perfmod.fleet.summary import by_rule, left, said
from perfmod.model import Safety
from perfmod.reports.html import PAGE as REPORTS
from perfmod.reports.html import filled, sentence
from perfmod.reports.page.charts import causes, chart

HERE = Path(__file__).parent
BARS = 30  # repositories in their chart


def page(command: str, records: Sequence[Record], history: Sequence[Run]) -> str:
    """One file; it links to the pages of the repositories."""
    counts = {r.name: Counter({str(safety): r.of_safety(safety) for safety in Safety}) for r in records if r.total}
    most = dict(sorted(counts.items(), key=lambda item: (-item[1].total(), item[0]))[:BARS])
    charts = [chart("By rule", "rule", by_rule(records)), chart("Most findings", "name", most), causes(left(records))]
    parts = {
        "title": escape(f"perfmod fleet {command}"),
        "summary": sentence(said(command, records)),
        "charts": "\n".join(charts) if counts else "",
        "trend": trend(history),
        "rows": "\n".join(row(command, record) for record in sorted(records, key=urgency)),
        "last": "fixed" if command == "apply" else "fixable",
        "version": escape(f"perfmod {__version__}, fleet {command}"),
    }
    return filled(HERE / "fleet.html", (REPORTS / "report.css", HERE / "fleet.css"), (HERE / "fleet.js",), parts)


def urgency(record: Record) -> tuple[bool, int, str]:
    """What a person looks at first: what failed, then what has most findings."""
    return record.status != "failed", -record.open, record.name


def row(command: str, record: Record) -> str:
    """A repository. What the filters look at stands in data attributes: a line for each value."""
    state = "failed" if record.status == "failed" else "open" if record.open else "clean"
    data = {
        "name": record.name,
        "rule": "\n".join(record.findings),
        "cause": "\n".join(record.left),
        "state": state,
    }
    attributes = "".join(f' data-{key}="{escape(value)}"' for key, value in data.items())
    name = escape(record.name)
    place = escape(" ".join(filter(None, (record.location, record.ref, record.commit and record.commit[:12]))))
    if record.status == "failed":
        why = f'<td class="reason" colspan="6">{escape(record.reason or "")}</td>'
        return f'<tr{attributes}><th scope="row">{name}<small>{place}</small></th>{why}</tr>'
    last = record.applied if command == "apply" else record.fixable
    numbers = (record.files, record.total, *map(record.of_safety, Safety), last)
    cells = "".join(f"<td>{number:,}</td>" if number else "<td></td>" for number in numbers)
    link = f'<a href="{RESULTS}/{name}/page.html">{name}</a>'
    return f'<tr{attributes}><th scope="row">{link}<small>{place}</small></th>{cells}</tr>'
