"""The commands that open pull requests for what `fleet apply` committed. They are printed, never run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from perfmod.fleet.job import Branch, Record
from perfmod.fleet.repositories import path_of
from perfmod.fleet.results import RESULTS
from perfmod.patterns import pattern
from perfmod.reports.summary import count

HOST = pattern(r"(?:[a-zA-Z][a-zA-Z0-9+.-]*://)?(?:[^/@]*@)?(?P<host>[^/:]+)")
HEAD = (
    "# Pushes each branch and opens its pull request. Nothing of this has been run: read it, then run it with sh -e.",
)


def as_script(records: Sequence[Record], work: Path) -> str:
    """A shell script. A repository without an `origin` gets a comment."""
    lines = [*HEAD]
    for record in records:
        if record.branch is not None:
            fixes = count(record.applied, "fix", "fixes")
            lines += ["", f"# {record.name}: {fixes} on {record.branch.name}"]
            lines += commands(record, record.branch, work)
    return "".join(line + "\n" for line in lines) if len(lines) > len(HEAD) else ""


def commands(record: Record, branch: Branch, work: Path) -> Iterator[str]:
    if branch.remote is None:
        yield f"# it has no remote called origin; the branch is in {shlex.quote(branch.folder)}"
        return
    found = HOST.match(branch.remote)
    host = found["host"].lower() if found else ""
    push = ["git", "-C", branch.folder, "push"]
    name = f"refs/heads/{branch.name}:refs/heads/{branch.name}"
    if "gitlab" in host:
        target = [f"-omerge_request.target={branch.base}"] if branch.base else []
        title = f"-omerge_request.title={title_of(record)}"
        yield shlex.join([*push, "-omerge_request.create", *target, title, "origin", name])
        return
    yield shlex.join([*push, "origin", name])
    if "github" in host:
        repository = "/".join((host, path_of(branch.remote).strip("/").removesuffix(".git")))
        base = ["--base", branch.base] if branch.base else []
        body = work / RESULTS / record.name / "pull-request.md"
        request = ["gh", "pr", "create", "--repo", repository, "--head", branch.name, *base]
        yield shlex.join([*request, "--title", title_of(record), "--body-file", str(body)])


def title_of(record: Record) -> str:
    return f"perfmod: {count(record.applied, 'fix', 'fixes')}"
