"""The switchover: the primary makes ready while it serves, shuts the gate, lets what was begun end,
stops in order; its standby, holding all of it, does the compare-and-swap.

Until that swap nothing has changed but a shut gate: whatever goes wrong, the primary reads the
record and serves again (the swap it confirms first keeps a late claim out). After it this copy is a
clean prefix of the other's and returns without a clone. What is not safe when it is due is called
off with its reason, and never tried again by itself.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster import record as records
from cluster.intents import Switch
from cluster.mind import NEVER, Mind
from cluster.plan import plan_of
from cluster.rules.primary import ANY_PRIMARY, died
from cluster.rules.rule import (
    PEER,
    POSTGRES,
    RECORD,
    Outcome,
    Rule,
    nothing,
    op_id,
    order,
    propose,
    stop_now,
)
from cluster.safety import why_not_switch
from cluster.states import State

SUCCEEDING: Final = frozenset({State.STANDBY_SYNC, State.CLAIMING, State.PROMOTING})
"""Where a standby may stand that is about to take over."""


# ---- while it serves


def _begun(mind: Mind) -> bool:
    record, switch = mind.record, mind.switch
    return record is not None and switch is not None and switch.intent == record.intent


def _why_not(mind: Mind, event: ev.Event) -> str:
    plan = plan_of(mind.record)
    assert plan is not None, "asked only while a switchover is due"
    if _begun(mind) and mind.switch is not None and not mind.switch.ready:
        if isinstance(event, ev.ActionFailed) and event.action == "Checkpoint":
            return f"the checkpoint before it failed ({event.reason})"
        if mind.now_s - mind.switch.since_s >= mind.timers.prepare_s:
            return f"the checkpoint before it took more than {mind.timers.prepare_s:g} s"
    no = why_not_switch(mind, plan.to)
    return no.why if no is not None else ""


def unsafe(mind: Mind, event: ev.Event) -> bool:
    """A switchover is due, and it cannot be carried out now."""
    return mind.named and mind.switch_due and mind.may_swap and _why_not(mind, event) != ""


def call_off(mind: Mind, event: ev.Event) -> Outcome:
    """Take it out of the record, with the reason."""
    record, plan = mind.record, plan_of(mind.record)
    assert record is not None
    assert plan is not None
    why = _why_not(mind, event)
    mind = structs.replace(mind, switch=None)
    if plan.to != mind.me:
        mind = note_called_off(mind, why)
    name = op_id(mind, "called-off")
    called_off = f"switchover called off: {why}"
    return propose(mind, records.without_plan(record, mind.me, name, called_off))


def note_called_off(mind: Mind, why: str) -> Mind:
    """An alarm, until somebody acts or it is old."""
    text = f"The switchover was called off: {why}. {mind.me} stays the primary."
    return structs.replace(mind, called_off=text, called_off_at_s=mind.now_s)


def may_prepare(mind: Mind, event: ev.Event) -> bool:
    """It is due, safe as far as anybody can see, and not begun."""
    return mind.named and mind.switch_due and not _begun(mind)


def prepare(mind: Mind, event: ev.Event) -> Outcome:
    """A checkpoint now makes the one of the shutdown short; the standby reads the record."""
    assert mind.record is not None
    mind = structs.replace(mind, switch=Switch(mind.record.intent, mind.now_s))
    return order(mind, act.BeatNow(), act.Checkpoint())


def may_drain(mind: Mind, event: ev.Event) -> bool:
    """All is prepared, and the standby knows the record that names it."""
    beat, record, switch = mind.beat, mind.record, mind.switch
    known = beat is not None and record is not None and beat.epoch >= record.epoch
    ready = mind.switch_due and _begun(mind) and switch is not None and switch.ready
    return known and ready and mind.swap is None and _why_not(mind, event) == ""


def drain(mind: Mind, event: ev.Event) -> Outcome:
    """Nothing new from here on; what was begun may end."""
    return order(mind, act.BeatNow(), act.FinishWork())


# ---- with the gate shut


def _switching(mind: Mind) -> bool:
    return mind.switch is not None and mind.leaving == ""


def claimed_while_up(mind: Mind, event: ev.Event) -> bool:
    """The record names the peer, and PostgreSQL runs here."""
    return _switching(mind) and mind.fenced and mind.touched


def claimed(mind: Mind, event: ev.Event) -> bool:
    """The record names the peer; PostgreSQL is down here."""
    return _switching(mind) and mind.fenced and mind.idle


def stop_in_order(mind: Mind, event: ev.Event) -> Outcome:
    """The standby takes the last WAL, the shutdown checkpoint included."""
    return order(mind, act.StopPostgres("fast", mind.timers.drain_s))


def still_switching(mind: Mind, event: ev.Event) -> bool:
    """Neither called off nor overtaken by the daemon's own end."""
    return _switching(mind)


