"""The html report: its contents, and the page in a real browser."""

from __future__ import annotations

import json
import re
import sys
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from typing import Any

import pytest
import replace_words
from chromium import Chromium, Page
from playground import know

from perfmod.config import Settings
from perfmod.model import Finding, Note, Replace, Result, Safety, Skipped, Span
from perfmod.pipeline import Command, Report, Request, run
from perfmod.render import apply_edits
from perfmod.reports import View, render, to_bytes
from perfmod.reports.page.data import folders_of
from perfmod.reports.page.hunks import LONGEST, hunks_of
from perfmod.source.text import Text

HOSTILE = "</script><script>document.title='bad'</script><!--<img src=x onerror=alert(1)>\"'&`\x1b\u2028.ts"
SCREENSHOTS = Path(__file__).parent.parent / ".cache" / "screenshots"


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "perfmod.rules.replace_words", replace_words)
    know(monkeypatch, replace_words.RULE)
    monkeypatch.chdir(tmp_path)


def report_of(command: Command = "check", **settings: Any) -> Report:
    root = Path.cwd()
    return run(Request(command, root, (root,), Settings(select=(replace_words.RULE,), **settings)))


def page_of(report: Report) -> str:
    return to_bytes(render(report, "html", View())).decode()


def data_of(page: str) -> Any:
    block = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert block is not None
    return json.loads(block[1])


def some_files() -> None:
    """Findings of every kind, in folders."""
    for folder in ("app", "app/api", "web/src"):
        Path(folder).mkdir(parents=True, exist_ok=True)
    Path("app/main.py").write_text(
        "import os\n\n\ndef main(count: int) -> None:\n    # a comment\n    text = f'{count} times'\n"
        "    old_helper(text)\n    return os.getpid()\n"
    )
    Path("app/api/routes.py").write_text("x = 1\nold_unsafe(x)\n" + "y = 2\n" * 20 + "old_manual(\n    x,\n)\n")
    Path("web/src/view.tsx").write_text(
        "import x from 'x';\n\nexport function View() {\n  const shown = old_safe(1);\n  return <b>{shown}</b>;\n}\n"
        "old_safe(); // perfmod: ignore[replace-words]\nold_note;\n"
    )
    Path("web/src/bad.ts").write_text("old_safe(\n")


def hostile_report() -> Report:
    Path("a.ts").write_text("old_safe();\n" + HOSTILE.replace("\u2028", "") + "\n")
    finding = Finding(
        replace_words.RULE,
        Span(HOSTILE, 0, 3),
        HOSTILE,
        Safety.UNSAFE,
        HOSTILE,
        HOSTILE,
        (Replace(Span("a.ts", 0, 3), HOSTILE),),
    )
    raw = replace(finding, span=Span("raw\udce9.ts", 0, 3), message="raw\udce9")
    return replace(
        report_of(),
        results=(Result(finding), Result(raw)),
        skipped=(Skipped(HOSTILE, HOSTILE),),
        notes=(Note(replace_words.RULE, Span(HOSTILE, 0, 0), HOSTILE),),
    )


# What stands in the page


