"""Who was refused in the handshake, counted until the audit is told. Pure but for ``tell``, which
waits for whoever writes.

Invariants: however many knock, the table holds one tally a reason and NAMED callers in each, those
that came most often staying longest; the audit gets at most one entry a reason whenever it is told,
once a minute; and nothing counted is lost because it could not be written: it is counted on and
told the next time. While the doors are shut (a standby) there is nobody to tell: what that node
refused is told in its first minute as the primary. This file must not know sockets nor the
database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from msgspec import Struct

from protocols.shell.refused import PeerRefused, Why

NAMED: Final = 32
"""Callers named in one entry: an office, or an attacker's addresses, at 80 bytes each."""


class Tally(Struct):
    """What was refused for one reason since ``since_s`` (monotonic): how often, whom (``counter/C5
    at 10.0.0.7``, or the address alone), how often others whom there was no room to name, and the
    last refusal's own words.
    """

    why: Why
    since_s: float
    times: int
    callers: dict[str, int]
    others: int
    words: str

    def count(self, caller: str, times: int = 1) -> None:
        """Count a caller; whoever came least makes room."""
        if caller not in self.callers and len(self.callers) >= NAMED:
            least = min(self.callers, key=self.callers.__getitem__)
            self.others += self.callers.pop(least)
        self.callers[caller] = self.callers.get(caller, 0) + times


class Strangers:
    """The tallies of one door; ``seen`` counts for the figures and never goes back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._tallies: dict[Why, Tally] = {}
        self.seen: Counter[str] = Counter()

    def refused(self, refused: PeerRefused, host: str) -> None:
        """Count one handshake that was refused."""
        why = refused.why
        self.seen[why.value] += 1
        tally = self._tallies.get(why)
        if tally is None:
            tally = self._tallies[why] = Tally(why, self._clock(), 0, {}, 0, "")
        tally.times += 1
        tally.words = str(refused)
        tally.count(f"{refused.subject} at {host}" if refused.subject else host)

    async def tell(self, write: Callable[[Sequence[Tally], float], Awaitable[Any]]) -> None:
        """Have everything counted so far written (``write`` is told the time, too); what could not
        be is counted on.
        """
        told, self._tallies = self._tallies, {}
        if not told:
            return
        try:
            await write(list(told.values()), self._clock())
        except BaseException:
            self._count_on(told)
            raise

    def _count_on(self, untold: dict[Why, Tally]) -> None:
        for why, newer in self._tallies.items():
            older = untold.setdefault(why, newer)
            if older is newer:
                continue
            older.times += newer.times
            older.others += newer.others
            older.words = newer.words
            for caller, times in newer.callers.items():
                older.count(caller, times)
        self._tallies = untold
