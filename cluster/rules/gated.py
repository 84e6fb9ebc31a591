"""The primary with its gate shut: is this copy whole, and is it the one the record means?

A server started as primary lets nobody follow it until its copy was shown to reach all that is
known to have been flushed: a standby that followed an older copy would take its second history for
the first. Then the names per the confirmed record, the fence, and the restart barrier; the gate
opens last.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster import record as records
from cluster.mind import FOLLOWERS, Mind
from cluster.rules.rule import POSTGRES, Outcome, Rule, hand_over, order
from cluster.states import State

# ---- conditions


def names_differ(mind: Mind, event: ev.Event) -> bool:
    """PostgreSQL carries other names than the record asks for, and the record is certain."""
    if not (mind.up and mind.may_retry and mind.record is not None and mind.settled):
        return False
    wanted = records.names_of(mind.record)
    return mind.names != wanted and (wanted != "" or not mind.sync_possible)


def set_back(mind: Mind, event: ev.Event) -> bool:
    """This copy ends before what its standby, or it itself while alone, had flushed of it."""
    return mind.up and mind.facts_fresh and mind.record is not None and not mind.holds_enough


def caught_up(mind: Mind) -> bool:
    """The standby of the record's generation has flushed what stood here after the start."""
    row = mind.sync_row
    return (
        mind.facts_fresh
        and row is not None
        and mind.barrier_lsn >= 0
        and row.flush_lsn >= mind.barrier_lsn
        and mind.record is not None
        and mind.names == records.names_of(mind.record)
    )


def fence_missing(mind: Mind, event: ev.Event) -> bool:
    """The copy is whole, its fence row may carry an older term, and writing it waits for nobody."""
    record = mind.record
    whole = mind.up and mind.may_retry and mind.began_lsn < 0
    if not (whole and record is not None and mind.fence != record.term):
        return False
    return caught_up(mind) if record.sync else (mind.names == "" and mind.alone_for_sure)


def _fence_written(mind: Mind) -> bool:
    return mind.record is not None and mind.fence == mind.record.term


def ready_in_sync(mind: Mind, event: ev.Event) -> bool:
    """The restart barrier is passed."""
    return mind.up and not mind.rearm and caught_up(mind) and _fence_written(mind)


def ready_alone(mind: Mind, event: ev.Event) -> bool:
    """Nobody else can succeed, nothing waits for anybody, the fence is up: this copy is whole."""
    return (
        mind.up
        and mind.may_serve_alone
        and mind.names == ""
        and mind.barrier_lsn >= 0
        and _fence_written(mind)
    )


def start_failed(mind: Mind, event: ev.Event) -> bool:
    """PostgreSQL could not be started as primary."""
    return not mind.up and not mind.doing


def standby_told(mind: Mind) -> bool:
    """Who is in sync has said since this start how far it was when nothing streamed: it may hold
    what was acknowledged a moment before the fall, and the arbiter not have heard of that. One that
    was started itself still replays what it holds; until that stands it has not said it.
    """
    record, beat = mind.record, mind.beat
    if record is None or not record.sync:
        return True
    if beat is None or beat.state not in FOLLOWERS or mind.hearing.beat_at_s < mind.up_at_s:
        return False
    still_s = mind.now_s - mind.hearing.progress_at_s
    reads_on = beat.receiving or beat.replay_paused or still_s < mind.timers.suspect_s
    return beat.receive_lsn > 0 and not reads_on


def shown_whole(mind: Mind, event: ev.Event) -> bool:
    """All that is known to have been flushed stood here at the start, and nobody may follow yet."""
    closed = mind.up and mind.may_retry and mind.began_lsn >= 0
    told = mind.nonce != ""  # the arbiter has said how far this copy must reach
    return closed and told and mind.facts_fresh and mind.holds_enough and standby_told(mind)


# ---- deeds


def give_up_set_back(mind: Mind, event: ev.Event) -> Outcome:
    """The standby has more than we: it takes over, or nobody does."""
    ended_lsn = mind.held_lsn if mind.began_lsn < 0 else mind.began_lsn
    short_lsn = ended_lsn if mind.alone_for_sure else 0
    disk = structs.replace(mind.disk, diverged=True, short_lsn=short_lsn)
    why = "this copy lacks WAL that was acknowledged (a restored snapshot?)"
    mind = structs.replace(mind, disk=disk)
    return hand_over(mind, why, act.StopPostgres("immediate"))


def hand_over_unstarted(mind: Mind, event: ev.Event) -> Outcome:
    """The standby may claim: this node's server does not start."""
    return hand_over(mind, "PostgreSQL does not start")


def open_gate(mind: Mind, event: ev.Event) -> Outcome:
    """The restart barrier is passed: the gate opens by derivation."""
    return structs.replace(mind, passed=True, failures=0, entry=None), (act.BeatNow(),)


def set_names(mind: Mind, event: ev.Event) -> Outcome:
    """Make PostgreSQL wait for whom the confirmed record names."""
    assert mind.record is not None
    return order(mind, act.SetNames(records.names_of(mind.record)))


def write_fence(mind: Mind, event: ev.Event) -> Outcome:
    """Transactions of an earlier term are refused by the database itself."""
    assert mind.record is not None
    return order(mind, act.WriteFence(mind.record.term))


def admit(mind: Mind, event: ev.Event) -> Outcome:
    """From now on the other node may follow, and what is written here counts."""
    return order(mind, act.AdmitStandby())


G: Final = State.PRIMARY_GATED

ROWS: Final = (
    Rule(
        (G,),
        (ev.Probed, ev.RelayHeard, ev.Tick),
        set_back,
        State.READING,
        give_up_set_back,
        "This copy was set back: it lacks what was acknowledged; {peer} may take over if it can.",
    ),
    Rule((G,), POSTGRES, shown_whole, None, admit, "This copy is whole; {peer} may follow it."),
    Rule((G,), POSTGRES, names_differ, None, set_names, "Names per the confirmed record."),
    Rule((G,), POSTGRES, fence_missing, None, write_fence, "The fence row gets this term."),
    Rule(
        (G,),
        (*POSTGRES, ev.SwapConfirmed),
        ready_in_sync,
        State.PRIMARY_SYNC,
        open_gate,
        "{peer} has flushed all that stood here after the start; open.",
    ),
    Rule(
        (G,),
        (*POSTGRES, ev.SwapConfirmed, ev.EpochKept),
        ready_alone,
        State.PRIMARY_SOLO,
        open_gate,
        "The record has no sync standby; open alone.",
    ),
    Rule(
        (G,),
        (ev.ActionFailed,),
        start_failed,
        State.READING,
        hand_over_unstarted,
        "PostgreSQL does not start; {peer} may take over at once.",
    ),
)
