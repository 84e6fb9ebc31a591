"""Frames over one TLS connection. It keeps the limits of a connection, and no business knowledge at
all.

From accept through handshake to the first accepted word runs one deadline (Twisted has none by
itself); each begun frame has its own (a sender of one byte a second holds a place no longer); what
the peer does not read is capped, then the connection is aborted. Paused, it gives no frame more,
not even one already read. Its owner is told each thing once and in order, and nothing after
``stream_down``. The same for terminals, nodes, witness and operators.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Protocol

from msgspec import Struct
from twisted.internet import error
from twisted.internet.interfaces import (
    IDelayedCall,
    IHandshakeListener,
    IPushProducer,
    IReactorTime,
)
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from protocols.frames import FrameError, Frames, frame
from protocols.messages import HELLO_DEADLINE_S, MAX_FRAME_BYTES
from protocols.shell.refused import PeerRefused
from protocols.shell.tls import subject_of
from protocols.subject import Subject

FRAME_DEADLINE_S: Final = 20.0
"""The largest frame takes 8 s alone on a 64 kbit/s line; a line shared by others may need twice
that.
"""
UNREAD_BYTES: Final = 512 * 1024
"""What a peer may leave unread: eight of the largest answers, one for each request in flight."""
CLOSE_DEADLINE_S: Final = 5.0
"""A polite close waits for the peer's; one that is gone never answers."""


class Limits(Struct, frozen=True):
    """The limits of one kind of connection. ``hello_s`` 0: the owner keeps that deadline itself."""

    frame_bytes: int = MAX_FRAME_BYTES
    hello_s: float = HELLO_DEADLINE_S
    frame_s: float = FRAME_DEADLINE_S
    unread_bytes: int = UNREAD_BYTES


class Owner(Protocol):
    """Whoever the frames are for."""

    def stream_up(self, stream: Stream) -> None:
        """The handshake is done: ``stream.subject`` is who speaks."""

    def frame_came(self, stream: Stream, payload: bytes) -> None:
        """One frame, whole."""

    def stream_broken(self, stream: Stream, wrong: FrameError) -> None:
        """What came is no frame; nothing can be read any more. The owner closes."""

    def stream_late(self, stream: Stream, what: str) -> None:
        """A deadline passed (``hello`` or ``frame``). The owner closes."""

    def stream_down(self, stream: Stream, reason: str) -> None:
        """The connection is closed, for this reason; nothing follows."""


