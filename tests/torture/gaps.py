"""How long terminals waited, fault by fault. Pure.

A wait runs from the saving of an intent to its answer, by the journal's own times. It belongs to
the fault that began last before it or struck it under way (within UNDER_WAY_S of its sending), if
that was still on or over for less than AFTER_S; else to the first that began while it waited. A
fault that had others around it is told apart: what it costs is only seen alone.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from tests.torture.evidence import Asked

UNDER_WAY_S: Final = 0.5
"""A healthy answer takes less: whoever was sent just before a strike waits because of it."""
AFTER_S: Final = 6.0
"""A frozen primary that wakes, or a disk that is empty again, still costs a turn."""


class Hit(Struct, frozen=True):
    """One fault as it happened; Unix seconds. ``alone``: the only fault of its round."""

    kind: str
    whom: str
    began_s: float
    ended_s: float
    alone: bool
    told: str = ""


def clock(hit: Hit) -> str:
    """When it was, as the logs write it."""
    began = dt.datetime.fromtimestamp(hit.began_s, dt.UTC).time()
    return f"{began:%H:%M:%S} for {hit.ended_s - hit.began_s:.1f} s"


class Wait(Struct, frozen=True):
    """The longest wait of a fault, and who waited."""

    hit: Hit
    ms: int
    owner: str


def longest(hits: Sequence[Hit], asked: Iterable[Asked]) -> list[Wait]:
    """Give each fault its longest wait, 0 if nobody waited."""
    worst: dict[int, tuple[float, str]] = {}
    ordered = sorted(range(len(hits)), key=lambda n: hits[n].began_s)
    for one in asked:
        if not one.settled_at or one.owner.startswith("bank"):
            continue
        wait_s = one.settled_at - one.saved_at
        place = _belongs(hits, ordered, one.saved_at, one.settled_at)
        if place is not None and wait_s > worst.get(place, (0.0, ""))[0]:
            worst[place] = (wait_s, one.owner)
    found = []
    for place, hit in enumerate(hits):
        wait_s, owner = worst.get(place, (0.0, ""))
        found.append(Wait(hit, round(wait_s * 1000), owner))
    return found


def _belongs(
    hits: Sequence[Hit], ordered: Sequence[int], saved_s: float, settled_s: float
) -> int | None:
    """Which fault a wait belongs to."""
    on = [
        place for place in ordered if hits[place].began_s <= min(saved_s + UNDER_WAY_S, settled_s)
    ]
    if on and saved_s < hits[on[-1]].ended_s + AFTER_S:
        return on[-1]
    later = (place for place in ordered if saved_s < hits[place].began_s < settled_s)
    return next(later, None)


def table(waits: Iterable[Wait]) -> list[tuple[str, int, int | None, int | None, int]]:
    """Sum up by kind: hits, median and worst alone (None: never alone), worst of all."""
    kinds: dict[str, list[Wait]] = {}
    for one in waits:
        kinds.setdefault(one.hit.kind, []).append(one)
    rows = []
    for kind, found in sorted(kinds.items()):
        alone = [one.ms for one in found if one.hit.alone]
        median = round(statistics.median(alone)) if alone else None
        worst = max(one.ms for one in found)
        rows.append((kind, len(found), median, max(alone, default=None), worst))
    return rows
