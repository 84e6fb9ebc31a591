"""What a happening means to a terminal: which row of its table it falls on. Pure.

The one judgement that counts: which answers are *definitive*. A good answer is; a refusal that
settles the key is; "not now" never is. Refusals from before the key was looked up are definitive
only for bytes that no server can have taken before. This file must not know what is done about it.
"""

from __future__ import annotations

from typing import Any, Final

from protocols.desk import (
    Ask,
    Event,
    Forget,
    Happening,
    Heard,
    Intent,
    Journalled,
    LineDown,
    LineUp,
    SignInAsked,
    SignOutAsked,
    Stage,
    Submit,
    Terminal,
    Tick,
    Verdict,
)
from protocols.messages import Notice, NotPrimary, Refusal, Reply, Session, Welcome

BEFORE_THE_KEY: Final = frozenset(
    {"BAD_BODY", "UNKNOWN_OPERATION", "KEY_MISSING", "KEY_NOT_ALLOWED", "CERTIFICATE"}
)
"""Refused before the key was looked up: definitive for bytes that were sent once, not for bytes
that may have been taken by another server before.
"""
EXPLAINED: Final = frozenset({"PROVE_AGAIN", "SESSION_IDLE", "SESSION_EXPIRED"})
"""Why a session is over, where that is more than that it is."""
SESSION_OVER: Final = EXPLAINED | {"SIGN_IN_AGAIN"}


def event_of(t: Terminal, happening: Happening) -> Event:
    """Say what a happening means for this terminal."""
    match happening:
        case LineUp(node, call) | LineDown(node, call) | Heard(node, call):
            line = t.lines[node]
            if line is None or line.call != call:
                return Event.STRAY
            if isinstance(happening, Heard):
                return _heard(t, node, happening.message)
            if isinstance(happening, LineUp):
                return Event.LINE_UP
            return Event.HOME_DOWN if node == t.home else Event.OTHER_DOWN
        case Journalled(seq) | Forget(seq) if t.intent(seq) is None:
            return Event.STRAY
        case _:
            return _PLAIN[type(happening)]


def _heard(t: Terminal, node: int, message: Any) -> Event:
    match message:
        case Welcome(epoch=epoch) if node == t.home:
            return Event.WELCOME_AGAIN if epoch >= t.epoch else Event.HOME_AWAY
        case Welcome(epoch=epoch):
            if epoch < t.epoch or (t.home is not None and epoch == t.epoch):
                return Event.WELCOME_STALE
            return Event.WELCOME if t.home is None else Event.WELCOME_HIGHER
        case NotPrimary():
            return Event.HOME_AWAY if node == t.home else Event.OTHER_AWAY
        case Notice(kind="displaced"):
            return Event.DISPLACED
        case Notice():
            return Event.TOLD
    return _heard_at_home(t, message) if node == t.home else _heard_elsewhere(message)


def _heard_elsewhere(message: Any) -> Event:
    refused = isinstance(message, Refusal) and not message.seq and message.final
    return Event.TOLD if refused else Event.HEARD


def _heard_at_home(t: Terminal, message: Any) -> Event:
    match message:
        case Session():
            return Event.SESSION if t.claim_at is not None else Event.STRAY
        case Refusal(code="NOT_PRIMARY"):
            return Event.HOME_AWAY
        case Refusal(seq=0) if t.claim_at is not None:
            return Event.CLAIM_PUT_OFF if message.code == "BUSY" else Event.CLAIM_REFUSED
        case Refusal(code=code) if code in SESSION_OVER and not t.principal:
            return Event.SESSION_GONE if t.claim_at is None else Event.FORMER_GONE
        case Refusal(seq=0):
            return Event.TOLD
        case Reply(seq) | Refusal(seq):
            intent = t.intent(seq)
            if intent is None or intent.stage is not Stage.SENT:
                return Event.STRAY
            return Event.SETTLED if _definitive(intent, message) else Event.PUT_OFF
    return Event.HEARD


def _definitive(intent: Intent, answer: Reply | Refusal) -> bool:
    """SIGN_IN_AGAIN comes here only for a bank link: that operation is not its own."""
    if isinstance(answer, Reply):
        return True
    if not intent.keyed:
        return answer.final or answer.code in {"FAULT", "SIGN_IN_AGAIN"}
    if answer.code == "SIGN_IN_AGAIN":
        return intent.tries == 1
    return answer.final and (answer.code not in BEFORE_THE_KEY or intent.tries == 1)


_PLAIN: Final[dict[type, Event]] = {
    Submit: Event.SUBMIT,
    Journalled: Event.JOURNALLED,
    Ask: Event.ASK,
    Forget: Event.FORGET,
    SignInAsked: Event.SIGN_IN,
    SignOutAsked: Event.SIGN_OUT,
    Tick: Event.TICK,
}


def verdict_of(answer: Reply | Refusal) -> Verdict:
    """Say what a definitive answer is to whoever asked."""
    if isinstance(answer, Reply):
        return Verdict.RECEIPT
    return Verdict.CONFLICT if answer.code == "KEY_CONFLICT" else Verdict.REJECTED
