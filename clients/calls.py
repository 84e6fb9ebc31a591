"""A terminal's connections as Twisted makes them: dial a node by its number, report what happens
with its call.

It carries out Connect, Close and bytes of ``protocols.terminal``, nothing more; each connection is
told apart by its call, and nothing of a closed one is reported. New papers are on trial until a
server has spoken to one of their calls; a call of theirs that is closed unheard ends the trial, and
the former papers call again. This file must not know why a node is dialled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from protocols import codec, desk
from protocols.frames import FrameError
from protocols.refusals import Refused
from protocols.shell.stream import Limits, Stream
from protocols.shell.tls import ALPN_TERMINAL, Connections

LIMITS: Final = Limits(hello_s=0.0)
"""The terminal's table keeps the deadline of the greeting itself."""


class Listener(Protocol):
    """Who is told what happens on the lines."""

    def happen(self, happening: desk.Happening) -> None:
        """A line is up, down, or a server said something."""

    def line_ended(self, node: int, reason: str) -> None:
        """Why a line ended, in words for a person."""


class _Dialled(Factory):
    """Makes the one stream of one call."""

    noisy = False

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def buildProtocol(self, addr: Any) -> Stream:
        return self._stream


class Call:
    """One connection to one node; the owner of its stream."""

    def __init__(self, lines: Lines, node: int, call: int) -> None:
        self._lines = lines
        self.node = node
        self.call = call
        self.stream = Stream(self, lines.clock, ALPN_TERMINAL, LIMITS)
        self.dialling: Deferred[Any] | None = None
        self.over = False
        self.on_trial = False

    def stream_up(self, stream: Stream) -> None:
        """Both proved who they are; Hello is on its way already."""

    def frame_came(self, stream: Stream, payload: bytes) -> None:
        """A server's words."""
        if self.over:
            return
        self._lines.heard(self)
        try:
            message = codec.from_server(payload)
        except Refused as refused:
            stream.abort(refused.sentence)
            return
        self._lines.listener.happen(desk.Heard(self.node, self.call, message))

    def stream_broken(self, stream: Stream, wrong: FrameError) -> None:
        """What came is no frame."""
        stream.abort(wrong.reason)

    def stream_late(self, stream: Stream, what: str) -> None:
        """A frame was begun and not finished."""
        stream.abort(f"no {what} in time")

    def stream_down(self, stream: Stream, reason: str) -> None:
        """The connection is closed."""
        self.end(reason)

    def end(self, reason: str) -> None:
        """Report the end, once."""
        if not self.over:
            self.over = True
            self._lines.ended(self, reason)


class Lines:
    """All connections of one terminal. ``nodes`` are (host, port)."""

    def __init__(
        self,
        nodes: list[tuple[str, int]],
        connections: Connections,
        reactor: Any,
        clock: IReactorTime,
        listener: Listener,
    ) -> None:
        self.clock = clock
        self.listener = listener
        self._nodes = nodes
        self._connections = connections
        self._reactor = reactor
        self._calls: dict[int, Call] = {}
        self._trial: tuple[Connections, Callable[[str], None]] | None = None
        self._former: Connections | None = None

    def recheck(self) -> None:
        """Judge again whom the present and the former papers let in."""
        for one in (self._connections, self._former, self._trial and self._trial[0]):
            if one is not None:
                one.recheck()

    def try_papers(self, connections: Connections, verdict: Callable[[str], None]) -> None:
        """Call with these papers from now on; ``verdict`` hears '' once a server spoke to one of
        their calls, and they stay, or why they were put away.
        """
        self._trial = (connections, verdict)

    def try_no_more(self) -> None:
        """Put papers that are on trial away, unheard."""
        self._trial = None

    def heard(self, made: Call) -> None:
        """A server spoke on that call."""
        if made.on_trial and self._trial is not None:
            (connections, verdict), self._trial = self._trial, None
            self._former, self._connections = self._connections, connections
            verdict("")
        made.on_trial = False

    def connect(self, node: int, call: int) -> None:
        """Dial; LineUp or LineDown follows, never before this returns."""
        host, port = self._nodes[node]
        made = Call(self, node, call)
        self._calls[call] = made
        made.on_trial = self._trial is not None
        connections = self._trial[0] if self._trial is not None else self._connections
        endpoint = wrapClientTLS(connections, HostnameEndpoint(self._reactor, host, port))
        made.dialling = endpoint.connect(_Dialled(made.stream))
        made.dialling.addCallbacks(
            lambda _: self._up(made), lambda failure: self._failed(failure, made)
        )

    def send(self, call: int, payload: bytes) -> None:
        """Send one message on that call."""
        made = self._calls.get(call)
        if made is not None:
            made.stream.send(payload)

    def close(self, call: int) -> None:
        """Close that call; nothing of it is reported any more."""
        made = self._calls.pop(call, None)
        if made is None:
            return
        made.over = True
        if made.dialling is not None:
            made.dialling.cancel()
        made.stream.close()

    def close_all(self) -> None:
        """Close every call."""
        for call in list(self._calls):
            self.close(call)

    def ended(self, made: Call, reason: str) -> None:
        """A call ended by itself. One that was never up says nothing about its papers."""
        if made.on_trial and made.dialling is None and self._trial is not None:
            (_, verdict), self._trial = self._trial, None
            verdict(reason)
        if self._calls.pop(made.call, None) is not None:
            self.listener.line_ended(made.node, reason)
            self.listener.happen(desk.LineDown(made.node, made.call))

    def _up(self, made: Call) -> None:
        made.dialling = None
        if made.over:
            made.stream.close()
        else:
            self.listener.happen(desk.LineUp(made.node, made.call))

    @staticmethod
    def _failed(failure: Failure, made: Call) -> None:
        made.on_trial = False
        made.end(failure.getErrorMessage())
