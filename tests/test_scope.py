"""Scope: only the lines that changed, only what is staged, only what an editor holds."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from playground import Perfmod, commit, git, write

from perfmod.scope import Hunk, hunks_of, moved

CONCISE = ("--output-format", "concise")


def lines_of(out: str) -> list[str]:
    """`path:line` of each finding of a concise report."""
    return [":".join(line.split(":")[:2]) for line in out.splitlines()]


# --since


def test_since_shows_what_changed_on_this_branch(perfmod: Perfmod) -> None:
    write("a.py", "old_safe(1)\nf()\nold_safe(3)\n")
    write("gone.py", "old_safe(5)\n")
    write("moved.py", "old_safe(1)\nold_safe(2)\nf()\ng()\nh()\n")
    commit()
    git("branch", "work")
    git("commit", "--quiet", "--allow-empty", "--message", "elsewhere")
    git("checkout", "--quiet", "work")
    write("a.py", "old_safe(1)\nold_safe(2)\nold_safe(3)\n")
    commit("committed")
    git("mv", "moved.py", "b with blank.py")
    write("b with blank.py", "old_safe(1)\nold_safe(22)\nf()\ng()\nh()\n")
    git("rm", "--quiet", "gone.py")
    write("ü\t.py", "old_safe()\n")
    write(".gitignore", "ignored.py\n")
    write("ignored.py", "old_safe()\n")
    ran = perfmod("check", "--since", "main", *CONCISE)
    assert lines_of(ran.out) == ["a.py:2", "b with blank.py:2", "ü\\t.py:1"] and ran.code == 1
    git("add", "--all")
    assert perfmod("check", "--since", "main", *CONCISE) == ran
    assert lines_of(perfmod("check", "--since", "main", "a.py", *CONCISE).out) == ["a.py:2"]


def test_since_fixes_only_there(perfmod: Perfmod) -> None:
    write("a.py", "old_safe(1)\nf()\n")
    commit()
    write("a.py", "old_safe(1)\nf()\nold_safe(3)\n")
    commit("after")
    assert perfmod("apply", "--since", "HEAD~1", "-q").code == 0
    assert Path("a.py").read_text() == "old_safe(1)\nf()\nnew_safe(3)\n"


def test_since_below_the_top_level(perfmod: Perfmod, monkeypatch: pytest.MonkeyPatch) -> None:
    write("web/perfmod.toml", "")
    write("web/a.py", "f()\n")
    write("b.py", "f()\n")
    commit()
    write("web/a.py", "old_safe()\n")
    write("b.py", "old_safe()\n")
    monkeypatch.chdir("web")
    assert lines_of(perfmod("check", "--since", "HEAD", *CONCISE).out) == ["a.py:1"]


def test_since_a_span_of_which_one_line_changed(perfmod: Perfmod) -> None:
    write("a.py", "old_safe(\n    1,\n)\n")
    commit()
    write("a.py", "old_safe(\n    2,\n)\n")
    assert lines_of(perfmod("check", "--since", "HEAD", *CONCISE).out) == ["a.py:1"]


def test_since_with_a_deletion_only(perfmod: Perfmod) -> None:
    write("a.py", "f()\nold_safe()\n")
    commit()
    write("a.py", "old_safe()\n")
    assert perfmod("check", "--since", "HEAD", *CONCISE) == (0, "", "")


def test_a_comment_outside_the_scope_is_not_unused(perfmod: Perfmod) -> None:
    write("a.py", "old_safe()  # perfmod: ignore[replace-words]\nf()\n")
    commit()
    write("a.py", "old_safe()  # perfmod: ignore[replace-words]\ng()\n")
    assert perfmod("check", "--since", "HEAD").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--since nowhere", "--since nowhere: fatal: Not a valid object name nowhere"),
        ("--since --help", "--since --help: "),
        ("--since main --staged", "--since and --staged exclude each other"),
        ("--since main --write-baseline", "--write-baseline and --since exclude each other"),
        ("--stdin-filename a.py", "--stdin-filename needs `-` as the PATH"),
        ("-", "say with --stdin-filename which file it stands for"),
        ("- b.py --stdin-filename a.py", "`-` can't stand beside other paths"),
        ("- --stdin-filename a.py --staged", "--stdin-filename and --staged exclude each other"),
        ("- --stdin-filename .", "is a folder"),
    ],
)
def test_bad_input(perfmod: Perfmod, arguments: str, message: str) -> None:
    write("a.py", "")
    commit()
    ran = perfmod("check", *arguments.split(" "))
    assert ran.code == 2 and message in ran.err and ran.err.count("\n") == 1


@pytest.mark.parametrize("option", [("--since", "main"), ("--staged",)])
def test_outside_git(perfmod: Perfmod, option: tuple[str, ...]) -> None:
    ran = perfmod("check", *option)
    assert ran.code == 2 and "not a git repository" in ran.err


def test_since_an_unrelated_history(perfmod: Perfmod) -> None:
    write("a.py", "")
    commit()
    git("checkout", "--quiet", "--orphan", "other")
    git("commit", "--quiet", "--allow-empty", "--message", "other")
    assert "no commit in common" in perfmod("check", "--since", "main").err


# --staged


def test_staged(perfmod: Perfmod) -> None:
    write("a.py", "old_safe(1)\n")
    write("b.py", "f()\n")
    commit()
    write("a.py", "old_safe(1)\nold_safe(2)\n")
    write("new.py", "old_safe(3)\n")
    git("add", "--all")
    write("b.py", "old_safe(4)\n")
    assert lines_of(perfmod("check", "--staged", *CONCISE).out) == ["a.py:2", "new.py:1"]
    assert perfmod("apply", "--staged", "-q").code == 0
    assert Path("a.py").read_text() == "old_safe(1)\nnew_safe(2)\n"
    assert git("show", ":a.py") == "old_safe(1)\nold_safe(2)\n"


def test_staged_lines_are_found_where_they_are_now(perfmod: Perfmod) -> None:
    write("a.py", "f()\n" * 5)
    commit()
    write("a.py", "f()\n" * 3 + "old_safe(1)\n" + "f()\n" * 2)
    git("add", "a.py")
    write("a.py", "old_safe(2)\n\n" + "f()\n" * 3 + "old_safe(1)\n" + "f()\n" * 2 + "old_safe(3)\n")
    assert lines_of(perfmod("check", "--staged", *CONCISE).out) == ["a.py:6"]
    ran = perfmod("apply", "--staged")
    assert ran.code == 2 and "uncommitted edits in a.py" in ran.err


def test_staged_before_the_first_commit(perfmod: Perfmod) -> None:
    git("init", "--quiet")
    write("a.py", "old_safe(1)\n")
    write("b.py", "old_safe(1)\n")
    git("add", "a.py")
    assert lines_of(perfmod("check", "--staged", *CONCISE).out) == ["a.py:1"]


def test_apply_on_staged_edits_does_not_make_them_its_own(perfmod: Perfmod) -> None:
    write("a.py", "f()\n")
    commit()
    write("a.py", "old_safe()\n")
    git("add", "a.py")
    assert perfmod("apply", "--staged", "-q").code == 0
    Path("perfmod.toml").write_text('[rules.replace-words]\nreplacement = "old"\n')
    write("a.py", Path("a.py").read_text())
    assert "uncommitted" not in perfmod("check").err


@pytest.mark.parametrize("seed", range(5))
def test_lines_move_as_git_says(perfmod: Perfmod, seed: int) -> None:
    random = Random(seed)
    before = [f"line {number}" for number in range(40)]
    after = []
    for line in before:
        after += random.choices([[line], [], [line, "new"], ["other"]], weights=[6, 1, 1, 1])[0]
    write("a.txt", "\n".join(before) + "\n")
    commit()
    write("a.txt", "\n".join(after) + "\n")
    hunks = hunks_of(git("diff", "-U0"))["a.txt"]
    for number, line in enumerate(before, 1):
        expected = [after.index(line) + 1] if line in after else []
        assert [lines.start for lines in moved((range(number, number + 1),), hunks)] == expected


def test_hunks_that_look_like_headers() -> None:
    diff = "+++ b/a.py\n@@ -1 +1,2 @@\n---- x\n+++ b/c.py\n+@@ -1 +1 @@\n\\ No newline\n"
    diff += '+++ "b/\\303\\274.py"\n@@ -0,0 +1 @@\n+x\n'
    assert hunks_of(diff) == {"a.py": [Hunk(1, 1, 1, 2)], "ü.py": [Hunk(0, 0, 1, 1)]}


# --stdin-filename


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> object:
    def type_in(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    return type_in


def test_check_of_standard_input(perfmod: Perfmod, type_in) -> None:  # type: ignore[no-untyped-def]
    write("perfmod.toml", "")
    write("app/a.py", "f()\n")
    write("b.py", "old_safe()\n")
    type_in("\nold_safe()\n")
    ran = perfmod("check", "-", "--stdin-filename", "app/a.py", "--output-format", "json")
    findings = json.loads(ran.out)["findings"]
    assert ran.code == 1 and [(f["path"], f["line"]) for f in findings] == [("app/a.py", 2)]
    type_in("f()\n")
    assert perfmod("check", "-", "--stdin-filename", "b.py").code == 0


@pytest.mark.parametrize("name", ["a.py", "new.py", "no/such/folder/new.py", "dist/new.py"])
def test_apply_gives_the_text_back(perfmod: Perfmod, type_in, name: str) -> None:  # type: ignore[no-untyped-def]
    write("perfmod.toml", "")
    write("a.py", "f()\n")
    type_in("old_safe()\nold_manual()\n")
    ran = perfmod("apply", "-", "--stdin-filename", name)
    assert ran.code == 1 and ran.out == "new_safe()\nold_manual()\n"
    assert ran.err == f"{name}:2:1 replace-words `old_manual` is out of date. [manual]\n"
    assert Path("a.py").read_text() == "f()\n" and {path.name for path in Path().iterdir()} == {"a.py", "perfmod.toml"}


def test_apply_gives_back_what_needs_nothing_as_it_is(perfmod: Perfmod, type_in) -> None:  # type: ignore[no-untyped-def]
    type_in("f()\r\n")
    assert perfmod("apply", "-", "--stdin-filename", "a.py") == (0, "f()\r\n", "")
    type_in("")
    assert perfmod("apply", "-", "--stdin-filename", "a.py") == (0, "", "")


def test_apply_does_not_refer_to_a_helper_that_is_not_there(perfmod: Perfmod, type_in) -> None:  # type: ignore[no-untyped-def]
    type_in("old_helper()\n")
    ran = perfmod("apply", "-", "--stdin-filename", "a.py", "-o", "r.json")
    assert ran.code == 1 and ran.out == "old_helper()\n"
    assert "run `perfmod apply`" in json.loads(Path("r.json").read_text())["findings"][0]["reason"]
    assert "use -o FORMAT=PATH" in perfmod("apply", "-", "--stdin-filename", "a.py", "--output-format", "json").err


def test_diff_of_standard_input(perfmod: Perfmod, type_in) -> None:  # type: ignore[no-untyped-def]
    write("a.py", "f()\n")
    type_in("old_safe()\n")
    assert "-old_safe()\n+new_safe()\n" in perfmod("diff", "-", "--stdin-filename", "a.py").out


def test_standard_input_of_a_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "perfmod", "apply", "-", "--stdin-filename", "a.py"]
    done = subprocess.run(command, input=b"x = 1\n", capture_output=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"x = 1\n", b"")
