"""Waiting before a password is checked: a bounded number at once, and nobody is sent away for it.

Invariant: at most MOST wait here. One more ends the wait of whoever has waited longest, who goes to
their check at once: a flood shortens its own pauses and never turns a right password away. Whoever
hangs up leaves at once. This file must not know for what is waited.
"""

from __future__ import annotations

import asyncio
from typing import Final

MOST: Final = 32
"""Half of what the pool of hashing takes at once: were all pauses to end together, others' checks
still found room in it.
"""


class Pauses:
    """Those who wait, the longest first."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], None] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    async def wait(self, pause_s: float) -> None:
        """Wait so long, or less if too many wait."""
        if len(self._waiting) >= MOST:
            self._end(next(iter(self._waiting)))
        loop = asyncio.get_running_loop()
        over = loop.create_future()
        self._waiting[over] = None
        timer = loop.call_later(pause_s, self._end, over)
        try:
            await over
        finally:
            timer.cancel()
            self._waiting.pop(over, None)

    def _end(self, over: asyncio.Future[None]) -> None:
        self._waiting.pop(over, None)
        if not over.done():
            over.set_result(None)
