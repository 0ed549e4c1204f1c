"""Coverage-guided fuzzing: bytes stand for one file of a small checkout, and the whole run looks at it.

A crash is an exception that is no PerfmodError, a run of more than 100 seconds, a result that does not parse, a byte
that changes outside the declared edits, or a second run that changes something.
"""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parent / "fixtures"
FOUND = HERE.parent / ".fuzz"

#: What the bytes stand for, and the endings of the fixtures' files that the corpus begins with.
TARGETS = {
    "text": ("", (".py", ".ts")),
    "python": ("bot/services/fuzzed.py", (".py",)),
    "typescript": ("packages/web/src/fuzzed.ts", (".ts",)),
    "tsx": ("packages/web/src/fuzzed.tsx", (".tsx",)),
    "javascript": ("packages/web/src/fuzzed.js", (".js", ".ts")),
    "html": ("packages/web/index.html", (".html",)),
    "vue": ("packages/web/src/Fuzzed.vue", (".vue", ".html")),
    "manifest": ("package.json", ("package.json",)),
    "pnpm-lock": ("pnpm-lock.yaml", (".yaml", ".yml")),
    "npm-lock": ("package-lock.json", ("package-lock.json", "package.json")),
    "bun-lock": ("bun.lock", ("bun.lock", "package.json")),
    "sql": ("migrations/900_fuzzed.sql", (".sql",)),
    "prisma": ("schema.prisma", (".prisma",)),
    "settings": ("perfmod.toml", (".toml",)),
}

KEPT = ("__init__.py", "vite-env.d.ts", "insforge.ts")
LEFT_OUT = ("perfmod.templates.", "perfmod.__main__", "perfmod.server", "perfmod.fleet")  # the last two: extras


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"one or more of: {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: 60)")
    parser.add_argument("--input", type=Path, help="run one target on this file only, as after a crash")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = [target for target in options.targets if target not in TARGETS]
    if unknown:
        parser.error(f"unknown target {unknown[0]}; one of {', '.join(TARGETS)}")
    targets = options.targets or list(TARGETS)
    if options.input is not None:
        Fuzzed(targets[0]).run(options.input.read_bytes())
    elif options.worker:
        fuzz(targets[0], options.seconds)
    else:
        sys.exit(all_of(targets, options.seconds))


def all_of(targets: list[str], seconds: int) -> int:
    """Each target in a process of its own; 1 where one of them found something."""
    worst = 0
    for target in targets:
        command = [sys.executable, str(HERE / "fuzz.py"), target, "--worker", "--seconds", str(seconds)]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False
        )
        said = done.stdout.splitlines()
        runs = next((line.split()[1] for line in said if line.startswith("Done ")), "?")
        print(f"{target:12} {runs:>9} runs in {seconds} s: {'FAULT' if done.returncode else 'no fault'}", flush=True)
        if done.returncode:
            worst = 1
            print("\n".join(line for line in said if not line.startswith(("INFO", "#"))), flush=True)
    return worst


def fuzz(target: str, seconds: int) -> None:
    import atheris

    with atheris.instrument_imports(include=["perfmod"]):
        warm_up()
    corpus, found = FOUND / "corpus" / target, FOUND / "found" / target
    seeds = FOUND / "seeds" / target
    for folder in (corpus, found, seeds):
        folder.mkdir(parents=True, exist_ok=True)
    for number, file in enumerate(sorted(f for f in FIXTURES.rglob("*") if f.name.endswith(TARGETS[target][1]))):
        if file.is_file() and "findings" not in file.name:
            shutil.copy(file, seeds / f"{number}")
    settings = [f"-max_total_time={seconds}", "-timeout=100", "-rss_limit_mb=3000", "-max_len=6000", "-len_control=0"]
    settings += [f"-artifact_prefix={found}/", f"-dict={dictionary()}", str(corpus), str(seeds)]
    atheris.Setup([sys.argv[0], *settings], Fuzzed(target).run)
    atheris.Fuzz()


