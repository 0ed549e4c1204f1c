"""The reports for code hosts and other machines, held against their published formats."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
import replace_words
from playground import know
from schemas import junit_schema, validate

from perfmod.cli import main
from perfmod.config import Settings
from perfmod.model import AddModule, Finding, Note, Replace, Result, Safety, Skipped, Span
from perfmod.pipeline import Command, Report, Request, run
from perfmod.reports import FORMATS, View, parse_output, render, to_bytes
from perfmod.reports.markdown import code, escaped

HOSTILE = "a,b:c%0A|`x`\n::error::<script>alert(1)</script>]]>&\"'\x1b[31m@someone [l](http://evil) ](x.py"
WORDS = "old_safe();\n  old_unsafe(\n1);\nold_manual();\nold_note;\nold_safe(); // perfmod: ignore[replace-words]\n"
MACHINES = ["sarif", "github", "gitlab", "junit", "markdown"]


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "perfmod.rules.replace_words", replace_words)
    know(monkeypatch, replace_words.RULE)
    monkeypatch.chdir(tmp_path)


def report_of(command: Command = "check", root: Path | None = None, **settings: Any) -> Report:
    root = root or Path.cwd()
    return run(Request(command, root, (root,), Settings(select=(replace_words.RULE,), **settings)))


def hostile_report() -> Report:
    """A report whose every text wants to be markup."""
    finding = Finding(
        replace_words.RULE,
        Span(HOSTILE, 0, 3),
        HOSTILE,
        Safety.UNSAFE,
        HOSTILE,
        HOSTILE,
        (Replace(Span(HOSTILE, 0, 3), HOSTILE),),
    )
    raw = replace(finding, span=Span("raw\udce9.ts", 0, 3), message="raw\udce9")
    return replace(
        report_of(),
        results=(Result(finding), Result(raw), Result(replace(finding, message="x"), "comment")),
        skipped=(Skipped(HOSTILE, HOSTILE),),
        notes=(Note(replace_words.RULE, Span(HOSTILE, 0, 0), HOSTILE),),
    )


def many(number: int) -> Report:
    for start in range(0, number, 20):
        folder = Path(f"src/part{start // 20 % 12}")
        folder.mkdir(parents=True, exist_ok=True)
        lines = (f"const x{n} = old_{('safe', 'unsafe', 'manual')[n % 3]}({n});\n" for n in range(20))
        (folder / f"file{start}.ts").write_text("".join(lines))
    report = report_of()
    assert len(report.results) == number
    return report


# all


@pytest.mark.parametrize("name", MACHINES)
def test_hostile_texts_leave_valid_utf8(name: str) -> None:
    text = to_bytes(render(hostile_report(), name, View())).decode()
    assert "\x1b" not in text and text.endswith("\n")


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "patch"])
def test_5000_findings_take_no_time(name: str) -> None:
    report = many(5000)
    started = time.process_time()
    text = render(report, name, View())
    assert time.process_time() - started < 2
    assert len(text) > 1000


@pytest.mark.parametrize("name", FORMATS)
def test_a_suffix_names_its_format(name: str) -> None:
    for suffix in FORMATS[name]:
        assert parse_output(f"report{suffix}").format == name
    assert parse_output(f"{name}=report").format == name


@pytest.mark.parametrize("name", ["sarif", "gitlab", "json"])
@pytest.mark.parametrize("option", ["--statistics", "-v", "--color=always", "-oconcise=lines"])
def test_nothing_but_json_on_standard_output(name: str, option: str, capfd: pytest.CaptureFixture[str]) -> None:
    Path("a.ts").write_text(WORDS)
    for command in ("check", "diff", "apply"):
        with pytest.raises(SystemExit):
            main([command, "--output-format", name, option])
        assert json.loads(capfd.readouterr().out)


def test_several_reports_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    Path("a.ts").write_text(WORDS)
    outputs = {name: Path(f"report-{name}") for name in FORMATS if name != "patch"}
    with pytest.raises(SystemExit):
        main(["check", "-q", *(word for name, path in outputs.items() for word in ("-o", f"{name}={path}"))])
    report = report_of()
    for name, path in outputs.items():
        assert path.read_bytes() == to_bytes(render(report, name, View())), name
    assert "[safe]" in capfd.readouterr().out


def in_a_folder_of_a_checkout() -> Report:
    subprocess.run(["git", "init", "--quiet"], check=True)
    Path("app").mkdir()
    Path("app/a.ts").write_text("old_safe();\n")
    return report_of(root=Path("app").resolve())


@pytest.mark.parametrize("name", ["sarif", "github", "gitlab"])
def test_hosts_get_paths_of_the_repository(name: str) -> None:
    assert "app/a.ts" in render(in_a_folder_of_a_checkout(), name, View())


# sarif


def sarif_of(report: Report) -> Any:
    log = json.loads(render(report, "sarif", View()))
    validate(log, "sarif-2.1.0")
    assert log["version"] == "2.1.0" and log["$schema"].endswith("/sarif-schema-2.1.0.json")
    (only,) = log["runs"]
    rules = only["tool"]["driver"]["rules"]
    for result in only["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    return only


@pytest.mark.parametrize("command", ["check", "diff", "apply"])
def test_sarif_fits_the_schema_of_the_standard(command: Command) -> None:
    Path("a.ts").write_text(WORDS)
    Path("b.py").write_text("old_helper()\n")
    Path("c.ts").write_bytes(b"old_safe(\n")
    Path("d.ts").write_bytes(b"x\n" * 1_500_000)
    log = sarif_of(report_of(command))
    expected = {"check": 6, "diff": 6, "apply": 4}  # what apply mended is left out
    assert len(log["results"]) == expected[command]
    assert [r["suppressions"] for r in log["results"]].count([{"kind": "inSource", "status": "accepted"}]) == 1
    assert [r["level"] for r in log["results"] if r["ruleId"] == "parse-error"] == ["error"]
    said = log["invocations"][0]["toolExecutionNotifications"]
    assert [notification["level"] for notification in said] == ["warning", "note"]
    assert any("fixes" in result for result in log["results"]) == (command != "apply")


def test_sarif_of_nothing_and_of_hostile_texts() -> None:
    assert sarif_of(report_of())["results"] == []
    log = sarif_of(hostile_report())
    places = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in log["results"]]
    assert unquote_to_bytes(places[0]).decode() == HOSTILE
    assert unquote_to_bytes(places[1]) == b"raw\xe9.ts"
    assert all(re.fullmatch(r"[\w/.%~-]+", place, re.ASCII) for place in places)


def test_sarif_describes_every_rule() -> None:
    rules = {rule["id"]: rule for rule in sarif_of(report_of())["tool"]["driver"]["rules"]}
    assert rules[replace_words.RULE]["shortDescription"]["text"] == "Replace old words by new ones."
    assert rules[replace_words.RULE]["fullDescription"]["text"] == "Old words are out of date."
    assert set(rules) == {replace_words.RULE, "parse-error", "ignore-comment"}


def test_sarif_describes_the_real_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    root = Path(__file__).parent.parent / "fixtures/select-columns/basic/before"
    log = sarif_of(run(Request("check", root, (root,), Settings())))
    assert len(log["tool"]["driver"]["rules"]) > 2
    assert all(len(rule["fullDescription"]["text"]) <= 1024 for rule in log["tool"]["driver"]["rules"])


def apply_fix(fix: Any) -> None:
    """What an editor does with a fix: its regions, counted in characters."""
    for change in fix["artifactChanges"]:
        path = Path(change["artifactLocation"]["uri"])
        text = path.read_bytes().decode() if path.exists() else ""
        lines = text.splitlines(keepends=True)

        def offset(line: int, column: int, lines: list[str] = lines) -> int:
            return sum(map(len, lines[: line - 1])) + column - 1

        for edit in reversed(change["replacements"]):
            region = edit["deletedRegion"]
            start = offset(region["startLine"], region["startColumn"])
            end = offset(region["endLine"], region["endColumn"])
            text = text[:start] + edit["insertedContent"]["text"] + text[end:]
        path.write_bytes(text.encode())


def test_sarif_fixes_do_what_apply_does() -> None:
    source = "x = 'é日'; old_helper()\r\nold_manual()\r\n"
    Path("a.py").write_bytes(source.encode())
    results = sarif_of(report_of())["results"]
    assert "fixes" not in results[1]
    apply_fix(results[0]["fixes"][0])
    made = {path.name: path.read_bytes() for path in Path().glob("*.py")}
    Path("background_tasks.py").unlink()
    Path("a.py").write_bytes(source.encode())
    report_of("apply")
    assert made == {path.name: path.read_bytes() for path in Path().glob("*.py")}
    assert sorted(made) == ["a.py", "background_tasks.py"]


def test_a_helper_that_is_there_is_not_created_again() -> None:
    Path("a.py").write_text("old_helper()\n")
    Path("background_tasks.py").write_text("x = 1\n")
    assert isinstance(report_of().results[0].finding.intents[1], AddModule)
    (fix,) = sarif_of(report_of())["results"][0]["fixes"]
    assert [change["artifactLocation"]["uri"] for change in fix["artifactChanges"]] == ["a.py"]


# github


def test_annotations() -> None:
    Path("a.ts").write_text(WORDS)
    Path("b.ts").write_text("old_safe(\n")
    lines = render(report_of(), "github", View()).splitlines()
    assert lines[:3] == [
        "::warning file=a.ts,line=1,col=1,endColumn=10,title=perfmod (replace-words)::"
        "`old_safe` is out of date.%0AFix (safe): Write `new` instead of `old`",
        "::warning file=a.ts,line=2,endLine=3,title=perfmod (replace-words)::`old_unsafe` is out of date.%0A"
        "Fix (unsafe): Write `new` instead of `old`%0AUnsafe: its type is unknown: `loop`",
        "::warning file=a.ts,line=4,col=1,endColumn=12,title=perfmod (replace-words)::"
        "`old_manual` is out of date.%0AManual: inside `__del__`: `Runner.__del__`",
    ]
    assert re.match(r"::error file=b\.ts,line=1,col=\d,endColumn=\d,title=perfmod \(parse-error\)::This file", lines[3])


def read_command(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as the runner reads it."""
    match = re.fullmatch(r"::(\w+) (.*?)::(.*)", line)
    assert match is not None, line
    properties = dict(pair.split("=", 1) for pair in match[2].split(","))
    for escape, sign in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        properties = {name: value.replace(escape, sign) for name, value in properties.items()}
    return match[1], properties, match[3].replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")


