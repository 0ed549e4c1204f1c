"""apply -i, through a pseudo-terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from playground import Perfmod, commit, git, write

START = """
import sys, replace_words, retire_names, perfmod.rule, perfmod.config
sys.modules["perfmod.rules.replace_words"] = replace_words
sys.modules["perfmod.rules.retire_names"] = retire_names
for module in (perfmod.rule, perfmod.config):
    module.rule_ids = lambda: ("replace-words", "retire-names")
from perfmod.cli import main
main()
"""
HERE = Path(__file__).parent


class Seen(NamedTuple):
    code: int
    out: str
    screen: str


def talk(*answers: str, arguments: tuple[str, ...] = ()) -> Seen:
    """Run `apply -i` and give an answer at each prompt."""
    ours, theirs = pty.openpty()
    path = os.pathsep.join([str(HERE), str(HERE.parent / "codemods")])
    process = subprocess.Popen(
        [sys.executable, "-c", START, "apply", "-i", *arguments],
        stdin=theirs,
        stderr=theirs,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", "TERM": "xterm"},
        start_new_session=True,
        preexec_fn=take_terminal,
    )
    os.close(theirs)
    waiting = list(answers)
    screen, since = "", 0
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not select.select([ours], [], [], 0.2)[0]:
            if process.poll() is not None:
                break
            continue
        try:
            piece = os.read(ours, 4096)
        except OSError:
            break
        if not piece:
            break
        screen += piece.decode().replace("\r\n", "\n")
        if waiting and screen[since:].endswith(("] ", "reason: ")):
            since = len(screen)
            time.sleep(0.05)  # the terminal drops what is typed while it changes its mode
            os.write(ours, waiting.pop(0).encode())
    else:
        process.kill()
    out = process.stdout.read().decode() if process.stdout else ""
    code = process.wait(timeout=60)
    os.close(ours)
    assert not waiting, screen
    return Seen(code, out, screen)


def take_terminal() -> None:
    """Make standard input the terminal of this session, so that Ctrl-C reaches the process."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def work(text: str) -> Path:
    return write("a.py", text)


@pytest.fixture(autouse=True)
def folder(perfmod: Perfmod) -> None:
    """An empty folder."""


def test_yes_and_no() -> None:
    file = work("old_safe(1)\nold_safe(2)\n")
    seen = talk("y", "n")
    assert seen.code == 1 and file.read_text() == "new_safe(1)\nold_safe(2)\n"
    assert "a.py:1:1 replace-words [safe]\n" in seen.screen
    assert "  why    `old_safe` is out of date.\n" in seen.screen
    assert "-old_safe(1)\n+new_safe(1)\n" in seen.screen
    assert "1 of 2: fix this [y,n,a,s,q,?] y\n" in seen.screen
    assert "Fixed 1 finding in 1 file:\n" in seen.out and "1 finding left" in seen.out


def test_all_of_a_rule() -> None:
    file = work("old_safe(1)\nbad_1\nold_safe(2)\nold_unsafe(3)\nold_safe(4)\nbad_2\n")
    seen = talk("a", "n", "n", "y")
    assert file.read_text() == "new_safe(1)\nbad_1\nnew_safe(2)\nold_unsafe(3)\nnew_safe(4)\ngood_2\n"
    assert "[unsafe]" in seen.screen and "its type is unknown" in seen.screen


def test_unsafe_ones_are_offered_with_their_reason() -> None:
    file = work("old_unsafe(1)\n")
    assert talk("y").code == 0
    assert file.read_text() == "new_unsafe(1)\n"


def test_suppress_with_a_reason() -> None:
    file = work("old_manual(1)\nold_safe(2); old_safe(3)\n")
    seen = talk("y", "s", "as agreed\n", "s", "*/\n", "s", "\n", arguments=("-q",))
    assert "no fix [n,s,q,?] " in seen.screen and "can't stand in a comment" in seen.screen
    assert file.read_text() == (
        "old_manual(1)  # perfmod: ignore[replace-words] as agreed\n"
        "old_safe(2); old_safe(3)  # perfmod: ignore[replace-words]\n"
    )
    assert seen.code == 0


def test_colours_obey_the_command_line() -> None:
    work("old_safe(1)\n")
    assert "\x1b[" in talk("q", arguments=("--color", "always")).screen
    assert "\x1b[" not in talk("q", arguments=("--color", "never")).screen


def test_help() -> None:
    work("old_safe(1)\n")
    seen = talk("?", "x", "y")
    assert "? shows what the keys mean\n" in seen.screen
    assert "  y  fix this one\n  n  leave it\n" in seen.screen


def test_left_and_resumed() -> None:
    file = work("old_safe(1)\nold_safe(2)\nold_safe(3)\nold_safe(4)\n")
    commit()
    seen = talk("n", "y", "q")
    assert seen.code == 1 and file.read_text() == "old_safe(1)\nnew_safe(2)\nold_safe(3)\nold_safe(4)\n"
    seen = talk("y", "q")
    assert "going on: 1 that you left are not shown again\n" in seen.screen and "1 of 2: " in seen.screen
    assert file.read_text() == "old_safe(1)\nnew_safe(2)\nnew_safe(3)\nold_safe(4)\n"
    seen = talk("n")  # the last one: the round is over
    seen = talk("y", "y")
    assert "going on" not in seen.screen
    assert seen.code == 0 and file.read_text() == "new_safe(1)\nnew_safe(2)\nnew_safe(3)\nnew_safe(4)\n"


def test_end_of_input_is_like_q() -> None:
    file = work("old_safe(1)\nold_safe(2)\n")
    assert talk("y", "\x04").code == 1
    assert file.read_text() == "new_safe(1)\nold_safe(2)\n"


def test_ctrl_c_writes_nothing() -> None:
    file = work("old_safe(1)\nold_safe(2)\n")
    assert talk("y", "\x03").code == 130
    assert file.read_text() == "old_safe(1)\nold_safe(2)\n"


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_no_reason_is_given(key: str) -> None:
    file = work("old_safe(1)\nold_safe(2)\n")
    seen = talk("y", "s", key)
    assert seen.code == 130 and "error" not in seen.screen
    assert file.read_text() == "old_safe(1)\nold_safe(2)\n"


def test_with_commit_verify_and_json() -> None:
    work("old_safe(1)\nbad_2\n")
    commit()
    seen = talk("y", "y", arguments=("--commit", "--verify", "true", "--output-format", "json"))
    assert seen.code == 0 and seen.out.startswith("{")
    assert git("log", "--format=%s").splitlines()[0] == "perfmod: retire-names: 1 fix in 1 file"


def test_needs_a_terminal(perfmod: Perfmod) -> None:
    ran = perfmod("apply", "-i")
    assert ran.code == 2 and "--interactive needs a terminal to ask in" in ran.err
    assert "exclude each other" in perfmod("apply", "-i", "--dry-run").err
    assert "exclude each other" in perfmod("apply", "-i", "--add-ignore").err
