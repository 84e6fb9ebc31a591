"""Claiming, promoting, and taking an unopened claim back.

The claim is a compare-and-swap; while its answer is unknown the standby streams on. After it is
confirmed: the claim's name on disk, names off, out of recovery, a second compare-and-swap to opened
— only then the gate. The old primary may take back a claim that was never opened, if its claimant
is dead or cannot, and if no rejoin has touched its own copy.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster import record as records
from cluster.mind import Mind
from cluster.rules.primary import fenced
from cluster.rules.rule import (
    POSTGRES,
    RECORD,
    TIME,
    Outcome,
    Rule,
    nothing,
    op_id,
    order,
    propose,
    stop_now,
)
from cluster.rules.standby import may_claim, promotion
from cluster.states import State
from protocols.peer import TimelineStep

# ---- claiming


def claim_confirmed(mind: Mind, event: ev.Event) -> bool:
    """The record names this node."""
    return mind.named


def claim_over(mind: Mind, event: ev.Event) -> bool:
    """The claim certainly did not happen, or it may yet and its reason is gone."""
    if mind.swap is not None:
        return False
    waited = mind.now_s - mind.swap_at_s >= mind.timers.retry_s
    return not mind.doubts or (waited and not may_claim(mind))


def claim_again(mind: Mind, event: ev.Event) -> bool:
    """The answer was lost, and nothing has changed since."""
    return bool(mind.doubts) and may_claim(mind)


def same_claim(mind: Mind, event: ev.Event) -> Outcome:
    """The same intent under the same name."""
    return propose(mind, mind.doubts[-1])


# ---- promoting


def claim_unkept(mind: Mind, event: ev.Event) -> bool:
    """The claim's name is not on disk yet."""
    record = mind.record
    return (
        record is not None and not record.opened and mind.idle and mind.disk.claim != record.op_id
    )


def keep_claim(mind: Mind, event: ev.Event) -> Outcome:
    """Before anything else: whose promotion this is."""
    assert mind.record is not None
    return order(mind, act.KeepClaim(mind.record.op_id))


def recovery_down(mind: Mind, event: ev.Event) -> bool:
    """PostgreSQL must be started before it can be promoted."""
    return not mind.up and mind.may_retry


def start_following_nobody(mind: Mind, event: ev.Event) -> Outcome:
    """With standby.signal and no source: a repeated promotion is harmless."""
    return order(mind, act.StartStandby("", 0))


def may_promote(mind: Mind, event: ev.Event) -> bool:
    """PostgreSQL runs in recovery and nothing is being done."""
    return mind.up and mind.may_retry and mind.promoted_tli == 0 and mind.holds_enough


def lacks_wal(mind: Mind, event: ev.Event) -> bool:
    """All that is here was replayed, and it is less than what was claimed with."""
    waited = mind.now_s - mind.up_at_s >= mind.timers.progress_s
    short = mind.up and mind.promoted_tli == 0 and not mind.holds_enough
    return short and mind.facts_fresh and waited and mind.handover == ""


def say_lacks_wal(mind: Mind, event: ev.Event) -> Outcome:
    """A copy that was set back is not promoted; the previous primary may take the claim back."""
    why = "this copy lacks WAL that was acknowledged (a restored snapshot?)"
    return structs.replace(mind, handover=why), (act.BeatNow(),)


def promote(mind: Mind, event: ev.Event) -> Outcome:
    """Names off, out of recovery."""
    first = () if mind.names == "" else (act.SetNames(""),)
    return order(mind, *first, act.Promote())


def must_open(mind: Mind, event: ev.Event) -> bool:
    """Out of recovery, and the record does not say so yet."""
    record = mind.record
    told = record is not None and record.opened and record.tli == mind.promoted_tli
    return mind.promoted_tli > 0 and not told and mind.named and mind.may_swap


