"""Exit codes in every combination that matters, and every option in the help, in the README and in a test."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playground import Perfmod, commit, git, write

from perfmod.commands import perfmod as command_line
from perfmod.fleet.commands import fleet

REPOSITORY = Path(__file__).parent.parent
TEXTS = {
    "clean": "f()\n",
    "safe": "old_safe()\n",
    "unsafe": "old_unsafe()\n",
    "manual": "old_manual()\n",
    "both": "old_safe()\nold_manual()\n",
    "broken": "old_safe(\n",
    "silenced": "old_safe()  # perfmod: ignore[replace-words] why\n",
    "stale": "f()  # perfmod: ignore[replace-words]\n",
}
#: What is left after `apply`, and after `apply --unsafe-fixes`.
LEFT = {"unsafe", "manual", "both", "broken"}
LEFT_UNSAFE = LEFT - {"unsafe"}
FOUND = set(TEXTS) - {"clean", "silenced"}
FORMATS = ("text", "concise", "json", "sarif", "github", "gitlab", "junit", "markdown")


@pytest.fixture(params=sorted(TEXTS))
def kind(request: pytest.FixtureRequest, perfmod: Perfmod) -> str:
    """A checkout with one file of this kind, committed."""
    write("perfmod.toml", "")
    write("a.py", "f()\n")
    commit()
    write("a.py", TEXTS[request.param])
    git("commit", "--quiet", "--all", "--allow-empty", "--message", "after")
    return str(request.param)


@pytest.mark.parametrize("command", ["check", "diff"])
@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--unsafe-fixes",),
        ("--isolated",),
        ("--since", "HEAD~1"),
        ("--no-baseline",),
        ("--statistics",),
        ("-q",),
        ("-v",),
        ("--cache",),
        ("--no-cache",),
        ("-j", "2"),
        ("a.py",),
        (".", "a.py"),
    ],
)
def test_check_and_diff_say_1_while_findings_remain(
    perfmod: Perfmod, kind: str, command: str, options: tuple[str, ...]
) -> None:
    before = Path("a.py").read_text()
    assert perfmod(command, *options).code == int(kind in FOUND)
    assert perfmod(command, *options, "--exit-zero").code == 0
    assert Path("a.py").read_text() == before


@pytest.mark.parametrize("command", ["check", "diff", "apply"])
@pytest.mark.parametrize("name", FORMATS)
def test_no_format_changes_the_exit_code(perfmod: Perfmod, kind: str, command: str, name: str) -> None:
    left = LEFT if command == "apply" else FOUND
    ran = perfmod(command, "--output-format", name)
    assert ran.code == int(kind in left)
    if name in ("json", "sarif", "gitlab"):
        json.loads(ran.out)


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ((), LEFT),
        (("--unsafe-fixes",), LEFT_UNSAFE),
        (("--allow-dirty",), LEFT),
        (("--verify", "true"), LEFT),
        (("--verify", "true", "--unsafe-fixes", "--commit"), LEFT_UNSAFE),
        (("--commit",), LEFT),
        (("--since", "HEAD~1"), LEFT),
        (("--since", "HEAD"), set()),
        (("--staged",), set()),
        (("--add-ignore",), {"broken", "stale"}),
        (("--ignore", "ignore-comment"), LEFT),
    ],
)
def test_apply_says_1_while_findings_are_left(
    perfmod: Perfmod, kind: str, options: tuple[str, ...], left: set[str]
) -> None:
    assert perfmod("apply", *options).code == int(kind in left)
    after = Path("a.py").read_text()
    assert perfmod("apply", *options).code == int(kind in left)
    assert Path("a.py").read_text() == after


@pytest.mark.parametrize("command", ["check", "diff", "apply"])
def test_a_baseline_makes_it_0(perfmod: Perfmod, kind: str, command: str) -> None:
    assert perfmod("check", "--write-baseline").code == 0
    assert perfmod(command).code == 0
    assert perfmod("check", "--prune-baseline").code == 0


def test_2_where_nothing_could_be_kept(perfmod: Perfmod, kind: str) -> None:
    changes = kind in ("safe", "both", "stale")
    before = Path("a.py").read_text()
    assert perfmod("apply", "--verify", "false", "--exit-zero").code == (2 if changes else 0)
    assert perfmod("apply", "--verify", "git diff --quiet").code == (2 if changes else int(kind in LEFT))
    write("a.py", before + "# mine\n")
    assert perfmod("apply").code == (2 if changes else int(kind in LEFT))
    assert Path("a.py").read_text() == before + "# mine\n"


@pytest.mark.parametrize("command", ["check", "diff", "apply"])
def test_standard_input(perfmod: Perfmod, kind: str, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXTS[kind].encode())))
    left = LEFT if command == "apply" else FOUND
    assert perfmod(command, "-", "--stdin-filename", "a.py").code == int(kind in left)


def test_outputs_are_stable(perfmod: Perfmod, kind: str) -> None:
    for name in FORMATS:
        first = perfmod("diff", "--output-format", name)
        assert perfmod("diff", "--output-format", name) == first
        assert perfmod("diff", "--output-format", name, "--no-cache") == first


# Every option


def options() -> list[str]:
    """Every option of every command, in its longest form."""
    names = set()
    for command in command_line.commands.values():
        for parameter in command.params:
            if parameter.param_type_name == "option":
                names.update(name for name in (*parameter.opts, *parameter.secondary_opts) if name.startswith("--"))
                names.update(name for name in parameter.opts if len(parameter.opts) == 1)
    return sorted(names)


@pytest.mark.parametrize("option", options())
def test_every_option_is_in_the_readme_and_in_a_test(option: str) -> None:
    word = re.compile(re.escape(option) + r"(?![\w-])")
    assert word.search((REPOSITORY / "README.md").read_text()), f"{option} is not in the README"
    tests = (path.read_text() for path in (REPOSITORY / "tests").glob("test_*.py"))
    assert any(word.search(text) for text in tests), f"{option} is in no test"


def test_the_readme_knows_no_other_options() -> None:
    _, _, after = (REPOSITORY / "README.md").read_text().partition("### Options")
    table, _, after = after.partition("### Many repositories")
    assert set(re.findall(r"--[a-z][a-z-]+", table)) <= {*options(), "--help"}
    fleet_section = after.partition("### Exit codes")[0]
    assert set(re.findall(r"--[a-z][a-z-]+", fleet_section)) <= {
        name for command in fleet.commands.values() for parameter in command.params for name in parameter.opts
    }


def test_what_only_select_columns_asks_for_changes_nothing_where_it_finds_nothing(tmp_path: Path) -> None:
    for asked in ("--tsc", "--exclude-sensitive"):
        command = [sys.executable, "-m", "perfmod", "check", asked]
        assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
