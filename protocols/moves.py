"""What a terminal does about what happens to it: the acts of its table, one for each thing. Pure.

Each takes the terminal, the happening and the moment, and gives the terminal and its actions; the
state is the table's, where the row does not leave it to the act. This file must not know when an
act is right: the table says.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from protocols import lines
from protocols.desk import (
    Action,
    Close,
    Deliver,
    Heard,
    Intent,
    JournalAnswer,
    JournalIntent,
    LineStage,
    Outcome,
    Say,
    SignedIn,
    SignInFailed,
    SignInNeeded,
    Stage,
    State,
    Tell,
    Terminal,
)
from protocols.hearing import EXPLAINED, verdict_of
from protocols.messages import PROTOCOL_VERSION, Hello, Resume, SignIn, SignOut

STUCK_S: Final = 5.0
"""An intent refused before its key, after an earlier try: kept, and asked again at a pace that
harms nobody.
"""
SAVED_BY_ANOTHER: Final = "SAVED_BY_ANOTHER"
"""What a request is answered with in another person's session, where it was not done before."""
PUT_OFF_LEAST_S: Final = 0.05
PUT_OFF_MOST_S: Final = 2.0
"""Between these the server's own retry time is followed."""


class Moment(NamedTuple):
    """When something happens, and the chance that comes with it: ``jitter`` in [0, 1)."""

    now: float
    jitter: float


