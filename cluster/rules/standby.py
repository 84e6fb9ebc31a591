"""The standby: following, taking up the generation it is offered, and knowing when it may claim.

What it may claim is said in ``claimable``. Silence counts only if link and arbiter agree; the
primary's own hand-over needs no waiting.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster import record as records
from cluster.mind import Mind
from cluster.plan import plan_of
from cluster.rules.claimable import SILENT, may_claim
from cluster.rules.rule import (
    AS_TOLD,
    PEER,
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
from cluster.states import State

MAX_START_FAILURES: Final = 5
"""After so many starts in a row that failed, this copy is replaced rather than tried again."""


# ---- conditions


def stray(mind: Mind, event: ev.Event) -> bool:
    """PostgreSQL is out of recovery, and nobody here claimed."""
    return mind.up and mind.facts is not None and not mind.facts.in_recovery


def claim_landed(mind: Mind, event: ev.Event) -> bool:
    """The record names this node: a claim landed after all, or open was confirmed too late."""
    return mind.named


def not_in_sync(mind: Mind, event: ev.Event) -> bool:
    """The record does not (any more) name this node in the generation it holds."""
    return not mind.fits_sync


def in_sync(mind: Mind, event: ev.Event) -> bool:
    """The record names this node in the generation it holds."""
    return mind.fits_sync


def offered(mind: Mind, event: ev.Event) -> bool:
    """The recorded primary offers a later generation than the one held."""
    beat, record = mind.beat, mind.record
    return (
        mind.up
        and mind.idle
        and beat is not None
        and record is not None
        and record.primary == mind.peer
        and beat.epoch >= record.epoch
        and beat.offered > mind.disk.token
        and not mind.fits_sync
    )


def take_up(mind: Mind, event: ev.Event) -> Outcome:
    """Keep the token, and acknowledge under the new name."""
    assert mind.beat is not None
    return order(mind, act.KeepToken(mind.beat.offered))


def down(mind: Mind, event: ev.Event) -> bool:
    """PostgreSQL does not run and may be started again."""
    few = mind.failures < MAX_START_FAILURES
    return not mind.up and mind.may_start and few and not mind.disk_seen.bad


def start_following(mind: Mind, event: ev.Event) -> Outcome:
    """Follow the primary under the held generation."""
    return order(mind, act.StartStandby(mind.peer, mind.disk.token))


def _served_alone(mind: Mind) -> bool:
    """The primary is heard, and serves without this copy."""
    beat = mind.beat
    return beat is not None and beat.state == State.PRIMARY_SOLO and mind.peer_linked


def hopeless(mind: Mind, event: ev.Event) -> bool:
    """This copy does not start, or cannot stream from a primary in good health."""
    held_back = mind.paused or mind.disk_seen.bad
    if mind.named or mind.fits_sync or held_back or not mind.idle:
        return False
    if not mind.up:
        return mind.failures >= MAX_START_FAILURES
    last_s = max(mind.reach.read_at_s, mind.up_at_s)
    return _served_alone(mind) and mind.now_s - last_s >= mind.timers.orphan_s


def ahead(mind: Mind, event: ev.Event) -> bool:
    """It had replayed more than its primary had when that began, and that one serves all the same:
    gated it could still be the one that lacks something.
    """
    held_back = mind.paused or mind.disk_seen.bad or mind.named or not mind.idle
    return mind.reach.ahead_lsn > 0 and not held_back and _served_alone(mind)


def discard(mind: Mind, event: ev.Event) -> Outcome:
    """This copy is stopped and replaced; until then it may not reclaim."""
    disk = structs.replace(mind.disk, rejoining=True)
    return stop_now(structs.replace(mind, disk=disk, failures=0), event)


def handed_over(mind: Mind, event: ev.Event) -> bool:
    """The primary itself hands over, at the epoch we know."""
    beat, record = mind.beat, mind.record
    return (
        may_claim(mind)
        and beat is not None
        and record is not None
        and beat.handover != ""
        and beat.epoch == record.epoch
    )


def _planned_to_me(mind: Mind) -> bool:
    plan = plan_of(mind.record)
    return plan is not None and plan.to == mind.me


def switched_over(mind: Mind, event: ev.Event) -> bool:
    """The primary was stopped in order, for a switchover to this node or because its daemon is shut
    down, and all it wrote is here.
    """
    beat = mind.beat
    return (
        may_claim(mind)
        and beat is not None
        and mind.record is not None
        and (_planned_to_me(mind) or beat.leaving != "")
        and beat.epoch == mind.record.epoch
        and 0 < beat.drained_lsn <= mind.held_lsn
    )


def primary_silent(mind: Mind, event: ev.Event) -> bool:
    """Silent on every link, and its counter at the arbiter stands still, for T_takeover."""
    return SILENT.holds(mind) and may_claim(mind)


# ---- deeds


def claim_handed_over(mind: Mind, event: ev.Event) -> Outcome:
    """Take over because the primary asks for it: of itself, or as it was told to."""
    beat = mind.beat
    assert beat is not None
    told = beat.leaving != "" or beat.handover.startswith(AS_TOLD)
    why = f"{mind.peer} hands over: {beat.handover}"
    return _claim(mind, why, at_s=None if told else int(mind.wall_s))


def claim_switched(mind: Mind, event: ev.Event) -> Outcome:
    """Take over as an operator asked, or because he shuts the primary down."""
    beat = mind.beat
    if beat is not None and beat.leaving and not _planned_to_me(mind):
        return _claim(mind, f"{mind.peer} is shutting down in order: {beat.leaving}")
    return _claim(mind, f"switchover from {mind.peer}", switchover=True)


def claim_silent(mind: Mind, event: ev.Event) -> Outcome:
    """Take over because the primary is silent."""
    why = f"no beat of {mind.peer} for {mind.timers.takeover_s} s on any path"
    return _claim(mind, why, at_s=int(mind.wall_s))


def _claim(mind: Mind, why: str, *, switchover: bool = False, at_s: int | None = None) -> Outcome:
    assert mind.record is not None
    name, held_lsn = op_id(mind, "claim"), mind.held_lsn
    record = records.claimed(
        mind.record, mind.me, name, why, held_lsn=held_lsn, switchover=switchover, at_s=at_s
    )
    return propose(mind, record)


def mark_diverged(mind: Mind, event: ev.Event) -> Outcome:
    """What was written here without a claim is discarded by a fresh copy."""
    disk = structs.replace(mind.disk, diverged=True, rejoining=True)
    return stop_now(structs.replace(mind, disk=disk), event)


def promotion(mind: Mind, event: ev.Event) -> Outcome:
    """First the claim's name goes to disk; what follows waits until it certainly stands there."""
    mind = structs.replace(mind, promoted_tli=0, failures=0, handover="")
    assert mind.record is not None
    return order(mind, act.KeepClaim(mind.record.op_id))


