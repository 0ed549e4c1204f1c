"""What must hold: ratios of medians in one run of scripts/bench."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.measuring import Program, Race, ratio

COLD, WARM = "perfmod check", "perfmod check, warm"
RUFF, RUFF_WARM = "ruff RUF006", "ruff RUF006, warm"
MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Target:
    part: str
    program: str
    others: tuple[str, ...]
    limit: float


TARGETS = (
    *(Target(part, COLD, (RUFF,), limit) for part, limit in {"sparse": 0.5, "large": 0.5, "dense": 2.0}.items()),
    *(Target(part, WARM, (RUFF_WARM,), 2.5) for part in ("sparse", "large", "dense")),
    Target("mixed", "perfmod check, all rules", (RUFF, "ast-grep scan"), 0.5),
    Target("rewrite", "perfmod diff", ("libcst.tool codemod",), 0.01),
    Target("rewrite", "perfmod diff", ("ast-grep run --rewrite",), 1.0),
)
CLEAN = 0.090  # seconds for a clean tree of 50 files
GROWTH = 1.3  # how much dearer a file may be in the largest tree than in the 10k one
MEMORY = 300 * MEGABYTE


@dataclass(frozen=True)
class Verdict:
    holds: bool
    sentence: str


def missed(races: Sequence[Race]) -> bool:
    return any(not verdict.holds for verdict in verdicts(races))


def format_targets(races: Sequence[Race]) -> str:
    return "\n".join(f"{'PASS' if each.holds else 'FAIL'} {each.sentence}" for each in verdicts(races))


def verdicts(races: Sequence[Race]) -> Iterator[Verdict]:
    by_part = {race.name.partition(":")[0]: race for race in races if not race.name.startswith("growth")}
    for target in TARGETS:
        race = by_part.get(target.part)
        if race is not None and (found := programs(race, target)) is not None:
            yield compare(race, target, *found)
    tiny = by_part.get("tiny")
    if tiny is not None and (clean := tiny.program("perfmod check, all rules")) is not None:
        yield Verdict(
            clean.wall <= CLEAN, f"{tiny.name}: {clean.wall * 1000:.0f} ms (CPU {clean.cpu * 1000:.0f}), at most 90"
        )
    yield from growth([race for race in races if race.name.startswith("growth")])


def programs(race: Race, target: Target) -> tuple[Program, list[Program]] | None:
    own, others = race.program(target.program), [race.program(name) for name in target.others]
    known = [other for other in others if other is not None]
    return (own, known) if own is not None and len(known) == len(others) else None


def compare(race: Race, target: Target, own: Program, others: list[Program]) -> Verdict:
    wall, cpu = ratio(own, others), ratio(own, others, "cpu")
    names = " + ".join(target.others)
    sentence = f"{race.name}: {own.name} / {names} = {wall:.3g} (CPU {cpu:.3g}), at most {target.limit}"
    return Verdict(wall <= target.limit, sentence)


def growth(races: Sequence[Race]) -> Iterator[Verdict]:
    """Time per file from 10k files on, where start-up no longer counts; and memory."""
    large = [race for race in races if race.files >= 9_000 and race.program(COLD)]
    if len(large) > 1:
        first, last = (race.programs[0].cpu / race.files for race in (large[0], large[-1]))
        yield Verdict(
            last <= GROWTH * first, f"growth: a file costs {last / first:.2f} times as much, at most {GROWTH}"
        )
    for race in large:
        peak = max(each.memory for each in race.programs if each.name.startswith("perfmod"))
        yield Verdict(peak <= MEMORY, f"{race.name}: peak {peak / MEGABYTE:.0f} MB, at most 300")