def test_annotations_of_hostile_texts() -> None:
    lines = render(hostile_report(), "github", View()).splitlines()
    assert len(lines) == 2 and all(line.startswith("::warning file=") for line in lines)
    _, properties, message = read_command(lines[0])
    shown = HOSTILE.replace("\x1b", "\\x1b")
    assert properties["file"] == shown
    assert message == f"{shown}\nFix (unsafe): {shown}\nUnsafe: {shown}"


# gitlab


def test_gitlab_code_quality() -> None:
    Path("a.ts").write_text("old_safe();\n" * 3 + "old_manual(\n);\n")
    Path("b.ts").write_text("old_safe(\n")
    issues = json.loads(render(report_of(), "gitlab", View()))
    for issue in issues:
        assert {"description", "check_name", "fingerprint", "severity", "location"} <= set(issue)
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert issue["location"]["path"] and issue["location"]["lines"]["begin"] >= 1
        assert not issue["location"]["path"].startswith(("./", "/"))
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == 5
    assert issues[3]["location"] == {"path": "a.ts", "lines": {"begin": 4, "end": 5}}
    assert [issue["severity"] for issue in issues] == ["major"] * 4 + ["critical"]
    assert render(replace(report_of(), results=()), "gitlab", View()) == "[]\n"


def test_gitlab_leaves_out_what_is_suppressed_or_mended() -> None:
    Path("a.ts").write_text(WORDS)
    assert len(json.loads(render(report_of(), "gitlab", View()))) == 3
    assert len(json.loads(render(report_of("apply"), "gitlab", View()))) == 2


