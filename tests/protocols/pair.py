"""Two streams joined in memory by real TLS: what one side writes, the other reads when ``pump`` is
called.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure

from protocols.frames import FrameError
from protocols.shell.stream import Limits, Stream
from protocols.shell.tls import ALPN_TERMINAL, Connections


class Wire(StringTransport):
    """One side's TCP: keeps what is written until it is pumped over."""

    def __init__(self) -> None:
        super().__init__()
        self.gone = False
        self.carried = 0

    def abortConnection(self) -> None:
        super().abortConnection()
        self.gone = True

    def loseConnection(self) -> None:
        super().loseConnection()
        self.gone = True


class Notes:
    """An owner that writes down what it is told."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any]] = []

    def stream_up(self, stream: Stream) -> None:
        self.seen.append(("up", str(stream.subject)))

    def frame_came(self, stream: Stream, payload: bytes) -> None:
        self.seen.append(("frame", payload))

    def stream_broken(self, stream: Stream, wrong: FrameError) -> None:
        self.seen.append(("broken", wrong.reason))

    def stream_late(self, stream: Stream, what: str) -> None:
        self.seen.append(("late", what))

    def stream_down(self, stream: Stream, reason: str) -> None:
        self.seen.append(("down", reason))

    @property
    def frames(self) -> list[bytes]:
        return [one for kind, one in self.seen if kind == "frame"]

    def of(self, kind: str) -> list[Any]:
        return [one for name, one in self.seen if name == kind]


class Side:
    """One end: its stream, its owner's notes, its wire."""

    def __init__(
        self, connections: Connections, clock: Clock, limits: Limits, *, client: bool
    ) -> None:
        self.notes = Notes()
        self.stream = Stream(self.notes, clock, ALPN_TERMINAL, limits)
        stream = self.stream

        class One(Factory):
            def buildProtocol(self, addr: object) -> Stream:
                return stream

        wrapped = TLSMemoryBIOFactory(connections, client, One(), clock)
        self.wire = Wire()
        tls = wrapped.buildProtocol(None)
        assert isinstance(tls, TLSMemoryBIOProtocol)
        self.tls = tls
        self.tls.makeConnection(self.wire)


class Pair:
    """Both ends under one virtual clock."""

    def __init__(
        self,
        server: Connections,
        client: Connections,
        server_limits: Limits | None = None,
        client_limits: Limits | None = None,
    ) -> None:
        self.clock = Clock()
        self.server = Side(server, self.clock, server_limits or Limits(), client=False)
        self.client = Side(client, self.clock, client_limits or Limits(hello_s=0.0), client=True)
        self.pump()

    def pump(self, rounds: int = 20) -> None:
        """Carry bytes both ways until neither side has any, then whoever hung up is gone."""
        for _ in range(rounds):
            self.clock.advance(0)
            if not self._carry(self.client, self.server) | self._carry(self.server, self.client):
                break
        for one, other in ((self.client, self.server), (self.server, self.client)):
            if one.wire.gone:
                self._end(one)
                self._end(other)

    @staticmethod
    def _carry(one: Side, other: Side) -> bool:
        data = one.wire.value()
        one.wire.clear()
        one.wire.carried += len(data)
        if data and not other.notes.of("down"):
            other.tls.dataReceived(data)
        return bool(data)

    @staticmethod
    def _end(side: Side) -> None:
        from twisted.internet.error import ConnectionDone

        if not side.notes.of("down"):
            side.tls.connectionLost(Failure(ConnectionDone()))
