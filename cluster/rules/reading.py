"""From nothing, from isolation, from fencing: read the record, then be what it says.

The gate is shut throughout. A node named as primary first confirms an epoch-bumping swap of its
own, so that nothing an earlier process of it sent can land later (I1); it starts with the names it
found on disk. A node that is not named goes to stop and rejoin (``cluster.rules.rejoin``).
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster import record as records
from cluster.mind import Mind
from cluster.rules.rule import (
    AS_TOLD,
    PEER,
    RECORD,
    TIME,
    Outcome,
    Rule,
    always,
    hand_over,
    nothing,
    op_id,
    order,
    propose,
    stop_now,
)
from cluster.rules.standby import promotion
from cluster.states import State

# ---- conditions


def _read(mind: Mind) -> bool:
    return mind.fresh and mind.record is not None and not mind.rolled_back


def my_copy(mind: Mind) -> bool:
    """A data folder of this cluster is here, and nothing was seen to be wrong with it."""
    record, disk = mind.record, mind.disk
    ours = record is not None and disk.has_data and disk.system_id == record.system_id
    return ours and not disk.diverged


def _named_and_read(mind: Mind) -> bool:
    return _read(mind) and mind.named


def other_named_while_up(mind: Mind, event: ev.Event) -> bool:
    """The record names the peer, and PostgreSQL runs here as a primary."""
    return _read(mind) and mind.fenced and mind.touched


def other_not_open(mind: Mind, event: ev.Event) -> bool:
    """The record names the peer, which is not open yet."""
    return _read(mind) and mind.fenced and mind.record is not None and not mind.record.opened


def other_open(mind: Mind, event: ev.Event) -> bool:
    """The record names the peer, open; PostgreSQL is down here."""
    return _read(mind) and mind.fenced and not mind.touched and mind.idle


def was_reclaiming(mind: Mind, event: ev.Event) -> bool:
    """This node took a claim back and was interrupted."""
    record = mind.record
    return (
        _named_and_read(mind)
        and record is not None
        and not record.opened
        and record.intent == "reclaim"
        and my_copy(mind)
        and not mind.up
    )


def must_promote(mind: Mind, event: ev.Event) -> bool:
    """This node is named, and its copy never left recovery (or was not yet opened)."""
    record = mind.record
    in_recovery = mind.up and mind.facts is not None and mind.facts.in_recovery
    ready = in_recovery or not mind.touched
    if record is None or not (_named_and_read(mind) and my_copy(mind)) or not ready:
        return False
    return not record.opened or not mind.disk.was_primary


def cannot_serve(mind: Mind, event: ev.Event) -> bool:
    """This node is named, and has no copy of this cluster."""
    told = mind.handover != "" or (mind.disk.diverged and not mind.sync_possible)
    return _named_and_read(mind) and mind.idle and not my_copy(mind) and not told


def say_cannot_serve(mind: Mind, event: ev.Event) -> Outcome:
    """The standby, if any, may claim."""
    return hand_over(mind, "no whole copy of this cluster's data")


def may_bump(mind: Mind, event: ev.Event) -> bool:
    """Named, able, and the standby's time to claim is over."""
    return (
        _named_and_read(mind)
        and my_copy(mind)
        and not mind.bumped
        and mind.may_swap
        and mind.now_s >= mind.yield_until_s
        and mind.now_s >= mind.retry_at_s
        and "StopPostgres" not in mind.doing
        and (mind.up or not mind.disk_seen.bad)
    )


def bump(mind: Mind, event: ev.Event) -> Outcome:
    """Whatever may still land cannot land after this."""
    assert mind.record is not None
    record = mind.record
    assert record is not None, "the condition read it"
    if mind.switch_due:
        why = mind.called_off or f"{mind.me} was not serving when it was due"
        name = op_id(mind, "called-off")
        return propose(mind, records.bumped(record, mind.me, name, called_off=why))
    if mind.handover.startswith(AS_TOLD):
        why = f"hand-over {mind.handover.removeprefix(AS_TOLD)}: nobody took over"
        return propose(mind, records.kept(record, mind.me, op_id(mind, "untaken"), why))
    return propose(mind, records.bumped(record, mind.me, op_id(mind, "bump")))


def bumped_and_up(mind: Mind, event: ev.Event) -> bool:
    """Confirmed; PostgreSQL runs here as primary."""
    return _ready(mind) and mind.up


