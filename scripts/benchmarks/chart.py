"""The medians as horizontal bars, one group per tree: an SVG without scripts or fonts of its own."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from benchmarks.measuring import Program, Race, spread

WIDTH, LABELS, BAR, GAP, HEAD, RIGHT = 860, 230, 16, 6, 30, 90
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-weight:600}.own{fill:#0969da}.other{fill:#8c959f}"
    ".spread{stroke:#24292f}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.own{fill:#4493f8}.spread{stroke:#e6edf3}}"
)


def draw(races: Sequence[Race]) -> str:
    """Each group has its own scale: what counts is the ratio inside it."""
    parts: list[str] = []
    top = 0
    for race in races:
        parts.append(f'<text class="title" x="0" y="{top + 20}">{escape(race.name)}, {race.files:,} files</text>')
        top += HEAD
        longest = max(spread(program)[1] for program in race.programs)
        for program in race.programs:
            parts.append(draw_bar(program, top, (WIDTH - LABELS - RIGHT) / longest))
            top += BAR + GAP
        top += GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" height="{top}" '
        f'role="img" aria-label="Seconds that each program takes on each tree"><style>{STYLE}</style>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def draw_bar(program: Program, top: int, scale: float) -> str:
    low, high = (LABELS + seconds * scale for seconds in spread(program))
    middle, end = top + BAR / 2, LABELS + program.wall * scale
    kind = "own" if program.name.startswith("perfmod") else "other"
    return (
        f'<text x="{LABELS - 8}" y="{top + 12}" text-anchor="end">{escape(program.name)}</text>'
        f'<rect class="{kind}" x="{LABELS}" y="{top}" width="{max(1.0, end - LABELS):.1f}" height="{BAR}"/>'
        f'<path class="spread" d="M{low:.1f} {middle}H{high:.1f}"/>'
        f'<text x="{max(end, high) + 6:.1f}" y="{top + 12}">{seconds_text(program.wall)}</text>'
    )


def seconds_text(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
