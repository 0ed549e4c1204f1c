"""perfmod fleet: the page over all repositories, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Chromium, Page

from perfmod.fleet.history import run_of
from perfmod.fleet.job import Record
from perfmod.fleet.page import page

pytestmark = pytest.mark.slow
RECORDS = [
    Record("tidy", "/src/tidy", None, "done", files=1),
    Record("bot", "/src/bot", None, "done", files=30, findings={"supervise-tasks": {"safe": 2}}, fixable=2),
    Record(
        "rates", "/src/rates", None, "done", files=4, findings={"load-once": {"manual": 9}}, left={"it may change": 9}
    ),
    Record("gone", "https://example.org/</td>gone", "v1", "failed", reason="<b>no such host</b>"),
]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder: Path = tmp_path_factory.mktemp("fleet")
    runs = [run_of("check", RECORDS[: n + 2], date=f"2026-01-0{n + 1}", seconds=1, unchanged=0) for n in range(2)]
    (folder / "index.html").write_text(page("check", RECORDS, runs))
    with Chromium(folder) as browser:
        yield browser.open((folder / "index.html").as_uri())


def names(page: Page) -> list[str]:
    """The repositories that are shown, from above."""
    code = "JSON.stringify([...document.querySelectorAll('tbody tr:not([hidden])')].map((row) => row.dataset.name))"
    return list(json.loads(page.evaluate(code)))


def click(page: Page, selector: str) -> None:
    page.evaluate(f"document.querySelector({json.dumps(selector)}).click()")


def test_it_filters_and_sorts(opened: Page) -> None:
    assert names(opened) == ["gone", "rates", "bot", "tidy"]
    for selector, shown in (
        ('[data-key=rule][data-value="load-once"]', ["rates"]),
        ('[data-key=cause][data-value="it may change"]', ["rates"]),
        ('[data-key=name][data-value="bot"]', ["bot"]),
        ('.filters [data-value="failed"]', ["gone"]),
        ('.filters [data-value="clean"]', ["tidy"]),
    ):
        click(opened, selector)
        assert names(opened) == shown
        assert opened.evaluate(f"document.querySelector({json.dumps(selector)}).ariaPressed") == "true"
        click(opened, "#reset")
        assert len(names(opened)) == 4
    opened.evaluate("search.value = 'src RATES'; search.dispatchEvent(new Event('input'))")
    assert names(opened) == ["rates"]
    click(opened, "#reset")
    for column, first, second in ((1, "bot", "gone"), (2, "rates", "gone"), (0, "bot", "tidy")):
        for expected in (first, second):
            click(opened, f"thead th:nth-child({column + 1})")
            assert names(opened)[0] == expected


def test_texts_of_repositories_stay_texts_and_nothing_is_loaded(opened: Page) -> None:
    assert opened.evaluate("document.querySelector('td.reason').textContent") == "<b>no such host</b>"
    assert opened.evaluate("document.querySelectorAll('tbody tr').length") == 4
    assert opened.evaluate("document.querySelector('.trend h2').textContent") == "Findings over 2 runs"
    assert opened.errors == [] and len(opened.requests) == 1
