"""One listener of ``/events``: where it stands in the ring, and how long it has not read.

Nothing is queued for a listener: it has a place in the ring, and writes only while its transport
takes. Invariants: one that does not read for SLOW_S, or whose place has fallen off the ring, is
cut; it comes back by itself with the id of what it saw last. It must not know HTTP: ``send`` and
``cut`` are the transport's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from cluster.happening import Happening, present
from cluster.opsport.ring import Ring
from cluster.standing import Standing

BEAT_S: Final = 10.0
"""A comment keeps proxies from closing an idle line, and shows a dead one."""
SLOW_S: Final = 10.0
"""One that has not read for this long is stuck."""
LIFE_S: Final = 3600.0
"""Then the line is made anew, so that a listener nobody misses ends."""
AT_ONCE: Final = 64
"""Entries written before the loop looks around."""


@implementer(IPushProducer)
class Listener:
    """Writes to ``send`` from its place in ``ring`` on; ``cut`` ends it."""

    def __init__(
        self,
        ring: Ring,
        send: Callable[[bytes], None],
        cut: Callable[[str], None],
        now_s: float,
    ) -> None:
        self._ring = ring
        self._send = send
        self._cut = cut
        self._place = ring.last
        self._paused_s: float | None = None
        self._began_s = self._beat_s = self._now_s = now_s

    def greet(self, last_event_id: str, standing: Standing) -> None:
        """Begin: from where it was, or with what is now."""
        place = self._ring.resume(last_event_id)
        if place is not None:
            self._place = place
            self._send(b": going on\n\n")
        else:
            said = _fields(present(standing)) | {"gap": bool(last_event_id)}
            self._send(self._ring.event("now", said, self._place))
        self.pump()

    def pump(self) -> None:
        """Write what is new, while the transport takes it."""
        while self._paused_s is None:
            if self._ring.lacks(self._place):
                self._cut("it read too slowly and missed events")
                return
            entries = self._ring.after(self._place, AT_ONCE)
            if not entries:
                return
            for entry in entries:
                self._place = entry.number
                self._send(self._ring.frame(entry))

    def tick(self, now_s: float) -> None:
        """Time passed: beat, or end it."""
        self._now_s = now_s
        if self._paused_s is not None and now_s - self._paused_s >= SLOW_S:
            self._cut("it does not read")
        elif now_s - self._began_s >= LIFE_S:
            self._cut("it was open for an hour; it may come again")
        elif self._paused_s is None and now_s - self._beat_s >= BEAT_S:
            self._beat_s = now_s
            self._send(b": beat\n\n")

    def pauseProducing(self) -> None:
        """The transport's buffer is full."""
        if self._paused_s is None:
            self._paused_s = self._now_s

    def resumeProducing(self) -> None:
        """The transport takes again."""
        self._paused_s = None
        self.pump()

    def stopProducing(self) -> None:
        """The transport is gone."""
        self._paused_s = self._now_s


def _fields(happening: Happening) -> dict[str, object]:
    return {name: getattr(happening, name) for name in happening.__struct_fields__}
