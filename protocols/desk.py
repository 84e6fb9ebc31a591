"""One terminal seen from its desk: what it holds, what can happen to it, what it can do about it.
Pure words.

The rules that use them are ``protocols.terminal``; what a line may cost in time is
``protocols.lines``. A *node* is an index into the terminal's list of servers; a *call* numbers each
connection, so that nothing of an earlier one is heard. Seconds are of any monotonic clock. This
file must not know sockets, journals' files or what an operation does.
"""

from __future__ import annotations

import enum

from msgspec import Struct

from protocols.messages import (
    FromClient,
    FromServer,
    Notice,
    Refusal,
    Reply,
    Resume,
    Session,
    SignIn,
)


class State(enum.Enum):
    """Where the terminal stands."""

    SEEKING = "looking for the primary"
    SIGNED_OUT = "connected, nobody signed in"
    SIGNING_IN = "signing in"
    READY = "ready"
    PROBING = "an answer is late; asking the other servers"
    ASIDE = "set aside: another program uses this certificate"


class Stage(enum.Enum):
    """How far one intent has come."""

    JOURNALLING = "being written to the journal"
    WAITING = "to be sent"
    SENT = "sent, unanswered"


class Verdict(enum.Enum):
    """What a definitive answer is to whoever asked."""

    RECEIPT = "done"
    REJECTED = "refused for ever"
    CONFLICT = "the key was used for something else"


class Intent(Struct, frozen=True):
    """One request until its definitive answer: always the same bytes. ``old``: of an earlier run of
    this terminal.
    """

    seq: int
    payload: bytes
    keyed: bool
    stage: Stage = Stage.WAITING
    old: bool = False
    tries: int = 0
    at: float = 0.0
    """Sent: when. Waiting: not before."""
    parked: bool = False
    """Another person saved it: kept until the next person signs in."""
    told: frozenset[str] = frozenset()
    """Codes of "not now" that the person was told already."""


class LineStage(enum.Enum):
    """How far one connection has come."""

    DIALLED = "TCP not up yet"
    CALLED = "Hello said"
    TURNED_AWAY = "not the primary; waiting there"
    WELCOMED = "home"


class Line(Struct, frozen=True):
    """One connection. ``owed_since``: something that must be answered was said then, and nothing
    heard since.
    """

    call: int
    stage: LineStage
    owed_since: float | None
    said_at: float


class Terminal(Struct, frozen=True):
    """Everything a terminal knows. ``lines`` by node; ``home`` is the node that welcomed it."""

    software: str
    lines: tuple[Line | None, ...]
    principal: bool = False
    """A bank link: its certificate speaks for itself, nobody signs in."""
    state: State = State.SEEKING
    home: int | None = None
    epoch: int = 0
    calls: int = 0
    token: bytes = b""
    claim: SignIn | Resume | None = None
    claim_at: float | None = None
    """When the claim was said at home; None: not said there yet."""
    claim_due: float = 0.0
    """Not said before: the server asked for patience."""
    intents: tuple[Intent, ...] = ()
    seeking_since: float = 0.0
    next_node: int = 0
    left: int = 0
    """Nodes still to be dialled in this round."""
    dial_at: float = 0.0
    wake_at: float | None = None

    def intent(self, seq: int) -> Intent | None:
        """Give the intent of that sequence, if it is still unanswered."""
        return next((one for one in self.intents if one.seq == seq), None)


# ---------------------------------------------------------------- what happens to it


class Submit(Struct, frozen=True):
    """A person wants something that changes something; ``payload`` is the encoded Request with its
    key.
    """

    seq: int
    payload: bytes


class Journalled(Struct, frozen=True):
    """The intent is durable: it may be sent."""

    seq: int


class Ask(Struct, frozen=True):
    """A question: changes nothing, is not journalled, may be forgotten."""

    seq: int
    payload: bytes


class Forget(Struct, frozen=True):
    """Nobody waits for that question's answer any more; or that intent could not be saved."""

    seq: int


class SignInAsked(Struct, frozen=True):
    """A person signs in."""

    claim: SignIn


