"""The reports: what stands in them, byte for byte, and that machines can read them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import pytest
import replace_words
from playground import know

from perfmod.config import Settings
from perfmod.model import Change, Finding, Safety, Span
from perfmod.pipeline import Command, Report, Request, run
from perfmod.reports import FORMATS, View, load_format, render, to_bytes
from perfmod.reports.patch import patch_of
from perfmod.reports.places import printable


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "perfmod.rules.replace_words", replace_words)
    know(monkeypatch, replace_words.RULE)
    monkeypatch.chdir(tmp_path)


def report_of(command: Command = "check", **settings: Any) -> Report:
    """The report on the work folder."""
    root = Path.cwd()
    return run(Request(command, root, (root,), Settings(select=(replace_words.RULE,), **settings)))


def git(*arguments: str, patch: bytes | None = None) -> bytes:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, input=patch).stdout


# text


def frame_of(text: str, width: int = 100) -> str:
    """The first block of the text report on a file."""
    Path("a.ts").write_bytes(text.encode())
    return render(report_of(), "text", View(width=width, quiet=True)).partition("\n\n")[0] + "\n"


def test_a_finding_with_its_code() -> None:
    assert frame_of("// one\n\n\nconst x = old_unsafe(1);\nconst y = 2;\n\n") == (
        "a.ts:4:11 replace-words [unsafe]\n"
        "  |\n"
        "4 | const x = old_unsafe(1);\n"
        "  |           ^^^^^^^^^^^^^\n"
        "5 | const y = 2;\n"
        "  why    `old_unsafe` is out of date.\n"
        "  fix    Write `new` instead of `old`\n"
        "  unsafe its type is unknown: `loop`\n"
    )


def test_a_span_over_some_lines() -> None:
    assert frame_of("// one\n\nold_manual(\n  1,\n  2,\n)\n// end") == (
        "a.ts:3:1 replace-words [manual]\n"
        "  |\n"
        "1 | // one\n"
        "2 |\n"
        "3 | old_manual(\n"
        "  | ^^^^^^^^^^^\n"
        "4 |   1,\n"
        "5 |   2,\n"
        "6 | )\n"
        "  | ^\n"
        "7 | // end\n"
        "  why    `old_manual` is out of date.\n"
        "  manual inside `__del__`: `Runner.__del__`\n"
    )


def test_the_middle_of_a_long_span_is_left_out() -> None:
    frame = frame_of("old_safe(\n" + "  1,\n" * 20 + ")\n")
    assert frame.splitlines()[2:12] == [
        " 1 | old_safe(",
        "   | ^^^^^^^^^",
        " 2 |   1,",
        " 3 |   1,",
        " 4 |   1,",
        ".. |",
        "19 |   1,",
        "20 |   1,",
        "21 |   1,",
        "22 | )",
    ]


def test_tabs_and_wide_letters_keep_the_mark_in_place() -> None:
    lines = frame_of("\tx('日本'); old_safe();\t// é\n").splitlines()
    assert lines[2] == "1 |     x('日本'); old_safe();    // é"
    assert lines[3] == "  | " + " " * 15 + "^^^^^^^^^^"
    assert lines[0].startswith("a.ts:1:11 ")


def test_long_lines_are_cut_around_the_mark() -> None:
    lines = frame_of("x = [" + "1, " * 100 + "old_safe(), " + "2, " * 100 + "];\n", width=60).splitlines()
    assert lines[2].startswith("1 | …") and lines[2].endswith("…") and len(lines[2]) <= 60
    start = lines[3].index("^")
    assert lines[2][start:].startswith("old_safe()") and lines[3].count("^") == len("old_safe()")


def test_a_mark_longer_than_the_line_is_cut() -> None:
    lines = frame_of("old_safe(" + "1" * 300 + ");\n", width=60).splitlines()
    assert len(lines[2]) == len(lines[3]) == 60


def test_control_characters_do_not_reach_the_terminal() -> None:
    frame = frame_of("x = '\x1b[31m\x07'; old_safe();\f\n")
    assert "x = '·[31m·'; old_safe();·" in frame
    assert "\x1b" not in frame and "\x07" not in frame and "\f" not in frame


def test_line_ends_are_not_part_of_a_frame() -> None:
    assert "\r" not in frame_of("x\r\nold_safe()\r\ny\r\n")


def test_an_empty_span_gets_one_mark() -> None:
    lines = frame_of("old_safe(\n").splitlines()
    assert "parse-error [manual]" in lines[0]
    assert lines[3].strip(" |") == "^"


def test_a_binary_file_has_no_frame() -> None:
    Path("a.ts").write_bytes(b"old_safe()\0")
    lines = render(report_of(), "text", View(quiet=True)).splitlines()
    assert lines[0] == "a.ts:1:1 parse-error [manual]"
    assert lines[1].startswith("  why    ")


def test_long_messages_are_wrapped() -> None:
    report = report_of()
    finding = Finding("x", Span("gone.py", 0, 0), "word " * 60, Safety.MANUAL)
    from perfmod.reports.text import paragraph

    lines = paragraph("why", finding.message, View(width=60))
    assert len(lines) > 4 and all(len(line) <= 60 for line in lines)
    assert all(line.startswith(" " * 9 + "word") for line in lines[1:])
    assert report.results == ()


def test_the_summary_counts_and_groups_reasons() -> None:
    Path("a.ts").write_text("old_safe();\nold_unsafe();\nold_manual();\nold_manual();\n")
    Path("b.ts").write_text("x;\n")
    Path("c.ts").write_text("old_safe(); // perfmod: ignore[replace-words] kept\n")
    lines = render(report_of(), "text", View()).splitlines()
    assert lines[-4:] == [
        "4 findings in 1 of 3 files (1 suppressed).",
        "  2 left: inside `__del__`",
        "  1 unsafe: its type is unknown",
        "1 fixable with `perfmod apply`, 1 more with --unsafe-fixes.",
    ]


def test_the_summary_of_apply_says_what_changed_and_what_is_left() -> None:
    Path("a.ts").write_text("old_safe();\nold_unsafe();\nold_manual();\n")
    lines = render(report_of("apply"), "text", View()).splitlines()
    assert lines[-6:] == [
        "Fixed 1 finding in 1 file:",
        "  modified  a.ts",
        "2 findings left, 1 of them fixable with --unsafe-fixes:",
        "  1 left: inside `__del__`",
        "  1 unsafe: its type is unknown",
        "Run the tests.",
    ]
    assert lines[0] == "a.ts:2:1 replace-words [unsafe]"  # only what is left is shown


def test_colors_change_nothing_but_colors() -> None:
    Path("a.ts").write_text("old_safe();\nold_unsafe();\nold_manual();\n")
    for command, name in (("check", "text"), ("diff", "patch"), ("check", "statistics"), ("diff", "beside_patch")):
        report = report_of(command)  # type: ignore[arg-type]
        plain, colored = render(report, name, View()), render(report, name, View(color=True))
        assert plain != colored
        assert re.sub(r"\033\[[\d;]*m", "", colored) == plain


# concise


def test_concise() -> None:
    Path("a.ts").write_text("\told_safe();\n'é'; old_unsafe();\nold_manual();\n")
    assert render(report_of(), "concise", View()) == (
        "a.ts:1:2 replace-words `old_safe` is out of date. [safe]\n"
        "a.ts:2:6 replace-words `old_unsafe` is out of date. [unsafe]\n"
        "a.ts:3:1 replace-words `old_manual` is out of date. [manual]\n"
    )


def test_a_name_cannot_break_the_line() -> None:
    Path("a\n\x1bb.ts").write_text("old_safe();\n")
    assert render(report_of(), "concise", View()).startswith("a\\n\\x1bb.ts:1:1 ")
    assert printable("raw\udce9") == "raw\\udce9"


# json

PLACE = {"line": int, "column": int, "end_line": int, "end_column": int}
EDIT = {"path": str, "start": int, "end": int, "text": str}
SCHEMA = {
    "schema": (1,),
    "version": str,
    "root": (".",),
    "findings": [
        {
            "rule": str,
            "path": str,
            **PLACE,
            "message": str,
            "safety": ("safe", "unsafe", "manual"),
            "applied": bool,
            "reason": (None, str),
            "fix": (None, {"title": str, "edits": [EDIT]}),
            "fingerprint": str,
            "suppressed": (None, "comment", "baseline"),
        }
    ],
    "changes": [{"path": str, "kind": ("create", "modify"), "rules": [str]}],
    "skipped": [{"path": str, "reason": str}],
    "notes": [{"rule": str, "path": str, "line": int, "message": str}],
    "summary": {"files": int, "findings": int, "fixable": int, "applied": int},
}


def validate(value: Any, schema: Any, place: str = "$") -> None:
    """Hold a document against a schema: a dict is an object with exactly these keys in this order, a list an array of
    such items, a tuple the choices, a type any value of it."""
    if isinstance(schema, dict):
        assert isinstance(value, dict) and list(value) == list(schema), place
        for key, inner in schema.items():
            validate(value[key], inner, f"{place}.{key}")
    elif isinstance(schema, list):
        assert isinstance(value, list), place
        for number, item in enumerate(value):
            validate(item, schema[0], f"{place}[{number}]")
    elif isinstance(schema, tuple):
        assert any(fits(value, choice, place) for choice in schema), f"{place}: {value!r}"
    elif isinstance(schema, type):
        assert type(value) is schema, f"{place}: {value!r}"
    else:
        assert value == schema, f"{place}: {value!r}"


def fits(value: Any, schema: Any, place: str) -> bool:
    try:
        validate(value, schema, place)
    except AssertionError:
        return False
    return True


def json_of(report: Report) -> Any:
    document = json.loads(render(report, "json", View()))
    validate(document, SCHEMA)
    return document


WORDS = "old_safe();\n  old_unsafe();\nold_manual();\nold_note;\nold_safe(); // perfmod: ignore[replace-words]\n"


@pytest.mark.parametrize("command", ["check", "diff", "apply"])
def test_json_fits_its_schema(command: Command) -> None:
    Path("a.ts").write_text(WORDS)
    Path("b.py").write_text("old_helper()\n")
    Path("c.ts").write_bytes(b"old_safe(\n")
    Path("d.ts").write_bytes(b"x\n" * 1_500_000)
    document = json_of(report_of(command))
    assert document["summary"] == {
        "files": 4,
        "findings": 5,
        "fixable": 2,
        "applied": 2 if command == "apply" else 0,
    }
    assert [finding["suppressed"] for finding in document["findings"]] == [None, None, None, "comment", None, None]
    assert [finding["applied"] for finding in document["findings"]].count(True) == document["summary"]["applied"]
    assert document["skipped"] == [{"path": "d.ts", "reason": "larger than 2 MB"}]
    assert document["notes"] == [
        {"rule": "replace-words", "path": "a.ts", "line": 4, "message": "an old word that may stay"}
    ]
    kinds = {change["path"]: change["kind"] for change in document["changes"]}
    created = {"a.ts": "modify", "b.py": "modify", "background_tasks.py": "create"}
    assert kinds == ({} if command == "check" else created)


def test_json_of_nothing() -> None:
    document = json_of(report_of())
    assert document["findings"] == [] and document["summary"]["files"] == 0


def test_json_places() -> None:
    Path("a.ts").write_text("'é'; old_safe(\n  1)\n")
    finding = json_of(report_of())["findings"][0]
    assert {key: finding[key] for key in PLACE} == {"line": 1, "column": 6, "end_line": 2, "end_column": 5}


def test_edits_stand_only_in_diff() -> None:
    Path("a.py").write_text("old_helper()\nold_manual()\n")
    checked = json_of(report_of("check"))["findings"]
    assert checked[0]["fix"] == {"title": "Write `new` instead of `old`", "edits": []}
    assert checked[1]["fix"] is None
    edits = json_of(report_of("diff"))["findings"][0]["fix"]["edits"]
    assert edits[0] == {"path": "a.py", "start": 0, "end": 3, "text": "new"}
    assert edits[1]["path"] == "background_tasks.py" and "def create_background_task" in edits[1]["text"]
    assert "edits" not in json.dumps(json_of(report_of("apply"))["findings"][1])


def test_json_of_a_name_that_is_not_utf8() -> None:
    path = Path("raw\udce9.ts")
    try:
        path.write_text("old_safe();\n")
    except OSError:
        pytest.skip("this file system holds only UTF-8 names")
    text = to_bytes(render(report_of(), "json", View())).decode("utf-8")
    assert json.loads(text)["findings"][0]["path"] == "raw\udce9.ts"


def fingerprints_of(text: str, name: str = "a.ts") -> list[str]:
    for old in Path().glob("*.ts"):
        old.unlink()
    Path(name).write_text(text)
    return [finding["fingerprint"] for finding in json_of(report_of())["findings"]]


def test_fingerprints_survive_what_does_not_matter() -> None:
    before = fingerprints_of("f(old_safe());\nf(old_safe());\ng(old_manual());\n")
    assert len(set(before)) == 3
    assert fingerprints_of("// moved\n\nf(old_safe());\n  f(old_safe());\n\tg(old_manual());\r\n") == before
    assert fingerprints_of("f(old_safe());\nf(old_safe());\ng(old_manual());\n", "renamed.ts") == before


def test_fingerprints_tell_a_swap() -> None:
    before = fingerprints_of("f(old_safe());\ng(old_safe());\n")
    after = fingerprints_of("f(old_safe());\nh(old_safe());\n")
    assert before[0] == after[0] and before[1] != after[1]


# patch


def applied_by_git(before: dict[str, bytes | None], after: dict[str, bytes]) -> None:
    """git turns `before` into `after` with the patch that perfmod makes of it."""
    git("init", "--quiet")
    for name, data in before.items():
        if data is not None:
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_bytes(data)
    patch = b"".join(patch_of(Change(name, before[name], after[name])) for name in after)
    git("apply", "--check", "-", patch=patch)
    git("apply", "-", patch=patch)
    assert {name: Path(name).read_bytes() for name in after} == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\nb\nc\n", b"a\nB\nc\n"),
        (b"a\r\nb\r\nc\r\n", b"a\r\nB\r\nc\r\n"),
        (b"a\nb", b"a\nB"),
        (b"a\nb", b"a\nb\nc\n"),
        (b"a\nb\n", b"a\nb"),
        (b"a\r\nb\r", b"a\r\nb\r\n"),
        (b"a\n\nb", b"a\nb"),
        (b"", b"a\n"),
        (b"a", b""),
        (b"a\n" * 50, b"a\n" * 20 + b"b\n" + b"a\n" * 30),
        (b"a\n" * 3, b"a\n" * 4),
        (b"\xe9 = 1\na\n", b"\xe9 = 1\nb\n"),
        (b"\xef\xbb\xbfa\nb\n", b"\xef\xbb\xbfA\nb\n"),
        ("a\nb\n".encode("utf-16"), "A\nb\n".encode("utf-16")),
        (b"a\x0c\x1cb\x85\n\rx\n", b"a\x0c\x1cb\x85\n\ry\n"),
        (b"-- a\n++ b\n", b"-- c\n++ d\n"),
        (None, b"a\nb\n"),
        (None, b"a"),
        (None, b""),
        (None, b"\r\n\xff"),
    ],
)
def test_git_applies_the_patch_byte_for_byte(before: bytes | None, after: bytes) -> None:
    applied_by_git({"a.txt": before}, {"a.txt": after})


@pytest.mark.parametrize(
    "name",
    [
        "a b/c d.py",
        'quo"te.py',
        "back\\slash.py",
        "é/日本.py",
        "tab\t.py",
        "new\nline.py",
        "raw\udce9.py",
        "'.py",
        "a b",
    ],
)
def test_names_are_quoted_as_git_does(name: str) -> None:
    try:
        applied_by_git({name: b"a\n"}, {name: b"b\n"})
    except OSError:
        pytest.skip("this file system does not hold such a name")
    git("add", "--all")
    Path(name).write_bytes(b"c\n")
    headers = [line for line in git("diff").split(b"\n") if line.startswith((b"---", b"+++", b"diff"))]
    assert headers == patch_of(Change(name, b"b\n", b"c\n")).split(b"\n")[:3]
    applied_by_git({f"{name}.new": None}, {f"{name}.new": b"x\n"})


def test_git_applies_any_patch() -> None:
    random = Random(1)
    before, after = {}, {}
    for number in range(150):
        letters = b"abcdefgh "[: random.randint(1, 9)]
        alphabet = [bytes([letter]) + end for letter in letters for end in (b"\n", b"\r\n")]
        old = [random.choice(alphabet) for _ in range(random.randint(0, 60))]
        new = list(old)
        for _ in range(random.randint(1, 5)):
            place = random.randint(0, len(new))
            new[place : place + random.randint(0, 3)] = random.choices(alphabet, k=random.randint(0, 3))
        name = f"{number}.txt"
        before[name] = b"".join(old) + random.choice([b"", b"end"])
        after[name] = b"".join(new) + random.choice([b"", b"end"])
        if before[name] == after[name]:
            del before[name], after[name]
    applied_by_git(before, after)


def test_a_patch_is_as_small_as_that_of_git() -> None:
    lines = [b"line %d\n" % number for number in range(2000)]
    changed = [*lines[:3], b"import new\n", *lines[3:1500], b"other\n", *lines[1501:]]
    patch = patch_of(Change("a", b"".join(lines), b"".join(changed)))
    assert patch.count(b"\n@@ ") == 2 and patch.count(b"\n+") == 3 and patch.count(b"\n-") == 2


def test_apply_and_the_patch_agree() -> None:
    Path("a.py").write_bytes(b"# coding: latin-1\r\nx = '\xe9'\r\nold_safe()")
    Path("b c.ts").write_bytes(b"old_unsafe();\n")
    Path("c.py").write_bytes(b"old_helper()\n")
    before = {path: path.read_bytes() for path in Path().iterdir()}
    patch = to_bytes(render(report_of("diff", unsafe_fixes=True), "patch", View()))
    report_of("apply", unsafe_fixes=True)
    after = {path: path.read_bytes() for path in Path().iterdir() if path.is_file()}
    for path in after:
        path.unlink()
    for path, data in before.items():
        path.write_bytes(data)
    git("init", "--quiet")
    git("apply", "-", patch=patch)
    assert {path: path.read_bytes() for path in Path().iterdir() if path.is_file()} == after


# all


@pytest.mark.parametrize("name", [*FORMATS, "statistics", "beside_patch"])
def test_a_report_is_the_same_in_every_run(name: str) -> None:
    Path("b.ts").write_text(WORDS)
    Path("a.ts").write_text(WORDS)
    first, second = (render(report_of("diff"), name, View(verbose=True)) for _ in range(2))
    assert first == second and first
    assert str(Path.cwd()) not in first


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_a_module(name: str) -> None:
    assert callable(load_format(name).render)


def test_frames_need_no_text_of_the_project(tmp_path: Path) -> None:
    """A file that is gone after the run is no reason to fail."""
    Path("a.ts").write_text("old_safe();\n")
    report = report_of()
    Path("a.ts").unlink()
    for render_in in ("text", "concise", "json"):
        assert "a.ts" in render(report, render_in, View())
