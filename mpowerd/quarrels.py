"""Which certificates have their connections displaced again and again: two machines with one of
them, or a thief who calls without end. Pure: the time comes in.

Invariants: every displacement is told, the first few at once and each by itself; from then on one
telling a minute for each certificate says how many there were, so that a flood of calls fills
neither audit nor log. What is remembered is bounded by the certificates there are, and forgotten
after QUARREL_S of peace. This file must not know connections.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from mpowerd.seats import Asker

QUARREL: Final = 5
QUARREL_S: Final = 300.0
"""As many displacements in five minutes are two terminals with one certificate, not a bad line:
ours stand aside for half a minute each time.
"""
TOLD_S: Final = 60.0
"""Between two tellings of one quarrel."""


class _Displaced:
    """Of one certificate: when of late, how many are untold, when was told, the newest's seat."""

    def __init__(self, newer: Asker) -> None:
        self.times: deque[float] = deque(maxlen=QUARREL)
        self.untold, self.told_s = 0, 0.0
        self.newer = newer

    def is_quarrel(self, now_s: float) -> bool:
        return len(self.times) == QUARREL and now_s - self.times[0] < QUARREL_S


class Quarrels:
    """All certificates whose connections were displaced of late."""

    def __init__(self) -> None:
        self._of: dict[str, _Displaced] = {}
        self._copied: dict[str, str] = {}

    def displaced(self, newer: Asker, older: Asker, now_s: float) -> None:
        """A newer connection took the place of an older one of the same certificate."""
        one = self._of.setdefault(newer.subject, _Displaced(newer))
        one.times.append(now_s)
        one.newer, one.untold = newer, one.untold + 1
        if one.is_quarrel(now_s):
            hosts = {each.address.rpartition(":")[0] for each in (newer, older)}
            self._copied[newer.subject] = f"{newer.subject} ({' and '.join(sorted(hosts))})"

    def told(self, subject: str, now_s: float) -> tuple[Asker, int] | None:
        """Give what is to be told of it now: the newest connection, how often since the last."""
        one = self._of[subject]
        if not one.untold or (one.is_quarrel(now_s) and now_s - one.told_s < TOLD_S):
            return None
        times, one.untold, one.told_s = one.untold, 0, now_s
        return one.newer, times

    def quiet(self, now_s: float) -> list[tuple[Asker, int]]:
        """Give what is to be told of all of them now, and forget whoever keeps the peace."""
        told = [said for one in self._of if (said := self.told(one, now_s)) is not None]
        for subject, one in list(self._of.items()):
            if now_s - one.times[-1] > QUARREL_S:
                del self._of[subject]
                self._copied.pop(subject, None)
        return told

    def copied(self) -> str:
        """Say which certificates seem copied, for people; '' if none does."""
        if not self._copied:
            return ""
        names = ", ".join(text for _, text in sorted(self._copied.items()))
        return f"Connections of one certificate keep displacing each other: {names}."