@implementer(IHandshakeListener, IPushProducer)
class Stream(TwistedProtocol):
    """One connection. ``alpn``: the word both sides must have agreed on."""

    transport: TLSMemoryBIOProtocol | None = None

    def __init__(
        self, owner: Owner, clock: IReactorTime, alpn: bytes, limits: Limits | None = None
    ) -> None:
        self.limits = limits if limits is not None else Limits()
        self.subject: Subject | None = None
        self.address = ""
        self._owner = owner
        self._clock = clock
        self._alpn = alpn
        self._frames = Frames(self.limits.frame_bytes)
        self._waiting: deque[bytes] = deque()
        self._broken: FrameError | None = None
        self._paused = False
        self._closing = False
        self._stalled = False
        self._unread_bytes = 0
        self._timers: dict[str, IDelayedCall] = {}
        self._why = ""

    # -------------------------------------------------------------------------- what the owner does

    def send(self, payload: bytes) -> None:
        """Send one frame. A peer that leaves too much unread is cut off."""
        if self._closing or self.transport is None:
            return
        data = frame(payload, self.limits.frame_bytes)
        if self._stalled:
            self._unread_bytes += len(data)
            if self._unread_bytes > self.limits.unread_bytes:
                self.abort("it does not read what it is sent")
                return
        self.transport.write(data)

    def greeted(self) -> None:
        """The first word was accepted: the deadline since accept ends."""
        self._disarm("hello")

    def pause(self) -> None:
        """Give no more frames and read no more, until ``resume``."""
        if not self._paused and not self._closing and self.transport is not None:
            self._paused = True
            self._disarm("frame")
            self.transport.pauseProducing()

    def resume(self) -> None:
        """Give what waited, and read on."""
        if self._paused:
            self._paused = False
            self._give()
            if not self._paused and not self._closing and self.transport is not None:
                self.transport.resumeProducing()
                self._watch_frame()

    def close(self) -> None:
        """Close once everything sent is written; cut it off if that takes too long."""
        if self._closing or self.transport is None:
            return
        self._closing = True
        self._waiting.clear()
        self._disarm("hello", "frame")
        self.transport.unregisterProducer()  # TLS closes only once nothing more is produced
        self.transport.loseConnection()
        self._arm("close", CLOSE_DEADLINE_S)

    def abort(self, why: str) -> None:
        """Cut the connection off at once; ``why`` is what the owner reads in ``stream_down``."""
        self._closing = True
        self._waiting.clear()
        self._why = self._why or why
        if self.transport is not None:
            self.transport.abortConnection()

    # -------------------------------------------------------------------------- what Twisted says

    def connectionMade(self) -> None:
        """TCP is up; the handshake begins."""
        assert self.transport is not None
        peer = self.transport.getPeer()
        self.address = f"{getattr(peer, 'host', '?')}:{getattr(peer, 'port', 0)}"
        self.transport.registerProducer(self, True)
        if self.limits.hello_s:
            self._arm("hello", self.limits.hello_s)

    def handshakeCompleted(self) -> None:
        """Both sides proved who they are."""
        assert self.transport is not None
        if self.transport.negotiatedProtocol != self._alpn:
            self.abort(f"the peer does not speak {self._alpn.decode()}")
            return
        try:
            self.subject = subject_of(self.transport.getPeerCertificate().to_cryptography())
        except PeerRefused as refused:
            self.abort(str(refused))
            return
        self._owner.stream_up(self)

    def dataReceived(self, data: bytes) -> None:
        """Bytes came; frames go to the owner."""
        if self._closing or self._broken is not None:
            return
        before = len(self._waiting)
        try:
            self._waiting.extend(self._frames.feed(data))
        except FrameError as wrong:
            self._waiting.extend(wrong.before)
            self._broken = wrong
        if len(self._waiting) > before or not self._frames.partial:
            self._disarm("frame")
        self._watch_frame()
        self._give()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is closed."""
        self._disarm(*tuple(self._timers))
        self._closing = True
        self._waiting.clear()
        self.transport = None  # its TLS is gone: to abort it again would raise
        self._owner.stream_down(self, self._why or _in_words(reason))

    def pauseProducing(self) -> None:
        """The peer does not read: from now on count."""
        self._stalled = True
        self._unread_bytes = 0

    def resumeProducing(self) -> None:
        """The peer reads again."""
        self._stalled = False

    def stopProducing(self) -> None:
        """The connection ends; ``connectionLost`` says the rest."""

    # -------------------------------------------------------------------------- inside

    def _give(self) -> None:
        while self._waiting and not self._paused:
            self._owner.frame_came(self, self._waiting.popleft())
        if self._broken is not None and not (self._paused or self._closing):
            self._disarm("frame")
            self._owner.stream_broken(self, self._broken)

    def _watch_frame(self) -> None:
        if self._frames.partial and not self._paused and "frame" not in self._timers:
            self._arm("frame", self.limits.frame_s)

    def _arm(self, what: str, delay_s: float) -> None:
        self._disarm(what)
        self._timers[what] = self._clock.callLater(delay_s, self._late, what)

    def _disarm(self, *names: str) -> None:
        for name in names:
            call = self._timers.pop(name, None)
            if call is not None and call.active():
                call.cancel()

    def _late(self, what: str) -> None:
        del self._timers[what]
        if what == "close":
            self.abort("the peer did not close")
        else:
            self._why = f"no {what} in time"
            self._owner.stream_late(self, what)


def _in_words(reason: Failure) -> str:
    """Say why a connection ended, in words for the log and for a person at a terminal."""
    if reason.check(error.ConnectionDone):
        return "closed"
    if reason.check(error.ConnectionAborted):
        return "cut off"
    texts = [
        str(text) for part in getattr(reason.value, "args", ()) for text in _ssl_texts(part) if text
    ]
    return ", ".join(texts) or reason.getErrorMessage()


def _ssl_texts(part: object) -> list[str]:
    """PyOpenSSL packs its reasons as a list of (library, function, reason)."""
    if isinstance(part, list):
        return [str(one[-1]) for one in part if isinstance(one, tuple) and one]
    return []
