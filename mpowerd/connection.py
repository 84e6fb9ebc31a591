"""One connection of a terminal: frames in, the conversation's table, its actions carried out,
frames out.

Invariant: everything that may or may not be said is decided in ``protocols.conversation``; here it
is only carried out. Frames, their deadlines and the transport's limits are the line's
(``protocols.shell.stream``). Silence is noticed by the hall's one sweep, not by a timer of each
connection. This file must not know Twisted, nor what an operation does.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from mpowerd.faults import ANY_END, RETRY_MS, settle
from mpowerd.seats import Asker
from mpowerd.sessions import session_of
from protocols import talk as table
from protocols.codec import encode_for_client, from_client
from protocols.conversation import begin, step
from protocols.frames import FrameError
from protocols.messages import (
    IDLE_BEAT_MS,
    NotPrimary,
    Refusal,
    Reply,
    Request,
    Resume,
    Session,
    SignIn,
    Welcome,
)
from protocols.refusals import Refused
from protocols.subject import Subject
from protocols.talk import Action, Happening, State

SILENT_S: Final = 3 * IDLE_BEAT_MS / 1000
"""Two beats may be lost on a bad line."""


class Line(Protocol):
    """What a connection needs of the transport under it, encrypted and authenticated."""

    subject: Subject | None
    address: str

    def send(self, payload: bytes) -> None:
        """Send one frame, in order, without waiting."""

    def greeted(self) -> None:
        """The first word was accepted: the deadline since accept ends."""

    def pause(self) -> None:
        """Give no more frames for now."""

    def resume(self) -> None:
        """Give them again."""

    def close(self) -> None:
        """Close once everything sent has left."""

    def abort(self, why: str) -> None:
        """Cut it off now."""


class Hall(Protocol):
    """What a connection needs of the hall it stands in."""

    def now_s(self) -> float:
        """Monotonic seconds."""

    def read(self, connection: Connection) -> float:
        """Count a message; gives the seconds until the next may be read."""

    def seat(
        self, connection: Connection, kind: str
    ) -> tuple[Welcome | NotPrimary, frozenset[str]]:
        """Give a place: how this node greets now, and what such a certificate may ask by itself."""

    def ask(self, connection: Connection, request: Request) -> None:
        """Dispatch a request; ``connection.answered`` gets the answer."""

    async def check(self, asker: Asker, claim: SignIn | Resume) -> Session:
        """Check a password or token; raises Refused."""

    def hang(self, session: bytes, connection: Connection) -> None:
        """Remember that this session is used on this connection."""

    def forget(self, session: bytes) -> None:
        """End a session."""

    def epoch_seen(self, epoch: int) -> None:
        """A terminal has seen a later epoch."""

    def counted(self, answer: Reply | Refusal) -> None:
        """Count an answer."""

    def left(self, connection: Connection) -> None:
        """A connection is gone."""


class Connection:
    """Owner of one line, from its handshake to its end."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self._line: Line | None = None
        self._talk = begin(NotPrimary(0))
        self._heard_s = hall.now_s()
        self._checking: asyncio.Task[None] | None = None
        self._full, self._slowed = False, False
        self.asker = Asker("", "")
        self.session: bytes | None = None

    # ------------------------------------------------------------------- what the line says

    def stream_up(self, line: Line) -> None:
        """The handshake is done: take a seat."""
        assert line.subject is not None, "a handshake without a certificate"
        self._line = line
        self.asker = Asker(f"{line.subject.kind}/{line.subject.name}", line.address)
        here, own = self._hall.seat(self, line.subject.kind)
        self._talk = begin(here, own)

    def frame_came(self, line: Line, payload: bytes) -> None:
        """One frame, whole."""
        self._heard_s = self._hall.now_s()
        if wait_s := self._hall.read(self):
            self.slow(wait_s)
        try:
            message = from_client(payload)
        except Refused as refused:
            self.happened(table.Broken(refused))
        else:
            self.happened(table.Said(message))

    def stream_broken(self, line: Line, wrong: FrameError) -> None:
        """What came is no frame."""
        self.happened(table.Broken(Refused("BAD_FRAME", reason=wrong.reason)))

    def stream_late(self, line: Line, what: str) -> None:
        """A deadline of the line passed."""
        if self._line is None:
            line.abort(
                f"no {what} in time"
            )  # not even a handshake: there is no conversation to end
        else:
            self.happened(table.Deadline(what))

    def stream_down(self, line: Line, reason: str) -> None:
        """The line is gone."""
        if self._line is None:
            return
        self.happened(table.Gone())
        self._line = None
        if self._checking is not None:
            self._checking.cancel()
        self._hall.left(self)

    # ------------------------------------------------------------------- what the hall says

    def answered(self, answer: Reply | Refusal) -> None:
        """Take the answer of a dispatched request."""
        self._hall.counted(answer)
        self.happened(table.Answered(answer))

    def slow(self, wait_s: float) -> None:
        """Read no more for so long: more was asked than the certificate's quota has room for."""
        if self._line is not None and not self._slowed:
            self._slowed = True
            self._line.pause()
            asyncio.get_running_loop().call_later(wait_s, self._read_on)

    def _read_on(self) -> None:
        self._slowed = False
        self._resume()

    def _resume(self) -> None:
        if self._line is not None and not (self._full or self._slowed):
            self._line.resume()

    def silent(self, now_s: float) -> bool:
        """Say whether nothing was heard for too long."""
        return now_s - self._heard_s > SILENT_S

    def happened(self, happening: Happening) -> None:
        """Let the table decide, and carry out what it says."""
        before = self._talk.state
        self._talk, actions = step(self._talk, happening)
        for action in actions:
            self._carry_out(action)
        after = self._talk.state
        if before is State.AWAIT_HELLO and after not in {before, State.CLOSED} and self._line:
            self._line.greeted()

    def _carry_out(self, action: Action) -> None:
        line = self._line
        assert line is not None, f"{action} after the line was gone"
        match action:
            case table.Say(message):
                line.send(encode_for_client(message))
            case table.Dispatch(request):
                self._hall.ask(self, request)
            case table.CheckSignIn(claim):
                self._checking = asyncio.ensure_future(self._check(claim))
            case table.EndSession():
                if self.session is not None:
                    self._hall.forget(self.session)
                self.session = None
            case table.EpochSeen(epoch):
                self._hall.epoch_seen(epoch)
            case table.PauseReading():
                self._full = True
                line.pause()
            case table.ResumeReading():
                self._full = False
                self._resume()
            case table.Close():
                line.close()

    async def _check(self, claim: SignIn | Resume) -> None:
        happening: Happening
        try:
            session = await self._hall.check(self.asker, claim)
        except ANY_END as error:
            refused = settle(error, what="sign-in")
            if refused.code == "PENDING":
                # No payment is pending: a session nobody was told of opens nothing. Sign in anew.
                refused = Refused("BUSY")
            happening = table.SignInRefused(refused, RETRY_MS.get(refused.code, 0))
        else:
            self.session = session_of(session.token)
            self._hall.hang(self.session, self)
            happening = table.Accepted(session)
        self._checking = None
        self.happened(happening)
