"""The charts of the page: one row for each rule or folder, its bar an inline SVG. A click on a row filters the list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from perfmod.model import Safety

ROOM = 24  # characters of a name


def counts_by(key: str, findings: Iterable[Mapping[str, Any]]) -> dict[str, Counter[str]]:
    """How many findings of each safety there are, by what they say under `key`."""
    counts: dict[str, Counter[str]] = {}
    for finding in findings:
        counts.setdefault(finding[key], Counter())[finding["safety"]] += 1
    return counts


def chart(title: str, key: str, counts: Mapping[str, Counter[str]]) -> str:
    """Findings by what `key` stands for, most first; each bar is as long as its share of the longest one."""
    longest = max((counter.total() for counter in counts.values()), default=1)
    ordered = sorted(counts.items(), key=lambda item: (-item[1].total(), item[0]))
    rows = "\n".join(row(key, name, counter, longest) for name, counter in ordered)
    return f'<section class="chart"><h2>{escape(title)}</h2>\n{rows}\n</section>'


def row(key: str, name: str, counter: Counter[str], longest: int) -> str:
    said = ", ".join(f"{counter[safety]} {safety}" for safety in Safety if counter[safety])
    bars = "".join(rectangles(counter))
    return (
        f'<button type="button" class="bar" data-key="{key}" data-value="{escape(name)}" aria-pressed="false"'
        f' title="{escape(name)}: {said}"><span class="name">{escape(short(name))}</span>'
        f'<svg viewBox="0 0 {longest} 1" preserveAspectRatio="none" role="img" aria-label="{said}">{bars}</svg>'
        f'<span class="count">{counter.total():,}</span></button>'
    )


def short(name: str) -> str:
    """A folder by its last two names, where all of them would take too much room."""
    return name if len(name) <= ROOM or "/" not in name else "…/" + "/".join(name.split("/")[-2:])


def rectangles(counter: Counter[str]) -> Iterator[str]:
    start = 0
    for safety in Safety:
        if number := counter[safety]:
            yield f'<rect class="{safety}" x="{start}" width="{number}" height="1"/>'
            start += number


def causes(counts: Mapping[str, int]) -> str:
    """Why findings are left, as rows that filter."""
    if not counts:
        return ""
    rows = "\n".join(
        f'<button type="button" class="bar cause" data-key="cause" data-value="{escape(name)}" aria-pressed="false">'
        f'<span class="name">{escape(name)}</span><span class="count">{number:,}</span></button>'
        for name, number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
    return f'<section class="chart"><h2>Why findings are left</h2>\n{rows}\n</section>'
