"""What this node is about to do of its own accord, and in how long: for people who watch.

Derived from the mind like the standing. Invariant: a countdown is shown only while what it counts
towards would really happen (a standby whose arbiter still hears the primary counts towards
nothing). It must not decide anything.
"""

from __future__ import annotations

from msgspec import Struct

from cluster.heartbeat import link_silence_s, still_s
from cluster.mind import Mind
from cluster.states import PRIMARIES, State


class Countdown(Struct, frozen=True):
    """``what``: takeover, solo or isolation; ``in_ms`` from now, 0 when due."""

    what: str
    in_ms: int


def countdown_of(mind: Mind) -> Countdown | None:
    """What this node is about to do, None if nothing."""
    timers, record = mind.timers, mind.record
    missed_s = 2 * timers.beat_s
    if record is None:
        return None
    if mind.state is State.STANDBY_SYNC and mind.fits_sync and not record.paused:
        silent_s = min(link_silence_s(mind.hearing, mind.now_s), still_s(mind.hearing))
        return _in("takeover", timers.takeover_s, silent_s) if silent_s > missed_s else None
    if mind.state not in PRIMARIES or not mind.sync_possible:
        return None
    if mind.unheard_s > missed_s:
        return _in("isolation", timers.isolate_s, mind.unheard_s)
    if mind.state is State.PRIMARY_STALLED and not record.strict:
        return _in("solo", timers.solo_s, mind.now_s - mind.since_s)
    return None


def _in(what: str, at_s: float, now_s: float) -> Countdown:
    return Countdown(what, max(0, round((at_s - now_s) * 1000)))
