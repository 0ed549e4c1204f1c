"""The configuration: where it comes from, what it means, what is said about it."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from playground import Perfmod, write

REPOSITORY = Path(__file__).parent.parent
SCHEMA = REPOSITORY / "docs/perfmod.schema.json"
CONCISE = ("--output-format", "concise")


@pytest.mark.parametrize("pattern", ["tests/", "tests/**", "*_test.py", "/tests"])
def test_per_file_ignores(perfmod: Perfmod, pattern: str) -> None:
    write("perfmod.toml", f'[per-file-ignores]\n"{pattern}" = ["replace-words", "ignore-comment"]\n')
    write("a.py", "old_safe()\n")
    write("tests/a_test.py", "old_safe()\nf()  # perfmod: ignore[replace-words]\n")
    ran = perfmod("check", *CONCISE)
    assert ran.out.startswith("a.py:1:1 ") and ran.out.count("\n") == 1
    assert perfmod("apply", "-q").code == 0
    assert Path("tests/a_test.py").read_text().startswith("old_safe()")


def test_a_comment_for_a_rule_that_does_not_run_here_is_not_unused(perfmod: Perfmod) -> None:
    write("perfmod.toml", '[per-file-ignores]\n"a.py" = ["replace-words"]\n')
    write("a.py", "f()  # perfmod: ignore[replace-words]\n")
    assert perfmod("check").code == 0


def test_a_parse_error_can_be_left_out_by_file(perfmod: Perfmod) -> None:
    write("perfmod.toml", 'per-file-ignores = { "a.py" = ["parse-error"] }\n')
    write("a.py", "old_safe(\n")
    write("b.py", "old_safe(\n")
    assert perfmod("check", *CONCISE).out.startswith("b.py:1:1 parse-error")


def test_extend(perfmod: Perfmod) -> None:
    write(
        "base/perfmod.toml",
        'unsafe-fixes = true\nextend-exclude = ["x/"]\n[rules.replace-words]\nlimit = 1\nreplacement = "a"\n',
    )
    write("base/pyproject.toml", '[tool.perfmod]\nextend = "perfmod.toml"\nrequire-reason = true\n')
    write(
        "perfmod.toml",
        'extend = "base/pyproject.toml"\nextend-exclude = ["y/"]\n[rules.replace-words]\nreplacement = "b"\n',
    )
    shown = tomllib.loads(perfmod("check", "--show-settings").out)
    assert shown["unsafe-fixes"] is True and shown["require-reason"] is True
    assert shown["extend-exclude"] == ["x/", "y/"]
    assert shown["rules"]["replace-words"] == {"replacement": "b", "limit": 1}


def test_the_nearest_file_wins(perfmod: Perfmod) -> None:
    write("perfmod.toml", "unsafe-fixes = true\n")
    write("web/pyproject.toml", "[tool.perfmod]\n")
    write("web/a.py", "")
    assert "unsafe-fixes = false\n" in perfmod("check", "web/a.py", "--show-settings").out
    write("web/perfmod.toml", "require-reason = true\n")
    assert "require-reason = true\n" in perfmod("check", "web", "--show-settings").out
    assert "unsafe-fixes = true\n" in perfmod("check", "--show-settings").out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('extend = "perfmod.toml"', "`extend` leads back to"),
        ('extend = "missing.toml"', "missing.toml: No such file"),
        ('extend = "broken.toml"', "broken.toml: unknown key `selct`; did you mean `select`?"),
        ("extend = 1", "`extend` must be a string, not 1"),
        ('exten = "x"', "unknown key `exten`; did you mean `extend`?"),
        ("rule = 1", "unknown key `rule`; did you mean `rules`?"),
        ("per-file-ignores = 1", "`per-file-ignores` must be a table, not 1"),
        ('per-file-ignores = { "a" = "b" }', "`per-file-ignores`: `a` must be a list, not 'b'"),
        ('per-file-ignores = { "a" = ["b"] }', "`per-file-ignores`: unknown rule `b`"),
    ],
)
def test_bad_input(perfmod: Perfmod, text: str, message: str) -> None:
    write("perfmod.toml", text + "\n")
    write("broken.toml", "selct = []\n")
    ran = perfmod("check")
    assert ran.code == 2 and message in ran.err and ran.err.count("\n") == 1


def test_show_settings(perfmod: Perfmod) -> None:
    shown = perfmod("check", "--show-settings")
    assert shown == (
        0,
        "# from the defaults\n"
        'select = ["replace-words"]\n'
        "ignore = []\n"
        "# exclude is not set\n"
        "extend-exclude = []\n"
        "unsafe-fixes = false\n"
        "require-reason = false\n"
        "# baseline is not set\n"
        "\n"
        "[rules.replace-words]\n"
        'replacement = "new"\n'
        "# limit is not set\n",
        "",
    )
    write("perfmod.toml", 'per-file-ignores = { "a\\"b/" = ["replace-words"] }\n')
    shown = perfmod("diff", "--show-settings", "--unsafe-fixes", "--extend-exclude", "x", "--exclude", "y")
    settings = tomllib.loads(shown.out)
    assert settings["unsafe-fixes"] is True and settings["extend-exclude"] == ["x"] and settings["exclude"] == ["y"]
    assert settings["per-file-ignores"] == {'a"b/': ["replace-words"]}
    write("perfmod.toml", shown.out)
    assert perfmod("check", "--show-settings").out == shown.out


def test_init(perfmod: Perfmod) -> None:
    before = perfmod("check", "--show-settings").out.partition("\n")[2]
    assert perfmod("init").code == 0
    text = Path("perfmod.toml").read_text()
    assert "# extend-exclude = []  # .gitignore patterns on top of the built-in ones\n" in text
    assert perfmod("check", "--show-settings").out.partition("\n")[2] == before
    assert "is there already" in perfmod("init").err
    assert "no such file" in perfmod("init", "missing").err
    # Every line is one that could stand there.
    live = "\n".join(line.removeprefix("# ") for line in text.splitlines() if " = " in line or line.startswith("# ["))
    assert {"select", "unsafe-fixes", "rules", "per-file-ignores"} <= tomllib.loads(live).keys()


# The schema for editors


def test_the_schema_is_fresh() -> None:
    done = subprocess.run([sys.executable, REPOSITORY / "scripts/schema.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("", True),
        ('select = ["supervise-tasks"]\nunsafe-fixes = true\n[rules.supervise-tasks]\ntask-errors = "log"\n', True),
        ('extend = "x"\n[per-file-ignores]\n"tests/" = ["parse-error"]\n', True),
        ('select = ["nonsense"]', False),
        ("selct = []", False),
        ("[rules.nonsense]", False),
        ('[rules.supervise-tasks]\ntask-errors = "x"\n', False),
    ],
)
def test_the_schema_knows_what_is_valid(text: str, valid: bool) -> None:
    schema = json.loads(SCHEMA.read_text())
    Draft202012Validator.check_schema(schema)
    assert Draft202012Validator(schema).is_valid(tomllib.loads(text)) == valid
