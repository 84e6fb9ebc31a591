"""Faults that are a lie to a host: an fsync that is late or fails, a wall clock set by an hour.

A lie counts when a process of that host was told it. This file must not know how they are told.
"""

from __future__ import annotations

from typing import Final

from tests.torture.place import Place
from tests.torture.plan import Fault
from tests.torture.struck import Missed, Struck

LATE_MS: Final = (40, 120, 300, 700, 1500)
HOUR_S: Final = 3600


def _lie(place: Place, fault: Fault, name: str, value: int, what: str) -> Struck:
    host = place.watch.who(fault.whom)
    lies = place.lies[host]
    if lies.told(name):
        raise Missed(f"{host} is told another one already")
    before = lies.met(name)
    lies.tell(name, value)

    def met() -> int:
        return lies.met(name) - before

    return Struck(lambda: lies.tell(name, 0), told=lambda: f"{met()} {what}", hit=lambda: met() > 0)


def late(place: Place, fault: Fault) -> Struck:
    """Every fsync takes its time."""
    late_ms = LATE_MS[fault.dice % len(LATE_MS)]
    return _lie(place, fault, "late_ms", late_ms, f"fsyncs late by {late_ms} ms")


def failing(place: Place, fault: Fault) -> Struck:
    """Every fsync fails."""
    return _lie(place, fault, "failing", 1, "fsyncs failed")


def clock(place: Place, fault: Fault) -> Struck:
    """The wall clock is set, forward or back; at the end it is set right."""
    off_s = (HOUR_S, -HOUR_S)[fault.dice % 2]
    return _lie(place, fault, "clock_s", off_s, f"readings of a clock {off_s:+} s off")
