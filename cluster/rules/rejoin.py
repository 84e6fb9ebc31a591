"""Fencing, and the ladder back: follow, or rewind, or clone; every rung falls to the next.

A node that is not named stops, waits until the other is open, and takes stock before anything of
its copy is destroyed. Invariants: it follows only where, by all that is known here, its copy is a
prefix of the other's; it clones beside its old copy while the disk allows, because that may be the
only other good one; it rewinds only where a clone does not fit and the other's history is known to
have left this copy's timeline (a rewind that finds an equal timeline proves nothing, fact F5). A
copy that is being replaced is never started, and never reclaims.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster.mind import Mind
from cluster.record import cut_off
from cluster.rules.reading import bump, my_copy, other_not_open
from cluster.rules.rule import (
    PEER,
    POSTGRES,
    RECORD,
    TIME,
    Outcome,
    Rule,
    always,
    nothing,
    order,
    stop_now,
)
from cluster.states import PRIMARIES, State

# ---- fencing


def must_stop(mind: Mind, event: ev.Event) -> bool:
    """PostgreSQL runs and nobody is stopping it."""
    return mind.touched and "StopPostgres" not in mind.doing and mind.now_s >= mind.retry_at_s


def named_again(mind: Mind, event: ev.Event) -> bool:
    """The record names this node, and PostgreSQL is down."""
    return mind.named and not mind.touched and mind.idle


def other_waits(mind: Mind, event: ev.Event) -> bool:
    """The record names the peer, which is not open yet; nothing is being done here."""
    return mind.idle and other_not_open(mind, event)


def may_rejoin(mind: Mind, event: ev.Event) -> bool:
    """PostgreSQL is dead, the other is open, and nothing of ours may still land."""
    record = mind.record
    opened = record is not None and record.opened and mind.fenced
    return opened and not mind.touched and mind.idle and not mind.doubts and mind.swap is None


def must_settle(mind: Mind, event: ev.Event) -> bool:
    """Something of ours may still land."""
    return bool(mind.doubts) and mind.may_swap and mind.fenced and not mind.touched


def _ours(mind: Mind) -> bool:
    """Every promotion of this copy is in the record's history (fact F14: numbers can collide)."""
    record, claim = mind.record, mind.disk.claim
    return claim == "" or (
        record is not None and any(step.op_id == claim for step in record.tli_history)
    )


def left_at(mind: Mind) -> int:
    """Where the record's history leaves this copy's timeline: what lies beyond was never
    acknowledged. 0 unknown.
    """
    record, disk = mind.record, mind.disk
    steps = record.tli_history if record is not None else ()
    # The control file keeps the old timeline until a checkpoint (fact F5): a claim knows better.
    here = max((step.tli for step in steps if step.op_id == disk.claim != ""), default=disk.tli)
    later = [step.switch_lsn for step in steps if step.tli > max(here, disk.tli)]
    return later[0] if later and disk.tli > 0 else 0


def may_follow(mind: Mind, event: ev.Event) -> bool:
    """Nothing known speaks against it: a standby's copy on the primary's timeline, or a primary's
    that stopped in order before the switch. One that is ahead, and says so, keeps a primary shut
    (``gated``); one that was silent then cannot replay what it gets: it is not brought in sync
    (``entry``) and is replaced (``standby``).
    """
    record, disk = mind.record, mind.disk
    if record is None or not my_copy(mind) or disk.rejoining or not mind.may_start:
        return False
    if disk.unproven:  # its own WAL below the switch may be another history (a restored snapshot)
        return False
    if not disk.was_primary:
        return disk.tli == record.tli and _ours(mind)
    # A primary that stopped cleanly before the switch: all of its WAL is in the other's history.
    left = [step.switch_lsn for step in record.tli_history if step.tli == record.tli]
    clean = disk.clean_end_lsn >= 0
    return clean and bool(left) and disk.clean_end_lsn <= left[-1] and disk.tli == record.tli - 1


def follow(mind: Mind, event: ev.Event) -> Outcome:
    """Start as standby under the held generation; what it once handed over is taken."""
    mind = structs.replace(mind, handover="")
    return order(mind, act.StartStandby(mind.peer, mind.disk.token))