def ask_open(mind: Mind, event: ev.Event) -> Outcome:
    """Tell the arbiter the timeline; meanwhile put up the fence."""
    assert mind.record is not None
    step = TimelineStep(mind.promoted_tli, mind.switch_lsn, mind.disk.claim)
    record = records.opened(mind.record, mind.me, op_id(mind, "open"), step)
    fence: tuple[act.Action, ...] = ()
    if mind.fence != mind.record.term and "WriteFence" not in mind.doing and mind.names == "":
        fence = (act.WriteFence(mind.record.term),)
    return propose(mind, record, *fence)


def fence_lacking(mind: Mind, event: ev.Event) -> bool:
    """Out of recovery, names off, but the fence is not up."""
    term = mind.record.term if mind.record else 0
    return mind.promoted_tli > 0 and mind.may_retry and mind.names == "" and mind.fence != term


def put_up_fence(mind: Mind, event: ev.Event) -> Outcome:
    """Transactions of an earlier term are refused by the database itself."""
    assert mind.record is not None
    return order(mind, act.WriteFence(mind.record.term))


def names_on(mind: Mind, event: ev.Event) -> bool:
    """Out of recovery, but the names that nobody matches are still on."""
    return mind.promoted_tli > 0 and mind.may_retry and mind.names != ""


def take_names_off(mind: Mind, event: ev.Event) -> Outcome:
    """The claim is confirmed: nobody else acknowledges."""
    return order(mind, act.SetNames(""))


def opened(mind: Mind, event: ev.Event) -> bool:
    """The record says open, on our timeline; the fence is up."""
    record = mind.record
    return (
        mind.named
        and record is not None
        and record.opened
        and mind.up
        and mind.promoted_tli == record.tli
        and mind.names == ""
        and mind.fence == record.term
        and mind.alone_for_sure
    )


def serve(mind: Mind, event: ev.Event) -> Outcome:
    """Open, and make ready for the peer's return."""
    mind = structs.replace(mind, passed=True, failures=0, handover="")
    return order(mind, act.BeatNow(), act.PrepareForStandby(mind.peer))


def cannot_promote(mind: Mind, event: ev.ActionFailed) -> bool:
    """The start or the promotion failed."""
    return event.action in {"Promote", "StartStandby"}


def say_why(mind: Mind, event: ev.ActionFailed) -> Outcome:
    """Say it in the beat: the previous primary acts on it."""
    return structs.replace(mind, handover=f"cannot promote: {event.reason}"), (act.BeatNow(),)


# ---- taking back


def claimant_dead(mind: Mind, event: ev.Event) -> bool:
    """Our term was claimed, never opened, and the claimant is silent, cannot, or does not move."""
    record, beat, disk = mind.record, mind.beat, mind.disk
    if record is None or record.opened or record.prev != mind.me or mind.touched:
        return False
    fit = disk.has_data and not disk.rejoining and not disk.diverged
    if not (fit and disk.system_id == record.system_id and disk.tli == record.tli):
        return False
    if not (mind.may_swap and not mind.doubts and not record.paused and mind.arbiter_heard):
        return False
    cannot = beat is not None and (beat.handover != "" or beat.leaving != "")
    claims = beat is not None and beat.epoch >= record.epoch
    stuck_s = mind.now_s - max(mind.hearing.progress_at_s, mind.since_s)
    stuck = stuck_s >= mind.timers.progress_s
    return (cannot and claims) or stuck or mind.peer_silent(mind.timers.reclaim_s)


def ask_back(mind: Mind, event: ev.Event) -> Outcome:
    """Take the unopened claim back."""
    assert mind.record is not None
    return propose(mind, records.reclaimed(mind.record, mind.me, op_id(mind, "reclaim")))


def reclaim_over(mind: Mind, event: ev.Event) -> bool:
    """It certainly did not happen."""
    return mind.fenced and mind.swap is None and not mind.doubts


def reclaim_again(mind: Mind, event: ev.Event) -> bool:
    """The answer was lost: ask again under the same name."""
    return mind.fenced and bool(mind.doubts) and mind.may_swap


