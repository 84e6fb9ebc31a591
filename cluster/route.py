"""Which links are worse than another: over which way replication goes, and what people are told.

Every beat leaves on every link at once, so a link that has missed two beats which another link
brought is dead, whatever its connection says; if all are silent, the peer is, and no link is to
blame. Invariants: the way in use is left only when it is dead, and not again for a while: two links
that flap must not take replication down with them. What it decides moves availability only. It must
not know sockets.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct, structs

MISSED: Final = 1.9
"""Beats that another link brought and this one did not; a little less than two, for jitter."""
STAY_S: Final = 3.0
"""After a change of way: longer than a walreceiver needs to connect and catch up."""
STEADY_S: Final = 5.0
"""A link that was dead is told well again after it was alive for so long: flapping is one alarm."""
NEVER: Final = float("-inf")


class Way(Struct, frozen=True):
    """The link to use; ``moves``: how often something was to be done about dead links, the last
    time at ``moved_s``; for each link since when it is dead or alive (seconds); ``told``: which
    ones people know to be dead.
    """

    link: int = 0
    moves: int = 0
    moved_s: float = NEVER
    acted: frozenset[int] = frozenset()
    dead: frozenset[int] = frozenset()
    changed_s: tuple[tuple[int, float], ...] = ()
    told: frozenset[int] = frozenset()


def dead_links(good_s: list[float], now_s: float, beat_s: float) -> frozenset[int]:
    """The links that missed what another brought. ``good_s``: when each last carried a beat whose
    sender hears us on that link.
    """
    newest_s = max(good_s, default=NEVER)
    if now_s - newest_s > MISSED * beat_s:
        return frozenset()
    return frozenset(n for n, at in enumerate(good_s) if newest_s - at > MISSED * beat_s)


def looked(way: Way, dead: frozenset[int], count: int, now_s: float, down_s: float) -> Way:
    """The way after a look at the links. ``down_s``: dead for so long, people are told."""
    changed = dict(way.changed_s)
    for link in range(count):
        if (link in dead) != (link in way.dead) or link not in changed:
            changed[link] = now_s
    for_s = {link: now_s - at_s for link, at_s in changed.items()}
    begun = {link for link in dead if for_s[link] >= down_s}
    going_on = {link for link in way.told if link in dead or for_s[link] < STEADY_S}
    told = frozenset(begun | going_on)
    way = structs.replace(way, dead=dead, changed_s=tuple(sorted(changed.items())), told=told)
    if dead <= way.acted:
        return structs.replace(way, acted=dead)
    if now_s - way.moved_s < STAY_S:
        return way
    alive = [link for link in range(count) if link not in dead]
    link = way.link if way.link in alive else alive[0]
    return structs.replace(way, link=link, moves=way.moves + 1, moved_s=now_s, acted=dead)
