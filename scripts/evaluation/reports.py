"""What a table says about one checkout, and how it is printed."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Checks = list[tuple[bool, str]]


@dataclass(frozen=True)
class Report:
    """What one table says about one checkout."""

    row: dict[str, object]
    details: list[str] = field(default_factory=list)
    checks: Checks = field(default_factory=list)


def left(findings: list[dict[str, Any]]) -> Iterator[str]:
    """Why fixes are not safe, grouped; names in backquotes differ from one place to the next."""
    reasons = Counter(
        f"{each['safety']}: {re.sub(r'`[^`]*`', '`…`', each['reason'] or 'no reason')}"
        for each in findings
        if each["safety"] != "safe"
    )
    if reasons:
        yield "left, or fixed only with --unsafe-fixes:"
    yield from (f"  {count:4} {reason}" for reason, count in sorted(reasons.items(), key=lambda each: -each[1]))


def format_table(rows: list[dict[str, object]]) -> str:
    """A Markdown table; its last row is the sum of all numbers."""
    columns = list({column: None for row in sorted(rows, key=len, reverse=True) for column in row})
    numbers = {column: [value for row in rows if isinstance(value := row.get(column), int)] for column in columns}
    total = ["all", *(str(sum(numbers[column])) if numbers[column] else "" for column in columns[1:])]
    cells = [columns, *([str(row.get(column, "-")) for column in columns] for row in rows), total]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, ["-" * width for width in widths])
    lines = ([text.ljust(width) for text, width in zip(line, widths, strict=True)] for line in cells)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
