"""Operators who give orders while everything else goes wrong: an answer with a reason is all they
may expect.

An order is given beside the rig's loop, because a cluster that is struck may let it wait. What it
was answered is told at the end; one that was refused has not struck. A pause is taken back before
the pair is judged. This file must not know what the machine makes of an order.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from tests.torture.place import Place
from tests.torture.plan import Fault
from tests.torture.struck import Struck
from tests.torture.system import RigError

WRONG_USAGE: Final = 2
TRIES: Final = 30
"""A second apart: an order that is refused while the pair recovers is given again."""


class Order:
    """One command under way; ``said`` is its answer."""

    def __init__(self, place: Place, *words: str, after: Order | None = None) -> None:
        self.said = "no answer yet"
        self.code: int | None = None
        self._words = words
        self._place = place
        self._after = after
        self._done = threading.Event()
        threading.Thread(target=self._give, daemon=True).start()

    def _give(self) -> None:
        if self._after is not None:
            self._after._done.wait()
        for _ in range(TRIES if self._after is not None else 1):
            self.code, self.said = self._place.board.ask("cluster", *self._words)
            if self.code == 0:
                break
            self._done.wait(1.0)
        self._done.set()


def _told(order: Order) -> str:
    """Its answer; wrong usage is no answer of a cluster but a mistake of the rig."""
    if order.code == WRONG_USAGE:
        raise RigError(f"The rig gives an order that is none: {order.said}")
    return order.said


def _struck(order: Order, end: Callable[[], object] = lambda: None) -> Struck:
    """An order that may still be under way when its fault is over."""
    return Struck(end, told=lambda: _told(order), hit=lambda: order.code == 0)


def switchover(place: Place, fault: Fault) -> Struck:
    """In order, if it can be."""
    return _struck(Order(place, "switchover"))


def handover(place: Place, fault: Fault) -> Struck:
    """At once."""
    return _struck(Order(place, "handover", "--reason", "on battery"))


def pause(place: Place, fault: Fault) -> Struck:
    """Off, and on again at the end, whatever became of the first order."""
    order = Order(place, "pause")
    return _struck(order, lambda: Order(place, "resume", after=order))
