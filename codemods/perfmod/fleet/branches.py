"""fleet apply: the fixes of one repository as commits on a branch. The work tree of a checkout is never touched."""

from __future__ import annotations

import os
from pathlib import Path

from perfmod.errors import PerfmodError
from perfmod.fleet import checkouts
from perfmod.fleet.job import Branch
from perfmod.fleet.repositories import Repository, redacted
from perfmod.pipeline import Report, Request, run


def commit_on_branch(request: Request, repository: Repository, name: str, base: str) -> tuple[Report, Branch | None]:
    """Commit the fixes in a clone, one commit for each rule, and give its end a name where the repository is.

    No branch where nothing was fixed. Raises PerfmodError where there is a branch of this name that is not the same.
    """
    clone = request.root
    source = clone if repository.is_remote else Path(repository.location)
    if source != clone:
        checkouts.copy_identity(source, clone)
    report = run(request)
    if report.refused:
        raise PerfmodError(report.refused)
    commit = checkouts.head_of(clone)
    if commit == base:
        return report, None
    known = checkouts.tip_of(source, name)
    if source != clone:
        checkouts.carry(clone, source, commit, base)
    if known is None:
        checkouts.make_branch(source, name, commit)
    elif checkouts.same_change(source, commit, known, base):
        commit = known  # a run that was killed before it could say so
    else:
        raise PerfmodError(f"there is a branch {name} already, with other commits: delete it or take another name")
    remote = checkouts.origin_of(source)
    into = None if repository.is_remote else checkouts.branch_of(source)
    if repository.ref is not None:
        into = None if checkouts.is_commit(repository.ref) else repository.ref
    return report, Branch(name, commit, os.fspath(source), remote and redacted(remote), into)


def still_stands(repository: Repository, clones: Path, name: str, commit: str | None) -> bool:
    """Whether the branch of an earlier run is where that run left it; also where it had nothing to commit."""
    folder = clones / repository.name if repository.is_remote else Path(repository.location)
    return commit is None or (folder.is_dir() and checkouts.tip_of(folder, name) == commit)
