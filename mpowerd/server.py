"""The door of the building: listens for terminals, lets them in at a bounded rate, TLS only after
admission.

Invariants: a flood costs a bounded number of sockets and handshakes and never those of others; an
address that leaves its handshakes unfinished is turned away at the door without a token of the
others. Above the rate the queue is the kernel's: the port reads no more until there are tokens
again. Every handshake that is refused is counted (``Strangers``) and logged at a bounded rate. What
is said inside is the connection's. This file must not know operations or sessions.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Final

import structlog
from twisted.internet.interfaces import IReactorTime

from mpowerd.admission import Admission
from mpowerd.connection import Connection, Line
from mpowerd.hall import Hall
from mpowerd.strangers import Strangers
from protocols.frames import FrameError
from protocols.messages import HELLO_DEADLINE_S
from protocols.shell.loop_tls import HANDSHAKE_S, Acceptor
from protocols.shell.refused import PeerRefused, Seldom
from protocols.shell.stream import Limits, Stream
from protocols.shell.tls import ALPN_TERMINAL

BACKLOG: Final = 1_024
"""Connections the kernel keeps while the port does not read: a city's terminals after a failover.
"""
REFILL_S: Final = 0.05
ACCEPTED_AT_ONCE: Final = 16
"""Then the loop looks around: a storm of connections must not delay beats."""
LIMITS: Final = Limits(hello_s=HELLO_DEADLINE_S - HANDSHAKE_S)


class _Guest:
    """The owner of a stream: keeps the door's count right and passes everything on."""

    def __init__(self, connection: Connection, door: Admission, host: str) -> None:
        self._connection, self._door, self._host = connection, door, host
        self._shaking, self._left = True, False

    def stream_up(self, stream: Line) -> None:
        self._finished()
        self._connection.stream_up(stream)

    def frame_came(self, stream: Line, payload: bytes) -> None:
        self._connection.frame_came(stream, payload)

    def stream_broken(self, stream: Line, wrong: FrameError) -> None:
        self._connection.stream_broken(stream, wrong)

    def stream_late(self, stream: Line, what: str) -> None:
        self._connection.stream_late(stream, what)

    def stream_down(self, stream: Line, reason: str) -> None:
        self.leave()
        self._connection.stream_down(stream, reason)

    def leave(self) -> None:
        """The connection is gone, or never was; counted once."""
        self._finished()
        if not self._left:
            self._left = True
            self._door.left(self._host)

    def _finished(self) -> None:
        if self._shaking:
            self._shaking = False
            self._door.finished(self._host)


class Server:
    """The listening side for terminals. ``listen`` once; ``close`` stops listening, no more."""

    def __init__(
        self, hall: Hall, acceptor: Acceptor, clock: IReactorTime, *, rate: int, most: int
    ) -> None:
        self._hall, self._acceptor, self._clock = hall, acceptor, clock
        self.admission = Admission(rate, most, clock.seconds())
        self.strangers, self._seldom = Strangers(clock.seconds), Seldom()
        self._listening: socket.socket | None = None
        self._shaking: set[asyncio.Task[None]] = set()

    def listen(self, host: str, port: int) -> int:
        """Listen there; gives the port (the system's choice for 0)."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
        self._listening.setblocking(False)
        self._loop().add_reader(self._listening, self._accept)
        return int(self._listening.getsockname()[1])

    async def close(self) -> None:
        """Listen no more; unfinished handshakes end."""
        listening, self._listening = self._listening, None
        if listening is not None:
            self._loop().remove_reader(listening)
            listening.close()
        for task in self._shaking:
            task.cancel()
        await asyncio.gather(*self._shaking, return_exceptions=True)

    @staticmethod
    def _loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_event_loop_policy().get_event_loop()

    def _accept(self) -> None:
        """Take what knocks, a few at a time; without tokens the rest waits in the kernel."""
        for _ in range(ACCEPTED_AT_ONCE):
            if self._listening is None:
                return
            if not self.admission.refill(self._clock.seconds()):
                self._loop().remove_reader(self._listening)
                self._clock.callLater(REFILL_S, self._read_again)
                return
            try:
                accepted, address = self._listening.accept()
            except OSError:  # nobody more, or gone before we looked, or no descriptor: later
                return
            self._admit(accepted, str(address[0]))

    def _read_again(self) -> None:
        if self._listening is not None:
            self._loop().add_reader(self._listening, self._accept)
            self._accept()

    def _admit(self, accepted: socket.socket, host: str) -> None:
        why = self.admission.enter(host)
        if why:
            accepted.close()
            if self.admission.turned_away[why] % 1_000 == 1:
                structlog.get_logger().warning("turned away at the door", why=why, address=host)
            return
        accepted.setblocking(False)
        task = asyncio.ensure_future(self._shake(accepted, host))
        self._shaking.add(task)
        task.add_done_callback(self._shaking.discard)

    async def _shake(self, accepted: socket.socket, host: str) -> None:
        guest = _Guest(Connection(self._hall), self.admission, host)
        try:
            await self._acceptor.accept(
                accepted, lambda: Stream(guest, self._clock, ALPN_TERMINAL, LIMITS)
            )
        except PeerRefused as refused:
            guest.leave()
            self.strangers.refused(refused, host)
            self._say(refused, host)
        except (OSError, asyncio.CancelledError) as broken:
            accepted.close()
            guest.leave()
            self._say(broken, host)

    def _say(self, wrong: BaseException, host: str) -> None:
        """Log it, unless a line was just written: who has no certificate must not fill the disk."""
        if count := self._seldom.told(self._clock.seconds()):
            log, fault = structlog.get_logger(), wrong.__cause__
            log.info("no handshake", why=str(wrong), address=host, count=count, exc_info=fault)
