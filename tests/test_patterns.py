"""No pattern of the package needs time that grows with the square of a text, however hard the text tries.

PERFMOD_ATTACKS=all tries every string, PERFMOD_ATTACKS=some twenty for each pattern; without it nothing is tried.
"""

from __future__ import annotations

import ast
import os
import pkgutil
import random
import re
import signal
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from attacks import attacks

import perfmod

PACKAGE = Path(perfmod.__file__).parent
SEARCHING = frozenset({"search", "finditer", "findall", "sub", "subn", "split"})
ANCHORED = frozenset({"match", "fullmatch"})
FLAGS = {"M": re.M, "MULTILINE": re.M, "I": re.I, "IGNORECASE": re.I, "S": re.S, "DOTALL": re.S, "X": re.X}
LENGTH = 16_000
NOTHING = 0.06  # seconds; what takes less at LENGTH is fast whatever it grows like
SOME = 20

#: Patterns that see nothing long, and what makes sure of it.
SHORT = {
    "perfmod.project.web.packages.CONFIGURATION": "names of files",
    "perfmod.source.python.annotations.DOTTED": "matched with, never searched: annotations",
    "perfmod.source.python.annotations.WRAPPERS": "matched with, never searched: annotations",
    "perfmod.source.python.functions.RECEIVER": "matched with, never searched: names",
}


def trees() -> Iterator[tuple[str, ast.Module]]:
    for file in sorted(PACKAGE.rglob("*.py")):
        if "templates" not in file.parts or file.name == "__init__.py":
            yield file.relative_to(PACKAGE).as_posix(), ast.parse(file.read_text())


def methods() -> dict[str, set[str]]:
    """How each name of a pattern is used anywhere in the package. A name that is passed on may be searched with."""
    used: dict[str, set[str]] = {}
    for _, tree in trees():
        called = {id(node.func.value) for node in ast.walk(tree) if is_method(node)}
        for node in ast.walk(tree):
            if is_method(node) and isinstance(node.func.value, ast.Name):
                used.setdefault(node.func.value.id, set()).add(node.func.attr)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in called:
                used.setdefault(node.id, set()).add("search")
    return used


def is_method(node: Any) -> bool:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    return node.func.attr in SEARCHING | ANCHORED


def patterns() -> dict[str, tuple[re.Pattern[Any], bool]]:
    """Every pattern that is written down in the package, and whether it is searched with."""
    used = methods()
    found: dict[str, tuple[re.Pattern[Any], bool]] = {}
    for module in pkgutil.walk_packages([str(PACKAGE)], "perfmod."):
        if module.name.endswith("__main__") or ".templates." in module.name:
            continue
        for name, value in vars(import_module(module.name)).items():
            for pattern in held(value):
                found[f"{module.name}.{name}"] = (pattern, bool(used.get(name, SEARCHING) & SEARCHING))
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re.") and node.args:
                method = ast.unparse(node.func).removeprefix("re.")
                if method in SEARCHING | ANCHORED:
                    for text in written(node.args[0]):
                        flags = re.NOFLAG
                        for word in re.findall(r"re\.([A-Z]+)\b", ast.unparse(node)):
                            flags |= FLAGS.get(word, re.NOFLAG)
                        found[f"{path}:{node.lineno}"] = (re.compile(text, flags), method in SEARCHING)
    unique = {(p.pattern, p.flags, search): name for name, (p, search) in found.items()}
    return {name: found[name] for name in unique.values()}


def held(value: Any) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        yield from held(tuple(value.values()))
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from held(inner)


def written(node: ast.expr) -> Iterator[Any]:
    """A literal pattern; of one with a hole in it (an f-string, %b) one with a word there."""
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "word" for part in node.values]
        yield "".join(map(str, parts))
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant):
        word: Any = b"word" if isinstance(node.left.value, bytes) else "word"
        yield re.sub(rb"%[bs]" if isinstance(word, bytes) else "%s", word, node.left.value)
    else:
        try:
            yield ast.literal_eval(node)
        except ValueError:
            return


class Late(Exception):
    pass


def seconds(pattern: re.Pattern[Any], text: Any, searching: bool) -> float:
    """Processor time, at most one second of it."""

    def stop(*_: object) -> None:
        raise Late

    before = signal.signal(signal.SIGPROF, stop)
    begun = time.process_time()
    try:
        signal.setitimer(signal.ITIMER_PROF, 1.0)
        if searching:
            for _ in pattern.finditer(text):
                pass
        else:
            pattern.match(text)
    except Late:
        return 1.0
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    return time.process_time() - begun


def made(pattern: re.Pattern[Any], attack: tuple[str, str, str], length: int) -> Any:
    head, pump, end = attack
    text = head + pump * (length // len(pump)) + end
    return text.encode("utf-8", "replace") if isinstance(pattern.pattern, bytes) else text


IS_ASKED = "PERFMOD_ATTACKS" in os.environ
PATTERNS = patterns() if IS_ASKED else {}  # it imports every module of the package

pytestmark = [
    pytest.mark.skipif(not IS_ASKED, reason="asked for with PERFMOD_ATTACKS: takes minutes"),
    pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer of processor time"),
]


@pytest.mark.parametrize("name", sorted(set(PATTERNS) - set(SHORT)))
def test_time_grows_no_faster_than_the_text(name: str) -> None:
    pattern, searching = PATTERNS[name]
    tried = list(attacks(pattern))
    if os.environ.get("PERFMOD_ATTACKS") != "all":
        random.Random(name).shuffle(tried)
        del tried[SOME:]
    for attack in tried:
        took = seconds(pattern, made(pattern, attack, LENGTH), searching)
        if took > NOTHING:
            half = seconds(pattern, made(pattern, attack, LENGTH // 2), searching)
            assert took < 2.8 * half, f"{attack!r}: {half:.3f} s, twice as long a text {took:.3f} s"


def test_every_name_that_is_left_out_is_one() -> None:
    assert {name for name in SHORT if name not in PATTERNS} == set()
