"""Times perfmod beside ruff, ast-grep, LibCST codemods, Fixit, ripgrep and git grep, in alternating runs.

Prints one table per tree: medians of wall and CPU seconds with their spread, peak memory, and ratios of medians.
Wall is what a person waits; CPU (user + system, of all processes) is what a busy machine can still compare.
Everything that is downloaded or generated stays in --cache.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.chart import draw
from benchmarks.measuring import Race, run_race
from benchmarks.profiling import profile
from benchmarks.races import all_races, make_rivals
from benchmarks.tables import format_race
from benchmarks.targets import format_targets, missed

PARTS = ("tiny", "sparse", "large", "dense", "mixed", "rewrite", "growth")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cache = Path(__file__).resolve().parent.parent / ".cache" / "corpora"
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"default: all of {' '.join(PARTS)}")
    parser.add_argument("--laps", type=int, default=7, metavar="N", help="runs of each program (default: 7)")
    parser.add_argument("--quick", action="store_true", help="three laps, no 100k files, no LibCST over 1,000 files")
    parser.add_argument("--cache", type=Path, default=cache, metavar="DIR", help="default: .cache/corpora")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw a chart of the medians")
    parser.add_argument("--profile", action="store_true", help="print where perfmod's time goes instead")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown part {', '.join(sorted(unknown))}; known: {' '.join(PARTS)}")

    options.cache.mkdir(parents=True, exist_ok=True)
    rivals = make_rivals(options.cache.resolve())
    if options.profile:
        profile(rivals)
        return 0
    laps = min(options.laps, 3) if options.quick else options.laps
    races: list[Race] = []
    for race in all_races(rivals, tuple(options.parts or PARTS), quick=options.quick):
        races.append(run_race(race, laps))
        print(format_race(races[-1]) + "\n", flush=True)
    print(format_targets(races))
    if options.svg:
        options.svg.write_text(draw(races), encoding="utf-8")
    return 1 if options.check and missed(races) else 0


if __name__ == "__main__":
    sys.exit(main())
