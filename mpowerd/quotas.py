"""How much one certificate may ask of a node: tokens that fill at a rate, spent before anything
costly is done. Pure: the time comes in.

A token is about what a payment costs, a fifth of a millisecond of one processor, and every message
costs one, whatever becomes of it. What goes through the database alone costs four more, a password
forty (its hashing takes tens of milliseconds). Invariant: one certificate, honest or stolen, with
however many connections, takes at most its rate: a message that was read is paid for, into debt if
need be, and nothing more is read before the debt is. This file must not know sockets nor
operations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

MESSAGE: Final = 1
PAYMENT: Final = 0
"""Beyond its message."""
REQUEST: Final = 4
SIGN_IN: Final = 40
BURST_S: Final = 2.0
"""What was not used for two seconds may be asked at once: a journal after an outage, an office's
papers.
"""


class Quotas:
    """``rates``: tokens a second by kind of certificate; a kind without one has no limit."""

    def __init__(self, rates: Mapping[str, int]) -> None:
        self._rates = dict(rates)
        self._left: dict[str, tuple[float, float]] = {}
        self._over: Counter[str] = Counter()

    def spend(self, subject: str, tokens: int, now_s: float) -> float:
        """Take the tokens of a request of ``kind/name`` and give 0, or take none and give the
        seconds until there are enough.
        """
        rate = self._rates.get(subject.partition("/")[0])
        if rate is None:
            return 0.0
        left = self._filled(subject, rate, now_s)
        if left >= tokens:
            self._left[subject] = (left - tokens, now_s)
            return 0.0
        self._left[subject] = (left, now_s)
        self._over[subject] += 1
        return (tokens - left) / rate

    def read(self, subject: str, now_s: float) -> float:
        """Pay for a message that was read; gives the seconds until the next one may be."""
        rate = self._rates.get(subject.partition("/")[0])
        if rate is None:
            return 0.0
        left = self._filled(subject, rate, now_s) - MESSAGE
        self._left[subject] = (left, now_s)
        return max(0.0, -left / rate)

    def told_over(self) -> dict[str, int]:
        """Give who was over the quota since this was last asked, and how often."""
        over, self._over = dict(self._over), Counter()
        return over

    def forget(self, now_s: float) -> None:
        """Forget whoever has all tokens again: what is remembered is bounded by who asks."""
        for subject, (left, at_s) in list(self._left.items()):
            rate = self._rates[subject.partition("/")[0]]
            if left + (now_s - at_s) * rate >= rate * BURST_S:
                del self._left[subject]

    def _filled(self, subject: str, rate: int, now_s: float) -> float:
        left, at_s = self._left.get(subject, (rate * BURST_S, now_s))
        return min(rate * BURST_S, left + max(0.0, now_s - at_s) * rate)
