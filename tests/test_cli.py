"""The command line: every option, every exit code, every bad input."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import replace_words
from playground import know

import perfmod.reports
from perfmod import __version__
from perfmod.cli import main
from perfmod.commands import perfmod as command_line
from perfmod.explain import HEADINGS, docstring_of, options_of, sections_of
from perfmod.options import FORMATS
from perfmod.rule import load_rule

REPOSITORY = Path(__file__).parent.parent
START = "from replace_words import install; install(); from perfmod.cli import main; main()"


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Perfmod = Callable[..., Ran]


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The stand-in rule is the only one; the work folder is empty."""
    monkeypatch.setitem(sys.modules, "perfmod.rules.replace_words", replace_words)
    know(monkeypatch, replace_words.RULE)
    for variable in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Perfmod:
    def run(*arguments: str) -> Ran:
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert isinstance(stop.value.code, int)
        return Ran(stop.value.code, *capfd.readouterr())

    return run


def start(*arguments: str, code: str = START, **options: object) -> subprocess.Popen[bytes]:
    """perfmod with the stand-in rule, in a process of its own."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "codemods"), str(REPOSITORY / "tests")]),
    }
    return subprocess.Popen([sys.executable, "-c", code, *arguments], env=environment, **options)  # type: ignore[call-overload,no-any-return]


def files(**texts: str) -> None:
    for name, text in texts.items():
        Path(f"{name}.py").write_text(text)


def git(*arguments: str) -> None:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


def commit() -> None:
    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "before")


def error_of(ran: Ran) -> str:
    """The one line of a run that failed."""
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("perfmod: error: ") and ran.err.count("\n") == 1, ran.err
    return ran.err.removeprefix("perfmod: error: ").rstrip("\n")


# Exit codes


@pytest.mark.parametrize(
    ("command", "text", "code"),
    [
        ("check", "x = 1\n", 0),
        ("check", "old_safe()\n", 1),
        ("check", "old_manual()\n", 1),
        ("check", "old_note\n", 0),
        ("check", "old_safe()  # noqa: OLD001\n", 0),
        ("check", "old_safe(\n", 1),
        ("diff", "x = 1\n", 0),
        ("diff", "old_safe()\n", 1),
        ("diff", "old_unsafe()\n", 1),
        ("apply", "x = 1\n", 0),
        ("apply", "old_safe()\n", 0),
        ("apply", "old_unsafe()\n", 1),
        ("apply", "old_safe()\nold_manual()\n", 1),
        ("apply", "old_safe(\n", 1),
    ],
)
def test_exit_code(run: Perfmod, command: str, text: str, code: int) -> None:
    files(a=text)
    assert run(command).code == code
    if code == 1:
        assert run(command, "--exit-zero").code == 0


def test_exit_zero_does_not_hide_errors(run: Perfmod) -> None:
    assert run("check", "--exit-zero", "missing").code == 2


def test_apply_writes_and_a_second_run_changes_nothing(run: Perfmod) -> None:
    files(a="old_safe()\n")
    assert "Fixed 1 finding in 1 file:\n  modified  a.py\n" in run("apply").out
    assert Path("a.py").read_text() == "new_safe()\n"
    assert run("apply") == Ran(0, "0 findings in 1 file.\n", "")


def test_apply_creates_a_helper(run: Perfmod) -> None:
    files(a="old_helper()\n")
    ran = run("apply")
    assert "  modified  a.py\n  created   background_tasks.py\n" in ran.out
    assert Path("background_tasks.py").exists()


@pytest.mark.parametrize("arguments", [("diff",), ("apply", "--dry-run"), ("check",)])
def test_only_apply_writes(run: Perfmod, arguments: tuple[str, ...]) -> None:
    files(a="old_safe()\nold_helper()\n")
    run(*arguments)
    assert list(Path().iterdir()) == [Path("a.py")]
    assert Path("a.py").read_text() == "old_safe()\nold_helper()\n"


def test_dry_run_is_diff(run: Perfmod) -> None:
    files(a="old_safe()\nold_manual()\n")
    assert run("apply", "--dry-run") == run("diff")


def test_diff_puts_the_patch_on_stdout_and_the_rest_on_stderr(run: Perfmod) -> None:
    files(a="old_safe()\nold_manual()\n")
    ran = run("diff")
    assert ran.out.startswith(
        "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n-old_safe()\n+new_safe()\n"
    )
    assert ran.err.startswith("a.py:2:1 replace-words `old_manual` is out of date. [manual]\n    manual: inside")
    assert run("diff", "-q") == Ran(1, ran.out, "")


def test_apply_refuses_uncommitted_edits(run: Perfmod) -> None:
    files(a="old_safe()\n", b="old_safe()\n")
    commit()
    files(a="old_safe()\n# edited\n")
    ran = run("apply", "--output-format", "json")
    assert ran.code == 2
    assert ran.err.startswith("perfmod: error: ") and "a.py" in ran.err and "--allow-dirty" in ran.err
    assert ran.err.count("\n") == 1
    assert json.loads(ran.out)["changes"] == []
    assert Path("b.py").read_text() == "old_safe()\n"
    assert run("apply", "--allow-dirty").code == 0
    assert Path("a.py").read_text() == "new_safe()\n# edited\n"


def test_advice_to_read_the_diff_only_inside_git(run: Perfmod) -> None:
    files(a="old_safe()\n")
    assert "git diff" not in run("apply").out
    files(a="old_safe()\n")
    commit()
    assert "`git diff`" in run("apply").out


# Options


def test_unsafe_fixes(run: Perfmod) -> None:
    files(a="old_unsafe()\n")
    assert "1 fixable with `perfmod apply --unsafe-fixes`." in run("check").out
    assert "1 fixable with `perfmod apply --unsafe-fixes`." in run("check", "--unsafe-fixes").out
    assert run("apply").code == 1
    assert run("apply", "--unsafe-fixes").code == 0
    assert Path("a.py").read_text() == "new_unsafe()\n"


def test_the_command_line_beats_the_file(run: Perfmod) -> None:
    files(a="old_unsafe()\n")
    Path("perfmod.toml").write_text("unsafe-fixes = true\n")
    assert run("apply", "--no-unsafe-fixes").code == 1
    assert run("apply", "--isolated").code == 1
    assert run("apply").code == 0


def test_select_undoes_ignore_of_the_file(run: Perfmod) -> None:
    files(a="old_safe()\n")
    Path("perfmod.toml").write_text('ignore = ["replace-words"]\n')
    assert "no rule is left" in error_of(run("check"))
    assert run("check", "--select", "replace-words").code == 1


def test_ignore(run: Perfmod) -> None:
    files(a="old_safe()\n", b="old_safe(\n")
    ran = run("check", "--ignore", "parse-error", "--output-format", "concise")
    assert ran.out == "a.py:1:1 replace-words `old_safe` is out of date. [safe]\n"
    assert "no rule is left" in error_of(run("check", "--ignore", "parse-error,replace-words"))


def test_rules_may_be_repeated_and_listed(run: Perfmod) -> None:
    assert run("check", "--select", "replace-words,replace-words", "--select", "replace-words").code == 0


def test_config_names_another_file(run: Perfmod, tmp_path: Path) -> None:
    files(a="old_safe()\n")
    Path("other.toml").write_text('[rules.replace-words]\nreplacement = "modern"\n')
    assert "+modern_safe()" in run("diff", "--config", "other.toml").out


def test_isolated_takes_the_path_as_the_root(run: Perfmod) -> None:
    Path("perfmod.toml").write_text("")
    Path("app").mkdir()
    Path("app/a.py").write_text("old_safe()\n")
    assert run("check", "app", "--output-format", "concise").out.startswith("app/a.py:1:1 ")
    assert run("check", "app", "--isolated", "--output-format", "concise").out.startswith("a.py:1:1 ")


def test_findings_cover_the_named_paths(run: Perfmod) -> None:
    files(a="old_safe()\n", b="old_safe()\n", c="old_safe()\n")
    commit()
    assert run("check", "b.py", "a.py", "-q", "--output-format", "concise").out.count("\n") == 2


def test_exclude(run: Perfmod) -> None:
    for folder in ("dist", "app", "old"):
        Path(folder).mkdir()
        Path(folder, "a.py").write_text("x = 1\n")
    assert run("check", "--show-files").out == "app/a.py\nold/a.py\n"
    assert run("check", "--show-files", "--extend-exclude", "old/").out == "app/a.py\n"
    assert run("check", "--show-files", "--exclude", "old/").out == "app/a.py\ndist/a.py\n"
    Path("perfmod.toml").write_text('exclude = ["app"]\n')
    assert run("check", "--show-files").out == "dist/a.py\nold/a.py\n"
    assert run("check", "--show-files", "--exclude", "old/").out == "app/a.py\ndist/a.py\n"


def test_show_files_lists_what_a_rule_would_read(run: Perfmod) -> None:
    files(b="", a="old_safe()\n")
    Path("README.md").write_text("")
    assert run("check", "--show-files") == Ran(0, "a.py\nb.py\n", "")
    assert run("apply", "--show-files", "b.py") == Ran(0, "b.py\n", "")
    assert Path("a.py").read_text() == "old_safe()\n"


def test_statistics(run: Perfmod) -> None:
    files(a="old_safe()\nold_unsafe()\nold_safe()\n", b="old_safe(\n")
    table = (
        "rule           safe  unsafe  manual  total\n"
        "parse-error       0       0       1      1\n"
        "replace-words     2       1       0      3\n"
        "total             2       1       1      4\n"
    )
    assert run("check", "--statistics") == Ran(1, table, "")
    assert run("check", "--statistics", "--output-format", "concise") == Ran(1, table, "")
    assert run("check", "--statistics", "--output-format", "json").err == table
    assert run("diff", "--statistics").err == table
    assert run("apply", "--statistics").out.endswith("total             2       1       1      4      2\n")


def test_quiet(run: Perfmod) -> None:
    files(a="old_safe()\n")
    assert "1 finding in 1 of 1 file." in run("check").out
    ran = run("check", "-q")
    assert "a.py:1:1 replace-words [safe]" in ran.out and "1 finding" not in ran.out
    assert run("apply", "-q") == Ran(0, "", "")


def test_verbose_shows_notes_and_the_configuration(run: Perfmod) -> None:
    files(a="old_note\n")
    Path("perfmod.toml").write_text("")
    assert "note" not in run("check").out
    ran = run("check", "-v")
    assert "note: a.py:1 replace-words an old word that may stay\n" in ran.out
    assert "configuration" in ran.err and "perfmod.toml" in ran.err and "rules replace-words" in ran.err
    assert (
        run("check", "-v", "--output-format", "concise").out
        == "a.py:1:1 replace-words an old word that may stay [note]\n"
    )


def test_skipped_files_are_told(run: Perfmod) -> None:
    Path("big.py").write_text("x = 1\n" * 400_000)
    assert "skipped: big.py: larger than 2 MB\n" in run("check").out


@pytest.mark.parametrize(
    ("arguments", "variables", "colored"),
    [
        ((), {}, False),
        ((), {"FORCE_COLOR": "1"}, True),
        ((), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ((), {"FORCE_COLOR": ""}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        (("--color", "never"), {"FORCE_COLOR": "1"}, False),
        (("--color", "auto"), {"FORCE_COLOR": "1"}, False),
    ],
)
@pytest.mark.parametrize("command", ["check", "diff", "apply"])
def test_color(
    run: Perfmod,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    arguments: tuple[str, ...],
    variables: dict[str, str],
    colored: bool,
) -> None:
    files(a="old_safe()\nold_manual()\n")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    ran = run(command, *arguments)
    assert ("\033[" in ran.out) == colored


def test_jobs(run: Perfmod) -> None:
    files(a="old_safe()\n")
    assert run("check", "-j", "2") == run("check", "--jobs", "1")
    assert "--jobs" in error_of(run("check", "-j", "0"))


def test_outputs_go_to_files_too(run: Perfmod) -> None:
    files(a="old_safe()\n")
    ran = run("diff", "-o", "report.json", "-o", "concise=lines", "-o", "changes.diff", "-o", "text=a=b", "-o", "r.txt")
    assert ran.out == Path("changes.diff").read_text()
    assert json.loads(Path("report.json").read_text())["summary"]["findings"] == 1
    assert Path("lines").read_text() == "a.py:1:1 replace-words `old_safe` is out of date. [safe]\n"
    assert Path("a=b").read_text() == Path("r.txt").read_text()
    assert "1 finding in 1 of 1 file." in Path("r.txt").read_text()


def test_an_output_that_fails_does_not_keep_others_from_being_written(run: Perfmod) -> None:
    files(a="old_safe()\n")
    Path("full.json").symlink_to("/dev/full")
    ran = run("check", "-o", "full.json", "-o", "b.json", "-q")
    assert ran.code == 2 and ran.err.startswith("perfmod: error: cannot write full.json: ")
    assert "a.py:1:1" in ran.out and Path("b.json").exists()


def test_version(run: Perfmod) -> None:
    assert run("--version") == Ran(0, f"perfmod {__version__}\n", "")


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("check", "-h"), ("apply", "--help"), ("explain", "-h")])
def test_help(run: Perfmod, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert ran.code == 0 and ran.out.startswith("Usage: perfmod")


def test_every_option_has_help() -> None:
    for command in command_line.commands.values():
        for option in command.params:
            assert option.param_type_name == "argument" or getattr(option, "help", None), option.name


def test_no_command_shows_the_help(run: Perfmod) -> None:
    ran = run()
    assert (ran.code, ran.err) == (2, "") and ran.out.startswith("Usage: perfmod")


def test_formats_of_the_command_line_are_those_of_reports() -> None:
    assert tuple(perfmod.reports.FORMATS) == FORMATS


# Words about rules


def test_rules(run: Perfmod) -> None:
    assert run("rules").out == (
        "replace-words  Replace old words by new ones.\n"
        "               python, typescript, tsx, vue; options: replacement, limit\n"
    )
    listed = json.loads(run("rules", "--output-format", "json").out)
    assert [rule["id"] for rule in listed] == ["replace-words"]
    assert listed[0]["options"][1] == {
        "name": "limit",
        "type": "whole number",
        "default": None,
        "doc": "How often it may happen.",
    }


def test_explain(run: Perfmod) -> None:
    ran = run("explain", "replace-words")
    assert ran.code == 0
    assert (
        "replace-words: Replace old words by new ones.\n\nWhat it finds\n    Words that begin with `old_`.\n" in ran.out
    )
    assert '    replacement (string; default: "new")\n        what stands there afterwards\n' in ran.out
    assert run("explain", "parse-error").out.startswith("parse-error: ")
    assert error_of(run("explain", "replace-word")).endswith(
        "unknown rule `replace-word`; did you mean `replace-words`?"
    )


def test_real_rules_are_explained() -> None:
    for rule_id in real_rules():
        rule = load_rule(rule_id)
        assert [name for name, _ in sections_of(docstring_of(rule))] == list(HEADINGS), rule_id
        assert all(option.doc for option in options_of(rule)), rule_id


def real_rules() -> list[str]:
    folder = REPOSITORY / "codemods/perfmod/rules"
    return sorted(file.stem.replace("_", "-") for file in folder.glob("[a-z]*.py"))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(run: Perfmod, shell: str) -> None:
    ran = run("completion", shell)
    assert ran.code == 0 and f"_PERFMOD_COMPLETE={shell}_complete" in ran.out


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("perfmod ch", "plain,check\n"),
        ("perfmod check --sel", "plain,--select\n"),
        ("perfmod check --select rep", "plain,replace-words\n"),
        ("perfmod check --select replace-words,rep", "plain,replace-words,replace-words\n"),
        ("perfmod explain rep", "plain,replace-words\n"),
    ],
)
def test_completion_of_words(run: Perfmod, monkeypatch: pytest.MonkeyPatch, words: str, completed: str) -> None:
    monkeypatch.setenv("_PERFMOD_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    assert run() == Ran(0, completed, "")


# Bad input: one line, exit code 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("check missing", "no such file or folder: missing"),
        ("check . missing", "no such file or folder: missing"),
        ("check loop.py", "cannot read loop.py: Too many levels of symbolic links"),
        ("check pipe.py", "neither a file nor a folder: pipe.py"),
        ("check sub ..", "is outside of"),
        ("check --select replace-word", "--select: unknown rule `replace-word`; did you mean `replace-words`?"),
        (
            "check --ignore nonsense",
            "--ignore: unknown rule `nonsense`; known: ignore-comment, parse-error, replace-words",
        ),
        ("check --output-format jsn", "--output-format: unknown value `jsn`; did you mean `json`?"),
        ("check --color yes", "--color: unknown value `yes`; known: always, auto, never"),
        ("check --output-format patch", "check changes nothing, so it has no patch; use `perfmod diff`"),
        ("check -o patch=x", "check changes nothing, so it has no patch; use `perfmod diff`"),
        ("check -o jsn=x", "-o: unknown format `jsn`; did you mean `json`?"),
        ("check -o report.csv", "-o report.csv: the suffix names no format; write FORMAT=report.csv"),
        ("check -o json=", "-o : is not a file"),
        ("check -o json=sub", "-o sub: is not a file"),
        ("check -o nowhere/x.json", "-o nowhere/x.json: there is no folder nowhere"),
        ("check --config missing.toml", "cannot read the configuration missing.toml: No such file or directory"),
        ("check --config sub", "cannot read the configuration sub: not a file, or too large"),
        ("check --config a.toml --isolated", "--config and --isolated exclude each other"),
        ("check --jobs many", "Invalid value for '-j' / '--jobs'"),
        ("check --selct x", "--selct"),
        ("check --dry-run", "--dry-run"),
        ("chek", "unknown command `chek`; did you mean `check`?"),
        ("sub", "unknown command `sub`; did you mean `perfmod check sub`?"),
        ("explain", "Missing argument 'RULE'"),
        ("completion tcsh", "unknown value `tcsh`; known: bash, fish, zsh"),
    ],
)
def test_bad_input(run: Perfmod, arguments: str, message: str) -> None:
    Path("loop.py").symlink_to("loop.py")
    os.mkfifo("pipe.py")
    Path("sub").mkdir()
    assert message in error_of(run(*arguments.split(" ")))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_named_file_that_cannot_be_read(run: Perfmod) -> None:
    files(a="x = 1\n")
    Path("a.py").chmod(0)
    assert error_of(run("check", "a.py")) == "cannot read a.py: Permission denied"
    assert "skipped: a.py: cannot be read: Permission denied" in run("check").out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("select = [", "perfmod.toml is not valid TOML"),
        ("\xff", "perfmod.toml is not valid TOML"),
        ("selct = []", "unknown key `selct`; did you mean `select`?"),
        ("select = 'x'", "`select` must be a list, not 'x'"),
        ("select = [1]", "`select` must be a string, not 1"),
        ("select = ['replace-word']", "unknown rule `replace-word`; did you mean `replace-words`?"),
        ("ignore = ['replace-word']", "unknown rule `replace-word`; did you mean `replace-words`?"),
        ("unsafe-fixes = 1", "`unsafe-fixes` must be true or false, not 1"),
        ("rules = 1", "[rules]: expected a table"),
        ("rules.replace-words = 1", "[rules.replace-words]: expected a table"),
        ("[rules.replace-word]", "unknown rule `replace-word`; did you mean `replace-words`?"),
        ("[rules.replace-words]\nreplacment = 1", "unknown key `replacment`; did you mean `replacement`?"),
        ("[rules.replace-words]\nlimit = 'x'", "`limit` must be a whole number, not 'x'"),
    ],
)
def test_broken_configuration(run: Perfmod, text: str, message: str) -> None:
    Path("perfmod.toml").write_bytes(text.encode("latin-1"))
    assert message in error_of(run("check"))


@pytest.mark.parametrize("text", ["tool = 1\n# [tool.perfmod", "[tool]\nperfmod = 1\n# [tool.perfmod"])
def test_broken_pyproject(run: Perfmod, text: str) -> None:
    files(a="x = 1\n")
    Path("pyproject.toml").write_text(text)
    assert run("check").code == (2 if "perfmod = 1" in text else 0)


def test_an_empty_folder_is_clean(run: Perfmod) -> None:
    Path("empty").mkdir()
    for command in ("check", "apply"):
        assert run(command, "empty") == Ran(0, "0 findings: no files here that perfmod reads.\n", "")
    assert run("diff", "empty") == Ran(0, "", "0 findings: no files here that perfmod reads.\n")


def test_no_git_needed(run: Perfmod, monkeypatch: pytest.MonkeyPatch) -> None:
    files(a="old_safe()\n")
    commit()
    monkeypatch.setenv("PATH", "")
    assert run("check").code == 1


def test_an_internal_error_is_one_line(run: Perfmod) -> None:
    files(a="old_crash\n")
    said = error_of(run("check"))
    assert said.startswith("internal error, please report it: KeyError at tests/replace_words.py:")
    ran = run("check", "-v")
    assert ran.code == 2 and "Traceback" in ran.err and ran.err.count("perfmod: error: ") == 1


def test_an_internal_error_of_a_worker_names_its_place(run: Perfmod, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perfmod.scanning.FILES_PER_WORKER", 1)
    files(a="old_crash\n", b="x = 1\n")
    assert "KeyError at tests/replace_words.py:" in error_of(run("check", "-j", "2"))


# Being one program among others


@pytest.mark.parametrize("arguments", [("check",), ("diff",), ("check", "--output-format", "json"), ("rules",)])
def test_a_closed_pipe_is_no_error(arguments: tuple[str, ...]) -> None:
    files(a="old_safe()\n" * 3000)
    process = start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert b"Traceback" not in err and b"BrokenPipe" not in err
    assert process.returncode == (0 if arguments == ("rules",) else 1)


def test_a_full_disk_behind_standard_output() -> None:
    files(a="old_safe()\n")
    with Path("/dev/full").open("wb") as full:
        process = start("check", stdout=full, stderr=subprocess.PIPE)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (2, b"perfmod: error: cannot write to stdout: No space left on device\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-"])
def test_a_stream_that_is_closed_from_the_start(closed: str) -> None:
    files(a="import asyncio\n\n\nasync def f():\n    asyncio.create_task(g())\n")
    command = f"exec '{sys.executable}' -m perfmod check {closed}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "")


def test_interrupted_quietly() -> None:
    files(a="old_safe()\n")
    wait = (
        "import perfmod.pipeline, time;"
        "perfmod.pipeline.scan_all = lambda *_: (print('ready', flush=True), [time.sleep(0.05) for _ in range(1200)]);"
    )
    process = start("check", code=wait + START, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.strip() == b""


HEAVY = ("rich", "libcst", "tree_sitter", "pathspec", "tomllib", "yaml", "pygments", "perfmod.fleet", "distributed")


@pytest.mark.parametrize("arguments", [("check",), ("--version",), ("check", "--output-format", "json"), ("diff",)])
def test_a_clean_run_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    files(**{f"module_{number}": f"x = {number}\n" for number in range(50)})
    code = (
        "import sys, atexit; atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr));"
        "from perfmod.cli import main; main()"
    )
    process = start(*arguments, code=code, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    loaded = set(err.decode().split()) & set(HEAVY)
    assert not loaded


def test_check_with_findings_does_not_import_libcst_or_rich() -> None:
    files(a="import asyncio\nasync def f():\n    asyncio.create_task(f())\n")
    code = (
        "import sys, atexit; atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr));"
        "from perfmod.cli import main; main()"
    )
    process = start("check", code=code, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1, out + err
    assert not {"rich", "libcst"} & set(err.decode().split())


def test_a_terminal_gets_colors_and_a_long_run_a_progress_bar() -> None:
    files(a="old_safe()\n")
    impatient = "import perfmod.reports.progress as p; p.PATIENCE = 0; "
    seen, code = in_terminal("check", code=impatient + START)
    assert code == 1
    assert "\033[" in seen and "a.py:1:1" in seen
    assert "Reading" in seen
    assert "Reading" not in in_terminal("check", "-q", code=impatient + START)[0]


def in_terminal(*arguments: str, code: str) -> tuple[str, int]:
    """What a person sees, and the exit code."""
    ours, theirs = pty.openpty()
    process = start(*arguments, code=code, stdout=theirs, stderr=theirs, stdin=theirs)
    os.close(theirs)
    seen = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # Linux says so when the other side is closed
            break
        if not piece:
            break
        seen += piece
    os.close(ours)
    return seen.decode(), process.wait(timeout=60)
