"""A daemon that is asked to stop.

A standby says that it leaves and waits until the primary stands alone by record. A primary whose
standby is able goes as in a switchover: gate shut, what was begun ends, an orderly stop, and its
standby, holding all of it, claims; so it returns without a clone. Any other hands over and is
stopped last. Nothing is started again.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster.intents import Switch
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
from cluster.safety import why_not_switch
from cluster.states import State

STAYING: Final = tuple(one for one in State if one is not State.DRAINING)


def leave(mind: Mind, event: ev.Leaving) -> Outcome:
    """Shut the gate, tell the peer."""
    serves = mind.state is State.PRIMARY_SYNC
    in_order = serves and why_not_switch(mind, mind.peer) is None
    mind = structs.replace(mind, leaving=event.reason)
    if in_order:
        mind = structs.replace(mind, switch=Switch("", mind.now_s, ready=True))
        return order(mind, act.BeatNow(), act.FinishWork())
    if mind.state is State.DRAINING and mind.switch is not None:  # the switchover goes on
        mind = structs.replace(mind, yield_until_s=mind.now_s + mind.timers.yield_s)
        return mind, (act.BeatNow(),)
    if mind.named:
        return hand_over(mind, f"shutting down: {event.reason}")
    return mind, (act.BeatNow(),)


def told_now(mind: Mind, event: ev.Leaving) -> bool:
    """The daemon was not asked before."""
    return mind.leaving == ""


def in_order(mind: Mind, event: ev.Event) -> bool:
    """Leaving as in a switchover."""
    return mind.leaving != "" and mind.switch is not None


def stop_in_order(mind: Mind, event: ev.Event) -> Outcome:
    """The standby takes the last WAL, the shutdown checkpoint included; a supervisor waits."""
    return order(mind, act.StopPostgres("fast", mind.timers.leave_s))


def tell_drained(mind: Mind, event: ev.PostgresExited) -> Outcome:
    """Stopped in order: the beat says how far the standby must hold. Else it may claim at once."""
    if event.clean_end_lsn < 0 and mind.named:
        return hand_over(structs.replace(mind, switch=None), f"shutting down: {mind.leaving}")
    until_s = mind.now_s + mind.timers.yield_s
    return structs.replace(mind, yield_until_s=until_s), (act.BeatNow(),)


def known_by_peer(mind: Mind, event: ev.Event) -> bool:
    """The peer has drawn its conclusion, or had time enough. A start as primary that is under way
    is not waited for once the record names the peer (I6).
    """
    record = mind.record
    needed = record is not None and mind.me in {record.primary, record.sync}
    waited = mind.now_s - mind.since_s >= mind.timers.leave_s
    settled = mind.idle or waited or (mind.fenced and "StartPrimary" in mind.doing)
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
    """PostgreSQL does not run, and the standby has claimed, or had time enough."""
    awaited = mind.named and mind.switch is not None and mind.now_s < mind.yield_until_s
    return mind.leaving != "" and not mind.touched and mind.idle and not awaited


def quit_now(mind: Mind, event: ev.Event) -> Outcome:
    """The process may end."""
    return structs.replace(mind, doing=("Quit",)), (act.Quit(),)


Q = State.DRAINING

ROWS: Final = (
    Rule(STAYING, (ev.Leaving,), always, Q, leave, "Asked to stop; gate shut, the peer is told."),
    Rule((Q,), (ev.Leaving,), told_now, None, leave, "Asked to stop while it switches over."),
    Rule((Q,), (ev.WorkFinished,), in_order, None, stop_in_order, "Stopping PostgreSQL in order."),
    Rule((Q,), (ev.PostgresExited,), in_order, None, tell_drained, "Stopped; {peer} may claim."),
    Rule((Q,), (*RECORD, *POSTGRES), known_by_peer, None, stop_fast, "Stopping PostgreSQL."),
    Rule((Q,), (*RECORD, *POSTGRES), down_for_good, None, quit_now, "All is down."),
)
