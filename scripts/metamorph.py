"""Writes the Python and script files of real packages another way, and looks whether perfmod says the same of them.

In each file that has findings, one after the other: comments and empty lines before statements, other names of local
variables, bodies of functions in a block, and another layout (`ruff format`, or twice the indentation). A finding
follows if its rule says it as often, with the same safety, in the same function. Prints what differs, and exits 1 then:
read each of them.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "codemods"), str(HERE.parent / "tests")]

from evaluation.checkouts import PACKAGES, download  # noqa: E402
from metamorphs import METAMORPHS, said, written_another_way  # noqa: E402

from perfmod.config import Settings  # noqa: E402

RULES = ("supervise-tasks", "retry-requests", "load-once", "select-columns", "gate-dev-tools")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", nargs="*", choices=PACKAGES, default=list(PACKAGES), metavar="NAME")
    parser.add_argument("--rules", nargs="*", choices=RULES, default=list(RULES), metavar="RULE")
    parser.add_argument("--checkouts", nargs="*", type=Path, default=[], metavar="DIR", help="these folders as well")
    parser.add_argument("--cache", type=Path, default=HERE.parent / ".cache" / "corpora", metavar="DIR")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    roots = [download(name, options.cache.resolve()).folder for name in options.packages]
    return max([differences(root.resolve(), tuple(options.rules)) for root in (*roots, *options.checkouts)], default=0)


def differences(root: Path, rules: tuple[str, ...]) -> int:
    warnings.simplefilter("ignore")
    settings = Settings(select=rules)
    before = said(root, settings, {})
    worst = 0
    for name in METAMORPHS:
        overlay = written_another_way(root, name, {one.path for one in before})
        after = said(root, settings, overlay)
        print(f"{root.name:20} {name:10} {len(overlay):4} files, {before.total():4} findings: ", end="")
        print("the same" if after == before else "DIFFERENT", flush=True)
        for sign, those in (("lost", before - after), ("new", after - before)):
            for one in those:
                print(f"    {sign}: {one.path} {one.rule} [{one.safety}] in {one.function}", flush=True)
                worst = 1
    return worst


if __name__ == "__main__":
    sys.exit(main())
