"""Taking back a claim that was never opened: the claimant is dead, cannot, or does not move.

Safe because an unopened claimant has acknowledged nothing, and because of what is demanded of this
copy: no rejoin has touched it, and it is *known whole* for the term that was claimed — this process
ran it as the primary, or has measured it: replayed to its end it reaches what the claimant held. (A
copy that was set back to an older one would lose what both had.) It starts in place, on its old
timeline; the claimant clones.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster import record as records
from cluster.mind import Mind
from cluster.rules.reading import bump
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
from cluster.rules.takeover import same_claim, take_names_off
from cluster.states import State


def _mine_to_take(mind: Mind) -> bool:
    """The record holds an unopened claim on this node's term, and this copy was not replaced."""
    record, disk = mind.record, mind.disk
    if record is None or record.opened or record.prev != mind.me or not mind.fenced:
        return False
    fit = disk.has_data and not disk.rejoining and not disk.diverged
    ours = disk.system_id == record.system_id and disk.tli == record.tli
    return fit and ours and not record.paused


def _claimant_gone(mind: Mind, since_s: float) -> bool:
    record, beat = mind.record, mind.beat
    if record is None or not mind.arbiter_heard:
        return False
    claims = beat is not None and beat.epoch >= record.epoch
    cannot = claims and beat is not None and (beat.handover != "" or beat.leaving != "")
    moved_s = max(mind.hearing.progress_at_s, since_s)
    stuck = mind.now_s - moved_s >= mind.timers.progress_s
    return cannot or stuck or mind.peer_silent(mind.timers.reclaim_s)


def _known_whole(mind: Mind) -> bool:
    return mind.record is not None and mind.whole_term == mind.record.term - 1


def claimant_dead(mind: Mind, event: ev.Event) -> bool:
    """Our term was claimed, never opened, and the claimant is silent, cannot, or stands still."""
    down = not mind.touched and mind.idle and mind.may_swap and not mind.doubts
    return _mine_to_take(mind) and down and _claimant_gone(mind, mind.since_s)


def over(mind: Mind, event: ev.Event) -> bool:
    """Nothing was taken and nothing may still be: the claimant is back, or has opened."""
    pending = mind.swap is not None or bool(mind.doubts)
    again = _mine_to_take(mind) and _claimant_gone(mind, float("-inf"))
    return mind.fenced and not pending and not again


def unmeasured(mind: Mind, event: ev.Event) -> bool:
    """Nobody knows yet how far this copy reaches."""
    return mind.fenced and not _known_whole(mind) and not mind.touched and mind.may_retry


def measure(mind: Mind, event: ev.Event) -> Outcome:
    """Replay to the end, following nobody, with standby.signal."""
    return order(mind, act.StartStandby("", 0))


def reaches(mind: Mind, event: ev.Event) -> bool:
    """Replayed as far as the claimant held when it claimed."""
    measured = mind.facts_fresh and mind.facts is not None and mind.facts.in_recovery
    return mind.fenced and mind.up and mind.idle and measured and mind.holds_enough


def note_whole(mind: Mind, event: ev.Event) -> Outcome:
    """Known whole; stopped again before it is asked for."""
    assert mind.record is not None
    mind = structs.replace(mind, whole_term=mind.record.term - 1)
    return order(mind, act.StopPostgres("fast"))


def falls_short(mind: Mind, event: ev.Event) -> bool:
    """Replayed to the end, and the claimant held more."""
    waited = mind.now_s - mind.up_at_s >= mind.timers.progress_s
    return mind.fenced and mind.up and mind.facts_fresh and waited and not mind.holds_enough


def mark_short(mind: Mind, event: ev.Event) -> Outcome:
    """A copy that was set back: to be cloned again, never to be taken back to."""
    disk = structs.replace(mind.disk, diverged=True)
    return stop_now(structs.replace(mind, disk=disk), event)


def may_ask(mind: Mind, event: ev.Event) -> bool:
    """Known whole, down, and nothing of ours is on its way."""
    down = not mind.touched and mind.idle
    return mind.fenced and _known_whole(mind) and down and mind.may_swap and not mind.doubts


def ask_back(mind: Mind, event: ev.Event) -> Outcome:
    """Take the unopened claim back."""
    assert mind.record is not None
    return propose(mind, records.reclaimed(mind.record, mind.me, op_id(mind, "reclaim")))


def ask_again(mind: Mind, event: ev.Event) -> bool:
    """The answer was lost: ask again under the same name."""
    doubted = any(doubt.primary == mind.me for doubt in mind.doubts)
    return mind.fenced and doubted and mind.may_swap


def unsettled(mind: Mind, event: ev.Event) -> bool:
    """Named by the claim an earlier process took back: what that one sent may still land."""
    return mind.named and not mind.settled and mind.may_swap and not mind.doubts


def in_place(mind: Mind, event: ev.Event) -> bool:
    """Confirmed: this copy, as it stands, is the primary's."""
    return mind.named and not mind.up and mind.may_retry and not mind.disk_seen.bad


def start_in_place(mind: Mind, event: ev.Event) -> Outcome:
    """Start with the names found on disk."""
    return order(mind, act.StartPrimary(mind.disk.names))


def names_on(mind: Mind, event: ev.Event) -> bool:
    """Started; the names still wait for a standby that may no longer acknowledge."""
    return mind.alone_for_sure and mind.up and mind.may_retry and mind.names != ""


def must_open(mind: Mind, event: ev.Event) -> bool:
    """Started in place, reaching what the claimant held: say so."""
    record = mind.record
    waiting = record is not None and not record.opened and mind.holds_enough
    return mind.named and mind.up and mind.names == "" and waiting and mind.may_swap


def open_in_place(mind: Mind, event: ev.Event) -> Outcome:
    """Open on the old timeline."""
    assert mind.record is not None
    cap = mind.timers.takeovers_per_hour
    name, gap_ms = op_id(mind, "open"), mind.gap_ms
    record = records.opened(mind.record, mind.me, name, None, cap=cap, gap_ms=gap_ms)
    return propose(mind, record)


def opened(mind: Mind, event: ev.Event) -> bool:
    """The record says open."""
    return mind.named and mind.record is not None and mind.record.opened and mind.up


F, R = State.FENCING, State.RECLAIMING

ROWS: Final = (
    Rule((F,), TIME, claimant_dead, R, nothing, "{peer} claimed and does not serve."),
    Rule((R,), RECORD, opened, State.PRIMARY_GATED, nothing, "The claim is taken back."),
    Rule((R,), TIME, falls_short, F, mark_short, "This copy was set back: {peer} held more."),
    Rule((R,), RECORD, over, F, stop_now, "Not taken back; waiting as before."),
    Rule((R,), (*RECORD, *POSTGRES), may_ask, None, ask_back, "Asking to take the claim back."),
    Rule((R,), RECORD, ask_again, None, same_claim, "The answer was lost; asking again."),
    Rule((R,), (*RECORD, *POSTGRES), unmeasured, None, measure, "How far does this copy reach?"),
    Rule((R,), POSTGRES, reaches, None, note_whole, "As far as {peer} held: it is whole."),
    Rule((R,), RECORD, unsettled, None, bump, "Named: first nothing old may land any more."),
    Rule((R,), (*RECORD, *POSTGRES), in_place, None, start_in_place, "Starting in place."),
    Rule((R,), POSTGRES, names_on, None, take_names_off, "Nobody else acknowledges."),
    Rule((R,), (*RECORD, *POSTGRES), must_open, None, open_in_place, "Telling the arbiter."),
)
