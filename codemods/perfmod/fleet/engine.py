"""Jobs over a Dask cluster: one on this machine, or one that runs already. Dask schedules, moves and repeats them."""

from __future__ import annotations

import logging
import os
import signal
import warnings
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing.resource_tracker import ensure_running
from time import monotonic, sleep
from uuid import uuid4

import dask.config
from dask.system import CPU_COUNT
from dask.typing import Key
from distributed import Client, Future, KilledWorker, LocalCluster, as_completed
from distributed.comm.core import CommClosedError
from distributed.security import Security
from tornado.ioloop import PeriodicCallback

from perfmod.errors import PerfmodError
from perfmod.fleet.job import Effort, Job, Outcome, failed
from perfmod.fleet.sandbox import carry_out, stop
from perfmod.fleet.version import version

LOOPBACK = "127.0.0.1"
ATTEMPTS = 2  # on different workers, where there are two
PATIENCE = 60.0  # seconds for a worker to join a running cluster
LOST = "30s"  # after which a worker that was killed and is not back counts as lost
DEATHS = 10  # of workers at one job, which has a process of its own and is hardly the cause
KEEP = 5_000  # milliseconds between two looks at whether workers are lost
LOOK = 0.2  # seconds between two looks at whether the workers of a second attempt are there


@contextmanager
def local(workers: int | None, most: int, dashboard: str | None) -> Iterator[Client]:
    """A cluster of worker processes on this machine, which nobody else can reach: it ends with the block.

    One worker for each CPU where nothing else is asked for, and `most` at the most.

    Its addresses are on the loopback interface, and who connects needs a key that only these processes have.
    """
    # Whatever is started from here on imports nothing from the folder that this happens to run in.
    os.environ["PYTHONSAFEPATH"] = "1"
    wanted = min(workers or CPU_COUNT, most)
    settings = {"distributed.deploy.lost-worker-timeout": LOST, "distributed.scheduler.allowed-failures": DEATHS}
    with quiet(), warnings.catch_warnings(), dask.config.set(settings):
        warnings.filterwarnings("ignore", message="Port .* is already in use")  # another one is taken, and shown
        with without_interrupts(), told("the workers can't be started"):
            cluster = LocalCluster(
                n_workers=wanted,
                threads_per_worker=1,
                processes=True,
                host=LOOPBACK,
                dashboard_address=dashboard,
                worker_dashboard_address=None,
                security=Security.temporary(),
                memory_limit=0,  # a job has its own limit
                silence_logs=logging.CRITICAL,
            )
        # Dask starts a worker that was killed again, but not one that is killed while it starts.
        keep = PeriodicCallback(lambda: cluster.scale(wanted), KEEP)
        with cluster, Client(cluster) as client:
            client.loop.add_callback(keep.start)
            try:
                yield client
            finally:
                client.loop.add_callback(keep.stop)


@contextmanager
def told(what: str) -> Iterator[None]:
    """Turns what Dask raises into one line."""
    try:
        yield
    except (RuntimeError, OSError, TimeoutError) as error:
        raise PerfmodError(f"{what}: {error}") from None


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Threads and processes that begin here never see Ctrl-C: this process gets it, and ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    ensure_running()  # it would unblock the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def running(address: str) -> Iterator[Client]:
    """A cluster that runs already. Raises PerfmodError where it can't be used."""
    with quiet():
        try:
            client = Client(address, timeout=10)
        except (OSError, ValueError, TimeoutError) as error:
            raise PerfmodError(f"no Dask scheduler answers at {address}: {error}") from None
        with client:
            check_workers(client, address)
            yield client