# junit


def suites_of(report: Report) -> ElementTree.Element:
    return ElementTree.fromstring(to_bytes(render(report, "junit", View())))


def test_junit_counts() -> None:
    Path("a.ts").write_text(WORDS)
    Path("b.ts").write_text("old_safe();\n")
    suites = suites_of(report_of())
    assert suites.attrib == {"name": "perfmod", "tests": "5", "failures": "4", "errors": "0"}
    first, second = suites
    assert first.attrib == {"name": "a.ts", "tests": "4", "failures": "3", "errors": "0", "skipped": "1"}
    assert second.get("tests") == "1"
    failure = first[2][0]
    assert failure.get("type") == "replace-words [manual]"
    assert failure.get("message") == "`old_manual` is out of date."
    assert failure.text == ("a.ts:4:1: `old_manual` is out of date.\nManual: inside `__del__`: `Runner.__del__`")
    assert first[0].get("name") == "replace-words at 1:1"
    assert first[3][0].attrib == {"message": "suppressed by comment"}


def test_a_clean_run_is_a_test_that_passed() -> None:
    (suite,) = suites_of(report_of())
    assert suite.get("tests") == "1" and suite.get("failures") == "0"
    assert len(suite[0]) == 0


def test_junit_of_hostile_texts() -> None:
    suites = suites_of(hostile_report())
    assert suites[0].get("name") == HOSTILE.replace("\x1b", "\\x1b")
    assert suites[1].get("name") == "raw\\udce9.ts"
    assert {element.tag for element in suites.iter()} == {"testsuites", "testsuite", "testcase", "failure", "skipped"}


