"""A daemon that is asked to stop, and the operator's verbs.

A standby says that it leaves and waits until the primary stands alone by record; a primary hands
over. Either way the gate is shut first, PostgreSQL is stopped last, and nothing is started again.
Verbs are compare-and-swaps with the expected epoch; what cannot be done now is refused in words.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster import record as records
from cluster.mind import Mind
from cluster.rules.rule import (
    POSTGRES,
    RECORD,
    Outcome,
    Rule,
    always,
    hand_over,
    op_id,
    order,
    propose,
)
from cluster.states import State

STAYING: Final = tuple(one for one in State if one is not State.DRAINING)
SWAPPERS: Final = (
    State.PRIMARY_SYNC,
    State.PRIMARY_STALLED,
    State.PRIMARY_SOLO,
    State.STANDBY_SYNC,
    State.STANDBY_CATCHUP,
)


def leave(mind: Mind, event: ev.Leaving) -> Outcome:
    """Shut the gate, tell the peer."""
    mind = structs.replace(mind, leaving=event.reason)
    if mind.named:
        return hand_over(mind, f"shutting down: {event.reason}")
    return mind, (act.BeatNow(),)


def known_by_peer(mind: Mind, event: ev.Event) -> bool:
    """The peer has drawn its conclusion, or had time enough."""
    record = mind.record
    needed = record is not None and mind.me in {record.primary, record.sync}
    waited = mind.now_s - mind.since_s >= mind.timers.leave_s
    settled = mind.idle or waited
    able = mind.now_s < mind.yield_until_s or not mind.named
    return (
        mind.touched
        and "StopPostgres" not in mind.doing
        and settled
        and (not needed or waited or not able)
    )


def stop_fast(mind: Mind, event: ev.Event) -> Outcome:
    """An orderly stop; the shell makes it immediate after a deadline."""
    return order(mind, act.StopPostgres("fast"))


def down_for_good(mind: Mind, event: ev.Event) -> bool:
    """PostgreSQL does not run."""
    return not mind.touched and mind.idle


def quit_now(mind: Mind, event: ev.Event) -> Outcome:
    """The process may end."""
    return structs.replace(mind, doing=("Quit",)), (act.Quit(),)


# ---- verbs


def _asks(verb: str, event: ev.Asked) -> bool:
    return event.verb == verb


def may_bootstrap(mind: Mind, event: ev.Asked) -> bool:
    """No record, none ever seen here, and nothing is being done."""
    return (
        _asks("bootstrap", event)
        and mind.record is None
        and mind.fresh
        and not mind.rolled_back
        and mind.disk.epoch == 0
        and mind.idle
        and mind.swap is None
    )


def bootstrap(mind: Mind, event: ev.Asked) -> Outcome:
    """Make the first copy, or take the one that stands here."""
    said = act.AnswerVerb("bootstrap", True, "", "The first primary is being made.")
    if mind.disk.has_data:
        return _first_record(mind, said)
    return order(mind, act.Initialise(mind.cluster_id), said)


def _first_record(mind: Mind, *also: act.Action) -> Outcome:
    first = records.first(
        mind.cluster_id, mind.disk.system_id, mind.me, f"{mind.me}-{mind.boot}-0-bootstrap"
    )
    return propose(mind, first, *also)


def no_record(mind: Mind, event: ev.Event) -> bool:
    """Initdb is done and the arbiter had no record."""
    return mind.record is None


def make_record(mind: Mind, event: ev.Event) -> Outcome:
    """Create-if-absent: the other node's bootstrap, if any, wins or loses whole."""
    return _first_record(mind)


def may_pause(mind: Mind, event: ev.Asked) -> bool:
    """Pause or resume, while the record can be changed."""
    return event.verb in {"pause", "resume"} and mind.may_swap and mind.record is not None


def pause(mind: Mind, event: ev.Asked) -> Outcome:
    """Switch automatic takeover off or on."""
    assert mind.record is not None
    record = records.paused(
        mind.record, mind.me, op_id(mind, event.verb), pause=event.verb == "pause"
    )
    said = act.AnswerVerb(event.verb, True, "", f"{event.verb} is being recorded.")
    return propose(mind, record, said)


def may_hand_over(mind: Mind, event: ev.Asked) -> bool:
    """handover, in sync."""
    return _asks("handover", event)


def ask_hand_over(mind: Mind, event: ev.Asked) -> Outcome:
    """A UPS, a degraded mirror, a person: the standby claims at once."""
    why = dict(event.arguments).get("reason", "asked by an operator")
    said = act.AnswerVerb("handover", True, "", "Handed over; status shows who takes it.")
    return hand_over(mind, why, said)


def refuse_verb(mind: Mind, event: ev.Asked) -> Outcome:
    """What is asked cannot be done in this state."""
    sentence = f"{event.verb} is not possible while this node is {mind.state}. See status."
    return mind, (act.AnswerVerb(event.verb, False, "NOT_NOW", sentence),)


Q = State.DRAINING

ROWS: Final = (
    Rule(STAYING, (ev.Leaving,), always, Q, leave, "Asked to stop; gate shut, the peer is told."),
    Rule((Q,), (*RECORD, *POSTGRES), known_by_peer, None, stop_fast, "Stopping PostgreSQL."),
    Rule((Q,), (*RECORD, *POSTGRES), down_for_good, None, quit_now, "All is down."),
    Rule((State.READING,), (ev.Asked,), may_bootstrap, None, bootstrap, "Making the first copy."),
    Rule((State.READING,), (ev.Initialised,), no_record, None, make_record, "The first record."),
    Rule(SWAPPERS, (ev.Asked,), may_pause, None, pause, "Asked by an operator."),
    Rule(
        (State.PRIMARY_SYNC,),
        (ev.Asked,),
        may_hand_over,
        State.READING,
        ask_hand_over,
        "Handing over on request; gate shut, {peer} may claim at once.",
    ),
    Rule(tuple(State), (ev.Asked,), always, None, refuse_verb, "Refused in words."),
)
