"""Failed sign-ins, counted per (user, terminal): after five, a delay that doubles. Pure: the time
comes in.

Invariant: a lock never reaches beyond the pair it was earned by, so nobody can lock a colleague out
from another desk. The table is bounded; the oldest entry goes first. This file must not know
passwords.
"""

from __future__ import annotations

from typing import Final

FREE: Final = 5
FIRST_WAIT_S: Final = 30
LONGEST_WAIT_S: Final = 900
FORGET_S: Final = 3600.0
"""A failure is forgotten after an hour without another."""
LIMIT: Final = 10_000
"""Pairs remembered: every user of a board at the terminal they sit at, and room for guesses."""


class Attempts:
    """How often each pair failed, and until when it waits (monotonic seconds)."""

    def __init__(self) -> None:
        self._failed: dict[tuple[str, str], tuple[int, float]] = {}

    def wait_s(self, user: str, subject: str, now_s: float) -> int:
        """Seconds this pair has to wait before the next try, 0 if it may try now."""
        count, last_s = self._failed.get((user, subject), (0, now_s))
        if count < FREE:
            return 0
        return max(0, round(last_s + delay_s(count) - now_s))

    def failed(self, user: str, subject: str, now_s: float) -> None:
        """Count one failure."""
        pair = (user, subject)
        count, last_s = self._failed.pop(pair, (0, now_s))
        while len(self._failed) >= LIMIT:
            del self._failed[next(iter(self._failed))]
        self._failed[pair] = (count + 1 if now_s - last_s < FORGET_S else 1, now_s)

    def succeeded(self, user: str, subject: str) -> None:
        """Forget the pair's failures."""
        self._failed.pop((user, subject), None)


def delay_s(count: int) -> int:
    """Give the delay after that many failures: 30 s after the fifth, doubling up to 15 minutes."""
    return 0 if count < FREE else int(min(FIRST_WAIT_S * 2 ** (count - FREE), LONGEST_WAIT_S))
