"""Who was let in by which certificate, judged again every second for as long as the connection
lasts.

A handshake judges once; a counter's connection lasts for weeks. Invariant: a certificate that is
revoked or has ended meanwhile loses its live connection within RECHECK_S, on both sides of it. A
list that is stale or cannot be read refuses newcomers only: it says nothing new of those who came
in under a good one, and to cut off every counter at midnight would stop the money for no thief. It
must not know what is said on the connection, nor who is at its end.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final, Protocol
from weakref import WeakKeyDictionary

from cryptography import x509
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

RECHECK_S: Final = 1.0
"""A stolen terminal shall be off within five seconds of the list's arrival; a look costs a stat."""
_log = Logger()


class Line(Protocol):
    """A connection; ``transport`` is None once it is closed."""

    address: str

    @property
    def transport(self) -> object:
        """What carries it."""

    def abort(self, why: str) -> None:
        """Cut it off now."""


class Admitted:
    """``still`` says why a certificate may not stay ('' if it may); ``now`` is the wall clock."""

    def __init__(
        self,
        still: Callable[[x509.Certificate, dt.datetime], str],
        now: Callable[[], dt.datetime],
    ) -> None:
        self._still, self._now = still, now
        self._lines: WeakKeyDictionary[Line, x509.Certificate] = WeakKeyDictionary()

    def enter(self, line: Line, leaf: x509.Certificate) -> None:
        """Remember by which certificate a connection came; it is forgotten with its line."""
        self._lines[line] = leaf

    def recheck(self) -> None:
        """Judge everybody again and cut off who may not stay."""
        now = self._now()
        for line, leaf in list(self._lines.items()):
            if line.transport is None:
                continue
            why = self._still(leaf, now)
            if why:
                _log.warn(
                    "A live connection was cut off: {why} ({address}).",
                    why=why,
                    address=line.address,
                )
                line.abort(why)


class Recheck:
    """Looks again and again, on a monotonic clock; a look that failed is logged, not the last."""

    def __init__(self, recheck: Callable[[], None], clock: IReactorTime) -> None:
        self._recheck, self._clock = recheck, clock
        self._call: IDelayedCall | None = None

    def start(self) -> None:
        """Begin; the first look comes after RECHECK_S."""
        self._call = self._clock.callLater(RECHECK_S, self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._call is not None and self._call.active():
            self._call.cancel()
        self._call = None

    def _look(self) -> None:
        self.start()
        try:
            self._recheck()
        except Exception:  # noqa: BLE001 - one bad look must not be the last one
            _log.failure("The certificates of live connections could not be judged again.")
