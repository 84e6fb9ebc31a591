"""How long somebody waits for an answer: then they are told that nobody gave one. The time begins
anew when a person was asked something meanwhile: a prompt stops the clock of nobody else.

This file must not know what is waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

T = TypeVar("T")


class Patience:
    """Who waits on one link; ``nobody`` gives what they are told when it is over."""

    def __init__(self, clock: IReactorTime, nobody: Callable[[], Exception]) -> None:
        self._clock, self._nobody = clock, nobody
        self._calls: dict[IDelayedCall, float] = {}

    def give(self, waiting: Deferred[T], patience_s: float) -> None:
        """Cancel what is waited for after so long."""
        call = self._clock.callLater(patience_s, waiting.cancel)
        self._calls[call] = patience_s

        def over(result: T | Failure) -> T | Failure:
            del self._calls[call]
            if call.active():
                call.cancel()
                return result
            return Failure(self._nobody())

        waiting.addBoth(over)

    def anew(self) -> None:
        """Let everybody wait as long again as at first."""
        for call, patience_s in self._calls.items():
            if call.active():
                call.reset(patience_s)
