"""retry-requests: where HTTP requests are sent, what is routed, and what is left for which reason."""

import ast
import json
from collections import Counter
from typing import Any

from evaluation.checkouts import JSON, Checkout, ToolError, Tools, parse, perfmod_command, python_files, run
from evaluation.reports import Report, left

#: what a reason begins with -> its column
REASONS = {
    "aiohttp": "aiohttp",
    "requests:": "requests",
    "a stream": "stream",
    "every caller": "callers",
    "signed": "signed",
    "files=": "open file",
    "content=": "open file",
    "data=": "open file",
    "an upload": "upload",
}


def retry_requests(checkout: Checkout, tools: Tools) -> Report:
    names = python_files(checkout.folder)
    row: dict[str, object] = {"package": checkout.name, "files": len(names)}
    try:
        report = json.loads(run(perfmod_command(tools, "retry-requests", "check", JSON), checkout.folder).stdout)
    except (ToolError, ValueError) as error:
        return Report(row, checks=[(False, f"perfmod check runs: {error}")])
    findings = [each for each in report["findings"] if each["rule"] == "retry-requests" and not each["suppressed"]]
    manual = [each for each in findings if each["safety"] == "manual"]
    columns = Counter(column_of(each["reason"] or "") for each in manual)
    row |= {"classes": len(classes(checkout, findings)), "sites": len(findings)}
    row |= {safety: sum(each["safety"] == safety for each in findings) for safety in ("safe", "unsafe")}
    row |= {column: columns[column] for column in dict.fromkeys([*REASONS.values(), "other"])}
    return Report(row, list(left(findings)))


def column_of(reason: str) -> str:
    return next((column for start, column in REASONS.items() if reason.startswith(start)), "other")


def classes(checkout: Checkout, findings: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """The classes that the sites stand in."""
    lines: dict[str, set[int]] = {}
    for each in findings:
        lines.setdefault(each["path"], set()).add(each["line"])
    return {
        (path, f"{node.name}:{node.lineno}")
        for path, wanted in lines.items()
        for node in ast.walk(parse(checkout.folder / path) or ast.Module([], []))
        if isinstance(node, ast.ClassDef) and any(node.lineno <= line <= (node.end_lineno or 0) for line in wanted)
    }