def foreign_data(mind: Mind, event: ev.Event) -> bool:
    """The data folder is of another cluster: not ours to overwrite."""
    record, disk = mind.record, mind.disk
    return record is not None and disk.has_data and disk.system_id != record.system_id


# ---- taking stock


def stock_missing(mind: Mind, event: ev.Event) -> bool:
    """It is not known what would be lost here, nor whether a second copy fits."""
    able = mind.may_retry and not mind.disk_seen.dead
    return mind.disk.fits is None and able and not mind.touched and mind.fenced


def take_stock(mind: Mind, event: ev.Event) -> Outcome:
    """Before anything is destroyed: what stands beyond the switch, and is there room?"""
    record, disk = mind.record, mind.disk
    given_up = record is not None and cut_off(record, mind.me)
    forced = given_up and (disk.diverged or disk.rejoining)  # not since it was cloned
    return order(mind, act.TakeStock(disk.tli, left_at(mind), forced))


def tell_stock(mind: Mind, event: ev.StockTaken) -> Outcome:
    """One line of history: what was here and unacknowledged."""
    return mind, ((act.Note(event.said),) if event.said else ())


# ---- rewinding


def may_rewind(mind: Mind, event: ev.Event) -> bool:
    """No room for a second copy, and this one left the other's history at a known place."""
    record, disk = mind.record, mind.disk
    return (
        disk.fits is False
        and record is not None
        and my_copy(mind)
        and not disk.unproven
        and _ours(mind)
        and disk.tli < record.tli
        and left_at(mind) > 0
        and mind.may_retry
    )


def must_replace(mind: Mind, event: ev.Event) -> bool:
    """Stock is taken, and this copy can neither follow nor be rewound."""
    return mind.disk.fits is not None and mind.idle


def replace_copy(mind: Mind, event: ev.Event) -> Outcome:
    """From here on this copy may not reclaim."""
    disk = structs.replace(mind.disk, rejoining=True)
    return structs.replace(mind, disk=disk, failures=0, retry_at_s=mind.now_s), ()


def rewind(mind: Mind, event: ev.Event) -> Outcome:
    """Take back what the other never had. Until it is done this copy is torn."""
    record = mind.record
    assert record is not None
    ordered = act.Rewind(mind.peer, record.tli, left_at(mind))
    disk = structs.replace(mind.disk, diverged=True)
    return order(structs.replace(mind, disk=disk), ordered)


def rewind_failed(mind: Mind, event: ev.Event) -> bool:
    """It failed, or its result could not be shown to be right."""
    return mind.disk.diverged and mind.idle


# ---- cloning


def source_open(mind: Mind, event: ev.Event) -> bool:
    """The recorded primary is open and reachable."""
    beat, record = mind.beat, mind.record
    return (
        mind.may_start
        and not mind.disk_seen.dead
        and not mind.touched
        and mind.fenced
        and record is not None
        and record.opened
        and beat is not None
        and beat.state in PRIMARIES
        and beat.state != State.PRIMARY_GATED
        and beat.term == record.term
        and mind.peer_linked
    )


def may_clone(mind: Mind, event: ev.Event) -> bool:
    """Stock is taken and the source is open."""
    return mind.disk.fits is not None and source_open(mind, event)


def may_begin_rewind(mind: Mind, event: ev.Event) -> bool:
    """The source is open and nothing was rewound yet."""
    return not mind.disk.diverged and source_open(mind, event)


def clone(mind: Mind, event: ev.Event) -> Outcome:
    """Take a fresh copy: beside the old one if it fits, in its place if not."""
    keep = mind.disk.fits is not False
    disk = mind.disk if keep else structs.replace(mind.disk, diverged=True)
    return order(structs.replace(mind, disk=disk), act.Clone(mind.peer, keep))


def follow_fresh(mind: Mind, event: ev.Event) -> Outcome:
    """Start as standby without a generation; what it once handed over is taken."""
    mind = structs.replace(mind, handover="")
    if not mind.may_start:
        return mind, ()
    return order(mind, act.StartStandby(mind.peer, 0))


