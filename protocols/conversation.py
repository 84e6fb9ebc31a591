"""The server's side of one connection as a table: what may be said when, and what is done about it.
Pure.

A connection is welcomed at most once: when its node stops being the primary it is told so and
closed, so that no answer of an earlier epoch can meet a request of a later one. One that comes
while the node is not the primary may wait and is welcomed the moment the node opens: the terminal's
fast way through a failover. Requests that follow a Resume in the same flight are held until the
token is checked. Invariants: at most MAX_IN_FLIGHT requests are unanswered; nothing is dispatched
without a session, but a machine's own operations; every request gets one answer or the connection
closes. This file must not know what an operation does, nor who is right about a password.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from protocols.faults import refusal
from protocols.messages import PROTOCOL_VERSION, Beat, Notice, NotPrimary, Welcome
from protocols.refusals import Refused
from protocols.talk import (
    Action,
    CheckSignIn,
    Close,
    Dispatch,
    EndSession,
    EpochSeen,
    Event,
    Happening,
    PauseReading,
    ResumeReading,
    Say,
    State,
    Talk,
    event_of,
)

BUSY_RETRY_MS: Final = 100
"""A request above the limit: one answer frees a place, which takes a round trip and a commit."""

Outcome = tuple[Talk, tuple[Action, ...]]
Act = Callable[[Talk, Any], Outcome]


class Rule(NamedTuple):
    """In ``state``, on ``event``: do ``act`` and stand in ``to``; ``reason`` is the log line."""

    state: State
    event: Event
    to: State
    act: Act
    reason: str


# ---------------------------------------------------------------- acts


def nothing(talk: Talk, happening: Any) -> Outcome:
    """Nothing is said or done."""
    return talk, ()


def close(talk: Talk, happening: Any) -> Outcome:
    """Close without a word."""
    return talk, (Close(),)


def greet(talk: Talk, happening: Any) -> Outcome:
    """Say Welcome, or where the primary is believed to be."""
    return talk, (Say(talk.here),)


def admit_older(talk: Talk, happening: Any) -> Outcome:
    """Someone has seen a later epoch than this node: not the primary, whatever it believes."""
    epoch = happening.message.epoch
    return talk, (EpochSeen(epoch), Say(NotPrimary(talk.here.epoch)))


def refuse_version(talk: Talk, happening: Any) -> Outcome:
    """Say which version is served and close."""
    refused = Refused("VERSION", version=happening.message.version, served=PROTOCOL_VERSION)
    return talk, (Say(refusal(0, refused)), Close())


def refuse_turn(talk: Talk, happening: Any) -> Outcome:
    """Say what was expected and close. Sequence 0: this settles no key."""
    said = type(happening.message).__name__
    refused = Refused("OUT_OF_TURN", message=said, state=talk.state.value)
    return talk, (Say(refusal(0, refused)), Close())


def refuse_bytes(talk: Talk, happening: Any) -> Outcome:
    """Say why it could not be read and close: a stream that lost its place is not found again."""
    return talk, (Say(refusal(0, happening.refused)), Close())


def send_away(talk: Talk, happening: Any) -> Outcome:
    """Answer with NOT_PRIMARY: the request, or sequence 0 for a sign-in."""
    seq = getattr(happening.message, "seq", 0)
    retry_ms = talk.here.retry_ms if isinstance(talk.here, NotPrimary) else BUSY_RETRY_MS
    return talk, (Say(refusal(seq, Refused("NOT_PRIMARY"), retry_ms)),)


def ask_sign_in(talk: Talk, happening: Any) -> Outcome:
    """Answer one request with SIGN_IN_AGAIN."""
    return talk, (Say(refusal(happening.message.seq, Refused("SIGN_IN_AGAIN"))),)


def put_off(talk: Talk, happening: Any) -> Outcome:
    """Answer one request with BUSY."""
    return talk, (Say(refusal(happening.message.seq, Refused("BUSY"), BUSY_RETRY_MS)),)


def check(talk: Talk, happening: Any) -> Outcome:
    """Have a password or a token checked."""
    return talk, (CheckSignIn(happening.message),)


def hold(talk: Talk, happening: Any) -> Outcome:
    """Keep the request until the token is checked."""
    return replace(talk, held=(*talk.held, happening.message)), ()


def dispatch(talk: Talk, happening: Any) -> Outcome:
    """Give the request to the dispatch."""
    request = happening.message
    return replace(talk, in_flight=talk.in_flight | {request.seq}), (Dispatch(request),)


def take_up(talk: Talk, happening: Any) -> Outcome:
    """Say Session and dispatch what was held."""
    in_flight = talk.in_flight | {one.seq for one in talk.held}
    held = tuple(Dispatch(one) for one in talk.held)
    return replace(talk, in_flight=in_flight, held=()), (Say(happening.session), *held)


def turn_down(talk: Talk, happening: Any) -> Outcome:
    """Say why, and SIGN_IN_AGAIN to each request that was held."""
    held = tuple(Say(refusal(one.seq, Refused("SIGN_IN_AGAIN"))) for one in talk.held)
    said = Say(refusal(0, happening.refused, happening.retry_ms))
    return replace(talk, held=()), (said, *held)


def answer(talk: Talk, happening: Any) -> Outcome:
    """Give the answer of a request that is in flight."""
    seq = happening.answer.seq
    assert seq in talk.in_flight, f"an answer to {seq}, which nobody asked"
    return replace(talk, in_flight=talk.in_flight - {seq}), (Say(happening.answer),)


def sign_out(talk: Talk, happening: Any) -> Outcome:
    """End the session; what is in flight is still answered."""
    return talk, (EndSession(), Say(Notice("signed_out", "You are signed out.")))


def end(talk: Talk, happening: Any) -> Outcome:
    """Say that the session ended elsewhere."""
    return talk, (Say(refusal(0, happening.refused)),)


def beat(talk: Talk, happening: Any) -> Outcome:
    """Answer a beat."""
    return talk, (Say(Beat()),)


def tell(talk: Talk, happening: Any) -> Outcome:
    """Pass a notice on."""
    return talk, (Say(happening.notice),)


def learn_open(talk: Talk, happening: Any) -> Outcome:
    """Remember how to greet from now on."""
    return replace(talk, here=happening.welcome), ()


def welcome(talk: Talk, happening: Any) -> Outcome:
    """Remember it, and welcome whoever waited for it."""
    return replace(talk, here=happening.welcome), (Say(happening.welcome),)


def learn_lost(talk: Talk, happening: Any) -> Outcome:
    """Remember it."""
    return replace(talk, here=happening.not_primary), ()


def give_up(talk: Talk, happening: Any) -> Outcome:
    """Say that this node is not the primary any more and close; what was in flight is asked again
    elsewhere.
    """
    changed = replace(talk, here=happening.not_primary, held=())
    return changed, (Say(happening.not_primary), Close())


DISPLACED: Final = (
    "Another program is now connected with this certificate and goes on. Close one of the two."
)


def displace(talk: Talk, happening: Any) -> Outcome:
    """Say why and close."""
    told = Notice("displaced", DISPLACED)
    return talk, (Say(told), Close())


# ---------------------------------------------------------------- the table

_S, _E = State, Event
_REQUESTS = (_E.REQUEST, _E.REQUEST_PRINCIPAL, _E.REQUEST_REPEATED, _E.REQUEST_ABOVE)
_HELLOS = (_E.HELLO_HERE, _E.HELLO_ELSEWHERE, _E.HELLO_AHEAD, _E.HELLO_VERSION)
_GREETED = (_S.GREETED, _S.SIGNING_IN, _S.SESSION)


def _each(
    states: Iterable[State], events: Iterable[Event], to: State | None, act: Act, reason: str
) -> list[Rule]:
    """Write one rule for several pairs; ``to`` None stays where it is."""
    seen = tuple(events)
    return [Rule(state, event, to or state, act, reason) for state in states for event in seen]


_BEFORE = [
    Rule(_S.AWAIT_HELLO, _E.HELLO_HERE, _S.GREETED, greet, "Welcomed."),
    Rule(_S.AWAIT_HELLO, _E.HELLO_ELSEWHERE, _S.WAITING, greet, "Not the primary; it may wait."),
    Rule(_S.AWAIT_HELLO, _E.HELLO_AHEAD, _S.WAITING, admit_older, "It saw a later epoch than we."),
    Rule(_S.AWAIT_HELLO, _E.OPENED, _S.AWAIT_HELLO, learn_open, "Will be welcomed."),
    *_each(
        (_S.AWAIT_HELLO,),
        (_E.SIGN_IN, _E.RESUME, _E.SIGN_OUT, _E.BEAT, *_REQUESTS),
        _S.CLOSED,
        refuse_turn,
        "Hello comes first.",
    ),
    Rule(_S.WAITING, _E.HELLO_HERE, _S.GREETED, greet, "Welcomed after asking again."),
    Rule(_S.WAITING, _E.HELLO_ELSEWHERE, _S.WAITING, greet, "Still not the primary."),
    Rule(_S.WAITING, _E.HELLO_AHEAD, _S.WAITING, admit_older, "It saw a later epoch than we."),
    Rule(_S.WAITING, _E.OPENED, _S.GREETED, welcome, "The node opened; who waited is welcomed."),
    *_each(
        (_S.WAITING,),
        (_E.SIGN_IN, _E.RESUME, _E.SIGN_OUT, *_REQUESTS),
        None,
        send_away,
        "Not the primary; nothing is taken here.",
    ),
    *_each((_S.AWAIT_HELLO, _S.WAITING), (_E.LOST,), None, learn_lost, "Not the primary."),
    *_each((_S.AWAIT_HELLO, _S.WAITING), (_E.PUSHED,), None, nothing, "Not welcomed yet."),
]

_WELCOMED = [
    Rule(_S.GREETED, _E.SIGN_IN, _S.SIGNING_IN, check, "A person signs in."),
    Rule(_S.GREETED, _E.RESUME, _S.SIGNING_IN, check, "A session is taken up again."),
    Rule(_S.GREETED, _E.SIGN_OUT, _S.GREETED, nothing, "Nobody is signed in."),
    Rule(_S.GREETED, _E.REQUEST, _S.GREETED, ask_sign_in, "No session; the request is kept."),
    Rule(_S.SIGNING_IN, _E.ACCEPTED, _S.SESSION, take_up, "Signed in; what was held goes on."),
    Rule(_S.SIGNING_IN, _E.REFUSED, _S.GREETED, turn_down, "Sign-in refused."),
    Rule(_S.SIGNING_IN, _E.REQUEST, _S.SIGNING_IN, hold, "Held until the token is checked."),
    Rule(_S.SESSION, _E.REQUEST, _S.SESSION, dispatch, "Dispatched."),
    Rule(_S.SESSION, _E.SIGN_OUT, _S.GREETED, sign_out, "Signed out."),
    Rule(_S.SESSION, _E.ENDED, _S.GREETED, end, "The session ended elsewhere."),
    *_each((_S.GREETED, _S.SIGNING_IN), (_E.ENDED,), None, nothing, "An earlier session ended."),
    *_each(
        (_S.SIGNING_IN, _S.SESSION),
        (_E.SIGN_IN, _E.RESUME),
        _S.CLOSED,
        refuse_turn,
        "One person at a time.",
    ),
    Rule(_S.SIGNING_IN, _E.SIGN_OUT, _S.CLOSED, refuse_turn, "The sign-in is not decided yet."),
    *_each(_GREETED, _HELLOS[:3], _S.CLOSED, refuse_turn, "It was welcomed already."),
    *_each(_GREETED, (_E.REQUEST_PRINCIPAL,), None, dispatch, "The machine's own operation."),
    *_each(_GREETED, (_E.REQUEST_REPEATED,), None, nothing, "The first one's answer serves both."),
    *_each(_GREETED, (_E.REQUEST_ABOVE,), None, put_off, "Too many in flight."),
    *_each(_GREETED, (_E.ANSWERED,), None, answer, "Answered."),
    *_each(_GREETED, (_E.PUSHED,), None, tell, "A notice."),
    *_each(_GREETED, (_E.OPENED,), None, learn_open, "Still the primary, in a later epoch."),
    *_each(_GREETED, (_E.LOST,), _S.CLOSED, give_up, "No longer the primary; nothing is promised."),
]

_ALIVE = (_S.AWAIT_HELLO, _S.WAITING, *_GREETED)
_ANYWHERE = [
    *_each(_ALIVE, (_E.HELLO_VERSION,), _S.CLOSED, refuse_version, "Another protocol version."),
    *_each(_ALIVE, (_E.BROKEN,), _S.CLOSED, refuse_bytes, "Unreadable; the stream is lost."),
    *_each(_ALIVE, (_E.DEADLINE,), _S.CLOSED, close, "Too slow; the place is given to others."),
    *_each(_ALIVE, (_E.DISPLACED,), _S.CLOSED, displace, "A newer connection took its place."),
    *_each(_ALIVE, (_E.GONE,), _S.CLOSED, nothing, "Closed by the client."),
    *_each((_S.WAITING, *_GREETED), (_E.BEAT,), None, beat, "A beat."),
    *_each((_S.CLOSED,), Event, None, nothing, "Closed; nothing more is said."),
]

RULES: Final = (*_BEFORE, *_WELCOMED, *_ANYWHERE)
IMPOSSIBLE: Final = frozenset(
    {
        # Nothing was checked or dispatched before the Welcome.
        *((s, e) for s in (_S.AWAIT_HELLO, _S.WAITING) for e in (_E.ACCEPTED, _E.REFUSED)),
        *((s, e) for s in (_S.AWAIT_HELLO, _S.WAITING) for e in (_E.ANSWERED, _E.ENDED)),
        # Nothing is being checked.
        *((s, e) for s in (_S.GREETED, _S.SESSION) for e in (_E.ACCEPTED, _E.REFUSED)),
    }
)
TABLE: Final = {(rule.state, rule.event): rule for rule in RULES}


def begin(here: Welcome | NotPrimary, principal: frozenset[str] = frozenset()) -> Talk:
    """A connection is accepted. ``here``: Welcome or NotPrimary; ``principal``: what its
    certificate may ask.
    """
    return Talk(State.AWAIT_HELLO, here, principal)


def rule_for(talk: Talk, happening: Happening) -> Rule:
    """Find the rule; its reason is the log line. An impossible pair is our mistake."""
    pair = (talk.state, event_of(talk, happening))
    assert pair in TABLE, f"impossible: {pair[1].value} while {pair[0].value}"
    return TABLE[pair]


def step(talk: Talk, happening: Happening) -> Outcome:
    """Decide what is done about one happening; actions are carried out in order."""
    rule = rule_for(talk, happening)
    changed, actions = rule.act(talk, happening)
    after = replace(changed, state=rule.to)
    if talk.full != after.full and rule.to is not State.CLOSED:
        actions = (*actions, PauseReading() if after.full else ResumeReading())
    return after, actions
