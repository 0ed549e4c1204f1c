# perfmod: background_tasks template 1
"""Fire-and-forget asyncio tasks that are kept and report their failure.

The event loop holds its tasks only weakly: one that nobody else refers to may
be garbage-collected before it is done, and one that fails may never say so.
See https://docs.python.org/3/library/asyncio-task.html#asyncio.create_task
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_logger = logging.getLogger(__name__)
_tasks: set[asyncio.Task[Any]] = set()


def create_background_task(
    coro: Coroutine[Any, Any, T],
    *,
    name: str | None = None,
    loop: asyncio.AbstractEventLoop | None = None,
    **kwargs: Any,
) -> asyncio.Task[T]:
    """Create a task, keep it until it is done, and report its failure."""
    task = (loop or asyncio).create_task(coro, **kwargs)
    _tasks.add(task)
    task.add_done_callback(_on_done)
    if name is not None:
        # Not create_task(name=...): a task factory may accept no keywords.
        task.set_name(name)
    return task


def _on_done(task: asyncio.Task[Any]) -> None:
    _tasks.discard(task)
    if task.cancelled():
        _logger.debug("Background task %r was cancelled", task.get_name())
        return
    error = task.exception()
    # The event loop raises these two by itself: they end the program.
    if error is None or isinstance(error, (KeyboardInterrupt, SystemExit)):
        return
    _report_failure(task, error)


def _report_failure(task: asyncio.Task[Any], error: BaseException) -> None:
    _logger.error(
        "Background task %r failed",
        task.get_name(),
        exc_info=(type(error), error, error.__traceback__),
    )
