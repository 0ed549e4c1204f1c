"""What is done about one repository: check, diff or apply, and every report about it. Runs in a process of its own."""

from __future__ import annotations

import os
import shutil
import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from perfmod.config import Settings, config_file, load_settings
from perfmod.errors import PerfmodError, internal_error
from perfmod.fleet import checkouts
from perfmod.fleet.branches import commit_on_branch, still_stands
from perfmod.fleet.job import Job, Outcome, Record, failed
from perfmod.fleet.repositories import is_bare
from perfmod.fleet.version import version
from perfmod.git import GitFailed
from perfmod.model import Suppression
from perfmod.pipeline import Report, Request, run
from perfmod.reports import View, render, to_bytes
from perfmod.request import override


def carry_out(job: Job) -> Outcome:
    """The outcome of a job. Never raises: what goes wrong with one repository stands in its outcome."""
    if job.version != version():
        return failed(job, f"the worker has perfmod {version()}, but the fleet was started by {job.version}")
    try:
        return do(job)
    except (PerfmodError, GitFailed) as error:
        return failed(job, str(error))
    except RecursionError:
        return failed(job, "it is nested too deeply")
    except MemoryError:
        return failed(job, "it needs more memory than there is")
    except OSError as error:
        return failed(job, f"{error.filename or 'a file'}: {error.strerror or error}")
    except Exception as error:
        said = internal_error(error, verbose=False).removesuffix("; -v shows the traceback")
        trace = "".join(traceback.format_exception(error))
        return replace(failed(job, f"{said}; failure.txt has the traceback"), files={"failure.txt": to_bytes(trace)})


def do(job: Job) -> Outcome:
    repository = job.repository
    if not repository.is_remote and not os.path.isdir(repository.location):
        raise PerfmodError(f"no such folder: {repository.location}")
    if is_read_in_place(job):
        folder = Path(repository.location).resolve()
        return look(job, folder, checkouts.local_commit(folder))
    commit = checkouts.commit_of(repository)
    if job.known is not None and job.known == key_of(job, commit, None) and is_still_there(job):
        return Outcome("unchanged")
    folder = checkouts.clone(repository, commit, Path(job.clones))
    try:
        return look(job, folder, checkouts.head_of(folder))
    finally:
        if not repository.is_remote:
            shutil.rmtree(folder.parent, ignore_errors=True)
        elif not job.keep_clone:
            shutil.rmtree(folder, ignore_errors=True)


def is_read_in_place(job: Job) -> bool:
    """Whether a work tree is looked at as it stands, with edits that nobody has committed."""
    repository = job.repository
    has_work_tree = not repository.is_remote and not is_bare(Path(repository.location))
    return has_work_tree and repository.ref is None and job.typed.command != "apply"


def look(job: Job, folder: Path, commit: str | None) -> Outcome:
    """Run the pipeline on a folder, and make every report."""
    in_place = is_read_in_place(job)
    settings = settings_of(job, folder, may_leave=in_place)
    key = key_of(job, commit, settings if in_place else None)
    if in_place and key is not None and key == job.known:
        return Outcome("unchanged")
    settings = override(settings, job.typed)
    if settings.ignore and not settings.selected:
        raise PerfmodError("no rule is left to run: every selected rule is ignored")
    request = Request(
        job.typed.command,
        folder,
        (folder,),
        settings,
        jobs=1,
        today=job.today,
        use_baseline=not job.typed.no_baseline and not job.typed.isolated,
        commit=job.typed.command == "apply",
    )
    branch = None
    if job.branch is None:
        report = run(request)
    else:
        assert commit is not None
        report, branch = commit_on_branch(request, job.repository, job.branch, commit)
    if in_place and commit != checkouts.local_commit(folder):
        commit = key = None  # somebody edited a file in the meantime
    record = replace(
        record_of(report, job), commit=commit, key=key, until=last_day_of(report, job.today), branch=branch
    )
    return Outcome("done", record, reports_of(report, job))


def is_still_there(job: Job) -> bool:
    return job.branch is None or still_stands(job.repository, Path(job.clones), job.branch, job.known_tip)


def settings_of(job: Job, folder: Path, *, may_leave: bool) -> Settings:
    """The settings of --config, else those of the repository. Raises PerfmodError where they lead out of a clone."""
    if job.settings is not None:
        return job.settings
    file = None if job.typed.isolated else config_file(folder)
    return load_settings(file, within=None if may_leave else folder)


def key_of(job: Job, commit: str | None, settings: Settings | None) -> str | None:
    """What the outcome depends on; None where no commit stands for what is read.

    `settings` are those of a work tree, which may extend a file outside of it; in a clone the commit says them all.
    """
    if commit is None:
        return None
    repository = (job.repository.shown, job.repository.ref)
    parts = (repository, commit, job.version, job.typed, job.settings, settings, job.branch)
    return sha256(repr(parts).encode("utf-8", "surrogateescape")).hexdigest()


def record_of(report: Report, job: Job) -> Record:
    """The report in numbers."""
    from perfmod.reports.summary import cause

    repository = job.repository
    counted = [result for result in report.results if result.suppressed is None]
    findings: dict[str, Counter[str]] = {}
    for result in counted:
        findings.setdefault(result.finding.rule, Counter())[result.finding.safety.value] += 1
    left = Counter(cause(result) for result in report.open if not result.fixable)
    return Record(
        repository.name,
        repository.shown,
        repository.ref,
        "done",
        files=report.files,
        findings={rule: dict(sorted(counts.items())) for rule, counts in sorted(findings.items())},
        fixable=sum(result.fixable for result in counted),
        applied=sum(result.applied for result in counted),
        suppressed=len(report.results) - len(counted),
        left=dict(sorted(left.items())),
        changes=len(report.changes),
        skipped=len(report.skipped),
    )


def last_day_of(report: Report, today: str) -> str | None:
    """The last day on which the report would say the same: the first on which one of its ignore comments expires."""
    days = [each.until for each in report.project.facts.of(Suppression) if each.until and each.until >= today]
    return min(days, default=None)


def reports_of(report: Report, job: Job) -> Mapping[str, bytes]:
    """The files about one repository, by name."""
    from perfmod.reports.html import page_of

    files = {
        "findings.json": render(report, "json", View()),
        "left.txt": render(report, "beside_patch", View(verbose=True)),
        "page.html": page_of(report, job.repository.name),
    }
    if job.typed.command == "diff":
        files["changes.patch"] = render(report, "patch", View())
    if job.typed.command == "apply":
        files["pull-request.md"] = render(report, "markdown", View())
    return {name: to_bytes(text) for name, text in files.items()}
