"""Which code each health page answers with, in every state: pure, one function a page.

    /health   200 while this process is sound; 503 when it met an error of its own (FAULT).
              No restart is asked for where a restart would not help: a fenced, cloning, isolated or
              waiting node is sound.
    /primary  200 only while the gate is open: terminals are served here.
    /standby  200 only while PostgreSQL is in recovery here, answers, and replays.
    /ready    200 while this node does what its role is for: a primary that serves with its doors
              open, or a standby in sync. A rolling restart waits for it on the other node.

Invariant: what is not known is 503. It must not know HTTP beyond these numbers.
"""

from __future__ import annotations

from msgspec import Struct

from cluster.mind import Mind
from cluster.standing import Standing
from cluster.states import State

OK, UNAVAILABLE = 200, 503
IN_RECOVERY = frozenset({State.STANDBY_CATCHUP, State.STANDBY_SYNC, State.CLAIMING})
"""States in which this node follows a primary. One that promotes is a standby no more."""


class Outlook(Struct, frozen=True):
    """What the codes are judged from. ``answers``: the last good probe of PostgreSQL is fresh and
    it is up. ``doors``: what is built on this node is ready to serve.
    """

    state: str
    open: bool
    answers: bool
    in_recovery: bool
    replay_paused: bool
    doors: bool
    reason: str


class Judged(Struct, frozen=True):
    """A page's code and why, in a sentence."""

    code: int
    why: str


def outlook(mind: Mind, standing: Standing, *, doors: bool) -> Outlook:
    """How this node looks now. The state is the standing's: after an error of ours it is FAULT,
    whatever the mind last believed.
    """
    facts = mind.facts
    return Outlook(
        state=standing.state,
        open=standing.open,
        answers=mind.up and mind.facts_fresh,
        in_recovery=facts is not None and facts.in_recovery,
        replay_paused=facts is not None and facts.replay_paused,
        doors=doors,
        reason=standing.reason,
    )


def health(seen: Outlook) -> Judged:
    """Is this process sound?"""
    if seen.state == State.FAULT:
        return Judged(UNAVAILABLE, f"This node met an error of its own: {seen.reason}")
    return Judged(OK, f"This node is sound; state {seen.state}.")


def primary(seen: Outlook) -> Judged:
    """Are terminals served here?"""
    if seen.state == State.FAULT or not seen.open:
        return Judged(UNAVAILABLE, f"Terminals are not served here; state {seen.state}.")
    return Judged(OK, "Terminals are served here.")


def standby(seen: Outlook) -> Judged:
    """Is this a standby in good health?"""
    if seen.state not in IN_RECOVERY:
        return Judged(UNAVAILABLE, f"This node is no standby; state {seen.state}.")
    if not seen.answers:
        return Judged(UNAVAILABLE, "PostgreSQL does not answer its probes.")
    if not seen.in_recovery:
        return Judged(UNAVAILABLE, "PostgreSQL is not in recovery.")
    if seen.replay_paused:
        return Judged(UNAVAILABLE, "Replay is paused: this copy falls behind.")
    return Judged(OK, "This standby follows its primary.")


def ready(seen: Outlook) -> Judged:
    """Does this node do what its role is for?"""
    serves = primary(seen)
    if serves.code == OK:
        if seen.doors:
            return serves
        return Judged(UNAVAILABLE, "The gate is open, the doors for terminals are not yet.")
    follows = standby(seen)
    if follows.code != OK:
        return Judged(UNAVAILABLE, f"Neither serving nor following: state {seen.state}.")
    if seen.state != State.STANDBY_SYNC:
        return Judged(UNAVAILABLE, f"This standby is not in sync: state {seen.state}.")
    return Judged(OK, "This standby is in sync.")


PAGES = {"/health": health, "/primary": primary, "/standby": standby, "/ready": ready}