@pytest.mark.slow
def test_junit_fits_the_schema_of_jenkins() -> None:
    import xmlschema

    schema = xmlschema.XMLSchema(str(junit_schema()))
    Path("a.ts").write_text(WORDS)
    for report in (report_of(), replace(report_of(), results=()), hostile_report()):
        schema.validate(render(report, "junit", View()).encode())


# markdown


def tokens_of(text: str) -> list[Any]:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table").parse(text)


def cells_of(text: str) -> list[list[list[Any]]]:
    """The inline tokens of every cell of every table row."""
    rows: list[list[list[Any]]] = []
    for token in tokens_of(text):
        if token.type == "tr_open":
            rows.append([])
        if token.type == "inline" and token.map and rows and token.level >= 4:
            rows[-1].append(token.children)
    return rows


def test_markdown() -> None:
    Path("a.ts").write_text(WORDS)
    assert render(report_of(), "markdown", View()) == (
        "## perfmod: 3 findings in 1 of 1 file (1 suppressed)\n"
        "\n"
        "| rule | safe | unsafe | manual | total |\n"
        "| --- | ---: | ---: | ---: | ---: |\n"
        "| `replace-words` | 1 | 1 | 1 | 3 |\n"
        "\n"
        "1 fixable with `perfmod apply`, 1 more with --unsafe-fixes.\n"
        "\n"
        "<details><summary>Why findings are left</summary>\n"
        "\n"
        "- 1 left: inside `__del__`\n"
        "- 1 unsafe: its type is unknown\n"
        "\n"
        "</details>\n"
        "\n"
        "| place | rule | finding |\n"
        "| --- | --- | --- |\n"
        "| `a.ts:1` | `replace-words` | `old_safe` is out of date.<br>Fix: Write `new` instead of `old` |\n"
        "| `a.ts:2` | `replace-words` | `old_unsafe` is out of date.<br>Fix: Write `new` instead of `old`"
        "<br>Unsafe: its type is unknown: `loop` |\n"
        "| `a.ts:4` | `replace-words` | `old_manual` is out of date.<br>Manual: inside `__del__`: `Runner.__del__` |\n"
    )
    assert render(report_of("apply"), "markdown", View()).startswith("## perfmod: 2 findings in 1 of 1 file")


def test_markdown_of_nothing() -> None:
    assert render(report_of(), "markdown", View()) == "## perfmod: 0 findings: no files here that perfmod reads\n"


def test_markdown_of_hostile_texts() -> None:
    text = render(hostile_report(), "markdown", View())
    kinds = {child.type for token in tokens_of(text) for child in token.children or ()}
    assert kinds <= {"text", "code_inline", "html_inline", "text_special"}
    html = {child.content for token in tokens_of(text) for child in token.children or () if child.type == "html_inline"}
    assert html == {"<br>"}
    blocks = {token.content.strip() for token in tokens_of(text) if token.type == "html_block"}
    assert blocks <= {"</details>"} | {b for b in blocks if b.startswith("<details><summary>")}
    assert {len(row) for row in cells_of(text)} == {3, 5}
    shown = cells_of(text)[3][0][0].content
    assert shown == HOSTILE.replace("\n", "\\n").replace("\x1b", "\\x1b") + ":1"
    assert not re.search(r"@\w", re.sub(r"`+.*?`+", "", text))
    assert not re.search(r"(?<!\\)://", re.sub(r"`+.*?`+", "", text))


@pytest.mark.parametrize("text", ["a", "`", "``", "`a", "a`", " a ", "a|b", "``a`", "\\", "\n"])
def test_code_spans_show_what_they_were_given(text: str) -> None:
    table = f"| x |\n| --- |\n| {code(text)} |\n"
    (span,) = cells_of(table)[1][0]
    assert span.type == "code_inline"
    assert span.content == text.replace("\n", "\\n")


SENTENCES = "*a* _a_ __a__ a_b_c _a_b_c__ [a](b) <b> a|b ~~a~~ ![a](b) &lt; \\* $a$ `".split()


@pytest.mark.parametrize("text", ["# a", "_a b_", *SENTENCES])
def test_sentences_are_no_markup(text: str) -> None:
    table = f"| x |\n| --- |\n| {escaped(text)} |\n"
    assert "".join(child.content for child in cells_of(table)[1][0]) == text


def test_a_long_markdown_fits_in_a_comment() -> None:
    text = render(many(5000), "markdown", View())
    assert 50_000 < len(text) < 65_536
    rows = text.count("| `src/")
    assert f"… and {5000 - rows} more" in text