def bumped_and_down(mind: Mind, event: ev.Event) -> bool:
    """Confirmed; PostgreSQL is down, and may be started."""
    return _ready(mind) and not mind.touched and mind.may_start and not mind.disk_seen.bad


def _ready(mind: Mind) -> bool:
    record = mind.record
    opened = record is not None and record.opened
    return _named_and_read(mind) and opened and mind.bumped and mind.idle and my_copy(mind)


def gate_as_is(mind: Mind, event: ev.Event) -> Outcome:
    """The next probe's flush LSN is the barrier."""
    return structs.replace(mind, handover="", passed=False, barrier_lsn=-1), (act.BeatNow(),)


def start_gated(mind: Mind, event: ev.Event) -> Outcome:
    """Start with the names found on disk; only replication and the daemon connect."""
    mind = structs.replace(mind, handover="", passed=False)
    return order(mind, act.BeatNow(), act.StartPrimary(mind.disk.names))


# ---- no arbiter


def arbiter_missing(mind: Mind, event: ev.Event) -> bool:
    """Nobody says what the record is, and a standby's copy stands here.

    One that was a primary's stays down: started so, it would no longer show where it ended, by
    which alone it may return without a clone.
    """
    disk = mind.disk
    known = disk.has_data and disk.epoch > 0 and not disk.was_primary
    sound = not (disk.diverged or disk.unproven or disk.rejoining or mind.disk_seen.bad)
    waited = mind.now_s - max(mind.arbiter_at_s, mind.since_s) >= mind.timers.takeover_s
    unread = mind.record is None and not mind.fresh
    return known and sound and waited and unread and not mind.touched and mind.may_start


def start_following_nobody(mind: Mind, event: ev.Event) -> Outcome:
    """It replays what is here; it serves nobody and asks nobody."""
    return order(mind, act.StartStandby("", 0))


# ---- isolation


def somebody_back(mind: Mind, event: ev.Event) -> bool:
    """The arbiter, or a peer that hears us, is heard again."""
    return mind.arbiter_heard or mind.unheard_s < mind.timers.suspect_s


# ---- a fault


def rest_over(mind: Mind, event: ev.Event) -> bool:
    """Time to judge again."""
    return mind.now_s - mind.since_s >= mind.timers.fault_s and mind.idle


I, D, F = State.READING, State.ISOLATED, State.FENCING  # noqa: E741 - READING's letter in the rows
J = State.REJOIN_CHECK

ROWS: Final = (
    Rule((State.INIT,), (ev.Booted,), always, I, nothing, "Lock taken, disk read; reading."),
    # reading
    Rule(
        (I,),
        RECORD,
        other_named_while_up,
        F,
        stop_now,
        "The record names {peer} as primary; PostgreSQL is stopped at once.",
    ),
    Rule((I,), (*RECORD, ev.PostgresExited), other_not_open, F, nothing, "{peer} has claimed."),
    Rule((I,), (*RECORD, ev.PostgresExited), other_open, J, nothing, "{peer} is primary."),
    Rule((I,), RECORD, was_reclaiming, State.RECLAIMING, nothing, "Taking the claim back goes on."),
    Rule(
        (I,),
        (*RECORD, ev.PostgresExited),
        must_promote,
        State.PROMOTING,
        promotion,
        "The record names this node, not yet promoted; promoting.",
    ),
    Rule(
        (I,),
        TIME,
        arbiter_missing,
        None,
        start_following_nobody,
        "No arbiter: this copy replays what is here, following nobody, until it is heard.",
    ),
    Rule((I,), RECORD, cannot_serve, None, say_cannot_serve, "Named, but without data."),
    Rule((I,), RECORD, may_bump, None, bump, "Named: first nothing old may land any more."),
    Rule(
        (I,),
        RECORD,
        bumped_and_up,
        State.PRIMARY_GATED,
        gate_as_is,
        "The record still names this node; gated until the standby has all.",
    ),
    Rule(
        (I,),
        (*RECORD, ev.PostgresExited),
        bumped_and_down,
        State.PRIMARY_GATED,
        start_gated,
        "The record names this node; starting PostgreSQL behind the gate.",
    ),
    # isolated
    Rule((D,), (*PEER, ev.RecordRead), somebody_back, I, nothing, "Heard again; reading."),
    Rule((State.FAULT,), TIME, rest_over, I, nothing, "Judging again."),
)
