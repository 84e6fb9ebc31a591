"""One connection between machines of a cluster, either direction: greeting first, then messages.

The certificate says who the other is; the greeting only proves that both mean the same cluster and
version, and a refusal names the difference. Until the greeting is heard nothing else is believed.
The stream below keeps the limits of bytes and time. This file must not know what the messages lead
to.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Final, Protocol

import msgspec
from twisted.internet.interfaces import IReactorTime

from protocols.frames import FrameError
from protocols.peer import (
    MAX_PEER_FRAME_BYTES,
    PEER_VERSION,
    Answer,
    AnyPeerMessage,
    PeerHello,
    PeerMessage,
)
from protocols.shell.stream import Limits, Stream
from protocols.shell.tls import ALPN_PEER
from protocols.subject import Subject

LIMITS: Final = Limits(
    frame_bytes=MAX_PEER_FRAME_BYTES,
    hello_s=3.0,
    frame_s=3.0,
    unread_bytes=2 * MAX_PEER_FRAME_BYTES,
)
"""Between machines: a beat that is late is no news, so a link that stutters for seconds is made
anew.
"""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(AnyPeerMessage).decode


class Stage(enum.Enum):
    """How far the conversation is."""

    GREETING = "greeting"
    OPEN = "open"
    CLOSED = "closed"


class Partner(Protocol):
    """Whoever a session's messages are for."""

    def session_open(self, session: Session) -> None:
        """Both greetings fit: ``session.who`` may be believed."""

    def message_came(self, session: Session, message: PeerMessage) -> None:
        """One message after the greeting."""

    def session_over(self, session: Session, reason: str) -> None:
        """The session is over; said once, whether it was ever open or not."""


class Session:
    """The conversation on one connection; the owner of its stream. ``link``: which listener or
    address.
    """

    def __init__(self, cluster: str, partner: Partner, link: int = 0) -> None:
        self.link = link
        self.stage = Stage.GREETING
        self._cluster = cluster
        self._partner = partner
        self._stream: Stream | None = None
        self._watcher: Callable[[Session], None] | None = None

    def stream(self, clock: IReactorTime) -> Stream:
        """The protocol of this session's connection."""
        self._stream = Stream(self, clock, ALPN_PEER, LIMITS)
        return self._stream

    @property
    def who(self) -> Subject:
        """The other side, as its certificate says; known once the session is open."""
        assert self._stream is not None, "nobody is known before the handshake"
        assert self._stream.subject is not None, "a stream that is up has a subject"
        return self._stream.subject

    @property
    def address(self) -> str:
        """Where the other side is, for people."""
        return self._stream.address if self._stream is not None else ""

    # ------------------------------------------------------------------ what the partner does

    def send(self, message: PeerMessage) -> None:
        """Send one message; on a session that is over it goes nowhere."""
        if self._stream is not None and self.stage is not Stage.CLOSED:
            self._stream.send(_encode(message))

    def watch(self, gone: Callable[[Session], None]) -> None:
        """Tell this one too when the session is over."""
        self._watcher = gone

    def hand_to(self, partner: Partner) -> None:
        """From now on the messages are for this partner."""
        self._partner = partner

    def refuse(self, code: str, sentence: str) -> None:
        """Say why, and close."""
        if self._stream is None or self.stage is Stage.CLOSED:
            return
        self.send(Answer(0, ok=False, code=code, sentence=sentence))
        self._stream.close()
        self._over(sentence)

    def abort(self, reason: str) -> None:
        """Drop the connection now."""
        if self._stream is not None and self.stage is not Stage.CLOSED:
            self._stream.abort(reason)
        self._over(reason)

    # ------------------------------------------------------------------ what the stream says

    def stream_up(self, stream: Stream) -> None:
        """Greet at once; so does the other side."""
        stream.send(_encode(PeerHello(PEER_VERSION, self._cluster)))

    def frame_came(self, stream: Stream, payload: bytes) -> None:
        """Read one message, or refuse what is none."""
        if self.stage is Stage.CLOSED:
            return
        try:
            message = _decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError) as wrong:
            self.refuse("bad-message", f"A message could not be read: {wrong}.")
            return
        if self.stage is Stage.GREETING:
            self._judge(stream, message)
        elif isinstance(message, PeerHello):
            self.refuse("bad-message", "A greeting is said once.")
        else:
            self._partner.message_came(self, message)

    def stream_broken(self, stream: Stream, wrong: FrameError) -> None:
        """Refuse what is no frame."""
        self.refuse("bad-frame", f"What came is not a frame: {wrong}.")

    def stream_late(self, stream: Stream, what: str) -> None:
        """Close on whoever says nothing."""
        self.abort(f"no {what} in time")

    def stream_down(self, stream: Stream, reason: str) -> None:
        """The connection is gone."""
        self._over(reason)

    def _judge(self, stream: Stream, message: PeerMessage) -> None:
        if isinstance(message, Answer) and not message.ok:
            self.abort(message.sentence)
        elif not isinstance(message, PeerHello):
            self.refuse("bad-message", "The first message must be the greeting.")
        elif message.version != PEER_VERSION:
            self.refuse(
                "wrong-version",
                f"This side speaks version {PEER_VERSION} between machines, that one "
                f"{message.version}: update the older release.",
            )
        elif message.cluster != self._cluster:
            self.refuse(
                "wrong-cluster",
                f"This machine belongs to cluster {self._cluster}, not {message.cluster}: "
                f"check the address in the settings.",
            )
        else:
            stream.greeted()
            self.stage = Stage.OPEN
            self._partner.session_open(self)

    def _over(self, reason: str) -> None:
        if self.stage is not Stage.CLOSED:
            self.stage = Stage.CLOSED
            self._partner.session_over(self, reason)
            if self._watcher is not None:
                self._watcher(self)
