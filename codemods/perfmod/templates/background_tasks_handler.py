"""Part of background_tasks: failures go to the loop's exception handler."""

from __future__ import annotations

import asyncio
from typing import Any


def _report_failure(task: asyncio.Task[Any], error: BaseException) -> None:
    task.get_loop().call_exception_handler(
        {
            "message": f"Background task {task.get_name()!r} failed",
            "exception": error,
            "task": task,
        }
    )
