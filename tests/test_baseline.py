"""The baseline: what may stay, whatever moves around it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playground import Perfmod, write

CONCISE = ("--output-format", "concise")
FILE = "perfmod-baseline.json"


def entries(path: str = FILE) -> list[tuple[str, str]]:
    return [(entry["path"], entry["rule"]) for entry in json.loads(Path(path).read_text())["findings"]]


def test_what_it_lists_may_stay(perfmod: Perfmod) -> None:
    write("a.py", "old_safe()\nold_manual()\n")
    ran = perfmod("check", "--write-baseline")
    assert ran.code == 0 and ran.err == "perfmod: 2 findings in the baseline perfmod-baseline.json\n"
    assert ran.out == "0 findings in 1 file (2 suppressed).\n"
    assert entries() == [("a.py", "replace-words")] * 2
    assert perfmod("check").code == 0
    assert perfmod("diff") == (0, "", "0 findings in 1 file (2 suppressed).\n")
    assert perfmod("apply", "-q") == (0, "", "")
    assert Path("a.py").read_text() == "old_safe()\nold_manual()\n"
    assert '"suppressed": "baseline"' in perfmod("check", "--output-format", "json").out


def test_apply_fixes_it_when_asked(perfmod: Perfmod) -> None:
    write("a.py", "old_safe()\n")
    perfmod("check", "--write-baseline")
    assert perfmod("check", "--no-baseline").code == 1
    assert perfmod("apply", "--no-baseline").code == 0
    assert Path("a.py").read_text() == "new_safe()\n"


@pytest.mark.parametrize(
    "after",
    [
        {"a.py": "x = 1\n\n\nold_safe(1)\nold_safe(2)\n"},
        {"a.py": "old_safe(2)\nold_safe(1)\n"},
        {"a.py": "if x:\n    old_safe(1)\n    old_safe(2)\n"},
        {"b/c.py": "old_safe(1)\nold_safe(2)\n"},
        {"a.py": "old_safe(1)\n", "b.py": "old_safe(2)\n"},
    ],
)
def test_moved_lines_and_renamed_files_are_known(perfmod: Perfmod, after: dict[str, str]) -> None:
    write("a.py", "old_safe(1)\nold_safe(2)\n")
    perfmod("check", "--write-baseline")
    Path("a.py").unlink()
    for name, text in after.items():
        write(name, text)
    assert perfmod("check", *CONCISE) == (0, "", "")
    assert (
        perfmod("check", "--prune-baseline").err
        == "perfmod: 2 findings in the baseline perfmod-baseline.json, 0 removed\n"
    )
    assert perfmod("check").code == 0


@pytest.mark.parametrize(
    ("before", "after", "new"),
    [
        ("old_safe(1)\nold_safe(2)\n", "old_safe(1)\nold_safe(3)\n", "a.py:2:1"),
        ("old_safe(1)\n", "old_safe(1)\nold_safe(1)\n", "a.py:2:1"),
        ("old_safe(1)\n", "old_manual(1)\n", "a.py:1:1"),
    ],
)
def test_a_new_one_counts_even_if_another_is_gone(perfmod: Perfmod, before: str, after: str, new: str) -> None:
    write("a.py", before)
    perfmod("check", "--write-baseline")
    write("a.py", after)
    ran = perfmod("check", *CONCISE)
    assert ran.code == 1 and ran.out.startswith(new) and ran.out.count("\n") == 1


def test_a_link_of_a_chain_is_known_by_its_chain(perfmod: Perfmod) -> None:
    write("a.ts", "x = db\n  .from('a')\n  .old_safe();\ny = db\n  .from('b')\n  .f();\n")
    perfmod("check", "--write-baseline")
    write("a.ts", "x = db\n  .from('a')\n  .f();\ny = db\n  .from('b')\n  .old_safe();\n")
    assert perfmod("check").code == 1


def test_a_copy_elsewhere_is_new(perfmod: Perfmod) -> None:
    write("b.py", "old_safe(1)\n")
    perfmod("check", "--write-baseline")
    write("a.py", "old_safe(1)\n")
    assert perfmod("check", *CONCISE).out.startswith("a.py:1:1 ")
    assert perfmod("check", "a.py").code == 1


def test_pruning_takes_out_what_is_mended(perfmod: Perfmod) -> None:
    write("a.py", "old_safe(1)\nold_safe(2)\n")
    write("b.py", "old_safe(3)\n")
    perfmod("check", "--write-baseline")
    write("a.py", "old_safe(2)\nold_safe(4)\n")
    write("b.py", "f()\n")
    ran = perfmod("check", "--prune-baseline", "a.py")
    assert ran.code == 1 and entries() == [("a.py", "replace-words"), ("b.py", "replace-words")]
    assert perfmod("check", "--prune-baseline").err.endswith(
        "1 finding in the baseline perfmod-baseline.json, 1 removed\n"
    )
    assert perfmod("check", *CONCISE).out.startswith("a.py:2:1 ")


def test_writing_for_some_paths_keeps_the_rest(perfmod: Perfmod) -> None:
    write("a.py", "old_safe(1)\n")
    write("b.py", "old_safe(2)\n")
    perfmod("check", "--write-baseline")
    before = Path(FILE).read_text()
    perfmod("check", "--write-baseline", "a.py")
    assert Path(FILE).read_text() == before
    write("a.py", "f()\n")
    perfmod("check", "--write-baseline", "a.py")
    assert entries() == [("b.py", "replace-words")]


def test_another_file(perfmod: Perfmod) -> None:
    write("a.py", "old_safe()\n")
    perfmod("check", "--write-baseline", "--baseline", "other.json")
    assert not Path(FILE).exists() and perfmod("check").code == 1
    assert perfmod("check", "--baseline", "other.json").code == 0
    write("perfmod.toml", 'baseline = "other.json"\n')
    assert perfmod("check").code == 0
    assert perfmod("check", "--isolated").code == 1
    assert perfmod("check", "--no-baseline").code == 1


@pytest.mark.parametrize(
    ("arguments", "text", "message"),
    [
        (
            ("--baseline", "missing.json"),
            None,
            "missing.json: No such file or directory; write one with --write-baseline",
        ),
        (("--baseline", "b.json"), "{", "b.json is not a baseline that perfmod wrote"),
        (("--baseline", "b.json"), "[]", "b.json is not a baseline that perfmod wrote"),
        (("--baseline", "b.json"), '{"schema": 2}', "schema 2 is not one that this version reads"),
        (("--baseline", "b.json", "--no-baseline"), None, "--baseline and --no-baseline exclude each other"),
        (("--write-baseline", "--no-baseline"), None, "--write-baseline and --no-baseline exclude each other"),
        (("--write-baseline", "--prune-baseline"), None, "--write-baseline and --prune-baseline exclude each other"),
        (("--write-baseline", "--baseline", "no/b.json"), None, "cannot write the baseline"),
        (("--prune-baseline",), None, "No such file or directory"),
    ],
)
def test_bad_input(perfmod: Perfmod, arguments: tuple[str, ...], text: str | None, message: str) -> None:
    if text is not None:
        write("b.json", text)
    ran = perfmod("check", *arguments)
    assert ran.code == 2 and ran.out == "" and message in ran.err and ran.err.count("\n") == 1


def test_only_json_on_standard_output(perfmod: Perfmod) -> None:
    write("a.py", "old_safe()\n")
    json.loads(perfmod("check", "--write-baseline", "--output-format", "json").out)


def test_the_file_is_stable_and_merges_line_by_line(perfmod: Perfmod) -> None:
    write("a.py", "old_safe(1)\nold_safe(2)\n")
    perfmod("check", "--write-baseline")
    text = Path(FILE).read_text()
    assert text.count("\n") == 7
    perfmod("check", "--write-baseline")
    assert Path(FILE).read_text() == text
