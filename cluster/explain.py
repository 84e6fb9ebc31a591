"""Why not open, why not in sync, why not failing over: a verdict for each, with every guard behind
it.

The guards are those the rules decide by (``opening``, ``rules.enterable``, ``rules.claimable``), so
what is told is what is so. Each question has a node whose answer counts: the primary by record for
the first two, the other one for the third; a node that is not asked says who is. It decides
nothing.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from cluster.guard import Shown, shown
from cluster.learning import known_version
from cluster.mind import Mind
from cluster.opening import GATE, is_open
from cluster.plan import plan_of
from cluster.rules.claimable import CLAIM, PAUSE, SILENT, may_claim
from cluster.rules.enterable import ENTER
from cluster.states import State

LONG_S: Final = 180.0
"""From here on minutes are told."""
AT_EASE: Final = frozenset({State.STANDBY_SYNC, State.STANDBY_CATCHUP, State.CLAIMING})
"""A standby's states, whose reason is of another moment than the question."""
UNREAD: Final = ("RECORD",)
UNHEARD: Final = ("HEARD", "MAINTENANCE")
"""What is left to say where the first guard fails: the others would only repeat it."""
COPYING: Final = frozenset({State.RECLONING, State.REWINDING})
"""No server runs there and none should: what is asked of one says nothing."""
UNCOPIED: Final = ("HEARD", "MAINTENANCE", "FOLLOWS")


class Answer(Struct, frozen=True):
    """``yes`` or not, why in a sentence, what speaks for and against; ``counts``: this node is the
    one to ask.
    """

    yes: bool
    text: str
    guards: tuple[Shown, ...] = ()
    counts: bool = True


class Explained(Struct, frozen=True):
    """One node's answers, and what it is."""

    node: str
    peer: str
    state: str
    reason: str
    open: Answer
    sync: Answer
    failover: Answer
    known: tuple[int, int] = (0, 0)
    """Incarnation and epoch of the record it goes by."""


def explain(mind: Mind) -> Explained:
    """All three, in whatever state."""
    answers = (_open(mind), _sync(mind), _failover(mind))
    return Explained(
        mind.me, mind.peer, mind.state, mind.reason, *answers, known=known_version(mind)
    )


def _open(mind: Mind) -> Answer:
    guards = _foremost(shown(GATE, mind), UNREAD)
    if is_open(mind):
        waits = mind.state in {State.PRIMARY_STALLED, State.GOING_SOLO}
        but = f", but payments wait: {_reason(mind)}" if waits else "."
        return Answer(True, f"{mind.me} is open{but}", guards)
    counts = mind.record is None or mind.named
    return Answer(False, f"{mind.me} is not open: {_first(guards)}.{_stands(mind)}", guards, counts)


def _sync(mind: Mind) -> Answer:
    record = mind.record
    if record is None:
        return Answer(False, f"{mind.me} knows of no record.{_stands(mind)}")
    if not mind.named:
        text = f"{mind.me} is {'' if mind.fits_sync else 'not '}in sync by record."
        return Answer(mind.fits_sync, f"{text}{_stands(mind)}", counts=False)
    if record.sync:
        well = mind.state is State.PRIMARY_SYNC
        text = f"{record.sync} is in sync by record"
        return Answer(well, f"{text}: two copies." if well else f"{text}.{_stands(mind)}")
    guards = _foremost(shown(ENTER, mind), UNHEARD)
    if mind.beat is not None and mind.beat.state in COPYING and guards[0].holds:
        guards = tuple(one for one in guards if one.code in UNCOPIED)
    if mind.state is State.SYNC_ENTRY:
        return Answer(False, f"{mind.peer} is being brought in sync now.", guards)
    if mind.state is not State.PRIMARY_SOLO:
        return Answer(False, f"First {mind.me} must be open.{_stands(mind)}", guards)
    against = _first(guards)
    why = f"{mind.peer} is not in sync: {against}." if against else "It begins in a moment."
    return Answer(False, why, guards)


def _failover(mind: Mind) -> Answer:
    record = mind.record
    if record is None:
        return Answer(False, f"{mind.me} knows of no record: nobody can take over.")
    if record.moved:
        why = f"Nobody may: the record was moved to {record.moved} and is not there yet."
        return Answer(False, f"{why} Go on: mpower cluster arbiter replace.")
    if mind.named:
        why = _no_successor(mind)
        text = f"{mind.me} is the primary by record; {why}"
        return Answer(False, text, counts=record.sync == "")
    if mind.state in COPYING:
        return Answer(False, f"{mind.me} does not take over: {_copying(mind)}")
    guards = shown((*CLAIM, SILENT), mind)
    if mind.state is State.PROMOTING or (mind.state is State.CLAIMING and not mind.doubt):
        return Answer(True, f"{mind.me} is taking over: {_reason(mind)}")
    if not may_claim(mind):
        against = _first(guards[:-1])
        text = f"{mind.me} does not take over: {against}."
        return Answer(False, text if mind.state in AT_EASE else f"{text}{_stands(mind)}", guards)
    return Answer(True, _would(mind), guards)


def _copying(mind: Mind) -> str:
    """A copy is being made here: since when, what it waits for, and that it ends by itself."""
    what = "rewound to" if mind.state is State.REWINDING else "made anew from"
    for_s = max(0.0, mind.now_s - mind.since_s)
    since = f"{for_s:.0f} s" if for_s < LONG_S else f"{for_s / 60:.0f} min"
    text = f"its copy is being {what} {mind.peer}, for {since} now."
    if {"Clone", "Rewind"}.intersection(mind.doing):
        return f"{text} That ends by itself; then it follows and comes in sync."
    if mind.held_down:
        return f"{text} It goes on when the pair is no longer paused: mpower cluster resume."
    order, reason = mind.trouble
    if order:
        return f"{text} It is tried again by itself; the last attempt failed: {reason.rstrip('.')}."
    return f"{text} It begins by itself when {mind.peer} is heard and open."


def _would(mind: Mind) -> str:
    after_s = mind.timers.takeover_s
    return (
        f"{mind.me} is ready and takes over after {after_s:g} s of silence, or at once when"
        f" {mind.peer} hands over. Not now, for {SILENT.says(mind)}."
    )


def _no_successor(mind: Mind) -> str:
    record = mind.record
    if record is not None and record.sync:
        plan = plan_of(record)
        asked = f" A switchover to {plan.to} is asked for." if plan is not None else ""
        return f"{record.sync} may succeed it, and says itself whether it would.{asked}"
    alone = "nobody may succeed it, for the record has one copy"
    if mind.paused:
        return f"{alone}, and {PAUSE.says(mind)}: mpower cluster resume."
    return f"{alone}: bring {mind.peer} in sync first."


def _foremost(guards: tuple[Shown, ...], codes: tuple[str, ...]) -> tuple[Shown, ...]:
    if guards[0].holds:
        return guards
    return tuple(one for one in guards if one.code in codes)


def _first(guards: tuple[Shown, ...]) -> str:
    return next((one.says for one in guards if not one.holds), "")


def _reason(mind: Mind) -> str:
    return mind.reason or "it has just begun."


def _stands(mind: Mind) -> str:
    return f" {mind.me} is {mind.state}: {_reason(mind)}"
