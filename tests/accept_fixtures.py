"""Run by scripts/accept: makes after/, findings.txt and reasons.txt of fixtures from what perfmod does."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from fixture_cases import CASES, concise_report, name_of, reasons, run_on, tree


def accept(case: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "checkout"
        shutil.copytree(case / "before", root)
        checked = run_on(case, root, "check")
        findings, why = concise_report(checked), reasons(checked)
        applied = run_on(case, root, "apply")
        made = tree(root)
    (case / "findings.txt").write_text(findings)
    if why:
        (case / "reasons.txt").write_text(why)
    else:
        (case / "reasons.txt").unlink(missing_ok=True)
    shutil.rmtree(case / "after", ignore_errors=True)
    for change in applied.changes:
        target = case / "after" / change.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(made[change.path])
    print(f"{name_of(case)}: {len(findings.splitlines())} findings, {len(applied.changes)} changes")


if __name__ == "__main__":
    wanted = set(sys.argv[1:])
    for case in CASES:
        if not wanted or name_of(case) in wanted or case.parent.name in wanted:
            accept(case)