class Reader(HTMLParser):
    """Every element, and what could load or run something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


def test_the_page_is_complete_and_loads_nothing() -> None:
    some_files()
    page = page_of(report_of())
    reader = Reader(page)
    assert {"link", "img", "iframe", "object", "base"}.isdisjoint(reader.tags)
    assert {"src", "href", "style", "srcset"}.isdisjoint(reader.attributes)
    assert not [name for name in reader.attributes if name.startswith("on")]
    assert reader.tags.count("script") == 2 and reader.tags.count("style") == 1
    code = page.replace(json.dumps(data_of(page), ensure_ascii=False).replace("<", "\\u003c"), "")
    assert len(code) < len(page)
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|https?:", code)


def test_the_policy_allows_this_script_and_nothing_else() -> None:
    page = page_of(report_of())
    assert "default-src 'none'" in page
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    assert style is not None and script is not None
    for kind, part in (("style", style[1]), ("script", script[1])):
        assert f"{kind}-src 'sha256-{b64encode(sha256(part.encode()).digest()).decode()}'" in page


def test_hostile_texts_are_only_data() -> None:
    page = page_of(hostile_report())
    reader = Reader(page)
    assert reader.tags.count("script") == 2 and "img" not in reader.tags
    data = data_of(page)
    assert data["findings"][0]["message"] == HOSTILE
    assert data["findings"][1]["path"] == "raw\\udce9.ts"


def test_findings_say_everything() -> None:
    some_files()
    data = data_of(page_of(report_of()))
    by_line = {(finding["path"], finding["line"]): finding for finding in data["findings"]}
    unsafe = by_line["app/api/routes.py", 2]
    assert {key: unsafe[key] for key in ("rule", "safety", "state", "title", "reason", "cause", "folder")} == {
        "rule": "replace-words",
        "safety": "unsafe",
        "state": "open",
        "title": "Write `new` instead of `old`",
        "reason": "its type is unknown: `loop`",
        "cause": "its type is unknown",
        "folder": "app/api",
    }
    assert by_line["app/main.py", 7]["creates"] == ["background_tasks.py"]
    assert data["created"]["background_tasks.py"][0].startswith("# perfmod: ")
    assert by_line["web/src/view.tsx", 7]["state"] == "suppressed"
    assert by_line["app/api/routes.py", 23]["code"]["mark"] == [2, 0, 4, 1]
    assert data["rules"]["replace-words"]["title"] == "Replace old words by new ones."
    assert len({finding["id"] for finding in data["findings"]}) == len(data["findings"])


def test_after_apply_the_page_says_what_was_fixed() -> None:
    some_files()
    states = [finding["state"] for finding in data_of(page_of(report_of("apply")))["findings"]]
    assert sorted(set(states)) == ["fixed", "open", "suppressed"]


def test_folders_are_as_deep_as_the_chart_has_room_for() -> None:
    few = ["a/b/c/x.py", "a/b/y.py", "z.py"]
    assert list(folders_of(few).values()) == ["a/b/c", "a/b", "."]
    many = [f"app/part{number}/deep{number}/x.py" for number in range(30)]
    assert set(folders_of(many).values()) == {"app"}
    flat = [f"part{number:02}/x.py" for number in range(30)]
    assert len(set(folders_of(flat).values())) == 13 and "elsewhere" in folders_of(flat).values()
    assert folders_of([]) == {}


# Hunks


def edit(start: int, end: int, text: str) -> Replace:
    return Replace(Span("a.py", start, end), text)


def patched(text: Text, edits: list[Replace]) -> list[str]:
    """The old lines with the hunks made, as a reader of the page would see the new ones."""
    lines = text.utf8.decode().removesuffix("\n").split("\n")
    made: list[str] = []
    place = 1
    for hunk in hunks_of(text, edits):
        made += lines[place - 1 : hunk["old"] - 1]
        assert hunk["new"] == len(made) + 1
        place = hunk["old"]
        for piece in hunk["pieces"]:
            assert lines[place - 1 : place - 1 + len(piece[0])] == piece[0]
            made += piece[-1]
            place += len(piece[0])
    return made + lines[place - 1 :]


def test_hunks_show_the_lines_of_any_edits() -> None:
    random = Random(7)
    for _ in range(300):
        source = "".join(random.choice("ab\n") for _ in range(random.randint(1, 60))) + "\n"
        text = Text("a.py", source.encode())
        cuts = sorted(random.sample(range(len(source)), min(len(source), random.choice([2, 4, 6]))))
        edits = [
            edit(start, end, random.choice(["", "c", "c\nd", "\n", "e\n"]))
            for start, end in zip(cuts[::2], cuts[1::2], strict=False)
        ]
        new = apply_edits(text.utf8, edits).decode()
        shown = patched(text, edits)
        assert "\n".join(shown).rstrip("\n") == new.rstrip("\n"), (source, edits)


def test_an_inserted_import_is_one_line() -> None:
    text = Text("a.py", b"import a\nimport b\n\nx = 1\n")
    (hunk,) = hunks_of(text, [edit(9, 9, "import aa\n")])
    assert hunk["pieces"] == [[["import a"]], [[], ["import aa"]], [["import b", "", "x = 1"]]]


def test_far_edits_are_two_hunks() -> None:
    text = Text("a.py", b"x = 1\n" * 40)
    hunks = list(hunks_of(text, [edit(0, 1, "y"), edit(6 * 30, 6 * 30 + 1, "y\ny")]))
    assert [(hunk["old"], hunk["new"]) for hunk in hunks] == [(1, 1), (28, 28)]


def test_long_lines_are_cut_around_what_changed() -> None:
    text = Text("a.js", b"a" * 5000 + b"old" + b"b" * 5000 + b"\n" + b"c" * 5000 + b"\n")
    (hunk,) = hunks_of(text, [edit(5000, 5003, "new")])
    (old,), (new,) = hunk["pieces"][0]
    assert "aold" in old and "anew" in new and max(len(old), len(new)) <= LONGEST + 1
    assert len(hunk["pieces"][1][0][0]) == LONGEST


# In a browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def opened(browser: Chromium, report: Report, name: str = "report", **size: Any) -> Page:
    path = Path(f"{name}.html")
    path.write_bytes(to_bytes(render(report, "html", View())))
    return browser.open(path.resolve().as_uri(), **size)


def shown(page: Page) -> list[str]:
    """The findings in the list that a reader sees."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('.finding')].filter(e => e.checkVisibility())"
        ".map(e => e.closest('.file').ariaLabel + ':' + e.querySelector('.where').textContent)"
    )
    return found


