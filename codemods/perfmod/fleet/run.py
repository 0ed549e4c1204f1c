"""A run of a fleet, in order: the repositories, a job for each, the cluster that does them, the reports."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from time import gmtime, monotonic, strftime
from types import ModuleType

from perfmod.config import Settings, check_rules, load_settings
from perfmod.errors import PerfmodError
from perfmod.fleet import summary
from perfmod.fleet.checkouts import PARTS, is_branch_name
from perfmod.fleet.history import Run, add_to_history, read_history, run_of
from perfmod.fleet.job import Effort, Job, Limits, Record
from perfmod.fleet.options import FleetTyped
from perfmod.fleet.page import page
from perfmod.fleet.progress import Progress
from perfmod.fleet.pull_requests import as_script
from perfmod.fleet.repositories import Repository, read_repositories
from perfmod.fleet.results import WorkFolder
from perfmod.fleet.version import version
from perfmod.options import Typed
from perfmod.reports import View, write_out
from perfmod.reports.summary import count
from perfmod.rule import OWN_RULES
from perfmod.values import dataclass


@dataclass(frozen=True, slots=True)
class Done:
    """What a run has done."""

    records: Sequence[Record]
    efforts: Sequence[tuple[str, Effort]]
    unchanged: int
    seconds: float


def carry_out(typed: FleetTyped) -> int:
    """Run a fleet, write its reports, and give its exit code."""
    folder = WorkFolder(Path(typed.work).absolute())
    clones = Path(typed.clones or folder.path / "clones").absolute()
    repositories = read_repositories(typed.repos, folder.path)
    settings = check_options(typed)
    engine = load_engine()
    history = read_history(Path(typed.history)) if typed.history else []
    with folder.locked():
        jobs = [job_of(typed, repository, settings, clones, folder) for repository in repositories]
        try:
            done = work(typed, jobs, folder, engine)
        finally:
            shutil.rmtree(clones / PARTS, ignore_errors=True)  # of workers that were killed
        if typed.history:
            date = strftime("%Y-%m-%dT%H:%M:%SZ", gmtime())
            run = run_of(typed.command, done.records, date=date, seconds=done.seconds, unchanged=done.unchanged)
            add_to_history(Path(typed.history), run)
            history = [*history, run]
        publish(typed, done, folder, history)
    code = summary.exit_code(done.records)
    return 0 if typed.exit_zero and code == 1 else code


def check_options(typed: FleetTyped) -> Settings | None:
    """The settings of --config. Raises PerfmodError for options that can't be used."""
    check_rules(typed.select, "--select: ")
    check_rules(typed.ignore, "--ignore: ", also=OWN_RULES)
    if typed.config is not None and typed.isolated:
        raise PerfmodError("--config and --isolated exclude each other")
    if typed.scheduler is not None and typed.jobs is not None:
        raise PerfmodError("--jobs says how many processes to start, so it makes no sense with --scheduler")
    if typed.branch is not None and not is_branch_name(typed.branch):
        raise PerfmodError(f"--branch: git takes no `{typed.branch}` as the name of a branch")
    return None if typed.config is None else load_settings(Path(typed.config))


def job_of(
    typed: FleetTyped, repository: Repository, settings: Settings | None, clones: Path, folder: WorkFolder
) -> Job:
    shared = Typed(
        typed.command,
        select=typed.select,
        ignore=typed.ignore,
        unsafe_fixes=typed.unsafe_fixes,
        isolated=typed.isolated,
        no_baseline=typed.no_baseline,
        exclude_sensitive=typed.exclude_sensitive,
    )
    today = strftime("%Y-%m-%d")
    job = Job(
        repository,
        shared,
        settings,
        str(clones),
        Limits(typed.time_limit, typed.memory * 1_000_000),
        today,
        version(),
        keep_clone=not typed.discard_clones,
        branch=typed.branch,
    )
    known = None if typed.fresh else folder.record(repository.name)
    if known is None or known.status == "failed" or (known.until is not None and known.until < today):
        return job
    return replace(job, known=known.key, known_tip=known.branch.commit if known.branch else None)


def load_engine() -> ModuleType:
    """perfmod.fleet.engine, which needs Dask. Raises PerfmodError where that is not installed."""
    try:
        from perfmod.fleet import engine
    except ImportError as error:
        if error.name is None or error.name.startswith("perfmod"):
            raise
        raise PerfmodError(f"a fleet needs Dask ({error.name} is missing): pip install 'perfmod[fleet]'") from None
    return engine


def work(typed: FleetTyped, jobs: Sequence[Job], folder: WorkFolder, engine: ModuleType) -> Done:
    """Do all jobs, and keep each outcome as it comes."""
    started = monotonic()
    records: dict[str, Record] = {}
    efforts: list[tuple[str, Effort]] = []
    cluster = (
        engine.running(typed.scheduler) if typed.scheduler else engine.local(typed.jobs, len(jobs), typed.dashboard)
    )
    with cluster as client, Progress(len(jobs), quiet=typed.quiet) as progress:
        if client.dashboard_link:
            tell(typed, f"{count(len(jobs), 'repository', 'repositories')}; Dask's dashboard: {client.dashboard_link}")
        try:
            with closing(engine.run(client, jobs)) as coming:
                for job, outcome in coming:
                    name = job.repository.name
                    record = folder.record(name) if outcome.record is None else folder.save(outcome)
                    assert record is not None
                    records[name] = record
                    efforts.append((name, outcome.effort))
                    progress.count(outcome.status)
        except KeyboardInterrupt:
            tell(typed, f"stopping; {len(records)} of {len(jobs)} are done, and the same command goes on from there")
            raise
    ordered = [records[job.repository.name] for job in jobs]
    return Done(ordered, efforts, progress.unchanged, monotonic() - started)


def publish(typed: FleetTyped, done: Done, folder: WorkFolder, history: Sequence[Run]) -> None:
    """Write the reports over the whole fleet, and print one."""
    records = done.records
    json, csv = summary.as_json(typed.command, records), summary.as_csv(records)
    folder.write("summary.json", json)
    folder.write("repositories.csv", csv)
    folder.write("timings.csv", "".join(timings(done.efforts)))
    index = folder.write("index.html", page(typed.command, records, history))
    rate = len(records) / max(done.seconds, 0.001)
    known = f", {done.unchanged} of them known from before" if done.unchanged else ""
    tell(
        typed,
        f"{count(len(records), 'repository', 'repositories')} in {done.seconds:.1f} s, {rate:.1f} a second{known}",
    )
    tell(typed, f"the report is {index}")
    if typed.output_format != "text":
        write_out(json if typed.output_format == "json" else csv)
        return
    stream = sys.stderr if typed.command == "apply" else sys.stdout
    color = View().on(stream, typed.color).color
    write_out(summary.as_text(typed.command, records, color=color, verbose=typed.verbose), stream)
    if typed.command == "apply":
        script = as_script(records, folder.path)
        folder.write("pull-requests.sh", script)
        write_out(script)


def timings(efforts: Sequence[tuple[str, Effort]]) -> Iterator[str]:
    """What each repository of this run took, as CSV."""
    yield "name,seconds,megabytes,worker\r\n"
    for name, effort in efforts:
        yield f"{name},{effort.seconds:.3f},{effort.memory / 1e6:.0f},{effort.worker}\r\n"


def tell(typed: FleetTyped, line: str) -> None:
    if not typed.quiet:
        write_out(f"perfmod: {line}\n", sys.stderr)
