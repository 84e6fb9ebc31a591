"""The machine's seat: events one at a time, in order; the world told after each step; then the
orders carried out.

Invariants: a step never begins inside another; what a step decided is told before its orders run,
so that the gate is shut before anything else happens; a stall of this process is told before
whatever came during it, because what waited in a buffer is no news. An error of ours ends the
thinking: no step follows it. It must not know what events mean.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from twisted.internet.interfaces import IReactorTime

from cluster.actions import Action
from cluster.events import Event, Tick
from cluster.mind import Mind

Step = Callable[[Mind, Event, float], tuple[Mind, Sequence[Action]]]

TICK_S: Final = 0.1
"""Half a beat: what a timer decides comes at most this late. An idle node's largest cost."""
LATE_S: Final = 0.1
"""A tick overdue by this much is told before the next event."""
MAX_WAITING: Final = 10_000
"""Events waiting for their step: reached only if steps order each other without end, which is our
mistake.
"""


class Thinking:
    """Holds the mind. ``tell`` gets it after every step, ``obey`` each order, ``fault`` our
    error. ``wall`` gives the time of day, 0 unknown.
    """

    def __init__(
        self,
        mind: Mind,
        step: Step,
        clock: IReactorTime,
        *,
        tell: Callable[[Mind], None],
        obey: Callable[[Action], None],
        fault: Callable[[str, BaseException], None],
        wall: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._wall = wall
        self.mind = mind
        self._step = step
        self._clock = clock
        self._tell = tell
        self._obey = obey
        self._fault = fault
        self._waiting: deque[Event] = deque()
        self._busy = False
        self._ended = False
        self._ticked_s = clock.seconds()

    def tick(self) -> None:
        """The timer: let the machine see that time passed, and how late this came."""
        now_s = self._clock.seconds()
        late_s = max(0.0, now_s - self._ticked_s - TICK_S)
        self._ticked_s = now_s
        self.take(Tick(late_s, self._wall()))

    def take(self, event: Event) -> None:
        """Take one event; its step runs now, or after the steps that are under way."""
        if self._ended:
            return
        overdue = self._clock.seconds() - self._ticked_s > TICK_S + LATE_S
        if overdue and not self._busy and not isinstance(event, Tick):
            self.tick()
        assert len(self._waiting) < MAX_WAITING, "steps feed each other without end"
        self._waiting.append(event)
        if self._busy:
            return
        self._busy = True
        try:
            while self._waiting and not self._ended:
                self._think(self._waiting.popleft())
        except Exception as wrong:  # noqa: BLE001 - every error of ours ends the thinking
            self.end()
            self._fault(type(event).__name__, wrong)
        finally:
            self._busy = False

    def _think(self, event: Event) -> None:
        self.mind, orders = self._step(self.mind, event, self._clock.seconds())
        self._tell(self.mind)
        for order in orders:
            self._obey(order)

    def end(self) -> None:
        """No step follows."""
        self._ended = True
        self._waiting.clear()
