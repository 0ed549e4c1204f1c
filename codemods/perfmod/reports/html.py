"""One self-contained page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perfmod.pipeline import Report
    from perfmod.reports import View


def render(report: Report, view: View) -> str:
    return "<!doctype html>\n"
