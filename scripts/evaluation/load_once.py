"""load-once beside ruff (ASYNC230): what is read again, by kind, and what is left for which reason."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from evaluation.checkouts import JSON, Checkout, Command, ToolError, Tools, perfmod_command, python_files, run
from evaluation.reports import Report, left
from evaluation.supervise_tasks import Hit, listing, without

#: what a reason holds -> its column
REASONS = {
    "is never cached": "never",
    "does more than to read": "does more",
    "mutated": "changed",
    "may be changed": "changed",
    "may not be shared": "changed",
    "arguments": "arguments",
    "is passed on": "passed on",
    "in another way": "passed on",
    "a read in a loop": "loop",
}
#: in the bytes of a file that may read one
VERBS = (b"open(", b"read_text(", b"read_bytes(")


def load_once(checkout: Checkout, tools: Tools) -> Report:
    names = python_files(checkout.folder)
    reading = sum(any(verb in (checkout.folder / name).read_bytes() for verb in VERBS) for name in names)
    row: dict[str, object] = {"package": checkout.name, "files": len(names), "reading": reading}
    try:
        report = json.loads(run(perfmod_command(tools, "load-once", "check", JSON), checkout.folder).stdout)
        ruff = ruff_hits(tools, checkout.folder)
    except (ToolError, ValueError) as error:
        return Report(row, checks=[(False, f"perfmod check and ruff run: {error}")])
    findings = [each for each in report["findings"] if each["rule"] == "load-once" and not each["suppressed"]]
    hits = {Hit(each["path"], each["line"]) for each in findings}
    missed = without(ruff, hits, checkout.folder)
    kinds = Counter(map(kind_of, findings))
    columns = Counter(column_of(each["reason"] or "") for each in findings if each["safety"] == "manual")
    row |= {kind: kinds[kind] for kind in ("L1", "L2", "L3")}
    row |= {"notes": sum(note["rule"] == "load-once" for note in report["notes"])}
    row |= {"fixes": sum(each["safety"] == "unsafe" for each in findings)}
    row |= {column: columns[column] for column in dict.fromkeys([*REASONS.values(), "other"])}
    row |= {"async230": len(ruff), "async230 only": len(missed)}
    verified = json.dumps([findings, report["notes"]]).lower().count("verified")
    title = "found only by ruff: a write, a path that varies, or a file that changes"
    details = [*listing(title, missed, checkout.folder), *left(findings)]
    return Report(row, details, [(not verified, "nothing is called verified")])


def ruff_hits(tools: Tools, folder: Path) -> set[Hit]:
    command: Command = (tools.ruff, "check", "--no-cache", "--isolated", "--select=ASYNC230", JSON, ".")
    return {
        Hit(Path(hit["filename"]).relative_to(folder).as_posix(), hit["location"]["row"])
        for hit in json.loads(run(command, folder).stdout)
        if hit["code"] == "ASYNC230"
    }


def kind_of(finding: dict[str, Any]) -> str:
    """L1 a read in the async function or handler itself, L2 through calls, L3 in a loop."""
    if "in every round of the loop" in finding["message"]:
        return "L3"
    return "L1" if finding["message"].partition(": ")[0].count(" -> ") == 1 else "L2"


def column_of(reason: str) -> str:
    return next((column for part, column in REASONS.items() if part in reason), "other")
