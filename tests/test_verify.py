"""apply --verify: what breaks the command is put back and named, the rest stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from itertools import combinations
from pathlib import Path

import pytest
from playground import Perfmod, commit, git, write

pytestmark = pytest.mark.usefixtures("two_rules")
CONCISE = ("--output-format", "concise")
CODE = "import sys, pathlib; t = pathlib.Path('a.py').read_text(); sys.exit(any(w in t for w in sys.argv[1:]))"
FAILS_WITH = f'{sys.executable} -c "{CODE}" '


def left(run: Perfmod) -> list[str]:
    return [line.split(" ")[2] for line in run("check", *CONCISE).out.splitlines()]


def test_all_is_kept_where_it_passes(perfmod: Perfmod) -> None:
    write("a.py", "old_safe()\nbad_name\n")
    ran = perfmod("apply", "--verify", "echo x >> runs; true")
    assert ran.code == 0 and Path("a.py").read_text() == "new_safe()\ngood_name\n"
    assert Path("runs").read_text() == "x\n" * 2
    assert "verify before the changes: passed after " in ran.err and "verify with 2 fixes: passed after " in ran.err
    assert perfmod("apply", "--verify", "false", "-q") == (0, "", "")  # nothing to change, nothing to verify


def test_nothing_is_written_where_it_fails_before(perfmod: Perfmod) -> None:
    write("a.py", "old_safe()\n")
    ran = perfmod("apply", "--verify", "echo because; exit 3", *CONCISE)
    assert ran.code == 2 and Path("a.py").read_text() == "old_safe()\n"
    assert "perfmod:   | because\n" in ran.err
    assert ran.err.endswith(
        "perfmod: error: `echo because; exit 3` fails before anything is changed; nothing was written\n"
    )


def test_the_culprit_is_named_and_the_rest_stays(perfmod: Perfmod) -> None:
    write("a.py", "".join(f"old_safe({n})\nbad_{n}\n" for n in range(6)))
    ran = perfmod("apply", "--output-format", "json", "--verify", FAILS_WITH + "'new_safe(3)' good_4")
    document = json.loads(ran.out)
    assert ran.code == 1
    culprits = [f for f in document["findings"] if not f["applied"]]
    assert [(f["line"], f["rule"], f["safety"]) for f in culprits] == [
        (7, "replace-words", "manual"),
        (10, "retire-names", "manual"),
    ]
    assert all(f["reason"].startswith("verify failed: `") for f in culprits)
    expected = [f"{'old' if n == 3 else 'new'}_safe({n})\n{'bad' if n == 4 else 'good'}_{n}\n" for n in range(6)]
    assert Path("a.py").read_text() == "".join(expected)
    assert ran.err.count("trial") < 2 * 14


def test_fixes_that_fail_only_together(perfmod: Perfmod) -> None:
    write("a.py", "old_safe(1)\nold_safe(2)\nbad_3\n")
    code = "import sys, pathlib; t = pathlib.Path('a.py').read_text(); sys.exit('new_safe(1)' in t and 'good_3' in t)"
    ran = perfmod("apply", "--verify", f'{sys.executable} -c "{code}"', "-q")
    assert ran.code == 1 and Path("a.py").read_text() == "new_safe(1)\nnew_safe(2)\nbad_3\n"


@pytest.mark.slow
@pytest.mark.parametrize("culprits", [c for size in (1, 2, 3) for c in combinations(range(5), size)])
def test_every_set_of_culprits_is_found(perfmod: Perfmod, culprits: tuple[int, ...]) -> None:
    write("a.py", "".join(f"old_safe({n})\n" for n in range(5)))
    ran = perfmod("apply", "-q", "--verify", FAILS_WITH + " ".join(f"'new_safe({n})'" for n in culprits))
    assert ran.code == 1
    assert Path("a.py").read_text() == "".join(f"{'old' if n in culprits else 'new'}_safe({n})\n" for n in range(5))


def test_nothing_could_be_kept(perfmod: Perfmod) -> None:
    write("a.py", "old_safe(1)\nbad_helper\n")
    ran = perfmod("apply", "--verify", FAILS_WITH + "new good", "--output-format", "json")
    assert ran.code == 2 and Path("a.py").read_text() == "old_safe(1)\nbad_helper\n"
    assert "fails with every fix, so nothing could be kept; nothing was written" in ran.err
    document = json.loads(ran.out)
    assert document["changes"] == [] and all(f["reason"].startswith("verify failed") for f in document["findings"])
    assert [path.name for path in Path().iterdir()] == ["a.py"]


def test_helpers_go_with_their_fix(perfmod: Perfmod) -> None:
    write("a.py", "old_safe(1)\nbad_helper\n")
    ran = perfmod("apply", "-q", "--verify", "test ! -e pkg/background_tasks.py")
    assert ran.code == 1 and Path("a.py").read_text() == "new_safe(1)\nbad_helper\n"
    assert [path.name for path in Path().iterdir()] == ["a.py"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("sleep 60", "takes longer than 0.2 s before anything is changed; nothing was written"),
        ("sleep 60 & sleep 60", "takes longer than 0.2 s before anything is changed"),
        ("grep -q old_safe a.py || sleep 60", "takes longer than 0.2 s with the changes; nothing was written"),
    ],
)
def test_a_time_limit(perfmod: Perfmod, command: str, said: str) -> None:
    write("a.py", "old_safe()\n")
    begun = time.monotonic()
    ran = perfmod("apply", "--verify", command, "--verify-timeout", "0.2")
    assert ran.code == 2 and said in ran.err and Path("a.py").read_text() == "old_safe()\n"
    assert time.monotonic() - begun < 30


def test_a_time_limit_while_searching(perfmod: Perfmod) -> None:
    write("a.py", "old_safe(1)\nold_safe(2)\n")
    command = "grep -q 'new_safe(2)' a.py && exit 1; grep -q 'new_safe(1)' a.py && sleep 60; true"
    ran = perfmod("apply", "--verify", command, "--verify-timeout", "0.5")
    assert ran.code == 2 and Path("a.py").read_text() == "old_safe(1)\nold_safe(2)\n"


def test_in_git_and_below_the_users_own_edits(perfmod: Perfmod) -> None:
    write("a.py", "old_safe(1)\nbad_2\n")
    write("b.py", "old_safe(3)\n")
    commit()
    write("b.py", "old_safe(3)\n# mine\n")
    assert "uncommitted edits in b.py" in perfmod("apply", "--verify", "true").err
    ran = perfmod("apply", "--allow-dirty", "-q", "--verify", FAILS_WITH + "good_2")
    assert ran.code == 1 and Path("a.py").read_text() == "new_safe(1)\nbad_2\n"
    assert Path("b.py").read_text() == "new_safe(3)\n# mine\n"
    assert sorted(git("status", "--porcelain").split()) == ["M", "M", "a.py", "b.py"]
    git("checkout", "--quiet", "a.py")
    assert perfmod("apply", "-q", "a.py", "--verify", FAILS_WITH + "new good").code == 2
    assert git("status", "--porcelain", "a.py") == ""


def test_a_file_that_the_command_edits_is_left_and_named(perfmod: Perfmod) -> None:
    write("a.py", "old_safe(1)\n")
    write("b.py", "old_safe(2)\n")
    ran = perfmod("apply", "--verify", "grep -q old a.py || { echo '# theirs' >> a.py; exit 1; }")
    assert ran.code == 2 and "a.py changed while the command ran, so it is left with its fix" in ran.err
    assert Path("a.py").read_text() == "new_safe(1)\n# theirs\n"
    assert Path("b.py").read_text() == "old_safe(2)\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--verify-timeout 3", "--verify-timeout needs --verify"),
        ("--verify true --verify-timeout 0", "--verify-timeout"),
        ("--verify true --dry-run", "--verify and --dry-run exclude each other"),
        ("--verify true - --stdin-filename a.py", "--verify and --stdin-filename exclude each other"),
        ("--commit --dry-run", "--commit and --dry-run exclude each other"),
        ("--commit --allow-dirty", "--commit and --allow-dirty exclude each other"),
        ("--commit --staged", "--commit and --staged exclude each other"),
        ("--commit - --stdin-filename a.py", "--commit and --stdin-filename exclude each other"),
    ],
)
def test_bad_input(perfmod: Perfmod, arguments: str, message: str) -> None:
    ran = perfmod("apply", *arguments.split(" "))
    assert ran.code == 2 and message in ran.err and ran.out == "" and ran.err.count("\n") == 1


START = "from replace_words import install; install(); from perfmod.cli import main; main()"


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_while_the_command_runs(kind: signal.Signals) -> None:
    write("a.py", "old_safe(1)\n")
    write("b.py", "old_safe(2)\n")
    command = "grep -q old_safe a.py || { touch running; sleep 60; }"
    paths = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "codemods")]
    process = subprocess.Popen(
        [sys.executable, "-c", START, "apply", "--verify", command],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while not Path("running").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(kind)
    process.communicate(timeout=60)
    assert process.returncode != 0
    texts = (Path("a.py").read_text(), Path("b.py").read_text())
    if kind is signal.SIGINT:
        assert process.returncode == 130
        assert texts == ("old_safe(1)\n", "old_safe(2)\n")
    else:  # killed: each file is whole
        assert texts in {("old_safe(1)\n", "old_safe(2)\n"), ("new_safe(1)\n", "new_safe(2)\n")}


# --commit


def log() -> list[str]:
    return git("log", "--format=%s", "--reverse").splitlines()


def test_a_commit_for_each_rule(perfmod: Perfmod) -> None:
    write("a.py", "old_safe(1)\nbad_helper\nold_safe(2)\n")
    write("b.py", "bad_b\n")
    commit()
    write("staged.txt", "mine\n")
    git("add", "staged.txt")
    ran = perfmod("apply", "--commit")
    assert ran.code == 0
    assert log() == ["before", "perfmod: replace-words: 2 fixes in 1 file", "perfmod: retire-names: 2 fixes in 2 files"]
    assert git("status", "--porcelain") == "A  staged.txt\n"
    assert git("show", "HEAD~1:a.py") == "new_safe(1)\nbad_helper\nnew_safe(2)\n"
    assert git("show", "HEAD:a.py") == "new_safe(1)\ngood_helper\nnew_safe(2)\n"
    assert git("show", "--format=", "--name-only", "HEAD").split() == ["a.py", "b.py", "pkg/background_tasks.py"]
    assert git("log", "-1", "--format=%b") == (
        "Retire bad names.\n\n"
        "Bad names mislead. They do so every day, to everyone who reads them, and\nthey are copied into new code.\n\n"
        "- a.py:2: `bad_helper` is a bad name.\n- b.py:1: `bad_b` is a bad name.\n\n"
    )
    assert "perfmod: committed retire-names: 2 fixes in 2 files\n" in ran.err
    assert "Fixed 4 findings in 3 files:\n" in ran.out
    assert perfmod("apply", "--commit").code == 0 and len(log()) == 3


def test_a_commit_that_fails_is_put_back(perfmod: Perfmod) -> None:
    write("a.py", "old_safe(1)\nbad_helper\n")
    commit()
    hook = write(
        ".git/hooks/pre-commit",
        "#!/bin/sh\n! git diff --cached --name-only | grep -q pkg || { echo no >&2; exit 1; }\n",
    )
    hook.chmod(0o755)
    ran = perfmod("apply", "--commit")
    assert ran.code == 1 and log() == ["before", "perfmod: replace-words: 1 fix in 1 file"]
    assert git("status", "--porcelain") == "" and not Path("pkg").exists()
    assert "git can't commit the fixes of retire-names: no\n" in ran.err
    hook.write_text("#!/bin/sh\nexit 1\n")
    git("reset", "--quiet", "--hard", "HEAD~1")
    ran = perfmod("apply", "--commit")
    assert ran.code == 2 and log() == ["before"] and git("status", "--porcelain") == ""
    assert "nothing was written" in ran.err


def test_commits_of_what_is_verified(perfmod: Perfmod) -> None:
    write("a.py", "old_safe(1)\nbad_2\nbad_3\n")
    commit()
    assert perfmod("apply", "--commit", "-q", "--verify", FAILS_WITH + "good_2").code == 1
    assert log() == ["before", "perfmod: replace-words: 1 fix in 1 file", "perfmod: retire-names: 1 fix in 1 file"]
    git("reset", "--quiet", "--hard", "HEAD~2")
    assert perfmod("apply", "--commit", "-q", "--verify", "true").code == 0
    assert len(log()) == 3 and git("status", "--porcelain") == ""


def test_commit_wants_a_clean_checkout(perfmod: Perfmod) -> None:
    write("a.py", "old_safe(1)\n")
    ran = perfmod("apply", "--commit")
    assert ran.code == 2 and "--commit needs a git checkout" in ran.err
    commit()
    write("a.py", "f()\nold_safe(1)\n")
    ran = perfmod("apply", "--commit")
    assert ran.code == 2 and "uncommitted edits in a.py: commit or stash them first; nothing was written" in ran.err
    assert Path("a.py").read_text() == "f()\nold_safe(1)\n"