C, Y = State.STANDBY_CATCHUP, State.STANDBY_SYNC

ROWS: Final = (
    Rule(
        (C, Y),
        (ev.Probed, ev.Tick),
        stray,
        State.FENCING,
        mark_diverged,
        "PostgreSQL left recovery without a claim; stopped, it will be cloned again.",
    ),
    Rule(
        (C, Y),
        RECORD,
        claim_landed,
        State.PROMOTING,
        promotion,
        "The record names this node: the claim has landed; promoting.",
    ),
    Rule((Y,), RECORD, not_in_sync, C, nothing, "The record has no longer this sync generation."),
    Rule((C,), (*RECORD, ev.TokenKept), in_sync, Y, nothing, "In sync: may succeed {peer}."),
    Rule(
        (Y,),
        (*PEER, ev.Probed),
        switched_over,
        State.CLAIMING,
        claim_switched,
        "{peer} was stopped in order and all of it is here; claiming the record.",
    ),
    Rule(
        (Y,),
        PEER,
        handed_over,
        State.CLAIMING,
        claim_handed_over,
        "{peer} hands over; claiming the record.",
    ),
    Rule(
        (Y,),
        PEER,
        primary_silent,
        State.CLAIMING,
        claim_silent,
        "{peer} is silent on every path; claiming the record.",
    ),
    Rule((C,), PEER, offered, None, take_up, "{peer} offers a sync generation; taking it up."),
    Rule((C, Y), POSTGRES, down, None, start_following, "Following {peer}."),
    Rule(
        (C,),
        TIME,
        ahead,
        State.RECLONING,
        discard,
        "This copy had replayed more than {peer} had when it began: {peer} lost its end and serves"
        " without that. This copy is replaced.",
    ),
    Rule(
        (C,),
        TIME,
        hopeless,
        State.RECLONING,
        discard,
        "This copy cannot follow {peer}; it is replaced.",
    ),
)
