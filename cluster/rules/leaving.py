"""A daemon that is asked to stop.

A standby says that it leaves and waits until the primary stands alone by record; a primary hands
over. Either way the gate is shut first, PostgreSQL is stopped last, and nothing is started again.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster.mind import Mind
from cluster.rules.rule import (
    POSTGRES,
    RECORD,
    Outcome,
    Rule,
    always,
    hand_over,
    order,
)
from cluster.states import State

STAYING: Final = tuple(one for one in State if one is not State.DRAINING)


def leave(mind: Mind, event: ev.Leaving) -> Outcome:
    """Shut the gate, tell the peer."""
    mind = structs.replace(mind, leaving=event.reason)
    if mind.named:
        return hand_over(mind, f"shutting down: {event.reason}")
    return mind, (act.BeatNow(),)


def told_now(mind: Mind, event: ev.Leaving) -> bool:
    """The daemon was not asked before."""
    return mind.leaving == ""


def known_by_peer(mind: Mind, event: ev.Event) -> bool:
    """The peer has drawn its conclusion, or had time enough."""
    record = mind.record
    needed = record is not None and mind.me in {record.primary, record.sync}
    waited = mind.now_s - mind.since_s >= mind.timers.leave_s
    settled = mind.idle or waited
    able = mind.now_s < mind.yield_until_s or not mind.named
    return (
        mind.leaving != ""
        and mind.touched
        and "StopPostgres" not in mind.doing
        and settled
        and (not needed or waited or not able)
    )


def stop_fast(mind: Mind, event: ev.Event) -> Outcome:
    """An orderly stop; the shell makes it immediate after a deadline."""
    return order(mind, act.StopPostgres("fast"))


def down_for_good(mind: Mind, event: ev.Event) -> bool:
    """PostgreSQL does not run."""
    return mind.leaving != "" and not mind.touched and mind.idle


def quit_now(mind: Mind, event: ev.Event) -> Outcome:
    """The process may end."""
    return structs.replace(mind, doing=("Quit",)), (act.Quit(),)


Q = State.DRAINING

ROWS: Final = (
    Rule(STAYING, (ev.Leaving,), always, Q, leave, "Asked to stop; gate shut, the peer is told."),
    Rule((Q,), (ev.Leaving,), told_now, None, leave, "Asked to stop while it switches over."),
    Rule((Q,), (*RECORD, *POSTGRES), known_by_peer, None, stop_fast, "Stopping PostgreSQL."),
    Rule((Q,), (*RECORD, *POSTGRES), down_for_good, None, quit_now, "All is down."),
)
