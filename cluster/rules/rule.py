"""A row of the failover table, and the few moves that all rows are made of.

``Rule(states, on, when, to, do, reason)``: in one of these states, when one of these events has
come and its lesson was learnt, and the condition holds, then do this and go there. The first row
that fits wins. The reason is the line of history a person reads. ``to`` None: the state stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster.learning_postgres import TRACKED
from cluster.mind import Mind
from cluster.states import State
from protocols.peer import Record

Outcome = tuple[Mind, tuple[act.Action, ...]]
Guard = Callable[[Mind, Any], bool]
Deed = Callable[[Mind, Any], Outcome]


class Rule(NamedTuple):
    """One row. ``when`` sees the mind after the event's lesson."""

    states: tuple[State, ...]
    on: tuple[type[ev.Event], ...]
    when: Guard
    to: State | None
    do: Deed
    reason: str


TIME: Final = (ev.Tick,)
RECORD: Final = (
    ev.RecordRead,
    ev.SwapConfirmed,
    ev.SwapRefused,
    ev.SwapAmbiguous,
    ev.SwapFailed,
    ev.EpochKept,
    ev.Tick,
)
"""Whatever may have changed what is known of the record, what is kept of it, and time."""
POSTGRES: Final = (
    ev.PostgresStarted,
    ev.PostgresExited,
    ev.StandbyAdmitted,
    ev.NamesSet,
    ev.FenceWritten,
    ev.ClaimKept,
    ev.TokenKept,
    ev.Probed,
    ev.ActionFailed,
    ev.Tick,
)
"""Whatever may have changed what is known of PostgreSQL, and time."""
PEER: Final = (ev.BeatHeard, ev.RelayHeard, ev.Tick)
"""Whatever may have changed what is known of the peer, and time."""

AS_TOLD: Final = "as told: "
"""How the reason of a hand-over begins that somebody ordered: it is no automatic takeover."""


def by_whom(said: Mapping[str, str]) -> str:
    """Who gave the order, as the history has it."""
    return f"by {said.get('operator') or 'an operator'}"


def always(mind: Mind, event: ev.Event) -> bool:
    """The event alone is the condition."""
    return True


def nothing(mind: Mind, event: ev.Event) -> Outcome:
    """Only the state changes."""
    return mind, ()


def order(mind: Mind, *ordered: act.Action) -> Outcome:
    """Order these, and remember what must be answered before more is ordered of PostgreSQL."""
    doing = mind.doing
    for one in ordered:
        name = type(one).__name__
        if name == "StopPostgres":
            doing = (name,)  # it overtakes: what was ordered before is abandoned
        elif name in TRACKED:
            doing = (*doing, name)
    return (structs.replace(mind, doing=doing) if doing != mind.doing else mind), ordered


def op_id(mind: Mind, kind: str) -> str:
    """The name of an intent on the present epoch: the same for every retry of it."""
    epoch = mind.record.epoch if mind.record is not None else 0
    return f"{mind.me}-{mind.boot}-{epoch}-{kind}"


def propose(mind: Mind, record: Record, *before: act.Action) -> Outcome:
    """Send the compare-and-swap to ``record``, after ordering ``before``."""
    mind, ordered = order(mind, *before)
    expected = mind.record.epoch if mind.record is not None else None
    return structs.replace(mind, swap=record), (*ordered, act.SwapRecord(expected, record))


def owing(mind: Mind) -> Mind:
    """The standby was waited for in vain: before it is again, it has flushed all that is here."""
    return structs.replace(mind, owed_lsn=mind.facts.flush_lsn if mind.facts else 0)


def hand_over(mind: Mind, why: str, *then: act.Action) -> Outcome:
    """Shut the gate and offer the record to the sync standby, if there may be one."""
    beat = mind.beat
    able = (
        mind.sync_possible
        and beat is not None
        and beat.state == State.STANDBY_SYNC
        and (mind.peer_linked or mind.arbiter_heard)
    )
    mind = structs.replace(
        mind,
        handover=why if mind.sync_possible else "",
        yield_until_s=mind.now_s + (mind.timers.yield_s if able else 0.0),
        passed=False,
    )
    return order(mind, act.BeatNow(), *then)


def stop_now(mind: Mind, event: ev.Event) -> Outcome:
    """Stop PostgreSQL at once, whatever it is doing, if it runs or is being made to run."""
    if not mind.touched:
        return mind, ()
    return order(mind, act.StopPostgres("immediate"))
