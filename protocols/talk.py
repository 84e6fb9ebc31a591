"""One connection seen from the server: where it stands, what can happen to it, what can be done
about it. Pure.

Only words: the rules that use them are ``protocols.conversation``. ``event_of`` says what a
happening means, so that the table there needs no conditions. This file must not know what an
operation does.
"""

from __future__ import annotations

import enum
from typing import Final

from msgspec import Struct

from protocols.messages import (
    MAX_IN_FLIGHT,
    PROTOCOL_VERSION,
    Beat,
    FromClient,
    FromServer,
    Hello,
    Notice,
    NotPrimary,
    Refusal,
    Reply,
    Request,
    Resume,
    Session,
    SignIn,
    SignOut,
    Welcome,
)
from protocols.refusals import Refused


class State(enum.Enum):
    """Where one connection stands."""

    AWAIT_HELLO = "waiting for Hello"
    WAITING = "waiting for this node to become the primary"
    GREETED = "welcomed, nobody signed in"
    SIGNING_IN = "checking who it is"
    SESSION = "signed in"
    CLOSED = "closed"


class Talk(Struct, frozen=True):
    """One connection: its state, how this node greets now, the unanswered, the held, what its
    certificate may.
    """

    state: State
    here: Welcome | NotPrimary
    principal: frozenset[str] = frozenset()
    """Operations this certificate may ask without a person's sign-in: empty for a counter's
    terminal.
    """
    in_flight: frozenset[int] = frozenset()
    held: tuple[Request, ...] = ()

    @property
    def unanswered(self) -> frozenset[int]:
        """Sequences that wait for their answer, dispatched or held."""
        return self.in_flight | {one.seq for one in self.held}

    @property
    def full(self) -> bool:
        """Nothing more may be asked before something is answered."""
        return len(self.unanswered) >= MAX_IN_FLIGHT


# ---------------------------------------------------------------- what happens to it


class Said(Struct, frozen=True):
    """The client said something that could be read."""

    message: FromClient


class Broken(Struct, frozen=True):
    """The client sent what is no frame or no message; ``refused`` says why (BAD_FRAME)."""

    refused: Refused


class Opened(Struct, frozen=True):
    """This node opened as the primary; or its epoch, its limits or its business date changed."""

    welcome: Welcome


class Lost(Struct, frozen=True):
    """This node is not the primary, or its gate is shut."""

    not_primary: NotPrimary


class Accepted(Struct, frozen=True):
    """Password or token was right."""

    session: Session


class SignInRefused(Struct, frozen=True):
    """Password or token was wrong, locked, ended, or of a role that may not work from here."""

    refused: Refused
    retry_ms: int = 0


class Answered(Struct, frozen=True):
    """A dispatched request has its answer."""

    answer: Reply | Refusal


class SessionEnded(Struct, frozen=True):
    """The session ended elsewhere. ``refused``: SESSION_IDLE, SESSION_EXPIRED (its twelve hours are
    over), PROVE_AGAIN (something asked for a fresh sign-in), else SIGN_IN_AGAIN (user disabled).
    """

    refused: Refused


class Pushed(Struct, frozen=True):
    """Something every terminal should hear."""

    notice: Notice


class Deadline(Struct, frozen=True):
    """Too slow: no Hello, a frame begun and not finished, a beat missed, waiting too long."""

    what: str


class Displaced(Struct, frozen=True):
    """The same certificate connected again; the newest connection wins."""


class Gone(Struct, frozen=True):
    """The connection is closed at the other side."""


Happening = (
    Said | Broken | Opened | Lost | Accepted | SignInRefused | Answered | SessionEnded
    | Pushed | Deadline | Displaced | Gone
)  # fmt: skip


class Event(enum.Enum):
    """What a happening means in the table: the message, and the reasons it may not be taken."""

    HELLO_HERE = "Hello, and this node is the primary"
    HELLO_ELSEWHERE = "Hello, and this node is not the primary"
    HELLO_VERSION = "Hello of another protocol version"
    HELLO_AHEAD = "Hello that has seen a higher epoch"
    SIGN_IN = "SignIn"
    RESUME = "Resume"
    SIGN_OUT = "SignOut"
    REQUEST = "Request"
    REQUEST_PRINCIPAL = "Request the certificate itself may ask"
    REQUEST_REPEATED = "Request with a sequence that is in flight"
    REQUEST_ABOVE = "Request above the in-flight limit"
    BEAT = "Beat"
    BROKEN = "unreadable bytes"
    OPENED = "this node opened"
    LOST = "this node is not the primary"
    ACCEPTED = "sign-in accepted"
    REFUSED = "sign-in refused"
    ANSWERED = "an answer is ready"
    ENDED = "the session ended"
    PUSHED = "a notice"
    DEADLINE = "a deadline passed"
    DISPLACED = "a newer connection of this certificate"
    GONE = "closed by the client"


# ---------------------------------------------------------------- what is done about it


class Say(Struct, frozen=True):
    """Send this message."""

    message: FromServer


class Dispatch(Struct, frozen=True):
    """Give this request to the dispatch; it comes back as Answered."""

    request: Request


class CheckSignIn(Struct, frozen=True):
    """Check a password or a token; it comes back as Accepted or SignInRefused."""

    claim: SignIn | Resume


class EndSession(Struct, frozen=True):
    """Forget the session of this connection and its token."""


class EpochSeen(Struct, frozen=True):
    """A terminal has seen this higher epoch: evidence that this node's view is old."""

    epoch: int


class PauseReading(Struct, frozen=True):
    """As many requests are in flight as may be: read no more until Resume."""


class ResumeReading(Struct, frozen=True):
    """A place is free: read on."""


class Close(Struct, frozen=True):
    """Close once everything said is written."""


Action = (
    Say | Dispatch | CheckSignIn | EndSession | EpochSeen | PauseReading | ResumeReading | Close
)


def event_of(talk: Talk, happening: Happening) -> Event:
    """Say what a happening means for this connection."""
    match happening:
        case Said(Hello() as hello):
            if hello.version != PROTOCOL_VERSION:
                return Event.HELLO_VERSION
            if isinstance(talk.here, NotPrimary):
                return Event.HELLO_ELSEWHERE
            return Event.HELLO_AHEAD if hello.epoch > talk.here.epoch else Event.HELLO_HERE
        case Said(Request() as request):
            return _request_event(talk, request)
        case Said(message):
            return _MESSAGES[type(message)]
        case _:
            return _HAPPENINGS[type(happening)]


def _request_event(talk: Talk, request: Request) -> Event:
    if request.seq in talk.unanswered:
        return Event.REQUEST_REPEATED
    if talk.full:
        return Event.REQUEST_ABOVE
    return Event.REQUEST_PRINCIPAL if request.operation in talk.principal else Event.REQUEST


_MESSAGES: Final[dict[type, Event]] = {
    SignIn: Event.SIGN_IN,
    Resume: Event.RESUME,
    SignOut: Event.SIGN_OUT,
    Beat: Event.BEAT,
}
_HAPPENINGS: Final[dict[type, Event]] = {
    Broken: Event.BROKEN,
    Opened: Event.OPENED,
    Lost: Event.LOST,
    Accepted: Event.ACCEPTED,
    SignInRefused: Event.REFUSED,
    Answered: Event.ANSWERED,
    SessionEnded: Event.ENDED,
    Pushed: Event.PUSHED,
    Deadline: Event.DEADLINE,
    Displaced: Event.DISPLACED,
    Gone: Event.GONE,
}
