"""The last beats of one link as people see them: on time, late, missed.

One mark a beat that was due on the hearer's own clock. Invariant: a mark never depends on how often
somebody looks; what is overdue now is shown and not yet counted, because it may still come late. A
beat that comes sooner than half a period after the last is an extra one (a change of state) and has
no mark. It must not know what follows from silence.
"""

from __future__ import annotations

from collections import deque
from typing import Final

MARKS: Final = 60
"""Beats kept: twelve seconds at the usual rate, which fit a line of 80 columns."""
ON_TIME: Final = "|"
LATE: Final = "!"
MISSED: Final = "."
LATE_FROM: Final = 1.5
"""Periods after the last beat from which a beat is late."""


class Strip:
    """One link's marks. ``period_s``: how often a beat is due; ``suspect_s``: from when one that is
    awaited counts as missed.
    """

    def __init__(self, period_s: float, suspect_s: float) -> None:
        self._period_s = period_s
        self._suspect_s = suspect_s
        self._marks: deque[str] = deque(maxlen=MARKS)
        self._heard_s: float | None = None
        self.counts = {ON_TIME: 0, LATE: 0, MISSED: 0}

    def beat(self, now_s: float) -> None:
        """A beat came at ``now_s`` (monotonic seconds)."""
        if self._heard_s is None:
            self._mark(ON_TIME, 1)
            self._heard_s = now_s
            return
        gap_s = now_s - self._heard_s
        if gap_s < self._period_s / 2:
            return
        self._heard_s = now_s
        if gap_s < LATE_FROM * self._period_s:
            self._mark(ON_TIME, 1)
            return
        if gap_s >= self._suspect_s:
            self._mark(MISSED, self._overdue(gap_s))
        self._mark(LATE, 1)

    def shown(self, now_s: float) -> str:
        """The marks as of now, oldest first, at most MARKS: ``|`` on time, ``!`` late, ``.``
        missed; '' before the first beat.
        """
        if self._heard_s is None:
            return ""
        gap_s = now_s - self._heard_s
        marks = "".join(self._marks)
        if gap_s >= LATE_FROM * self._period_s:
            awaited = MISSED if gap_s >= self._suspect_s else LATE
            marks += awaited * min(MARKS, max(1, self._overdue(gap_s)))
        return marks[-MARKS:]

    def _overdue(self, gap_s: float) -> int:
        """How many beats were due in ``gap_s`` after one, without the one that ended it."""
        return max(1, round(gap_s / self._period_s) - 1)

    def _mark(self, mark: str, times: int) -> None:
        self.counts[mark] += times
        self._marks.extend(mark * min(times, MARKS))
