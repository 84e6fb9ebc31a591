"""What a node does again and again: on the monotonic clock, watched, and measured for lateness.

Invariant: a pulse that raises is a fault of the node, never a silence (a LoopingCall would just
stop). The next beat is counted from when it was due, so lateness does not add up; after a stall it
goes on from now and the gap is told, because a stalled process may not believe what it had heard.
It must not know what is done.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Pulse:
    """Calls ``work(late_s)`` every ``period_s()`` seconds; ``fault`` gets what it raises, then it
    ends.
    """

    def __init__(
        self,
        name: str,
        clock: IReactorTime,
        period_s: Callable[[], float],
        work: Callable[[float], None],
        fault: Callable[[str, BaseException], None],
    ) -> None:
        self._name = name
        self._clock = clock
        self._period_s = period_s
        self._work = work
        self._fault = fault
        self._due_s = 0.0
        self._call: IDelayedCall | None = None

    def start(self) -> None:
        """Begin; the first call comes after one period."""
        self._due_s = self._clock.seconds() + self._period_s()
        self._arm()

    def hasten(self) -> None:
        """The period may have become shorter: keep to it from now."""
        due_s = self._clock.seconds() + self._period_s()
        if self._call is not None and due_s < self._due_s:
            self._call.cancel()
            self._due_s = due_s
            self._arm()

    def stop(self) -> None:
        """Call no more."""
        if self._call is not None and self._call.active():
            self._call.cancel()
        self._call = None

    def _arm(self) -> None:
        self._call = self._clock.callLater(
            max(0.0, self._due_s - self._clock.seconds()), self._beat
        )

    def _beat(self) -> None:
        now_s = self._clock.seconds()
        late_s = max(0.0, now_s - self._due_s)
        try:
            self._work(late_s)
        except Exception as wrong:  # noqa: BLE001 - every kind of failure stops the node
            self._call = None
            self._fault(self._name, wrong)
            return
        if self._call is None:
            return
        self._due_s = max(self._due_s + self._period_s(), self._clock.seconds())
        self._arm()
