"""Faults of links: silence one way or both, flapping, loss, a line gone slow.

Each keeps the very hosts it cut, so that it mends them even if the roles have changed since.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from tests.torture import network
from tests.torture.place import Place, Way
from tests.torture.plan import Fault
from tests.torture.struck import Missed, Struck

LOST_SHARE: Final = 0.33


def _cut(ways: Sequence[Way], share: float = 1.0) -> None:
    for way in ways:
        network.cut(way.network, way.source, way.target, share)


def _mend(ways: Sequence[Way], share: float = 1.0) -> None:
    for way in ways:
        network.mend(way.network, way.source, way.target, share)


def link(place: Place, fault: Fault) -> Struck:
    """Silence, in one direction or both."""
    ways = list(place.ways(fault.whom))
    _cut(ways)
    return Struck(lambda: _mend(ways))


def host(place: Place, fault: Fault) -> Struck:
    """A host hears nobody and nobody hears it, on no network but the rig's."""
    name = place.watch.who(fault.whom)
    ways = [
        way
        for where in ("town", "cross")
        if name in network.HOSTS_OF[where]
        for other in network.HOSTS_OF[where]
        if other != name
        for way in (Way(where, name, other), Way(where, other, name))
    ]
    _cut(ways)
    return Struck(lambda: _mend(ways))


def flap(place: Place, fault: Fault) -> Struck:
    """A link goes and comes, for a quarter of a second to two seconds each."""
    ways = list(place.ways(fault.whom))
    state = [1.0, time.monotonic(), 0.0]
    _cut(ways)

    def tick() -> None:
        down, since_s, turns = state
        if time.monotonic() - since_s < 0.25 * (1 + (fault.dice >> int(turns) % 16) % 8):
            return
        (_mend if down else _cut)(ways)
        state[:] = [0.0 if down else 1.0, time.monotonic(), turns + 1]

    def end() -> None:
        if state[0]:
            _mend(ways)

    return Struck(end, tick, lambda: f"{int(state[2])} turns")


def loss(place: Place, fault: Fault) -> Struck:
    """A third of the packets vanish."""
    ways = list(place.ways(fault.whom))
    _cut(ways, LOST_SHARE)
    return Struck(lambda: _mend(ways, LOST_SHARE))


def slow(place: Place, fault: Fault) -> Struck:
    """A node's line goes slow."""
    where, _, role = fault.whom.partition(":")
    name = place.watch.who(role)
    if not network.slow_down(name, where):
        raise Missed("this kernel has no tbf")
    return Struck(lambda: network.speed_up(name, where))
