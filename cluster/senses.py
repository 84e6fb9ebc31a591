"""What a node notices by itself: time passing and its own stalls, its PostgreSQL, its disk.

Invariants: at most one probe at a time, and the answer of one that began before a stall is not
news; the disk is touched only from one thread, which may hang for as long as the disk does; after a
stall the links are made anew; a postmaster's end is told the moment it is reaped, and only if it
was up and nobody asked for it (starts and stops report themselves). It must not know what follows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from twisted.internet.interfaces import IReactorTime

from cluster.events import DiskSeen, PostgresExited
from cluster.findings import probed
from cluster.postgres.control import Control, PostmasterExit
from cluster.pulse import Pulse
from cluster.thinking import TICK_S, Thinking
from cluster.view import probe_every_s
from cluster.volume import Volume

STALL_S: Final = 0.3
"""After a stall this long the links hold what is no news."""
DISK_LOOK_S: Final = 1.0
"""How often the disk is looked at; one that fills faster is met by PostgreSQL itself."""
DISK_WATCH_S: Final = 0.25
"""How often the look is looked after."""
DISK_DEADLINE_S: Final = 2.0
"""A disk that has not flushed one page by then hangs, as PostgreSQL that answers no probe does."""

Fault = Callable[[str, BaseException], None]


class Senses:
    """Feeds ``thinking``. ``stalled`` gets the seconds of each stall."""

    def __init__(
        self,
        thinking: Thinking,
        control: Control,
        volume: Volume,
        clock: IReactorTime,
        *,
        stalled: Callable[[float], None],
        fault: Fault,
    ) -> None:
        self.loop_lag_ms = 0
        self.disk_free_mb = -1
        self._thinking = thinking
        self._control = control
        self._volume = volume
        self._disk_thread = ThreadPoolExecutor(1, thread_name_prefix="disk")
        self._looking: asyncio.Future[DiskSeen] | None = None
        self._looked_s = 0.0
        self._clock = clock
        self._stalled = stalled
        self._fault = fault
        self._stalls = 0
        self._probe_every_s = 0.0
        self._probing: asyncio.Task[None] | None = None
        self._probe_pulse = Pulse(
            "probe", clock, lambda: probe_every_s(thinking.mind), self._probe, fault
        )
        self._pulses = (
            Pulse("tick", clock, lambda: TICK_S, self._tick, fault),
            Pulse("disk", clock, lambda: DISK_WATCH_S, self._look_at_disk, fault),
            self._probe_pulse,
        )

    def start(self) -> None:
        """Begin to notice."""
        self._control.exited = self._postmaster_ended
        for pulse in self._pulses:
            pulse.start()

    def stop(self) -> None:
        """Notice no more."""
        for pulse in self._pulses:
            pulse.stop()
        self._disk_thread.shutdown(wait=False)

    def hasten(self) -> None:
        """If the machine waits for a probe now, the next one comes as soon as it wants."""
        before_s, self._probe_every_s = self._probe_every_s, probe_every_s(self._thinking.mind)
        if self._probe_every_s < before_s:
            self._probe_pulse.hasten()

    def _tick(self, late_s: float) -> None:
        self.loop_lag_ms = round(late_s * 1000)
        if late_s > STALL_S:
            self._stalls += 1
            self._stalled(late_s)
        self._thinking.tick()

    def _postmaster_ended(self, ended: PostmasterExit) -> None:
        if self._thinking.mind.up and not ended.asked:
            status = ended.status if ended.status is not None else -(ended.signal or 0)
            self._thinking.take(PostgresExited(status, asked=False))

    def _probe(self, _late_s: float) -> None:
        if self._thinking.mind.up and (self._probing is None or self._probing.done()):
            self._probing = asyncio.ensure_future(self._probe_once())

    async def _probe_once(self) -> None:
        stalls = self._stalls
        try:
            seen = await self._control.probe()
        except Exception as wrong:  # noqa: BLE001 - a probe never raises: this is an error of ours
            self._fault("probe", wrong)
            return
        if self._thinking.mind.up and self._stalls == stalls:
            self._thinking.take(probed(seen))

    def _look_at_disk(self, _late_s: float) -> None:
        look, now_s = self._looking, self._clock.seconds()
        if look is not None and not look.done():
            waited_s = now_s - self._looked_s
            if waited_s >= DISK_DEADLINE_S:
                why = f"a small write is not done after {waited_s:.0f} s"
                self._disk_seen(DiskSeen("hung", self.disk_free_mb, why))
            return
        if look is not None and now_s - self._looked_s < DISK_LOOK_S:
            return
        loop = asyncio.get_running_loop()
        self._looked_s = now_s
        self._looking = loop.run_in_executor(self._disk_thread, self._volume.look)
        self._looking.add_done_callback(self._looked)

    def _looked(self, look: asyncio.Future[DiskSeen]) -> None:
        wrong = look.exception()
        if isinstance(wrong, Exception):
            self._fault("disk", wrong)
        else:
            self._disk_seen(look.result())

    def _disk_seen(self, seen: DiskSeen) -> None:
        self.disk_free_mb = seen.free_mb
        self._thinking.take(seen)
