"""Claiming and promoting.

The claim is a compare-and-swap; while its answer is unknown the standby streams on. After it is
confirmed: the claim's name on disk, names off, out of recovery, a second compare-and-swap to opened
— only then the gate.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster import record as records
from cluster.mind import Mind
from cluster.rules.claimable import may_claim
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
from cluster.rules.standby import promotion
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
    return any(doubt.primary == mind.me for doubt in mind.doubts) and may_claim(mind)


def same_claim(mind: Mind, event: ev.Event) -> Outcome:
    """The same intent under the same name."""
    return propose(mind, [doubt for doubt in mind.doubts if doubt.primary == mind.me][-1])


# ---- promoting


def claim_unkept(mind: Mind, event: ev.Event) -> bool:
    """The claim's name is not on disk yet."""
    record = mind.record
    unkept = record is not None and mind.disk.claim != record.op_id
    return unkept and mind.may_retry and mind.promoted_tli == 0


def keep_claim(mind: Mind, event: ev.Event) -> Outcome:
    """Before anything else: whose promotion this is."""
    assert mind.record is not None
    return order(mind, act.KeepClaim(mind.record.op_id))


def recovery_down(mind: Mind, event: ev.Event) -> bool:
    """PostgreSQL must be started before it can be promoted."""
    return not mind.up and mind.may_retry and not mind.disk_seen.bad


def start_following_nobody(mind: Mind, event: ev.Event) -> Outcome:
    """With standby.signal and no source: a repeated promotion is harmless."""
    return order(mind, act.StartStandby("", 0))


def may_promote(mind: Mind, event: ev.Event) -> bool:
    """PostgreSQL runs in recovery, nothing is being done, and the claim's name is on disk (F14)."""
    record = mind.record
    kept = record is not None and mind.disk.claim == record.op_id
    able = mind.up and mind.may_retry and mind.promoted_tli == 0
    return able and kept and mind.holds_enough


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
    cap = mind.timers.takeovers_per_hour
    name, gap_ms = op_id(mind, "open"), mind.gap_ms
    record = records.opened(mind.record, mind.me, name, step, cap=cap, gap_ms=gap_ms)
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
        and mind.may_serve_alone
    )


def serve(mind: Mind, event: ev.Event) -> Outcome:
    """Open, and make ready for the peer's return."""
    mind = structs.replace(mind, passed=True, failures=0, handover="")
    return order(mind, act.BeatNow(), act.PrepareForStandby(mind.peer))


def cannot_promote(mind: Mind, event: ev.ActionFailed) -> bool:
    """The claim's name cannot be kept, or the start or the promotion failed."""
    return event.action in {"KeepClaim", "Promote", "StartStandby"}


def say_why(mind: Mind, event: ev.ActionFailed) -> Outcome:
    """Say it in the beat: the previous primary acts on it."""
    return structs.replace(mind, handover=f"cannot promote: {event.reason}"), (act.BeatNow(),)


K, P = State.CLAIMING, State.PROMOTING

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
)
