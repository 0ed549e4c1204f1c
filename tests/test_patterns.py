"""No pattern of the package needs time that grows with the square of a text, however hard the text tries."""

from __future__ import annotations

import re
import time
from functools import cache
from typing import Any

import pytest
from attacks import Attack, attacks
from written_patterns import Written, written_patterns

LENGTHS = tuple(int(16 * 1.13**step) for step in range(27))  #: bytes; near, where the time may double with each
SHORT = 2_000
MIDDLE, LONG = 8_000, 48_000  #: bounded repeats see less than MIDDLE
NOTHING = 0.0001  # seconds; what takes less with SHORT does not grow with its square
ENDLESS = 0.05  # seconds, with SHORT or less
MUCH = 0.03  # seconds, with LONG
WORST = 2.5  # how much longer LONG may take than as many bytes in texts of MIDDLE: once is linear, 6 times the square
SLOWEST = 5  # attacks on a pattern that are tried with LONG
TRIES = 2

#: Patterns that see only so many bytes at a time, whatever the file is: a name, or the line before a word.
WINDOWS = {
    "perfmod.project.web.packages.CONFIGURATION": 250,
    "perfmod.source.http.words.ANNOTATED": 500,
    "perfmod.source.http.words.ASSIGNED": 500,
    "perfmod.source.http.words.GIVEN_BACK": 500,
    "perfmod.source.http.words.HEADED": 500,
    "perfmod.source.tasks.words.ASSIGNED": 300,
    "perfmod.source.tasks.words.STORED": 300,
}


@cache
def patterns() -> list[Written]:
    return written_patterns()


@pytest.mark.slow
def test_time_grows_no_faster_than_the_text() -> None:
    slow = [f"{w.name}: {said}" for w in patterns() if w.name not in WINDOWS and (said := slowness(w)) is not None]
    assert not slow, "\n".join(slow)


def test_what_sees_little_is_fast_on_it() -> None:
    seeing = {written.name: written for written in patterns() if written.name in WINDOWS}
    assert set(seeing) == set(WINDOWS)
    for name, size in WINDOWS.items():
        for attack in attacks(seeing[name].pattern):
            took = cpu_time(seeing[name], attack, size)
            assert took < 0.1, f"{name}: {attack!r} takes {took:.3f} s with {size} bytes"


@pytest.mark.slow
def test_an_attack_is_found() -> None:
    """The test can fail: on patterns that are known to be slow, each in its own way."""
    for pattern in (r"a:[^=]*=", r"(?:a+)+b", rb"(?:ab|a|b)*!"):
        assert slowness(Written("slow", re.compile(pattern), True)) is not None, pattern
    for pattern in (r"\b(\w+)\s*+=", r"a:[^=]{0,300}=", r"\ba+b", r"[^\n]*"):
        assert slowness(Written("fast", re.compile(pattern), True)) is None, pattern


def slowness(written: Written) -> str | None:
    """What a text is, and what it does, that makes a pattern slow; None where there is none."""
    took: dict[Attack, float] = {}
    for attack in attacks(written.pattern):
        for length in (*LENGTHS, SHORT):
            took[attack] = wall_time(written, attack, length)
            if took[attack] > ENDLESS and (surely := cpu_time(written, attack, length)) > ENDLESS:
                return f"{attack!r}: {length} bytes take {surely:.3f} s"
    for attack in sorted(took, key=lambda attack: -took[attack])[:SLOWEST]:
        if took[attack] > NOTHING:
            ratios = [ratio(written, attack)]
            while ratios[-1] > WORST and len(ratios) < TRIES:
                ratios.append(ratio(written, attack))
            if ratios[-1] > WORST:
                return f"{attack!r}: grows faster than the text, {min(ratios):.1f} instead of 1"
    return None


def ratio(written: Written, attack: Attack) -> float:
    """How much longer a long text takes than shorter ones of the same length together."""
    long = cpu_time(written, attack, LONG)
    return 0 if long < MUCH else long / cpu_time(written, attack, MIDDLE, LONG // MIDDLE)


def wall_time(written: Written, attack: Attack, length: int) -> float:
    """Seconds; exact, but a busy machine makes them more."""
    text = made(written.pattern, attack, length)
    begun = time.perf_counter()
    run(written, text)
    return time.perf_counter() - begun


def cpu_time(written: Written, attack: Attack, length: int, times: int = 1) -> float:
    """Seconds of this thread: some milliseconds more or less, but no others count."""
    text = made(written.pattern, attack, length)
    begun = time.thread_time()
    for _ in range(times):
        run(written, text)
    return time.thread_time() - begun or 0.001


def run(written: Written, text: Any) -> None:
    if written.is_searched:
        for _ in written.pattern.finditer(text):
            pass
    else:
        written.pattern.match(text)


def made(pattern: re.Pattern[Any], attack: Attack, length: int) -> Any:
    text = attack.head + attack.pump * (length // len(attack.pump)) + attack.end
    return text.encode("utf-8", "replace") if isinstance(pattern.pattern, bytes) else text