def in_place(mind: Mind, event: ev.Event) -> bool:
    """Confirmed: this copy, as it stands, is the primary's."""
    return mind.named and not mind.up and mind.may_retry


def start_in_place(mind: Mind, event: ev.Event) -> Outcome:
    """Start with the names found on disk."""
    return order(mind, act.StartPrimary(mind.disk.names))


def reclaim_names_on(mind: Mind, event: ev.Event) -> bool:
    """Started; the names still wait for a standby that may no longer acknowledge."""
    return mind.alone_for_sure and mind.up and mind.may_retry and mind.names != ""


def reclaim_must_open(mind: Mind, event: ev.Event) -> bool:
    """Started in place: say so."""
    record = mind.record
    waiting = record is not None and not record.opened
    return mind.named and mind.up and mind.names == "" and waiting and mind.may_swap


def open_in_place(mind: Mind, event: ev.Event) -> Outcome:
    """Open on the old timeline."""
    assert mind.record is not None
    record = records.opened(mind.record, mind.me, op_id(mind, "open"), None)
    return propose(mind, record)


def reclaim_opened(mind: Mind, event: ev.Event) -> bool:
    """The record says open."""
    return mind.named and mind.record is not None and mind.record.opened and mind.up


K, P, R = State.CLAIMING, State.PROMOTING, State.RECLAIMING

ROWS: Final = (
    Rule(
        (K,),
        RECORD,
        claim_confirmed,
        P,
        promotion,
        "The claim is confirmed; promoting.",
    ),
    Rule(
        (K,), RECORD, claim_over, State.STANDBY_SYNC, nothing, "Not claimed; a standby as before."
    ),
    Rule((K,), RECORD, claim_again, None, same_claim, "The answer was lost; claiming again."),
    # promoting
    Rule(
        (P,),
        RECORD,
        fenced,
        State.FENCING,
        stop_now,
        "{peer} took the claim back; PostgreSQL is stopped at once.",
    ),
    Rule((P,), POSTGRES, claim_unkept, None, keep_claim, "The claim's name goes to disk first."),
    Rule((P,), POSTGRES, recovery_down, None, start_following_nobody, "Started to be promoted."),
    Rule((P,), POSTGRES, may_promote, None, promote, "Leaving recovery."),
    Rule((P,), TIME, lacks_wal, None, say_lacks_wal, "This copy was set back: not promoted."),
    Rule(
        (P,),
        (*RECORD, ev.Promoted),
        must_open,
        None,
        ask_open,
        "Out of recovery; telling the arbiter.",
    ),
    Rule((P,), POSTGRES, names_on, None, take_names_off, "Nobody else acknowledges: names off."),
    Rule((P,), POSTGRES, fence_lacking, None, put_up_fence, "The fence row gets this term."),
    Rule(
        (P,),
        (*RECORD, ev.FenceWritten, ev.NamesSet),
        opened,
        State.PRIMARY_SOLO,
        serve,
        "Promoted and open, alone; one copy. Alarm.",
    ),
    Rule((P,), (ev.ActionFailed,), cannot_promote, None, say_why, "Said in the beat; tried again."),
    # taking back
    Rule(
        (State.FENCING,),
        TIME,
        claimant_dead,
        R,
        ask_back,
        "{peer} claimed and does not serve; taking the claim back.",
    ),
    Rule((R,), RECORD, reclaim_opened, State.PRIMARY_GATED, nothing, "The claim is taken back."),
    Rule((R,), RECORD, reclaim_over, State.FENCING, nothing, "Not taken back; waiting as before."),
    Rule((R,), RECORD, reclaim_again, None, same_claim, "The answer was lost; asking again."),
    Rule((R,), (*RECORD, *POSTGRES), in_place, None, start_in_place, "Starting in place."),
    Rule((R,), POSTGRES, reclaim_names_on, None, take_names_off, "Nobody else acknowledges."),
    Rule(
        (R,), (*RECORD, *POSTGRES), reclaim_must_open, None, open_in_place, "Telling the arbiter."
    ),
)
