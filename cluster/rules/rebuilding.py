"""A lost arbiter, rebuilt by people: a new incarnation of the record.

The same moves a living record to another arbiter, after the old one was closed by a confirmed swap.
A node proposes the newest record that it knows, in the next incarnation and above every epoch seen;
the register takes it only if it holds none or an older one, and everybody who agreed is there. A
node that did not agree stops, and comes back by a clone: it may have acknowledged what the new
history does not know. Nothing of this happens by itself.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster import record as records
from cluster.mind import Mind
from cluster.rules.rule import RECORD, Outcome, Rule, by_whom, stop_now
from cluster.states import State
from protocols.peer import Record

ABLE: Final = tuple(one for one in State if one not in {State.INIT, State.DRAINING, State.FAULT})
REPLICAS: Final = (State.STANDBY_CATCHUP, State.STANDBY_SYNC, State.CLAIMING)


def _newest(mind: Mind) -> Record | None:
    """The record known here, or kept from an earlier life."""
    return mind.record if mind.record is not None else mind.disk.record


def _said(event: ev.Asked) -> dict[str, str]:
    return dict(event.arguments)


def adopts(mind: Mind, event: ev.Asked) -> bool:
    """Told that the arbiter was made anew."""
    return event.verb == "adopt"


def adopt(mind: Mind, event: ev.Asked) -> Outcome:
    """This is the node's consent: what it knew of the old arbiter does not count any more."""
    said = act.AnswerVerb(event.verb, True, "", f"{mind.me} agrees to a new arbiter.")
    return mind, (act.AdoptArbiter(), said)


def may_rebuild(mind: Mind, event: ev.Asked) -> bool:
    """Asked to, in the name of this node too; a record is known, nothing is in flight. One that was
    moved is made only where it was moved to, or where an operator says that this one is no more.
    """
    said, newest = _said(event), _newest(mind)
    if event.verb != "rebuild" or newest is None or mind.swap is not None:
        return False
    meant = said.get("arbiter", said.get("here", "")) == said.get("here", "")
    there = newest.moved in {"", said.get("here"), said.get("abandoned")}
    return mind.me in said.get("consented", "").split(",") and meant and there


def rebuild(mind: Mind, event: ev.Asked) -> Outcome:
    """The next incarnation of what is known."""
    newest = _newest(mind)
    assert newest is not None, "the condition saw it"
    said = _said(event)
    generation, flush_lsn = mind.vouched
    seen_epoch = max(newest.epoch, mind.disk.epoch, mind.seen_epoch, int(said.get("epoch", "0")))
    record = records.rebuilt(
        newest,
        mind.me,
        f"{mind.me}-{mind.boot}-{seen_epoch}-rebuild",
        consented=tuple(sorted(said["consented"].split(","))),
        epoch=seen_epoch + 1,
        held_lsn=flush_lsn if generation == newest.sync_gen else 0,
        who=by_whom(said),
    )
    answer = act.AnswerVerb(event.verb, True, "", f"Incarnation {record.incarnation} is proposed.")
    return structs.replace(mind, swap=record), (act.SwapRecord(act.ANYTHING, record), answer)


def excluded(mind: Mind, event: ev.Event) -> bool:
    """This node follows, and its copy is no part of the record's history."""
    return mind.disk.diverged and mind.fenced


ROWS: Final = (
    Rule(tuple(State), (ev.Asked,), adopts, None, adopt, "An operator says: a new arbiter."),
    Rule(ABLE, (ev.Asked,), may_rebuild, None, rebuild, "An operator rebuilds the arbiter."),
    Rule(
        REPLICAS,
        RECORD,
        excluded,
        State.FENCING,
        stop_now,
        "The record began anew without this node; its copy must be replaced.",
    ),
)