def nothing(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Nothing but what time asks for."""
    return t, ()


def journal(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Keep the intent and make it durable."""
    assert t.intent(happening.seq) is None, f"sequence {happening.seq} is taken"
    intent = Intent(happening.seq, happening.payload, keyed=True, stage=Stage.JOURNALLING)
    kept = replace(t, intents=(*t.intents, intent))
    return kept, (JournalIntent(happening.seq, happening.payload),)


def release(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """It is durable: it may be sent."""
    return _changed(t, happening.seq, stage=Stage.WAITING, at=moment.now), ()


def keep_question(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Keep the question until it is answered or forgotten."""
    assert t.intent(happening.seq) is None, f"sequence {happening.seq} is taken"
    asked = Intent(happening.seq, happening.payload, keyed=False, at=moment.now)
    return replace(t, intents=(*t.intents, asked)), ()


def forget(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Drop a question, or what could not be made durable; what may have been sent is never
    dropped.
    """
    intent = t.intent(happening.seq)
    assert intent is not None
    unsaved = intent.stage is Stage.JOURNALLING
    assert unsaved or not intent.keyed, f"{happening.seq} is an intent: only an answer ends it"
    return _without(t, happening.seq), ()


def hello(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Say Hello with the highest epoch seen."""
    node, call = happening.node, happening.call
    line = t.lines[node]
    assert line is not None
    called = replace(line, stage=LineStage.CALLED, owed_since=moment.now, said_at=moment.now)
    said = Say(node, call, Hello(PROTOCOL_VERSION, t.software, t.epoch))
    return lines.with_line(t, node, called), (said,)


def settle_in(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Make this node home and take up the session there; what was sent elsewhere is to be sent
    again.
    """
    left: tuple[Action, ...] = ()
    if t.home is not None:
        t, left = _hang_up(t, t.home)
    home = replace(
        _spoke(t, happening, LineStage.WELCOMED),
        home=happening.node,
        epoch=happening.message.epoch,
        intents=_unsent(t.intents),
    )
    claim = home.claim or (Resume(home.token) if home.token else None)
    claimed = replace(home, claim=claim, claim_at=None, claim_due=moment.now)
    if home.principal:
        return replace(claimed, state=State.READY), left
    if claim is None:
        return replace(claimed, state=State.SIGNED_OUT), (*left, SignInNeeded())
    return replace(claimed, state=State.SIGNING_IN), left


def stay(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Home greets once more: it goes on there, in the epoch it says."""
    return replace(_spoke(t, happening), epoch=happening.message.epoch), ()


def hang_up(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Close that connection; it is dialled again in its turn."""
    return _hang_up(t, happening.node)


def wait_there(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Stay connected: it welcomes as soon as it becomes the primary."""
    line = t.lines[happening.node]
    assert line is not None
    return _spoke(t, happening, LineStage.TURNED_AWAY), ()


def seek_again(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Home is gone: begin with the node after it; everything unanswered will be sent again."""
    home = t.home
    assert home is not None
    closing: tuple[Action, ...] = ()
    if isinstance(happening, Heard):
        t, closing = _hang_up(t, home)
    t = lines.with_line(t, home, None)
    t = replace(t, home=None, claim_at=None, intents=_unsent(t.intents))
    if isinstance(t.claim, Resume):
        t = replace(t, claim=None)
    return lines.seek(t, home + 1, moment.now), closing


def stand_aside(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Another program has this certificate's place: close everything, and leave it that place for a
    while. What was saved is kept.
    """
    closing: list[Action] = []
    for node, line in enumerate(t.lines):
        if line is not None:
            t = lines.with_line(t, node, None)
            closing.append(Close(node, line.call))
    claim = None if isinstance(t.claim, Resume) else t.claim
    t = replace(t, home=None, claim=claim, claim_at=None, intents=_unsent(t.intents))
    t = replace(t, left=0, dial_at=moment.now + lines.ASIDE_S)
    return t, (*closing, Tell(happening.message))


def come_back(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Look for the primary again."""
    return lines.seek(t, t.next_node, moment.now), ()


def claim_back(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """A person signs in here: this is the program that is wanted, it does not wait."""
    t, _ = claim(t, happening, moment)
    return come_back(t, happening, moment)


def try_next(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """One of the others is out of reach: the next of the round is dialled at once."""
    t = lines.with_line(t, happening.node, None)
    return replace(t, dial_at=moment.now) if t.left > 0 else t, ()


def leave(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """The sign-in is not decided there: only a new connection undoes it."""
    assert t.home is not None
    home = t.home
    t, closing = _hang_up(t, home)
    t = replace(t, home=None, token=b"", claim=None, claim_at=None, intents=_unsent(t.intents))
    return lines.seek(t, home, moment.now), closing


def leave_to_another(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Another person, while the one before is not decided."""
    t, closing = leave(t, happening, moment)
    t, _ = claim(t, happening, moment)
    return t, closing


def claim(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Keep what the person says who they are; it is said as soon as there is a home."""
    return replace(t, claim=happening.claim, claim_at=None, claim_due=moment.now), ()


def change_person(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Another person: the session before ends first."""
    t, said = sign_out(t, happening, moment)
    t, _ = claim(t, happening, moment)
    return t, said


def forget_person(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Nobody signed in here: what was to be claimed is forgotten."""
    return replace(t, token=b"", claim=None), ()


def sign_out(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """End the session; what was not answered waits for the next person."""
    assert t.home is not None
    line = t.lines[t.home]
    assert line is not None
    said = Say(t.home, line.call, SignOut())
    return replace(t, token=b"", claim=None, claim_at=None), (said,)


def take_session(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Keep the token: it takes the session up again after a failover."""
    session = happening.message
    if isinstance(t.claim, SignIn):
        t = replace(t, intents=tuple(map(_unparked, t.intents)))
    t = replace(_spoke(t, happening), token=session.token, claim=None, claim_at=None)
    return t, (SignedIn(session),)


def drop_claim(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Say why; a token that is not taken any more is forgotten and a person must sign in."""
    resumed = isinstance(t.claim, Resume)
    t = replace(_spoke(t, happening), claim=None, claim_at=None, token=b"")
    return t, (SignInNeeded() if resumed else SignInFailed(happening.message),)


def claim_later(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """The server asks for patience: the same claim is said again."""
    due = moment.now + _pause_s(happening.message.retry_ms, moment.jitter)
    return replace(_spoke(t, happening), claim_at=None, claim_due=due), ()


def lose_session(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """The session is over: the person signs in again, and what was saved is sent then."""
    seq = happening.message.seq
    t = _spoke(t, happening)
    if t.intent(seq) is not None:
        t = _changed(t, seq, stage=Stage.WAITING, at=moment.now)
    if not t.token:
        return t, ()
    why = (Tell(happening.message),) if happening.message.code in EXPLAINED else ()
    return replace(t, token=b"", claim=None, claim_at=None), (*why, SignInNeeded())


def keep_for_claim(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Refused by the session that was over before the claim was said: it is sent under the next."""
    seq = happening.message.seq
    t = _spoke(t, happening)
    return t if t.intent(seq) is None else _changed(t, seq, stage=Stage.WAITING, at=moment.now), ()


def deliver(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """The definitive answer: durable first, then given to whoever asked."""
    answer = happening.message
    intent = t.intent(answer.seq)
    assert intent is not None
    verdict = verdict_of(answer)
    given = Deliver(answer.seq, verdict, answer)
    kept = (JournalAnswer(answer.seq, verdict, answer),) if intent.keyed else ()
    return _without(_spoke(t, happening), answer.seq), (*kept, given)


def put_off(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Not definitive: the same bytes again, when the server says, or once its own person is there;
    a person is told each reason once.
    """
    answer = happening.message
    intent = t.intent(answer.seq)
    assert intent is not None
    stuck = answer.final or answer.code == "SIGN_IN_AGAIN"
    pause_s = STUCK_S if stuck else _pause_s(answer.retry_ms, moment.jitter)
    told = intent.told | {answer.code}
    waits: dict[str, Any] = {"at": moment.now + pause_s, "parked": answer.code == SAVED_BY_ANOTHER}
    t = _changed(t, answer.seq, stage=Stage.WAITING, told=told, **waits)
    return _spoke(t, happening), () if answer.code in intent.told else (Tell(answer),)


def tell(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Show it."""
    return _spoke(t, happening), (Tell(happening.message),)


def hear(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """It lives."""
    return _spoke(t, happening), ()


def calm(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Go on at home."""
    return replace(t, state=State.SIGNING_IN if t.claim_at is not None else State.READY), ()


def probe(t: Terminal, happening: Any, moment: Moment) -> Outcome:
    """Ask the others beside it."""
    return lines.seek(t, (t.home or 0) + 1, moment.now), ()


# ---------------------------------------------------------------- small changes


def _changed(t: Terminal, seq: int, **fields: Any) -> Terminal:
    return replace(
        t, intents=tuple(replace(one, **fields) if one.seq == seq else one for one in t.intents)
    )


def _unparked(intent: Intent) -> Intent:
    return replace(intent, parked=False, told=frozenset()) if intent.parked else intent


def _without(t: Terminal, seq: int) -> Terminal:
    return replace(t, intents=tuple(one for one in t.intents if one.seq != seq))


def _unsent(intents: tuple[Intent, ...]) -> tuple[Intent, ...]:
    return tuple(
        replace(one, stage=Stage.WAITING, at=0.0) if one.stage is Stage.SENT else one
        for one in intents
    )


def _spoke(t: Terminal, happening: Any, stage: LineStage | None = None) -> Terminal:
    line = t.lines[happening.node]
    assert line is not None
    heard = replace(line, owed_since=None, stage=stage or line.stage)
    return lines.with_line(t, happening.node, heard)


def _hang_up(t: Terminal, node: int) -> Outcome:
    line = t.lines[node]
    assert line is not None
    return lines.with_line(t, node, None), (Close(node, line.call),)


def _pause_s(retry_ms: int, jitter: float) -> float:
    asked_s = min(PUT_OFF_MOST_S, max(PUT_OFF_LEAST_S, retry_ms / 1000))
    return asked_s * (0.75 + jitter / 2)
