"""The clock of everything that waits: it counts through suspend, and no step of the wall clock
touches it.

Twisted's own ``reactor.seconds`` is the wall clock, so a clock set by an hour fires or freezes
every timer. This one reads CLOCK_BOOTTIME where there is one, and asks the asyncio loop for its
calls, whose own clock is monotonic too. After a suspend the loop's clock has stood still while this
one went on: a call may come late, never early, and whoever counts silence reads ``seconds``. It
must not know what is waited for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from twisted.internet.base import DelayedCall
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", None)
_log = Logger()


def boot_seconds() -> float:
    """Seconds since the machine started, suspend included; monotonic where the system has no such
    clock.
    """
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


@implementer(IReactorTime)
class BootClock:
    """IReactorTime on the asyncio loop that the reactor runs on (``install_reactor`` set it)."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop | None = None,
        seconds: Callable[[], float] = boot_seconds,
    ) -> None:
        self._loop = loop if loop is not None else asyncio.get_event_loop_policy().get_event_loop()
        self._seconds = seconds
        self._waiting: dict[DelayedCall, asyncio.TimerHandle] = {}

    def seconds(self) -> float:
        """Seconds since the machine started."""
        return self._seconds()

    def callLater(
        self,
        delay: float,
        callable: Callable[..., Any],  # noqa: A002 - Twisted calls it so
        *args: Any,
        **kwargs: Any,
    ) -> IDelayedCall:
        """Call it in ``delay`` seconds."""
        assert delay >= 0, f"{delay} s is in the past"
        call = DelayedCall(
            self.seconds() + delay, callable, args, kwargs, self._cancel, self._arm, self.seconds
        )
        self._arm(call)
        return call

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        """Give the calls that are still to come."""
        return tuple(self._waiting)

    def _arm(self, call: DelayedCall) -> None:
        self._cancel(call)
        left_s = max(0.0, call.getTime() - self.seconds())
        self._waiting[call] = self._loop.call_later(left_s, self._fire, call)

    def _cancel(self, call: DelayedCall) -> None:
        handle = self._waiting.pop(call, None)
        if handle is not None:
            handle.cancel()

    def _fire(self, call: DelayedCall) -> None:
        del self._waiting[call]
        if call.delayed_time > 0:
            call.activate_delay()
            self._arm(call)
            return
        call.called = 1
        try:
            call.func(*call.args, **call.kw)
        except Exception:  # noqa: BLE001 - one call's error must not stop the loop's others
            _log.failure("A call of the clock raised.")
