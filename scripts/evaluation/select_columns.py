"""select-columns: where every column is fetched, how many of those get a list, and what is left for which reason."""

import json
from collections import Counter

from evaluation.checkouts import JSON, Checkout, ToolError, Tools, files, perfmod_command, run
from evaluation.reports import Report, left

LANGUAGES = {"ts": ("*.ts", "*.tsx"), "js": ("*.js", "*.jsx"), "py": ("*.py",)}
#: what a reason begins with -> its column
REASONS = {
    "unknown table": "unknown",
    "only the schema": "unknown",
    "sources disagree": "disagree",
    "the columns can't be followed": "not followed",
    "row type": "row type",
    "several row types": "row type",
    "queries name": "stale",
    "the code reads": "stale",
    "the table's name": "computed",
    "the schema's name": "computed",
    "a function call": "rpc",
    "a comment": "meant",
    "the file is a data export": "meant",
    "it is not sure": "client",
}


def select_columns(checkout: Checkout, tools: Tools) -> Report:
    row: dict[str, object] = {"package": checkout.name}
    row |= {
        name: sum(1 for pattern in patterns for _ in source_files(checkout, pattern))
        for name, patterns in LANGUAGES.items()
    }
    try:
        report = json.loads(run(perfmod_command(tools, "select-columns", "check", JSON), checkout.folder).stdout)
    except (ToolError, ValueError) as error:
        return Report(row, checks=[(False, f"perfmod check runs: {error}")])
    findings = [each for each in report["findings"] if each["rule"] == "select-columns" and not each["suppressed"]]
    manual = Counter(column_of(each["reason"] or "") for each in findings if each["safety"] == "manual")
    explicit = {safety: sum(each["safety"] == safety for each in findings) for safety in ("safe", "unsafe")}
    row |= {"sites": len(findings), "explicit": sum(explicit.values()), **explicit}
    row |= {column: manual[column] for column in dict.fromkeys([*REASONS.values(), "other"])}
    causes = [{**each, "reason": (each["reason"] or "").partition(":")[0] or None} for each in findings]
    return Report(row, list(left(causes)))


def source_files(checkout: Checkout, pattern: str) -> list[str]:
    return [path.name for path in files(checkout.folder, pattern) if "node_modules" not in path.parts]


def column_of(reason: str) -> str:
    return next((column for start, column in REASONS.items() if reason.startswith(start)), "other")
