"""Faults of links: silence one way or both, flapping, loss, delay, a line gone slow.

Each keeps the very hosts it cut, so that it mends them even if the roles have changed since, and
counts the packets it met: a link that nobody used was not struck.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from tests.torture import network
from tests.torture.network import Way
from tests.torture.place import Place
from tests.torture.plan import Fault
from tests.torture.relay import Delay
from tests.torture.struck import Missed, Struck

LOST_SHARE: Final = 0.33
DELAYS_S: Final = (0.02, 0.06, 0.12, 0.25, 0.4)
"""Each way: from a line across the country to one by a satellite; the beats still arrive."""


class Cut:
    """Ways that are cut; ``met``: the packets that were dropped so far, as of the last mending."""

    def __init__(self, ways: Sequence[Way], share: float = 1.0) -> None:
        self.met = 0
        self.down = False
        self._ways = ways
        self._share = share
        self.make()

    def make(self) -> None:
        """Drop from now on."""
        for way in self._ways:
            network.cut(way, self._share)
        self.down = True

    def mend(self) -> None:
        """Drop no more."""
        if self.down:
            self.met += sum(network.mend(way, self._share) for way in self._ways)
        self.down = False

    def struck(self) -> Struck:
        """Silent until the end."""
        return Struck(self.mend, told=lambda: f"{self.met} packets", hit=lambda: self.met > 0)


def link(place: Place, fault: Fault) -> Struck:
    """Silence, in one direction or both."""
    return Cut(list(place.ways(fault.whom))).struck()


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
    return Cut(ways).struck()


def flap(place: Place, fault: Fault) -> Struck:
    """A link goes and comes, for a quarter of a second to two seconds each."""
    cut = Cut(list(place.ways(fault.whom)))
    since_s, turns = [time.monotonic()], [0]

    def tick() -> None:
        if time.monotonic() - since_s[0] < 0.25 * (1 + (fault.dice >> turns[0] % 16) % 8):
            return
        (cut.mend if cut.down else cut.make)()
        since_s[0] = time.monotonic()
        turns[0] += 1

    return Struck(
        cut.mend,
        tick,
        lambda: f"{turns[0]} turns, {cut.met} packets",
        lambda: turns[0] > 0 and cut.met > 0,
    )


def loss(place: Place, fault: Fault) -> Struck:
    """A third of the packets vanish."""
    return Cut(list(place.ways(fault.whom)), LOST_SHARE).struck()


def delay(place: Place, fault: Fault) -> Struck:
    """Every packet is late, some overtake others."""
    base_s = DELAYS_S[fault.dice % len(DELAYS_S)]
    ways = list(place.ways(fault.whom))
    late = [Delay(way, fault.number * 2 % 0xFFFF + n, base_s) for n, way in enumerate(ways)]

    def end() -> None:
        for one in late:
            one.end()

    def held() -> int:
        return sum(one.held for one in late)

    told = f"packets late by {base_s * 1000:.0f} ms or more"
    return Struck(end, told=lambda: f"{held()} {told}", hit=lambda: held() > 0)


def slow(place: Place, fault: Fault) -> Struck:
    """A node's line goes slow."""
    where, _, role = fault.whom.partition(":")
    name = place.watch.who(role)
    if not network.slow_down(name, where):
        raise Missed("this kernel has no tbf")
    return Struck(lambda: network.speed_up(name, where))