def warm_up() -> None:
    """Import what a run needs, so that it is instrumented."""
    import pkgutil
    from importlib import import_module

    sys.path.insert(0, str(HERE.parent / "codemods"))
    import perfmod

    for module in pkgutil.walk_packages(perfmod.__path__, "perfmod."):
        if not module.name.startswith(LEFT_OUT):
            import_module(module.name)


def dictionary() -> Path:
    """The words that rules look for: the byte strings of all triggers and the identifiers of the fixtures' findings."""
    from perfmod.rule import load_rule, rule_ids

    words = {word.decode() for rule in rule_ids() for some in load_rule(rule).triggers.any_of for word in some}
    words |= {"asyncio.create_task(", "await ", "async def ", "import(", ".select('*')", "httpx.AsyncClient(", "\\\n"}
    words |= {"perfmod: ignore[", "# noqa", "match x:\n", "except* ", "lambda: ", "class A[T]:\n", "create table "}
    path = FOUND / "words"
    path.parent.mkdir(exist_ok=True)
    quoted = sorted("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in words)
    path.write_text("".join(f'"{word}"\n' for word in quoted))
    return path


class Fuzzed:
    """One target: a checkout in which one file is what the fuzzer makes up."""

    def __init__(self, target: str) -> None:
        self.path = TARGETS[target][0]
        self.root = Path(tempfile.mkdtemp()).resolve()
        shutil.copytree(FIXTURES / "dealdesk/before", self.root, dirs_exist_ok=True)
        for file in list(self.root.rglob("*")):  # what the other files say is enough; more of them only take time
            if file.suffix in (".py", ".ts", ".tsx") and file.name not in KEPT:
                file.unlink()

    def run(self, data: bytes) -> None:
        from perfmod.errors import PerfmodError

        try:
            if not self.path:
                check_text(data)
            elif self.path == "perfmod.toml":
                self.check_settings(data)
            else:
                self.check_run(data)
        except PerfmodError:
            pass

    def check_settings(self, data: bytes) -> None:
        from perfmod.config import load_settings

        (self.root / self.path).write_bytes(data)
        load_settings(self.root / self.path)

    def check_run(self, data: bytes) -> None:
        overlay = {self.path: data}
        report = self.diff(overlay)
        after = {change.path: change.after for change in report.changes}
        for change in report.changes:
            if change.path.endswith(".py") and parses(change.before or b""):
                assert parses(change.after), f"{change.path} does not parse any more"
        if after:
            again = self.diff({**overlay, **after})
            assert not again.changes, f"a second run changes {[change.path for change in again.changes]}"
        if not self.path.endswith(".py"):  # imports come and go there; tests/test_fuzz.py looks at those
            self.check_edits(report, data, after.get(self.path, data))

    def check_edits(self, report: Any, before: bytes, after: bytes) -> None:
        """What stands before the first edit and behind the last one stays."""
        from perfmod.compose import edits_of
        from perfmod.source.text import Text, Unreadable

        try:
            old, new = Text.decode(self.path, before).utf8, Text.decode(self.path, after).utf8
        except Unreadable:
            assert before == after
            return
        fixed = [result.finding for result in report.results if result.fixable]
        edits = sorted({edit for f in fixed for edit in edits_of(f, report.project) if edit.span.path == self.path})
        if not edits:
            assert old == new
            return
        assert new.startswith(old[: edits[0].span.start])
        assert new.endswith(old[max(edit.span.end for edit in edits) :])

    def diff(self, overlay: dict[str, bytes]) -> Any:
        from perfmod.config import config_file, load_settings
        from perfmod.pipeline import Request, run

        settings = replace(load_settings(config_file(self.root)), unsafe_fixes=True)
        return run(Request("diff", self.root, (self.root,), settings, jobs=1, overlay=overlay))


def check_text(data: bytes) -> None:
    from perfmod.source.text import Text, Unreadable

    for path in ("a.py", "a.ts"):
        try:
            text = Text.decode(path, data)
        except Unreadable:
            continue
        assert text.encode(text.utf8) == data
        for offset in range(0, len(text.utf8) + 1, 7):
            line, column = text.position(offset)
            assert 1 <= line <= text.line_count and column >= 1
            text.line(line)


def parses(data: bytes) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(data)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    main()
