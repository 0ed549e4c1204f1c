"""The fixtures as little checkouts, for the harness and for scripts/accept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from perfmod.config import Settings, config_file, load_settings
from perfmod.pipeline import Report, Request, run
from perfmod.reports import View, concise
from perfmod.rule import rule_ids

FIXTURES = Path(__file__).parent.parent / "fixtures"
CASES = [
    *sorted(f for rule in rule_ids() if (FIXTURES / rule).is_dir() for f in (FIXTURES / rule).iterdir() if f.is_dir()),
    FIXTURES / "dealdesk",  # a whole checkout, for all rules together
]


def name_of(case: Path) -> str:
    return f"{case.parent.name}/{case.name}"


def settings_of(case: Path, root: Path) -> Settings:
    """The rule that the fixture is named after, with its own perfmod.toml. A file `unsafe` in the case allows those."""
    settings = load_settings(config_file(root))
    unsafe = (case / "unsafe").exists()
    own = (case.parent.name,) if case.parent.name in rule_ids() else ()
    return replace(settings, select=settings.select or own, unsafe_fixes=settings.unsafe_fixes or unsafe)


def run_on(case: Path, root: Path, command: Any) -> Report:
    return run(Request(command, root, (root,), settings_of(case, root), allow_dirty=True))


def concise_report(report: Report) -> str:
    return concise.render(report, View())


def reasons(report: Report) -> str:
    """Why findings are unsafe or manual: one line for each that says so."""
    lines = []
    for result in report.open:
        finding = result.finding
        text = report.project.text(finding.span.path)
        if finding.reason and text is not None:
            line = text.position(finding.span.start)[0]
            lines.append(f"{finding.span.path}:{line} {finding.reason} [{finding.safety}]\n")
    return "".join(lines)


def tree(folder: Path) -> dict[str, bytes]:
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def expected(case: Path) -> dict[str, bytes]:
    """The checkout after `apply`."""
    return tree(case / "before") | (tree(case / "after") if (case / "after").is_dir() else {})
