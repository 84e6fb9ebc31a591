"""When this node is open for terminals (I4): the guards of the gate.

Only if the record names this node, opened, at an epoch it has read, PostgreSQL is up and out of
recovery, the restart barrier is passed and the fence carries the term. It must not open anything:
the gate is derived from this with every step.
"""

from __future__ import annotations

from typing import Final

from cluster.guard import Guard, hold, nothing_to_do
from cluster.mind import Mind
from cluster.states import State

OPEN_STATES: Final = frozenset(
    {
        State.PRIMARY_SYNC,
        State.PRIMARY_STALLED,
        State.GOING_SOLO,
        State.PRIMARY_SOLO,
        State.SYNC_ENTRY,
    }
)


def _named_by(mind: Mind) -> str:
    record = mind.record
    return f"the record names {record.primary} as primary" if record else "no record was read"


def _opened(mind: Mind) -> bool:
    return mind.record is not None and mind.record.opened


def _fenced_off(mind: Mind) -> bool:
    return mind.record is not None and mind.fence == mind.record.term


def _copies_suffice(mind: Mind) -> bool:
    record = mind.record
    return record is None or not record.strict or record.sync != ""


def _start_again(mind: Mind) -> str:
    if mind.paused:
        return "Let it start: mpower cluster resume."
    why = f" ({mind.trouble[1]})" if mind.trouble[0] else ""
    return f"It is started by itself where it may be; read {mind.me}'s log{why}."


def _read(mind: Mind) -> str:
    if mind.arbiter_heard:
        return "Is this a new pair? mpower cluster bootstrap."
    return "Bring the arbiter back: without it nobody knows who is primary."


GATE: Final = (
    Guard(
        "RECORD",
        lambda mind: mind.record is not None,
        lambda mind: "the record was read" if mind.record else "the record was never read",
        "the arbiter's record is known",
        _read,
    ),
    Guard(
        "NAMED",
        lambda mind: mind.named,
        _named_by,
        "the record names this node",
        lambda mind: f"Ask why {mind.peer} does not serve; this node is its standby.",
    ),
    Guard(
        "OPENED",
        _opened,
        lambda mind: (
            "the record says opened" if _opened(mind) else "the claim is not opened in the record"
        ),
        "the promotion is complete and recorded",
        nothing_to_do,
    ),
    Guard(
        "POSTGRES",
        lambda mind: mind.up,
        lambda mind: f"PostgreSQL of {mind.me} {'runs' if mind.up else 'does not run'}",
        "it runs",
        _start_again,
    ),
    Guard(
        "FENCE",
        _fenced_off,
        lambda mind: f"the database carries term {mind.fence}",
        "it carries the term of the record, so that an older primary's work is refused",
        nothing_to_do,
    ),
    Guard(
        "BARRIER",
        lambda mind: mind.passed,
        lambda mind: (
            "all that stood here is where it must be"
            if mind.passed
            else f"{mind.peer} has not flushed all that is here since the start"
        ),
        "what was written before the start is on both disks, or the record has one copy only",
        lambda mind: f"Bring {mind.peer} back; unless strict is on, {mind.me} goes on alone.",
    ),
    Guard(
        "COPIES",
        _copies_suffice,
        lambda mind: (
            "one copy, and strict is on" if not _copies_suffice(mind) else "strict does not forbid"
        ),
        "two copies, or strict is off",
        lambda mind: f"Bring {mind.peer} back, or accept one copy: mpower cluster strict off.",
    ),
    Guard(
        "STATE",
        lambda mind: mind.state in OPEN_STATES,
        lambda mind: f"{mind.me} is {mind.state}",
        "a primary's state behind which the gate is open",
        nothing_to_do,
    ),
)


def is_open(mind: Mind) -> bool:
    """The client gate (I4)."""
    return hold(GATE, mind)