def heading(page: Page) -> str:
    return str(page.evaluate("document.querySelector('#detail h3')?.textContent ?? ''"))


def clean(page: Page) -> None:
    """Nothing was asked for but the page itself, and nothing went wrong."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => done(1)))")
    assert page.errors == []
    assert [request for request in page.requests if not request.startswith("file:")] == []
    assert len(page.requests) == 1


@pytest.mark.slow
def test_filters(browser: Chromium) -> None:
    some_files()
    page = opened(browser, report_of())
    everything = shown(page)
    assert len(everything) == 5
    assert page.evaluate("document.getElementById('shown').textContent") == "5 of 6 findings"
    page.press("/")
    page.type("ROUTES unsafe")
    assert shown(page) == ["app/api/routes.py:2:1"]
    assert heading(page) == "app/api/routes.py:2:1"
    page.press("Escape")
    assert shown(page) == everything
    page.click("[data-key=safety][data-value=safe]")
    assert shown(page) == ["app/main.py:7:5", "web/src/view.tsx:4:17"]
    page.click("[data-key=safety][data-value=unsafe]")
    assert len(shown(page)) == 3
    page.click("[data-key=folder][data-value='web/src']")
    assert shown(page) == ["web/src/view.tsx:4:17"]
    assert page.evaluate("document.querySelector('[data-value=\"web/src\"]').ariaPressed") == "true"
    page.click("#reset")
    assert shown(page) == everything
    page.click("[data-key=state][data-value=suppressed]")
    assert shown(page) == ["web/src/view.tsx:7:1"]
    page.press("r")
    page.click("[data-key=cause][data-value='its type is unknown']")
    assert shown(page) == ["app/api/routes.py:2:1"]
    page.press("r")
    page.click("[data-key=rule][data-value='parse-error']")
    assert [place.partition(":")[0] for place in shown(page)] == ["web/src/bad.ts"]
    page.press("/")
    page.type("nothing like it")
    assert shown(page) == [] and "No finding fits" in page.evaluate("document.getElementById('detail').textContent")
    clean(page)


@pytest.mark.slow
def test_keys(browser: Chromium) -> None:
    some_files()
    page = opened(browser, report_of())
    places = shown(page)
    assert heading(page) == places[0]
    for key, place in (("j", 1), ("j", 2), ("k", 1), ("n", 2), ("n", 3), ("p", 2), ("ArrowDown", 3), ("ArrowUp", 2)):
        page.press(key)
        assert heading(page) == places[place], key
    page.press("End")
    assert heading(page) == places[-1]
    page.press("j")
    assert heading(page) == places[-1]
    page.press("Home")
    assert heading(page) == places[0]
    assert page.evaluate("document.querySelectorAll('[aria-selected=true]').length") == 1
    page.press("?")
    assert page.evaluate("document.getElementById('keys').open")
    page.press("Escape")
    assert not page.evaluate("document.getElementById('keys').open")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.press("t")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    page.press("t")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == before
    page.press("/")
    page.type("j")
    assert page.evaluate("document.activeElement.id") == "search"
    page.press("Enter")
    assert page.evaluate("document.activeElement.id") == "list"
    clean(page)


@pytest.mark.slow
def test_the_address_names_the_finding(browser: Chromium) -> None:
    some_files()
    page = opened(browser, report_of())
    page.press("j")
    address = page.evaluate("location.href")
    assert "#" in address
    again = browser.open(address)
    assert heading(again) == heading(page) == shown(page)[1]


@pytest.mark.slow
def test_a_diff_side_by_side(browser: Chromium) -> None:
    some_files()
    page = opened(browser, report_of())
    page.click(".finding[data-number='2']")
    assert heading(page).startswith("app/main.py")
    assert page.evaluate("document.querySelector('.row > .old:not(.number)').textContent") == "    old_helper(text)"
    assert page.evaluate("document.querySelector('.row > .new:not(.number)').textContent") == "    new_helper(text)"
    assert page.evaluate("[...document.querySelectorAll('mark')].map(e => e.textContent)") == ["old", "new"]
    sides = page.evaluate("[...document.querySelector('.row.equal').children].map(e => e.getBoundingClientRect().x)")
    assert sides == sorted(sides) and len(sides) == 4
    kinds = page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('.row span')].map(e => [e.textContent, e.className]))"
    )
    assert kinds["def"] == "k" and kinds["# a comment"] == "c" and kinds["f'{count} times'"] == "s"
    page.click("#detail details summary")
    page.wait_for("document.querySelector('#detail details').childElementCount > 1")
    assert "def create_background_task" in page.evaluate("document.querySelector('#detail details').textContent")
    clean(page)


@pytest.mark.slow
def test_hostile_texts_in_a_browser(browser: Chromium) -> None:
    page = opened(browser, hostile_report())
    assert page.evaluate("document.title") == "perfmod report"
    page.press("j")
    assert heading(page).startswith("raw\\udce9.ts")
    assert page.evaluate("document.images.length") == 0
    clean(page)


@pytest.mark.slow
def test_nothing_found(browser: Chromium) -> None:
    page = opened(browser, report_of())
    assert "0 findings" in page.evaluate("document.body.innerText")
    page.click("#help")
    assert page.evaluate("document.getElementById('keys').open")
    clean(page)


@pytest.mark.slow
def test_5000_findings_in_a_browser(browser: Chromium) -> None:
    for number in range(250):
        folder = Path(f"src/part{number % 20}")
        folder.mkdir(parents=True, exist_ok=True)
        lines = (f"const x{n} = old_{('safe', 'unsafe', 'manual')[n % 3]}({n});\n" for n in range(20))
        (folder / f"file{number}.ts").write_text("".join(lines))
    page = opened(browser, report_of())
    assert page.evaluate("document.getElementById('shown').textContent") == "5,000 of 5,000 findings"
    spent = page.evaluate(
        "(() => { const s = performance.now(); const i = document.getElementById('search'); i.value = 'file7 manual';"
        " i.dispatchEvent(new Event('input')); document.body.offsetHeight; return performance.now() - s; })()"
    )
    assert spent < 1000  # milliseconds; a tenth of it on an idle machine
    assert len(shown(page)) == 11 * 6
    page.press("r")
    page.press("End")
    assert heading(page).endswith(":20:13")
    clean(page)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "width", "height", "dark"), [("wide", 1280, 900, False), ("narrow", 420, 900, True)])
def test_nothing_overflows(browser: Chromium, name: str, width: int, height: int, dark: bool) -> None:
    """Screenshots for the eye are left in .cache/screenshots."""
    some_files()
    page = opened(browser, report_of(), width=width, height=height, dark=dark)
    page.press("j")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wide = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert wide == dark
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(SCREENSHOTS / f"html-{name}.png")
    clean(page)