class SignOutAsked(Struct, frozen=True):
    """The person leaves."""


class LineUp(Struct, frozen=True):
    """TCP is up; what is said now goes out behind the handshake."""

    node: int
    call: int


class LineDown(Struct, frozen=True):
    """It could not be reached, or the connection closed."""

    node: int
    call: int


class Heard(Struct, frozen=True):
    """A server said something."""

    node: int
    call: int
    message: FromServer


class Tick(Struct, frozen=True):
    """Time has passed: the moment of the last Wake, or any other."""


Happening = (
    Submit | Journalled | Ask | Forget | SignInAsked | SignOutAsked | LineUp | LineDown | Heard
    | Tick
)  # fmt: skip


class Event(enum.Enum):
    """What a happening means in the table."""

    SUBMIT = "an intent"
    JOURNALLED = "the intent is durable"
    ASK = "a question"
    FORGET = "a question is forgotten"
    SIGN_IN = "a person signs in"
    SIGN_OUT = "the person leaves"
    LINE_UP = "a server is reached"
    HOME_DOWN = "the home connection ended"
    OTHER_DOWN = "another connection ended"
    WELCOME = "a Welcome, and no home"
    WELCOME_HIGHER = "a Welcome of a higher epoch than home's"
    WELCOME_STALE = "a Welcome of an epoch that is over"
    WELCOME_AGAIN = "home's own Welcome, once more"
    HOME_AWAY = "home is not the primary any more"
    OTHER_AWAY = "another server is not the primary"
    SESSION = "the session is open"
    CLAIM_REFUSED = "the sign-in is refused"
    CLAIM_PUT_OFF = "the sign-in must wait"
    SESSION_GONE = "the session is over"
    FORMER_GONE = "the session before the claim is over"
    SETTLED = "a definitive answer"
    PUT_OFF = "not now"
    DISPLACED = "another program connected with this certificate"
    TOLD = "a notice"
    HEARD = "nothing that asks for anything"
    STRAY = "of a connection or a request that is over"
    LATE = "home does not answer in time"
    ON_TIME = "home answers again"
    PATIENT = "stood aside long enough"
    TICK = "time passes"


# ---------------------------------------------------------------- what it does


class Connect(Struct, frozen=True):
    """Open a connection; it comes back as LineUp or LineDown with this call."""

    node: int
    call: int


class Close(Struct, frozen=True):
    """Close that connection; nothing more of it is reported."""

    node: int
    call: int


class Say(Struct, frozen=True):
    """Send a message."""

    node: int
    call: int
    message: FromClient


class SendRequest(Struct, frozen=True):
    """Send these very bytes (a Request, encoded once)."""

    node: int
    call: int
    seq: int
    payload: bytes


class JournalIntent(Struct, frozen=True):
    """Make the intent durable, then report Journalled. Until then it is not sent."""

    seq: int
    payload: bytes


class JournalAnswer(Struct, frozen=True):
    """Make the answer durable before it is delivered: a crash between must not ask again."""

    seq: int
    verdict: Verdict
    answer: Reply | Refusal


class Deliver(Struct, frozen=True):
    """Give the definitive answer to whoever asked. Only now may a receipt be printed."""

    seq: int
    verdict: Verdict
    answer: Reply | Refusal


class SignedIn(Struct, frozen=True):
    """The person's session is open."""

    session: Session


class SignInFailed(Struct, frozen=True):
    """The sign-in was refused, and why."""

    refusal: Refusal


class SignInNeeded(Struct, frozen=True):
    """A person must sign in: there is no session, or it ended. What was saved is kept."""


class Tell(Struct, frozen=True):
    """Show a server's notice, or what it refused about the connection itself."""

    notice: Notice | Refusal


class Wake(Struct, frozen=True):
    """Report a Tick at this moment; replaces the Wake before. None: nothing to wait for."""

    at: float | None


Action = (
    Connect | Close | Say | SendRequest | JournalIntent | JournalAnswer | Deliver | SignedIn
    | SignInFailed | SignInNeeded | Tell | Wake
)  # fmt: skip
Outcome = tuple[Terminal, tuple[Action, ...]]
