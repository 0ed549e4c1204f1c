"""What the reports for code hosts share: paths as the host knows them, and how grave a finding is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfmod.config import git_top_level
from perfmod.rule import PARSE_ERROR

if TYPE_CHECKING:
    from perfmod.pipeline import Report


def folder_in_repository(report: Report) -> str:
    """The root as seen from the top of its git checkout, with a slash at its end; empty where that is the same.

    A host shows a finding only beside a path of the repository, so these reports can't name files from a root below.
    """
    root = report.request.root
    top = git_top_level(root)
    return "" if top in (None, root) else f"{root.relative_to(top).as_posix()}/"


def is_error(rule: str) -> bool:
    """Whether a finding is more than a warning: perfmod could not do its work there."""
    return rule == PARSE_ERROR
