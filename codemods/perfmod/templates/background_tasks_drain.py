"""Part of background_tasks: a function to await at shutdown."""

from __future__ import annotations

import asyncio

from perfmod.templates.background_tasks import _tasks


async def drain_background_tasks(timeout: float = 5.0) -> None:
    """Wait for this loop's background tasks; after ``timeout`` cancel them."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    while True:
        # A copy, as other threads change the set; anew, as tasks start tasks.
        tasks = {task for task in _tasks.copy() if task.get_loop() is loop}
        tasks -= {asyncio.current_task()}
        remaining = deadline - loop.time()
        if not tasks or remaining <= 0:
            break
        await asyncio.wait(tasks, timeout=remaining)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
