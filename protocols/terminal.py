"""The terminal's side as a table: journal, send, probe, move, resolve. Pure: time and chance come
in as arguments.

``step(terminal, happening, now, jitter) -> (terminal, actions)``; actions are carried out in order;
after a Wake(at) a Tick is expected at that moment. Invariants: an intent is sent only after it is
durable, always as the same bytes, until a *definitive* answer (RECEIPT, REJECTED, CONFLICT);
timeout, close, BUSY, PENDING, NOT_PRIMARY, SIGN_IN_AGAIN and FAULT are none. The answer is durable
before it is delivered. What an earlier run left behind is settled before anything new. It moves
only to a Welcome of a higher epoch, or once its own node said that it is not the primary or closed.
Displaced by another program it stands aside. This file must not know what a request asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from protocols import lines, moves
from protocols.desk import (
    Action,
    Close,
    Event,
    Happening,
    Intent,
    LineDown,
    Outcome,
    State,
    Terminal,
    Tick,
    Wake,
)
from protocols.hearing import event_of
from protocols.moves import Moment

Act = Callable[[Terminal, Any, Moment], Outcome]


class Rule(NamedTuple):
    """In ``state``, on ``event``: do ``act`` and stand in ``to`` (None: where the act says);
    ``reason`` is logged.
    """

    state: State
    event: Event
    to: State | None
    act: Act
    reason: str


_S, _E = State, Event
_HOME = (_S.SIGNED_OUT, _S.SIGNING_IN, _S.READY, _S.PROBING)
_CLAIMING = (_S.SIGNING_IN, _S.PROBING)
_DIALLING = (_S.SEEKING, *_HOME)
_HOME_EVENTS = (
    *(_E.HOME_DOWN, _E.HOME_AWAY, _E.WELCOME_HIGHER, _E.WELCOME_AGAIN),
    *(_E.SETTLED, _E.PUT_OFF, _E.SESSION_GONE),
)
_LINE_EVENTS = (_E.LINE_UP, _E.OTHER_DOWN, _E.OTHER_AWAY, _E.WELCOME_STALE)


def _each(
    states: Iterable[State], event: Event, to: State | None, act: Act, reason: str
) -> list[Rule]:
    """Write one rule for several states; ``to`` None stays."""
    return [Rule(state, event, to or state, act, reason) for state in states]


_DESK = [
    *_each(
        State, _E.SUBMIT, None, moves.journal, "An intent; it is made durable before it is sent."
    ),
    *_each(State, _E.JOURNALLED, None, moves.release, "Durable; it may be sent."),
    *_each(State, _E.ASK, None, moves.keep_question, "A question."),
    *_each(State, _E.FORGET, None, moves.forget, "Nobody waits for that answer."),
    Rule(_S.SEEKING, _E.SIGN_IN, _S.SEEKING, moves.claim, "Will be said at the primary."),
    Rule(_S.SIGNED_OUT, _E.SIGN_IN, _S.SIGNING_IN, moves.claim, "A person signs in."),
    Rule(_S.READY, _E.SIGN_IN, _S.SIGNING_IN, moves.change_person, "Another person signs in."),
    *_each(_CLAIMING, _E.SIGN_IN, _S.SEEKING, moves.leave_to_another, "Another person instead."),
    Rule(_S.ASIDE, _E.SIGN_IN, _S.SEEKING, moves.claim_back, "A person wants this one."),
    *_each(
        (_S.SEEKING, _S.SIGNED_OUT, _S.ASIDE),
        _E.SIGN_OUT,
        None,
        moves.forget_person,
        "Nobody is in.",
    ),
    Rule(_S.READY, _E.SIGN_OUT, _S.SIGNED_OUT, moves.sign_out, "The person leaves."),
    *_each(_CLAIMING, _E.SIGN_OUT, _S.SEEKING, moves.leave, "Left before it was decided."),
]
_LINES = [
    *_each(_DIALLING, _E.LINE_UP, None, moves.hello, "Reached; Hello."),
    *_each(_DIALLING, _E.OTHER_DOWN, None, moves.try_next, "Not there; the next one."),
    *_each(_DIALLING, _E.OTHER_AWAY, None, moves.wait_there, "Not the primary; we wait there too."),
    *_each(_DIALLING, _E.WELCOME_STALE, None, moves.hang_up, "Its epoch is over."),
    Rule(_S.SEEKING, _E.WELCOME, None, moves.settle_in, "The primary is found."),
    *[
        Rule(state, _E.WELCOME_HIGHER, None, moves.settle_in, "A later primary; we move.")
        for state in _HOME
    ],
    *_each(_HOME, _E.WELCOME_AGAIN, None, moves.stay, "Still the primary; we stay."),
    *_each(_HOME, _E.HOME_AWAY, _S.SEEKING, moves.seek_again, "Home is not the primary any more."),
    *_each(_HOME, _E.HOME_DOWN, _S.SEEKING, moves.seek_again, "Home is gone."),
    *_each((_S.SIGNING_IN, _S.READY), _E.LATE, _S.PROBING, moves.probe, "Late; ask the others."),
    Rule(_S.PROBING, _E.ON_TIME, None, moves.calm, "Home answers again; we stay."),
    *_each(_DIALLING, _E.DISPLACED, _S.ASIDE, moves.stand_aside, "Another program has our place."),
    Rule(_S.ASIDE, _E.PATIENT, _S.SEEKING, moves.come_back, "Long enough; we look again."),
]
_ANSWERS = [
    *_each(_CLAIMING, _E.SESSION, _S.READY, moves.take_session, "The session is open."),
    *_each(_CLAIMING, _E.CLAIM_REFUSED, _S.SIGNED_OUT, moves.drop_claim, "Not signed in."),
    *_each(_CLAIMING, _E.CLAIM_PUT_OFF, _S.SIGNING_IN, moves.claim_later, "Busy; again soon."),
    *_each(_HOME, _E.SESSION_GONE, _S.SIGNED_OUT, moves.lose_session, "The session is over."),
    *_each(
        _CLAIMING,
        _E.FORMER_GONE,
        None,
        moves.keep_for_claim,
        "Of the one before; ours is asked.",
    ),
    *_each(_HOME, _E.SETTLED, None, moves.deliver, "Definitive."),
    *_each(_HOME, _E.PUT_OFF, None, moves.put_off, "Not definitive; the same bytes again."),
    *_each(_DIALLING, _E.TOLD, None, moves.tell, "Shown."),
    *_each(_DIALLING, _E.HEARD, None, moves.hear, "It lives."),
    *_each(State, _E.STRAY, None, moves.nothing, "Of something that is over."),
    *_each(State, _E.TICK, None, moves.nothing, "Time passes."),
]

RULES: Final = (*_DESK, *_LINES, *_ANSWERS)
IMPOSSIBLE: Final = frozenset(
    {
        # Without a home nothing of home's can happen, and with one no first Welcome.
        *((state, event) for state in (_S.SEEKING, _S.ASIDE) for event in _HOME_EVENTS),
        *((state, _E.WELCOME) for state in _HOME),
        # Who stands aside has no line.
        *((_S.ASIDE, event) for event in (*_LINE_EVENTS, _E.WELCOME, _E.DISPLACED)),
        *((_S.ASIDE, event) for event in (_E.TOLD, _E.HEARD)),
        *((state, _E.PATIENT) for state in _DIALLING),
        # No claim was said.
        *(
            (state, event)
            for state in (_S.SEEKING, _S.SIGNED_OUT, _S.READY, _S.ASIDE)
            for event in (_E.SESSION, _E.CLAIM_REFUSED, _E.CLAIM_PUT_OFF, _E.FORMER_GONE)
        ),
        # Only who has asked something at home finds it late; only who probes finds it on time.
        *((state, _E.LATE) for state in (_S.SEEKING, _S.SIGNED_OUT, _S.PROBING, _S.ASIDE)),
        *((state, _E.ON_TIME) for state in State if state is not _S.PROBING),
    }
)
TABLE: Final = {(rule.state, rule.event): rule for rule in RULES}


def begin(
    software: str,
    nodes: int,
    pending: Iterable[tuple[int, bytes]] = (),
    *,
    now: float = 0.0,
    principal: bool = False,
    first: int = 0,
) -> Terminal:
    """A terminal at start: ``pending`` are the journal's unanswered intents (seq, bytes), oldest
    first.

    The caller steps a Tick next, which dials; ``first`` is the node to dial first.
    """
    assert nodes > 0, "a terminal needs at least one server"
    old = tuple(Intent(seq, payload, keyed=True, old=True, tries=1) for seq, payload in pending)
    empty = Terminal(software, (None,) * nodes, principal=principal, intents=old)
    return lines.seek(empty, first, now)


def rule_for(t: Terminal, event: Event) -> Rule:
    """Find the rule; its reason is the log line. An impossible pair is our mistake."""
    assert (t.state, event) in TABLE, f"impossible: {event.value} while {t.state.value}"
    return TABLE[t.state, event]


def step(t: Terminal, happening: Happening, now: float, jitter: float = 0.5) -> Outcome:
    """Decide what is done about one happening, and about the time that has passed meanwhile."""
    moment = Moment(now, jitter)
    t, done = _apply(t, event_of(t, happening), happening, moment)
    t, tended = _tend(t, moment)
    wake_at = lines.wake_at(t, now)
    wake = (Wake(wake_at),) if wake_at != t.wake_at else ()
    return replace(t, wake_at=wake_at), (*done, *tended, *wake)


def _apply(t: Terminal, event: Event, happening: Any, moment: Moment) -> Outcome:
    rule = rule_for(t, event)
    after, actions = rule.act(t, happening, moment)
    return after if rule.to is None else replace(after, state=rule.to), actions


def _tend(t: Terminal, moment: Moment) -> Outcome:
    """Do what time asks for: give up the silent, notice the late, say, send, dial, beat."""
    done: list[Action] = []
    while (node := lines.overdue(t, moment.now)) is not None:
        line = t.lines[node]
        assert line is not None
        down = LineDown(node, line.call)
        t, actions = _apply(t, event_of(t, down), down, moment)
        done += [Close(node, line.call), *actions]
    t, actions = _notice(t, moment)
    done += actions
    for tend in (lines.rest, lines.claim, lines.send):
        t, actions = tend(t, moment.now)
        done += actions
    t, actions = lines.dial(t, moment.now, moment.jitter)
    done += actions
    t, actions = lines.beat(t, moment.now)
    return t, (*done, *actions)


def _notice(t: Terminal, moment: Moment) -> Outcome:
    """Notice that home is late, or is not any more; or that we stood aside long enough."""
    if t.state is State.ASIDE:
        due = t.dial_at <= moment.now
        return _apply(t, Event.PATIENT, Tick(), moment) if due else (t, ())
    late_at = lines.late_at(t)
    late = late_at is not None and late_at <= moment.now
    if late and t.state in (State.READY, State.SIGNING_IN):
        return _apply(t, Event.LATE, Tick(), moment)
    if not late and t.state is State.PROBING:
        return _apply(t, Event.ON_TIME, Tick(), moment)
    return t, ()
