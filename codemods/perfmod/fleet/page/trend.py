"""Findings over time: a line for all of them and one for each rule, as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from perfmod.fleet.history import Run

WIDTH, HEIGHT = 900, 220
LEFT, BOTTOM, TOP, RIGHT = 56, 26, 12, 190  # room for numbers, dates and names
RUNS = 200  # the last ones
LINES = 8  # of them with a class of their own


def trend(history: Sequence[Run]) -> str:
    """The chart; nothing without a history."""
    runs = history[-RUNS:]
    if not runs:
        return ""
    rules = sorted({rule for run in runs for rule in run.rules}, key=lambda rule: (-runs[-1].rules.get(rule, 0), rule))
    series = {"all findings": [run.findings for run in runs]}
    series |= {rule: [run.rules.get(rule, 0) for run in runs] for rule in rules[: LINES - 1]}
    highest = max(1, *(value for values in series.values() for value in values))
    drawn = [axes(runs, highest)]
    places = label_places([values[-1] for values in series.values()], highest)
    for number, ((name, values), place) in enumerate(zip(series.items(), places, strict=True)):
        drawn.append(line(number, name, values, runs, highest, place))
    head = f"Findings over {len(runs)} runs" if len(runs) > 1 else "Findings in the first run of the history"
    return (
        f'<section class="chart trend"><h2>{head}</h2>\n<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{head}">\n' + "\n".join(drawn) + "\n</svg></section>"
    )


def x_of(number: int, runs: int) -> float:
    share = number / (runs - 1) if runs > 1 else 1.0
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def y_of(value: float, highest: int) -> float:
    return round(HEIGHT - BOTTOM - value / highest * (HEIGHT - BOTTOM - TOP), 1)


def axes(runs: Sequence[Run], highest: int) -> str:
    parts = []
    for value in sorted({0, highest // 2, highest}):
        y = y_of(value, highest)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text class="number" x="{LEFT - 8}" y="{y + 4}">{value:,}</text>')
    for number in sorted({0, len(runs) - 1}):
        anchor = "first" if number < len(runs) - 1 else "last"
        x = x_of(number, len(runs))
        parts.append(f'<text class="{anchor}" x="{x}" y="{HEIGHT - 6}">{escape(runs[number].date[:10])}</text>')
    return "".join(parts)


def line(number: int, name: str, values: Sequence[int], runs: Sequence[Run], highest: int, place: float) -> str:
    points = [(x_of(index, len(values)), y_of(value, highest)) for index, value in enumerate(values)]
    dots = "".join(
        f'<circle cx="{x}" cy="{y}" r="3"><title>{escape(f"{run.date[:16]} {name}: {value:,}")}</title></circle>'
        for (x, y), value, run in zip(points, values, runs, strict=True)
    )
    path = " ".join(f"{x},{y}" for x, y in points)
    label = f'<text x="{WIDTH - RIGHT + 10}" y="{place + 4}">{values[-1]:,} {escape(name)}</text>'
    return f'<g class="series s{number}"><polyline points="{path}"/>{dots}{label}</g>'


def label_places(values: Sequence[int], highest: int) -> list[float]:
    """Where the names of the lines stand: beside their ends, and not on each other."""
    room = 15.0
    places: dict[int, float] = {}
    lowest_free = HEIGHT - BOTTOM + 4.0
    for index in sorted(range(len(values)), key=lambda index: (values[index], -index)):
        places[index] = min(y_of(values[index], highest), lowest_free)
        lowest_free = places[index] - room
    return [places[index] for index in range(len(values))]