@contextmanager
def quiet() -> Iterator[None]:
    """Dask's own log says nothing of workers that come and go: what matters stands in the outcomes."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client", "distributed.nanny")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def check_workers(client: Client, address: str) -> None:
    """Raises PerfmodError where there are no workers, or where one of them has another perfmod."""
    deadline = monotonic() + PATIENCE
    while not client.nthreads():
        if monotonic() > deadline:
            raise PerfmodError(f"the cluster at {address} has no worker: start one with `dask worker {address}`")
        sleep(0.2)
    said: Mapping[str, object] = client.run(version, on_error="return")
    for worker, found in sorted(said.items()):
        if isinstance(found, BaseException):
            raise PerfmodError(
                f"the worker {worker} can't run perfmod: install perfmod[fleet] {version()} there ({found})"
            )
        if found != version():
            raise PerfmodError(f"the worker {worker} has perfmod {found}, here is {version()}: install the same there")


def run(client: Client, jobs: Iterable[Job]) -> Generator[tuple[Job, Outcome], None, None]:
    """The outcome of every job, as they come in. What fails is tried once more, by another worker if there is one.

    Leaving the iterator cancels what is not done. Raises PerfmodError where the cluster is gone.
    """
    token = uuid4().hex
    waiting: dict[Key, Job] = {}
    for number, job in enumerate(jobs):
        waiting[f"{job.typed.command}-{token}", number] = job
    # One name for all of them: Dask then sees a long list of equal tasks, and gives them out as workers become free.
    futures = client.map(carry_out, list(waiting.values()), key=list(waiting), pure=False, run=token)
    coming = as_completed(futures)
    del futures
    again = Again(client, coming, token)
    try:
        while waiting:
            batch = coming.next_batch(block=not again.bound)
            for future in batch:
                if future.key not in waiting:
                    continue  # it was bound to workers that left
                job = waiting.pop(future.key)
                again.bound.pop(future.key, None)
                outcome = outcome_of(job, future)
                if outcome.status == "failed" and job.attempt < ATTEMPTS:
                    retry = replace(job, attempt=job.attempt + 1)
                    waiting[again.submit(retry, besides=outcome.effort.worker)] = retry
                else:
                    yield job, outcome
            if not batch:
                sleep(LOOK)
                again.free(waiting)
    finally:
        if waiting:
            with suppress(Exception):
                client.cancel([client.futures[key] for key in waiting if key in client.futures], force=True)
                client.run(stop, token, on_error="ignore")


class Again:
    """Second attempts. They are bound to the other workers, and set free where those have left before it began."""

    def __init__(self, client: Client, coming: as_completed, token: str) -> None:
        self.bound: dict[Key, frozenset[str]] = {}  #: key -> the workers that may do it
        self._client = client
        self._coming = coming
        self._token = token
        self._number = 0

    def submit(self, job: Job, besides: str) -> Key:
        """Its key. `besides` is the address of the worker where it failed."""
        self._number += 1
        key: Key = (f"again-{self._token}", self._number)
        others = frozenset(self._client.nthreads()) - {besides}
        if others:
            self.bound[key] = others
        workers = sorted(others) or None
        self._coming.add(self._client.submit(carry_out, job, key=key, pure=False, run=self._token, workers=workers))
        return key

    def free(self, waiting: dict[Key, Job]) -> None:
        """Let any worker do what no worker is left for: Dask would wait for the ones that are gone."""
        there = self._client.nthreads()
        for key in [key for key, others in self.bound.items() if others.isdisjoint(there)]:
            del self.bound[key]
            self._client.cancel([Future(key, self._client)])
            job = waiting.pop(key)
            waiting[self.submit(job, besides="")] = job


def outcome_of(job: Job, future: Future[Outcome]) -> Outcome:
    """What came of a job that has ended in one way or another. Raises PerfmodError where the cluster has ended."""
    try:
        return future.result()  # fails too where the worker that has it dies before it is fetched, once too often
    except KilledWorker as error:
        lost = failed(job, f"{error.allowed_failures + 1} workers died while they worked on it")
        return replace(lost, effort=Effort(worker=error.last_worker.address))
    except (CancelledError, CommClosedError):
        raise PerfmodError("the Dask cluster is gone; the same command goes on where this one stopped") from None
    except Exception as error:
        return failed(job, f"its worker failed: {type(error).__name__}: {error}")