def broke_down(mind: Mind, event: ev.PostgresExited) -> bool:
    """PostgreSQL died by itself."""
    return _switching(mind) and not event.asked


def give_up_dead(mind: Mind, event: ev.PostgresExited) -> Outcome:
    """The standby may take over as after any death."""
    mind = note_called_off(mind, "PostgreSQL died before it was stopped")
    return died(structs.replace(mind, switch=None), event)


def not_in_order(mind: Mind, event: ev.PostgresExited) -> bool:
    """It had to be stopped at once: nobody knows whether the standby has all."""
    return _switching(mind) and event.clean_end_lsn < 0


def serve_again_unclean(mind: Mind, event: ev.Event) -> Outcome:
    """The abort row, for that reason."""
    return _serve_again(mind, f"PostgreSQL did not stop in order within {mind.timers.drain_s:g} s")


def tell_drained(mind: Mind, event: ev.Event) -> Outcome:
    """The beat says how far the standby must hold (derived); it goes at once."""
    return mind, (act.BeatNow(),)


def _lost(mind: Mind) -> str:
    """Why the standby will not take over, or ''."""
    beat = mind.beat
    if mind.now_s - mind.since_s >= mind.timers.drain_s:
        return f"{mind.peer} did not take over within {mind.timers.drain_s:g} s"
    if beat is None or mind.peer_silent(mind.timers.suspect_s):
        return f"{mind.peer} is silent"
    if mind.in_maintenance(mind.peer):
        return f"{mind.peer} is in maintenance and takes nothing over"
    if beat.leaving or beat.handover or beat.state not in SUCCEEDING:
        return f"{mind.peer} is {beat.state} {beat.leaving or beat.handover}".rstrip()
    if beat.state == State.STANDBY_SYNC and not beat.healthy:
        return f"PostgreSQL of {mind.peer} does not answer"
    return ""


def lost(mind: Mind, event: ev.Event) -> bool:
    """The deadline has passed, or the standby is unwell."""
    return _switching(mind) and not mind.fenced and _lost(mind) != ""


def serve_again(mind: Mind, event: ev.Event) -> Outcome:
    """The abort row."""
    return _serve_again(mind, _lost(mind))


def _serve_again(mind: Mind, why: str) -> Outcome:
    mind = note_called_off(mind, why)
    return structs.replace(mind, switch=None, yield_until_s=NEVER), (act.BeatNow(),)


S, Q, F, I = State.PRIMARY_SYNC, State.DRAINING, State.FENCING, State.READING  # noqa: E741

ROWS: Final = (
    Rule(ANY_PRIMARY, (*RECORD, ev.ActionFailed), unsafe, None, call_off, "Not safe: called off."),
    Rule((S,), RECORD, may_prepare, None, prepare, "A switchover is due: a checkpoint first."),
    Rule(
        (S,),
        (*PEER, *POSTGRES, ev.Checkpointed),
        may_drain,
        Q,
        drain,
        "Switching over to {peer}: gate shut, what was begun may end.",
    ),
    Rule(
        (Q,),
        RECORD,
        claimed_while_up,
        F,
        stop_now,
        "{peer} has claimed; PostgreSQL is stopped at once.",
    ),
    Rule((Q,), (*RECORD, ev.PostgresExited), claimed, F, nothing, "{peer} has taken over."),
    Rule(
        (Q,),
        (ev.PostgresExited,),
        broke_down,
        I,
        give_up_dead,
        "The postmaster died; {peer} may take over at once.",
    ),
    Rule(
        (Q,),
        (ev.PostgresExited,),
        not_in_order,
        I,
        serve_again_unclean,
        "Not stopped in order; this node serves again.",
    ),
    Rule(
        (Q,),
        (ev.PostgresExited,),
        still_switching,
        None,
        tell_drained,
        "Stopped in order: {peer} may take over when it holds all.",
    ),
    Rule((Q,), (ev.WorkFinished,), still_switching, None, stop_in_order, "Stopping PostgreSQL."),
    Rule(
        (Q,),
        PEER,
        lost,
        I,
        serve_again,
        "{peer} does not take over; this node serves again.",
    ),
)
