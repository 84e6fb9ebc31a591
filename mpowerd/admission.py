"""Who may come in at the door: counts and tokens, before a byte is read. Pure: the time comes in.

Invariants: no address takes the tokens, the places or the handshakes of others; the table of paces
is bounded. This file must not know sockets.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

PER_ADDRESS: Final = 512
"""Connections from one address: a whole office behind one router, and a demonstration on one
machine.
"""
UNFINISHED_PER_ADDRESS: Final = 64
"""Handshakes one address may have unfinished: ten counters that reconnect at once, and room."""
PACE_PER_ADDRESS: Final = 32.0
"""Connections a second one address gets once it has had PER_ADDRESS at once: a handshake costs
milliseconds of processor whoever makes it, and an honest terminal makes one an hour.
"""
PACED: Final = 4_096
"""Addresses whose pace is remembered; the one that has been quiet longest goes first."""


class Admission:
    """Who may come in: counts and tokens, no sockets. ``rate`` connections a second, ``most`` at
    once.
    """

    def __init__(self, rate: int, most: int, now_s: float) -> None:
        self._rate, self._most = rate, most
        self._tokens, self._filled_s = float(rate), now_s
        self._here: Counter[str] = Counter()
        self._unfinished: Counter[str] = Counter()
        self._paced: dict[str, tuple[float, float]] = {}
        self.turned_away: Counter[str] = Counter()

    def refill(self, now_s: float) -> bool:
        """Add the tokens of the time that passed; say whether there is one."""
        self._tokens = min(self._rate, self._tokens + (now_s - self._filled_s) * self._rate)
        self._filled_s = now_s
        return self._tokens >= 1

    def enter(self, host: str) -> str:
        """Let a connection in ('') or say which limit turns it away."""
        why = ""
        if self._unfinished[host] >= UNFINISHED_PER_ADDRESS:
            why = "handshakes unfinished"
        elif self._here[host] >= PER_ADDRESS:
            why = "connections of one address"
        elif self._here.total() >= self._most:
            why = "connections in total"
        elif not self._at_its_pace(host):
            why = "pace of one address"
        if why:
            self.turned_away[why] += 1
            return why
        self._tokens -= 1
        self._here[host] += 1
        self._unfinished[host] += 1
        return ""

    def _at_its_pace(self, host: str) -> bool:
        """Take one of the address's own tokens; whoever was quiet longest is forgotten."""
        left, at_s = self._paced.pop(host, (float(PER_ADDRESS), self._filled_s))
        left = min(PER_ADDRESS, left + (self._filled_s - at_s) * PACE_PER_ADDRESS)
        self._paced[host] = (max(0.0, left - 1), self._filled_s)
        if len(self._paced) > PACED:
            del self._paced[next(iter(self._paced))]
        return left >= 1

    def finished(self, host: str) -> None:
        """A handshake is finished."""
        self._less(self._unfinished, host)

    def left(self, host: str) -> None:
        """A connection is gone."""
        self._less(self._here, host)

    @staticmethod
    def _less(counted: Counter[str], host: str) -> None:
        counted[host] -= 1
        if counted[host] <= 0:
            del counted[host]
