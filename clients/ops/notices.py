"""What people have decided that stands now, in words: paused, strict, maintenance, a planned
switchover, a moved record; and what replaced copies held.

Each line says what is so, who asked where that is known, and how it ends. Pure; it must not know
how it was asked.
"""

from __future__ import annotations

import datetime
from typing import Final

from msgspec import Struct

from protocols.peer import Record

TOLD_S: Final = 7 * 86_400
"""What a copy left behind is shown for a week in the table; ``--json`` has all of it."""


class Planned(Struct, frozen=True):
    """A switchover that is asked for: ``at_s`` in Unix seconds, 0 at once."""

    to: str
    at_s: int
    who: str = ""


class LeftBehind(Struct, frozen=True):
    """What a copy held when it was replaced; ``forced``: some may have been acknowledged."""

    wall_time: float
    text: str
    forced: bool = False


def when(at_s: float) -> str:
    """A moment in this machine's time zone."""
    if not at_s:
        return "not known"
    return datetime.datetime.fromtimestamp(at_s).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def notices(planned: Planned | None, record: Record | None) -> list[str]:
    """A sentence for each decision that stands."""
    if record is None:
        return []
    found = []
    if record.paused:
        why = f"by itself (automatic takeovers within an hour: {len(record.takeovers)})"
        how = why if record.capped else "by an operator"
        alone = "" if record.sync else f"one copy is left, on {record.primary}; "
        found.append(f"paused {how}: {alone}nobody takes over. End it: mpower cluster resume")
    if record.strict:
        found.append(
            "strict: nothing is acknowledged on one copy. End it: mpower cluster strict off"
        )
    if record.maintenance:
        node = record.maintenance
        found.append(
            f"{node} is in maintenance: it is not missed and takes nothing over."
            f" End it: mpower cluster maintenance {node} off"
        )
    if planned is not None:
        at = f"planned for {when(planned.at_s)}" if planned.at_s else "under way"
        who = f" by {planned.who}" if planned.who else ""
        end = "Take it back: mpower cluster switchover --cancel"
        found.append(f"switchover to {planned.to} {at}{who}. {end}")
    if record.moved:
        found.append(
            f"the record was moved to {record.moved}, which does not have it yet: nobody takes"
            " over. Go on: mpower cluster arbiter replace"
        )
    return found


def left_behind(node: str, reports: list[LeftBehind], now_s: float) -> list[str]:
    """The newest report of a node, if it is of this week; a forced one for as long as it is."""
    fresh = [one for one in reports if one.forced or now_s - one.wall_time < TOLD_S]
    return [f"copy replaced on {node}, {when(one.wall_time)}: {one.text}" for one in fresh[-1:]]
