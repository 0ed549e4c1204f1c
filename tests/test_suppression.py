"""Ignore comments: what they silence, and what is said about those that silence nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from playground import Perfmod, know, write

CONCISE = ("--output-format", "concise")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", "old_safe()  # perfmod: ignore[replace-words]\n"),
        ("a.py", "old_safe()  # perfmod: ignore[replace-words] reviewed\n"),
        ("a.py", "old_safe()  # type: ignore  # perfmod: ignore[replace-words]\n"),
        ("a.py", "old_safe()  #perfmod:ignore[ replace-words ]\n"),
        ("a.py", "# perfmod: ignore[replace-words]\nold_safe()\n"),
        ("a.py", "# perfmod: ignore[replace-words]\n# more\nold_safe()\n"),
        ("a.py", "if x:\n    # perfmod: ignore[replace-words]\n    old_safe()\n"),
        ("a.py", "def f():\n    # perfmod: ignore[replace-words]\n    old_safe()\n"),
        ("a.py", "if x:\n    pass\nelse:\n    # perfmod: ignore[replace-words]\n    old_safe()\n"),
        ("a.py", "# perfmod: ignore[replace-words]\nx = [\n    1,\n    old_safe(),\n]\n"),
        ("a.py", "old_safe(\n    1,\n)  # perfmod: ignore[replace-words]\n"),
        ("a.py", "x = 1\nold_safe()\n# perfmod: file-ignore[replace-words]\n"),
        ("a.py", "old_safe()  # perfmod: ignore[replace-words] until=2999-12-31 later\n"),
        ("a.py", "# perfmod: ignore[replace-words]\n@old_safe()\ndef f():\n    pass\n"),
        ("a.py", "old_safe()  # noqa: OLD001\n"),
        ("a.py", "old_safe()  # noqa\n"),
        ("a.py", "# ruff: ignore[OLD001]\nold_safe()\n"),
        ("a.py", "# ruff: noqa: OLD001\nold_safe()\n"),
        ("a.ts", "old_safe(); // perfmod: ignore[replace-words] reviewed\n"),
        ("a.ts", "old_safe(); /* perfmod: ignore[replace-words] reviewed */\n"),
        ("a.ts", "/* perfmod: ignore[replace-words] reviewed */ old_safe();\n"),
        ("a.ts", "/*\n * perfmod: ignore[replace-words] reviewed\n */\nold_safe();\n"),
        ("a.ts", "// perfmod: ignore[replace-words]\nexport const x = old_safe();\n"),
        (
            "a.tsx",
            "const x = (\n  <div>\n    {/* perfmod: ignore[replace-words] */}\n    <p>{old_safe()}</p>\n  </div>\n);\n",
        ),
        ("a.ts", "old_safe(); // eslint-disable-line OLD001 -- reviewed\n"),
        ("a.ts", "old_safe(); // eslint-disable-line other, OLD001\n"),
        ("a.ts", "// eslint-disable-next-line OLD001\nold_safe();\n"),
        ("a.ts", "/* eslint-disable OLD001 */\nf();\nold_safe();\n"),
        ("a.ts", "/* eslint-disable */\nold_safe();\n/* eslint-enable */\n"),
        ("a.vue", "<script>\n// perfmod: ignore[replace-words]\nold_safe();\n</script>\n"),
        ("a.vue", "<script lang='ts'>\nold_safe(); // eslint-disable-line OLD001\n</script>\n"),
        ("a.vue", "<template>\n  <!-- perfmod: ignore[replace-words] -->\n  <p>old_safe()</p>\n</template>\n"),
        ("a.vue", "<!-- perfmod: file-ignore[replace-words] --><script>\nold_safe();\n</script>\n"),
    ],
)
def test_silenced(perfmod: Perfmod, name: str, text: str) -> None:
    write(name, text)
    assert perfmod("check", *CONCISE) == (0, "", "")
    assert perfmod("apply", "-q").code == 0
    assert Path(name).read_text() == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", "x = '# perfmod: ignore[replace-words]'; old_safe()\n"),
        ("a.py", "x = 1  # perfmod: file-ignored[replace-words]\nold_safe()\n"),
        ("a.py", "if x:\n    # ruff: ignore[OLD001]\n    f()\n    old_safe()\n"),
        ("a.py", "f()  # noqa: OLD001\nold_safe()\n"),
        ("a.py", "old_safe()  # noqa: OTHER1\n"),
        ("a.ts", "old_safe(); // eslint-disable-line other\n"),
        ("a.ts", "// eslint-disable-next-line OLD001\nf();\nold_safe();\n"),
        ("a.ts", "/* eslint-disable OLD001 */\nf();\n/* eslint-enable OLD001 */\nold_safe();\n"),
        ("a.ts", "// eslint-disable-lines\nold_safe();\n"),
    ],
)
def test_not_silenced(perfmod: Perfmod, name: str, text: str) -> None:
    write(name, text)
    ran = perfmod("check", *CONCISE)
    assert ran.code == 1
    assert " replace-words `old_safe` is out of date. [safe]\n" in ran.out


@pytest.mark.parametrize(
    ("name", "before", "said", "after"),
    [
        ("a.py", "f()  # perfmod: ignore[replace-words] why\n", "`replace-words` finds nothing here", "f()\n"),
        ("a.py", "# perfmod: ignore[replace-words]\nf()\n", "`replace-words` finds nothing here", "f()\n"),
        ("a.py", "f()\n# perfmod: file-ignore[replace-words]", "`replace-words` finds nothing here", "f()\n"),
        ("a.py", "f()  # noqa: X1  # perfmod: ignore[replace-words]\n", "finds nothing", "f()  # noqa: X1\n"),
        ("a.py", "f()  # perfmod: ignore[replace-words] why  # noqa: X1\n", "finds nothing", "f()  # noqa: X1\n"),
        ("a.py", "f()  # note perfmod: ignore[replace-words] see #1\n", "finds nothing", "f()  # note\n"),
        ("a.py", "f()\r\n# perfmod: ignore[replace-words]\r\ng()\r\n", "finds nothing", "f()\r\ng()\r\n"),
        ("a.py", "f()  # perfmod: ignore[no-such-thing]\n", "there is no rule `no-such-thing`", "f()\n"),
        (
            "a.py",
            "f()  # perfmod: ignore[replace-word]\n",
            "there is no rule `replace-word`, and `replace-words` f",
            "f()\n",
        ),
        (
            "a.py",
            "old_safe()  # perfmod: ignore[replace-word, nonsense] why\n",
            "there is no rule `replace-word`; it is taken for `replace-words`; there is no rule `nonsense`",
            "old_safe()  # perfmod: ignore[replace-words] why\n",
        ),
        (
            "a.py",
            "f()  # perfmod: ignore[replace-words, parse-error] why\n",
            "`replace-words` finds nothing here",
            "f()  # perfmod: ignore[parse-error] why\n",
        ),
        (
            "a.py",
            "old_manual()  # perfmod: ignore[replace-words] until=2026-01-31 why\n",
            "has expired: it held until 2026-01-31",
            "old_manual()\n",
        ),
        (
            "a.py",
            "old_safe()  # perfmod: ignore[replace-words] until=2026-01-31\n",
            "has expired: it held until 2026-01-31",
            "new_safe()\n",
        ),
        ("a.vue", "<!-- perfmod: ignore[replace-words] -->\n<p>x</p>\n", "finds nothing", "<p>x</p>\n"),
        ("a.ts", "f(); // perfmod: ignore[replace-words]\n", "finds nothing", "f();\n"),
        ("a.ts", "/* perfmod: ignore[replace-words] */ f();\n", "finds nothing", "f();\n"),
        ("a.ts", "f(/* perfmod: ignore[replace-words] */ 1);\n", "finds nothing", "f(1);\n"),
        ("a.ts", "/*\n * perfmod: ignore[replace-words]\n */\nf();\n", "finds nothing", "f();\n"),
        (
            "a.tsx",
            "x = <p>\n  {/* perfmod: ignore[replace-words] */}\n  <b/>\n</p>;\n",
            "finds",
            "x = <p>\n  <b/>\n</p>;\n",
        ),
    ],
)
def test_out_of_date(perfmod: Perfmod, name: str, before: str, said: str, after: str) -> None:
    write(name, before)
    ran = perfmod("check", *CONCISE)
    assert ran.code == 1
    assert " ignore-comment This ignore comment " in ran.out and said in ran.out and "[safe]" in ran.out
    perfmod("apply", "-q")
    assert Path(name).read_bytes().decode() == after
    assert "ignore-comment" not in perfmod("check", *CONCISE).out
    assert perfmod("diff").out == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("f()  # perfmod: ignore\n", "names no rule, so it ignores nothing: write ignore[rule]"),
        ("f()  # perfmod: ignore[] why\n", "names no rule"),
        ("old_safe()  # perfmod: ignore[replace-words] until=soon\n", "has no valid date: until=soon"),
        ("old_safe()  # perfmod: ignore[replace-words] until=2026-13-01\n", "has no valid date"),
    ],
)
def test_for_a_person_to_mend(perfmod: Perfmod, text: str, said: str) -> None:
    write("a.py", text)
    ran = perfmod("check", *CONCISE)
    assert ran.code == 1 and said in ran.out and "[manual]" in ran.out
    perfmod("apply")
    assert Path("a.py").read_text() == text


def test_a_reason_may_be_required(perfmod: Perfmod) -> None:
    write("perfmod.toml", "require-reason = true\n")
    write("a.py", "old_safe()  # perfmod: ignore[replace-words]\nold_safe()  # perfmod: ignore[replace-words] why\n")
    ran = perfmod("check", *CONCISE)
    assert ran.out.startswith("a.py:1:13 ignore-comment This ignore comment gives no reason") and ran.code == 1
    assert ran.out.count("\n") == 1


@pytest.mark.parametrize(
    "text",
    [
        "f()  # perfmod: ignore[parse-error]\n",  # did not run as a rule of its own
        "f(  # perfmod: ignore[replace-words]\n",  # does not parse
        "'perfmod: ignore[replace-words]'\n",
        "# perfmod: background_tasks template\n",
    ],
)
def test_nothing_is_said(perfmod: Perfmod, text: str) -> None:
    write("a.py", text)
    assert perfmod("check", *CONCISE) == (0, "", "")


def test_only_rules_that_ran_and_files_that_were_looked_at(perfmod: Perfmod, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, "replace-words", "supervise-tasks")
    write("a.py", "f()  # perfmod: ignore[replace-words]\n")
    write("b.py", "f()\n")
    assert perfmod("check", "--select", "supervise-tasks").code == 0
    assert perfmod("check", "--select", "replace-words").code == 1
    assert perfmod("check", "b.py").code == 0
    assert perfmod("check", "--ignore", "ignore-comment").code == 0


def test_json_says_what_was_silenced(perfmod: Perfmod) -> None:
    write("a.py", "old_safe()  # perfmod: ignore[replace-words]\n")
    assert '"suppressed": "comment"' in perfmod("check", "--output-format", "json").out
    assert "0 findings in 1 file (1 suppressed).\n" in perfmod("check").out


def test_it_is_explained(perfmod: Perfmod) -> None:
    assert perfmod("explain", "ignore-comment").out.startswith("ignore-comment: An ignore comment")


# --add-ignore


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("a.py", "old_safe()\n", "old_safe()  # perfmod: ignore[replace-words] why\n"),
        ("a.py", "old_safe()", "old_safe()  # perfmod: ignore[replace-words] why"),
        ("a.py", "old_safe()\r\nf()\r\n", "old_safe()  # perfmod: ignore[replace-words] why\r\nf()\r\n"),
        ("a.py", "old_manual(); old_safe()\n", "old_manual(); old_safe()  # perfmod: ignore[replace-words] why\n"),
        (
            "a.py",
            "f(  # a\n    old_safe(),\n)\n",
            "f(  # a\n    old_safe(),  # perfmod: ignore[replace-words] why\n)\n",
        ),
        (
            "a.py",
            "if x:\n    old_safe(" + "1, " * 30 + ")\n",
            "if x:\n    # perfmod: ignore[replace-words] why\n    old_safe(" + "1, " * 30 + ")\n",
        ),
        ("a.py", "x = old_safe() + \\\n  1\n", "# perfmod: ignore[replace-words] why\nx = old_safe() + \\\n  1\n"),
        ("a.py", "x = [old_safe(), '''\n''']\n", "# perfmod: ignore[replace-words] why\nx = [old_safe(), '''\n''']\n"),
        (
            "a.py",
            "old_safe()  # perfmod: ignore[parse-error] so\n",
            "old_safe()  # perfmod: ignore[parse-error, replace-words] so\n",
        ),
        (
            "a.vue",
            "<script>\nold_safe();\n</script>\n",
            "<script>\nold_safe(); // perfmod: ignore[replace-words] why\n</script>\n",
        ),
        (
            "a.vue",
            "<template>\n  <p>old_safe()</p>\n</template>\n",
            "<template>\n  <p>old_safe()</p> <!-- perfmod: ignore[replace-words] why -->\n</template>\n",
        ),
        ("a.ts", "old_safe();\n", "old_safe(); // perfmod: ignore[replace-words] why\n"),
        (
            "a.tsx",
            "x = (\n  <p>\n    {old_safe()} text\n  </p>\n);\n",
            "x = (\n  <p>\n    {/* perfmod: ignore[replace-words] why */}\n    {old_safe()} text\n  </p>\n);\n",
        ),
    ],
)
def test_add_ignore(perfmod: Perfmod, name: str, before: str, after: str) -> None:
    write(name, before)
    assert perfmod("diff", "--add-ignore=why").code == 1
    assert Path(name).read_bytes().decode() == before
    assert perfmod("apply", "--add-ignore=why", "-q").code == 0
    assert Path(name).read_bytes().decode() == after
    assert perfmod("check").code == 0
    assert perfmod("apply", "--add-ignore=why", "-q").code == 0
    assert Path(name).read_bytes().decode() == after


def test_add_ignore_without_a_reason_leaves_paths_alone(perfmod: Perfmod) -> None:
    write("a.py", "old_safe()\n")
    write("b.py", "old_safe()\n")
    ran = perfmod("apply", "--add-ignore", "a.py")
    assert ran.code == 0 and "Marked as reviewed: 1 finding in 1 file:" in ran.out
    assert Path("a.py").read_text() == "old_safe()  # perfmod: ignore[replace-words]\n"
    assert Path("b.py").read_text() == "old_safe()\n"
    assert "can't hold" in perfmod("apply", "--add-ignore=*/").err


def test_add_ignore_leaves_what_no_comment_can_mark(perfmod: Perfmod) -> None:
    write("a.py", "old_safe(\n")
    write("b.py", "f()  # perfmod: ignore[replace-words]\n")
    write("c.py", "x = '''\nold_safe()\n'''\n")
    ran = perfmod("apply", "--add-ignore")
    assert ran.code == 1 and "1 left: no comment can stand here\n" in ran.out
    assert Path("c.py").read_text() == "x = '''\nold_safe()\n'''\n"
