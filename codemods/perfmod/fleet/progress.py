"""How far a fleet is: counts, rate and time left. A bar where a person watches, else a line now and then."""

from __future__ import annotations

import sys
from time import monotonic
from typing import TYPE_CHECKING

from perfmod.reports import write_out

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

EVERY = 30.0  # seconds between two lines


class Progress:
    """Told of each repository that is done."""

    def __init__(self, total: int, *, quiet: bool) -> None:
        self._total = total
        self._started = self._said = monotonic()
        self._quiet = quiet
        self._bar = None if quiet or not sys.stderr.isatty() else make_bar()
        self.done = self.failed = self.unchanged = 0

    def __enter__(self) -> Progress:
        if self._bar is not None:
            self._bar.start()
            self._bar.add_task("Repositories", total=self._total, said="")
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def count(self, status: str) -> None:
        """One repository more, and what became of it."""
        self.done += 1
        self.failed += status == "failed"
        self.unchanged += status == "unchanged"
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=self.done, said=self.describe())
        elif not self._quiet and monotonic() - self._said >= EVERY and self.done < self._total:
            self._said = monotonic()
            write_out(f"perfmod: {self.done} of {self._total} repositories{self.describe()}\n", sys.stderr)

    def describe(self) -> str:
        """`, 3 failed, 12.3 a second, 0:41 left`."""
        rate = self.done / max(monotonic() - self._started, 0.001)
        counts = "".join(
            f", {number} {word}" for number, word in ((self.failed, "failed"), (self.unchanged, "unchanged")) if number
        )
        speed = f"{rate:.1f} a second" if rate >= 1 else f"{rate * 60:.1f} a minute"
        return f"{counts}, {speed}, {clock((self._total - self.done) / max(rate, 1e-9))} left"


def clock(seconds: float) -> str:
    """`0:41`, or `2:05:41`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def make_bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[said]}"))
    return Progress(*columns, console=Console(stderr=True), transient=True)
