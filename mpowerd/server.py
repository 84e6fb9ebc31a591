"""The door of the building: listens for terminals, lets them in at a bounded rate, TLS only after
admission.

Invariants: a flood costs a bounded number of sockets and handshakes and never those of others; an
address that leaves its handshakes unfinished is turned away at the door without a token of the
others. Above the rate the queue is the kernel's: the port reads no more until there are tokens
again. Admission is pure (``Admission``); what is said inside is the connection's. This file must
not know operations or sessions.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Final

import structlog
from twisted.internet.interfaces import IAddress, IListeningPort, IReactorTCP, IReactorTime
from twisted.internet.protocol import Factory, Protocol, ServerFactory
from twisted.protocols.tls import TLSMemoryBIOFactory

from mpowerd.connection import Connection, Line
from mpowerd.hall import Hall
from protocols.frames import FrameError
from protocols.shell.stream import Stream
from protocols.shell.tls import ALPN_TERMINAL, Connections

PER_ADDRESS: Final = 512
"""Connections from one address: a whole office behind one router, and a demonstration on one
machine.
"""
UNFINISHED_PER_ADDRESS: Final = 64
"""Handshakes one address may have unfinished: ten counters that reconnect at once, and room."""
BACKLOG: Final = 1_024
"""Connections the kernel keeps while the port does not read: a city's terminals after a failover.
"""
REFILL_S: Final = 0.05


class Admission:
    """Who may come in: counts and tokens, no sockets. ``rate`` connections a second, ``most`` at
    once.
    """

    def __init__(self, rate: int, most: int, now_s: float) -> None:
        self._rate, self._most = rate, most
        self._tokens, self._filled_s = float(rate), now_s
        self._here: Counter[str] = Counter()
        self._unfinished: Counter[str] = Counter()
        self.turned_away: Counter[str] = Counter()

    def refill(self, now_s: float) -> bool:
        """Add the tokens of the time that passed; say whether there is one."""
        self._tokens = min(self._rate, self._tokens + (now_s - self._filled_s) * self._rate)
        self._filled_s = now_s
        return self._tokens >= 1

    def enter(self, host: str) -> str:
        """Let a connection in ('') or say which limit turns it away."""
        why = ""
        if self._unfinished[host] >= UNFINISHED_PER_ADDRESS:
            why = "handshakes unfinished"
        elif self._here[host] >= PER_ADDRESS:
            why = "connections of one address"
        elif self._here.total() >= self._most:
            why = "connections in total"
        if why:
            self.turned_away[why] += 1
            return why
        self._tokens -= 1
        self._here[host] += 1
        self._unfinished[host] += 1
        return ""

    def finished(self, host: str) -> None:
        """A handshake is finished."""
        self._less(self._unfinished, host)

    def left(self, host: str) -> None:
        """A connection is gone."""
        self._less(self._here, host)

    @staticmethod
    def _less(counted: Counter[str], host: str) -> None:
        counted[host] -= 1
        if counted[host] <= 0:
            del counted[host]


class _Guest:
    """The owner of a stream: keeps the door's count right and passes everything on."""

    def __init__(self, connection: Connection, door: Admission, host: str) -> None:
        self._connection, self._door, self._host = connection, door, host
        self._shaking = True

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
        self._finished()
        self._door.left(self._host)
        self._connection.stream_down(stream, reason)

    def _finished(self) -> None:
        if self._shaking:
            self._shaking = False
            self._door.finished(self._host)


class _Inside(Factory):
    """Makes the stream inside TLS; the owner was made by the door just before."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self.owner: _Guest | None = None

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        owner, self.owner = self.owner, None
        assert owner is not None, "a stream that nobody admitted"
        return Stream(owner, self._clock, ALPN_TERMINAL)


class Server(ServerFactory):
    """The listening side for terminals. ``listen`` once; ``close`` stops listening, the hall closes
    the rest.
    """

    def __init__(
        self,
        hall: Hall,
        tls: Connections,
        reactor: Any,
        clock: IReactorTime,
        *,
        rate: int,
        most: int,
    ) -> None:
        self._hall, self._reactor, self._clock = hall, reactor, clock
        self.admission = Admission(rate, most, clock.seconds())
        self._inside = _Inside(clock)
        self._tls = TLSMemoryBIOFactory(tls, False, self._inside, clock)
        self._port: Any = None
        self._closing = False

    def listen(self, host: str, port: int) -> int:
        """Listen there; gives the port (the system's choice for 0)."""
        listening: IReactorTCP = self._reactor
        self._port = listening.listenTCP(port, self, backlog=BACKLOG, interface=host)
        return int(self._port.getHost().port)

    async def close(self) -> None:
        """Listen no more."""
        self._closing = True
        port: IListeningPort | None = self._port
        if port is not None:
            self._port = None
            stopped = port.stopListening()
            if stopped is not None:
                await stopped.asFuture(asyncio.get_running_loop())

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        """Admit a connection or close it at once; without tokens the port rests."""
        host = str(getattr(addr, "host", ""))
        why = self.admission.enter(host)
        if why:
            if self.admission.turned_away[why] % 1_000 == 1:
                structlog.get_logger().warning("turned away at the door", why=why, address=host)
            return None
        if not self.admission.refill(self._clock.seconds()) and self._port is not None:
            self._port.stopReading()
            self._clock.callLater(REFILL_S, self._read_again)
        self._inside.owner = _Guest(Connection(self._hall), self.admission, host)
        wrapped: Protocol = self._tls.buildProtocol(addr)
        return wrapped

    def _read_again(self) -> None:
        if self._port is None:
            return
        if self.admission.refill(self._clock.seconds()):
            self._port.startReading()
        else:
            self._clock.callLater(REFILL_S, self._read_again)
