"""Runs perfmod on real packages, one table per rule, beside the linters that know the same faults.

supervise-tasks stands beside ruff (RUF006) and flake8-async (ASYNC300). `ruff only` and `async only` are what
perfmod misses, `perfmod only` what both others miss. retry-requests counts the sites that send requests: `safe` and
`unsafe` are routed, the columns after them are left, by reason. select-columns counts the stars: `explicit` get a list,
the columns after `unsafe` are left, by reason; the stars are in repositories (--checkouts DIR). load-once stands beside
ruff (ASYNC230): L1 reads in an async function or handler, L2 through calls, L3 in a loop. Below the tables: what a
person should judge, then PASS and FAIL lines. Exits 1 on any FAIL. Names of packages are those of PACKAGES in
scripts/evaluation/checkouts.py.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from evaluation.applying import check_apply, write_diff
from evaluation.checkouts import PACKAGES, Checkout, Tools, download, make_tools, say
from evaluation.load_once import load_once
from evaluation.reports import Checks, Report, format_table
from evaluation.retry_requests import retry_requests
from evaluation.select_columns import select_columns
from evaluation.supervise_tasks import supervise_tasks

TABLES: dict[str, Callable[[Checkout, Tools], Report]] = {
    "supervise-tasks": supervise_tasks,
    "retry-requests": retry_requests,
    "select-columns": select_columns,
    "load-once": load_once,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cache = Path(__file__).resolve().parent.parent / ".cache" / "corpora"
    parser.add_argument("--packages", nargs="*", choices=PACKAGES, default=list(PACKAGES), metavar="NAME")
    parser.add_argument("--rules", nargs="*", choices=TABLES, default=list(TABLES), metavar="RULE")
    parser.add_argument("--checkouts", type=Path, metavar="DIR", help="evaluate the folders in DIR as well")
    parser.add_argument("--cache", type=Path, default=cache, metavar="DIR", help="default: .cache/corpora")
    parser.add_argument("--diffs", type=Path, metavar="DIR", help="write one patch per package into DIR")
    parser.add_argument("--apply", action="store_true", help="apply all fixes to a copy and check the result")
    options = parser.parse_args()

    cache = options.cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    tools = make_tools(cache)
    checkouts = [download(name, cache) for name in options.packages]
    if options.checkouts:
        folders = sorted(path.resolve() for path in options.checkouts.iterdir() if path.is_dir())
        checkouts += [Checkout(folder.name, folder, installed=False) for folder in folders]

    checks: Checks = []
    for rule in options.rules:
        reports = []
        for checkout in checkouts:
            say(f"{rule}: {checkout.name}")
            report = TABLES[rule](checkout, tools)
            reports.append(report)
            results = list(report.checks)
            results += check_apply(checkout, tools, rule) if options.apply else []
            results += write_diff(checkout, tools, rule, options.diffs) if options.diffs else []
            checks += [(passed, f"{checkout.name}: {sentence}") for passed, sentence in results]
        print(f"{rule}\n\n{format_table([report.row for report in reports])}\n")
        for report in reports:
            if report.details:
                print(report.row["package"], *report.details, sep="\n  ", end="\n\n")
    for passed, sentence in checks:
        print("PASS" if passed else "FAIL", sentence)
    return 0 if all(passed for passed, _ in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
