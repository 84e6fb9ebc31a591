"""What is done every so often while the node runs: each a task that outlives its own errors.

A job that raises is logged and done again after its period; it never stops for ever (as a looping
call would) and never overlaps itself. Periods are of the loop's monotonic clock. This file must not
know what a job does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog


class Jobs:
    """Starts jobs, stops them all."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def every(self, period_s: float, name: str, work: Callable[[], Awaitable[Any] | None]) -> None:
        """Do ``work`` after each ``period_s``, from now on."""
        self._tasks.append(asyncio.ensure_future(_repeat(period_s, name, work)))

    async def close(self) -> None:
        """Stop: what is under way is cancelled."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(period_s: float, name: str, work: Callable[[], Awaitable[Any] | None]) -> None:
    while True:
        await asyncio.sleep(period_s)
        try:
            done = work()
            if done is not None:
                await done
        except Exception as error:  # noqa: BLE001 - a job that fails once is done again
            structlog.get_logger().warning("job failed", job=name, exc_info=error)