def held_down(mind: Mind, event: ev.Event) -> bool:
    """The pair was paused while this copy was made: what was begun is finished, and waits."""
    return mind.held_down


def wait_fresh(mind: Mind, event: ev.Event) -> Outcome:
    """The copy is whole and stays down; a standby's own row starts it at the resume."""
    return structs.replace(mind, handover=""), ()


def old_copy_useless(mind: Mind, event: ev.Event) -> bool:
    """The copy kept from before the last clone: the new one is proven in sync."""
    return mind.disk.kept_old and mind.fits_sync and mind.up and mind.facts_fresh


def drop_old_copy(mind: Mind, event: ev.Event) -> Outcome:
    """Its room is wanted; once a life is enough."""
    disk = structs.replace(mind.disk, kept_old=False)
    return structs.replace(mind, disk=disk), (act.DropOldCopy(),)


F, J = State.FENCING, State.REJOIN_CHECK
R, N = State.REWINDING, State.RECLONING

ROWS: Final = (
    Rule((F,), TIME, must_stop, None, stop_now, "PostgreSQL must be dead."),
    Rule(
        (F,),
        (*RECORD, ev.PostgresExited),
        named_again,
        State.READING,
        nothing,
        "Named again; reading.",
    ),
    Rule(
        (F,),
        (*RECORD, ev.PostgresExited),
        may_rejoin,
        J,
        nothing,
        "PostgreSQL is dead and {peer} is open; may this copy follow?",
    ),
    Rule((F,), TIME, must_settle, None, bump, "First nothing of ours may land any more."),
    # judging
    Rule((J,), RECORD, named_again, State.READING, nothing, "Named; reading."),
    Rule((J,), RECORD, other_waits, F, nothing, "{peer} is not open; waiting."),
    Rule(
        (J,),
        TIME,
        may_follow,
        State.STANDBY_CATCHUP,
        follow,
        "Nothing known speaks against following {peer} with this copy; started as its standby.",
    ),
    Rule((J,), TIME, foreign_data, State.FAULT, nothing, "The data here is of another cluster."),
    Rule((J, N), (ev.StockTaken,), always, None, tell_stock, "What stands here, and the room."),
    Rule((J,), TIME, stock_missing, None, take_stock, "Taking stock before this copy goes."),
    Rule(
        (J,),
        TIME,
        may_rewind,
        R,
        replace_copy,
        "This copy may have diverged and a second one does not fit beside it; it is rewound.",
    ),
    Rule((J,), TIME, must_replace, N, replace_copy, "This copy may have diverged; it is replaced."),
    # rewinding
    Rule((R, N), RECORD, named_again, State.READING, nothing, "Named; reading."),
    Rule((R,), (*PEER, *POSTGRES), may_begin_rewind, None, rewind, "Rewinding to {peer}'s."),
    Rule(
        (R, N),
        (ev.Rewound, ev.Cloned),
        held_down,
        State.STANDBY_CATCHUP,
        wait_fresh,
        "This copy is {peer}'s now. Paused meanwhile: started at 'mpower cluster resume'.",
    ),
    Rule(
        (R,),
        (ev.Rewound,),
        always,
        State.STANDBY_CATCHUP,
        follow_fresh,
        "This copy was rewound and shown to be on {peer}'s timeline; following.",
    ),
    Rule(
        (R,),
        (ev.ActionFailed, ev.Tick),
        rewind_failed,
        N,
        replace_copy,
        "The rewind failed or could not be shown right; this copy is replaced.",
    ),
    # cloning
    Rule((N,), TIME, stock_missing, None, take_stock, "Taking stock before this copy goes."),
    Rule((N,), (*PEER, *POSTGRES), may_clone, None, clone, "Cloning from {peer}."),
    Rule(
        (N,),
        (ev.Cloned,),
        always,
        State.STANDBY_CATCHUP,
        follow_fresh,
        "A fresh copy of {peer} stands here; following.",
    ),
    Rule(
        (State.STANDBY_SYNC,),
        TIME,
        old_copy_useless,
        None,
        drop_old_copy,
        "In sync: the copy kept from before goes.",
    ),
)
