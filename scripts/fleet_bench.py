"""Makes a fleet of git repositories from real packages, runs perfmod over it, and says what that takes.

speed    with 1 and 2 workers: rate, speed-up, CPU, peak memory; every patch is given to `git apply`
again    the same once more: nothing is done twice
growth   a quarter, half and all of the fleet
kills    workers are killed at random: the results are those of a run without kills, byte for byte
apply    the same for commits on branches
cluster  a scheduler and workers as processes of their own: the same results, byte for byte
clones   every repository cloned over file:// first

Everything that is downloaded or made stays in --cache.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fleet_benchmarks.making import checkouts_of, copy_fleet, make_fleet
from fleet_benchmarks.running import Run, cluster, fleet, killer

from perfmod.fleet.results import files_of

PARTS = ("speed", "again", "growth", "kills", "apply", "cluster", "clones")
MEGABYTE = 1_000_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cache = Path(__file__).resolve().parent.parent / ".cache" / "corpora"
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"default: all of {' '.join(PARTS)}")
    parser.add_argument("--repositories", type=int, default=240, metavar="N", help="how many (default: 240)")
    parser.add_argument(
        "--laps", type=int, default=1, metavar="N", help="runs with each number of workers (default: 1)"
    )
    parser.add_argument("--kill-every", type=float, default=4.0, metavar="SECONDS", help="about (default: 4)")
    parser.add_argument("--cache", type=Path, default=cache, metavar="DIR", help="default: .cache/corpora")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(sorted(unknown))}; known: {' '.join(PARTS)}")
    cache = options.cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    bench = Bench(make_fleet(cache, options.repositories), cache / "fleet-work", options)
    for part in options.parts or PARTS:
        bench.part(part)
    return bench.report()


class Bench:
    def __init__(self, repositories: Path, work: Path, options: argparse.Namespace) -> None:
        self.repositories = repositories
        self.work = work
        self.options = options
        self.checkouts = checkouts_of(repositories)
        self.faults: list[str] = []
        work.mkdir(exist_ok=True)
        files = sum(1 for folder in self.checkouts for _ in folder.rglob("*.py"))
        print(f"{len(self.checkouts)} repositories with {files:,} Python files\n")

    def part(self, name: str) -> None:
        print(f"== {name}", flush=True)
        part: Callable[[], None] = getattr(self, name)
        part()
        print(flush=True)

    def report(self) -> int:
        print("\n".join(f"FAIL {fault}" for fault in self.faults) or "everything held")
        return 1 if self.faults else 0

    def hold(self, what: str, held: bool) -> None:
        print(f"  {'PASS' if held else 'FAIL'} {what}", flush=True)
        if not held:
            self.faults.append(what)

    def fresh(self, name: str) -> Path:
        """An empty work folder."""
        shutil.rmtree(self.work / name, ignore_errors=True)
        return self.work / name

    def reference(self) -> Path:
        """The work folder of an undisturbed diff with two workers. What is known and still holds is not done again."""
        folder = self.work / "diff-2"
        fleet("diff", self.repositories, folder, "--jobs=2")
        return folder

    def speed(self) -> None:
        rates = {}
        for workers in (1, 2):
            runs = []
            for _ in range(self.options.laps):
                folder = self.fresh(f"diff-{workers}")
                runs.append(fleet("diff", self.repositories, folder, f"--jobs={workers}"))
            best = min(runs, key=lambda run: run.wall)
            rates[workers] = len(self.checkouts) / best.wall
            print(f"  diff, {workers} workers: {self.numbers(best)}")
            self.spread(folder)
        print(f"  speed-up of 2 workers: {rates[2] / rates[1]:.2f}")
        self.hold("1 and 2 workers say the same, byte for byte", self.same("diff-1", "diff-2"))
        patches = list(self.patches())
        taken = sum(subprocess.run(("git", "apply", "--check", patch), cwd=f).returncode == 0 for f, patch in patches)
        self.hold(f"git apply takes {taken} of {len(patches)} patches", taken == len(patches) > 0)

    def patches(self) -> Iterator[tuple[str, Path]]:
        """The checkouts that would change, and how."""
        for record in (self.work / "diff-2/results").glob("*/record.json"):
            patch = record.with_name("changes.patch")
            if patch.stat().st_size:
                yield json.loads(record.read_bytes())["location"], patch

    def numbers(self, run: Run) -> str:
        rate = f"{len(self.checkouts) / run.wall:.2f} repositories a second"
        return f"{run.wall:.1f} s, {rate}, CPU {run.cpu:.1f} s, peak {run.memory / MEGABYTE:.0f} MB"

    def spread(self, folder: Path) -> None:
        """How long repositories take, and how much memory."""
        rows = list(csv.DictReader((folder / "timings.csv").open(newline="")))
        for column, unit in (("seconds", "s"), ("megabytes", "MB")):
            values = sorted(float(row[column]) for row in rows)
            median, late = values[len(values) // 2], values[len(values) * 95 // 100]
            print(f"    each: median {median:g} {unit}, 95% below {late:g}, most {values[-1]:g}")

    def again(self) -> None:
        before = files_of(self.reference())
        run = fleet("diff", self.repositories, self.reference(), "--jobs=2")
        print(f"  diff again: {self.numbers(run)}")
        self.hold("all are known", f"{len(self.checkouts)} of them known from before" in run.said)
        self.hold("the reports are the same", files_of(self.reference()) == before)

    def growth(self) -> None:
        for share in (4, 2, 1):
            chosen = self.checkouts[::share]
            run = fleet("check", self.listed(f"every-{share}", chosen), self.fresh("growth"), "--jobs=2")
            cost = f"{run.wall:.1f} s, CPU {run.cpu:.1f} s, peak {run.memory / MEGABYTE:.0f} MB"
            print(f"  check, {len(chosen)} repositories: {cost}")

    def listed(self, name: str, locations: Sequence[Path | str]) -> Path:
        path = self.work / f"{name}.txt"
        path.write_text("".join(f"{location}\n" for location in locations))
        return path

    def kills(self) -> None:
        self.reference()
        run = fleet("diff", self.repositories, self.fresh("killed"), "--jobs=2", watch=killer(self.options.kill_every))
        print(f"  diff, {run.killed} workers killed: {self.numbers(run)}")
        self.hold("workers were killed", run.killed > 0)
        self.hold("the results are those of a run without kills, byte for byte", self.same("diff-2", "killed"))
        rows = list(csv.DictReader((self.work / "killed/timings.csv").open(newline="")))
        names = [row["name"] for row in rows]
        self.hold("every repository is there once", len(names) == len(set(names)) == len(self.checkouts))

    def apply(self) -> None:
        trees = {}
        for name, watch in (("calm", None), ("killed", killer(self.options.kill_every, seed=2))):
            copy = copy_fleet(self.repositories, self.work / f"copy-{name}")
            run = fleet("apply", copy, self.fresh(f"apply-{name}"), "--branch=perfmod", "--jobs=2", watch=watch)
            print(f"  apply, {run.killed} workers killed: {self.numbers(run)}")
            trees[name] = {path.relative_to(copy): branch_of(path) for path in checkouts_of(copy)}
        branches = [each for each in trees["calm"].values() if each]
        commits = sum(len(branch) for branch in branches)
        self.hold(
            f"{len(branches)} branches with {commits} commits are the same, each once", trees["calm"] == trees["killed"]
        )
        clean = all(not git(path, "status", "--porcelain") for path in checkouts_of(self.work / "copy-killed"))
        self.hold("no work tree is touched, nothing is left behind", clean)

    def cluster(self) -> None:
        self.reference()
        with cluster(2) as address:
            run = fleet("diff", self.repositories, self.fresh("remote"), f"--scheduler={address}")
        print(f"  diff on a cluster of 2 workers: {self.numbers(run)}")
        self.hold("the results are those of a local run, byte for byte", self.same("diff-2", "remote"))

    def clones(self) -> None:
        addresses = self.listed("addresses", [f"file://{folder}" for folder in self.checkouts])
        run = fleet("check", addresses, self.fresh("clones"), "--jobs=2")
        print(f"  check, cloned first: {self.numbers(run)}")
        run = fleet("check", addresses, self.work / "clones", "--jobs=2")
        print(f"  again, only asked for their commits: {self.numbers(run)}")
        self.hold("all are known", f"{len(self.checkouts)} of them known from before" in run.said)

    def same(self, one: str, other: str) -> bool:
        return files_of(self.work / one) == files_of(self.work / other)


def branch_of(checkout: Path) -> list[str]:
    """The commits of the branch that apply made: what each came to, and what it says."""
    if not git(checkout, "branch", "--list", "perfmod"):
        return []
    return git(checkout, "log", "--format=%T %s", "main..perfmod").splitlines()


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(("git", *arguments), cwd=folder, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
