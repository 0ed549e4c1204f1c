"""A race as text."""

from __future__ import annotations

from benchmarks.measuring import Race, ratio, spread

HEAD = ("", "wall s", "quartiles", "CPU s", "peak MB", "wall ratio", "CPU ratio")


def format_race(race: Race) -> str:
    """One line per program; ratios say how much longer it takes than the first."""
    rows = [HEAD]
    for program in race.programs:
        low, high = spread(program)
        rows.append(
            (
                program.name,
                f"{program.wall:.3f}",
                f"{low:.3f}-{high:.3f}" if len(program.laps) > 1 else "one run",
                f"{program.cpu:.3f}",
                f"{program.memory / (1 << 20):.0f}",
                f"{ratio(program, race.programs[:1]):.2f}",
                f"{ratio(program, race.programs[:1], 'cpu'):.2f}",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return "\n".join([f"{race.name} ({race.files} files)", *lines])
