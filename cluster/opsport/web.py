"""The one place that ties the ops port to twisted.web: heads in, a page or a stream out.

Invariants: GET and HEAD only, no bodies, one request a connection; a head is small and in time; the
number of connections is bounded and the one that has waited longest for its head gives way; new
ones are taken at a bounded rate, the rest waits in the kernel; so whoever comes here costs the
node's loop a bounded share. Every answer, refusals too, carries the same headers. It must not know
what a page says.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from msgspec import Struct
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory, connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, Request

HEAD_BYTES: Final = 8192
"""A probe's head has some hundred bytes, a browser's two thousand."""
HEADERS: Final = 64
LINE_BYTES: Final = 4096
HEAD_S: Final = 3.0
"""From the connection to the end of its head; probes are near."""
ANSWER_S: Final = 10.0
"""From the head to the end of a page: who does not read it is cut."""
CONNECTIONS: Final = 24
"""Eight listeners, some probes and scrapers at once, and room; each holds some 20 KB."""
RATE: Final = 100
"""Connections a second: at some 0.3 ms each a few hundredths of the loop; probes need one or two.
"""
REFILL_S: Final = 0.05
SAFE: Final = (
    (b"Cache-Control", b"no-store"),
    (b"Connection", b"close"),
    (b"Content-Security-Policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"Cross-Origin-Resource-Policy", b"same-origin"),
    (b"Referrer-Policy", b"no-referrer"),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"X-Frame-Options", b"DENY"),
)


class Page(Struct, frozen=True):
    """A whole answer. ``allow``: the methods, where the one asked for is not among them."""

    code: int
    body: bytes
    kind: bytes = b"application/json"
    allow: bytes = b""


class Wish(Struct, frozen=True):
    """What was asked: the path without its query, the host named, the id seen last (''), whether
    the body is wanted.
    """

    path: str
    host: str
    last_event_id: str
    body: bool


class Stream(Struct, frozen=True):
    """An answer without end: ``begin(send, cut)`` gives the producer that writes it; ``gone(it)``
    when the line is down.
    """

    begin: Callable[[Callable[[bytes], None], Callable[[str], None]], Any]
    gone: Callable[[Any], None]


Serve = Callable[[Wish], "Page | Stream"]


def refusal(code: int, sentence: str, allow: bytes = b"") -> Page:
    """An error page: what, why, what next."""
    return Page(code, _json({"version": 1, "code": code, "sentence": sentence}), allow=allow)


def _json(said: dict[str, Any]) -> bytes:
    return json.dumps(said).encode() + b"\n"


class _Asked(Request):
    """One request; answered in the step that received it."""

    def process(self) -> None:
        channel: Any = self.channel
        if self.method not in {b"GET", b"HEAD"}:
            sentence = "Only GET and HEAD are served here; nothing can be changed over this port."
            self.page(refusal(405, sentence, b"GET, HEAD"))
            return
        wish = Wish(
            path=self.path.decode("ascii", "replace"),
            host=(self.getHeader("host") or ""),
            last_event_id=(self.getHeader("last-event-id") or ""),
            body=self.method == b"GET",
        )
        answer = channel.factory.serve(wish)
        if isinstance(answer, Page):
            self.page(answer)
        else:
            self._stream(answer)

    def page(self, page: Page) -> None:
        """Answer with a page."""
        self._head(page.code, page.kind)
        if page.allow:
            self.responseHeaders.setRawHeaders(b"Allow", [page.allow])
        self.responseHeaders.setRawHeaders(b"Content-Length", [b"%d" % len(page.body)])
        self.write(page.body)
        self.finish()

    def _stream(self, stream: Stream) -> None:
        channel: Any = self.channel
        self._head(200, b"text/event-stream")
        if self.method == b"HEAD":
            self.finish()
            return
        channel.endless()
        producer = stream.begin(self.write, channel.cut)
        self.notifyFinish().addErrback(lambda _: stream.gone(producer))
        self.registerProducer(producer, streaming=True)

    def _head(self, code: int, kind: bytes) -> None:
        self.setResponseCode(code)
        for name, value in SAFE:
            self.responseHeaders.setRawHeaders(name, [value])
        self.responseHeaders.setRawHeaders(b"Content-Type", [kind])


class _Channel(HTTPChannel):
    """One connection, with its deadlines on the node's own clock."""

    requestFactory = _Asked
    totalHeadersSize = HEAD_BYTES
    maxHeaders = HEADERS
    MAX_LENGTH = LINE_BYTES
    timeOut = None

    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site
        self._deadline: IDelayedCall | None = None
        self._over = False
        self.asking = True

    @property
    def _wire(self) -> Any:
        return self.transport

    def connectionMade(self) -> None:
        super().connectionMade()
        self._wire.setTcpKeepAlive(True)
        self._within(HEAD_S)

    def allHeadersReceived(self) -> None:
        self._within(ANSWER_S)
        self.asking = False
        if self.length != 0:
            self._refuse(413, "A request here has no body. Ask with GET or HEAD.")
            return
        super().allHeadersReceived()

    def checkPersistence(self, request: Request, version: bytes) -> bool:
        return False

    def lineReceived(self, line: bytes) -> None:
        if not self._over:
            super().lineReceived(line)

    def rawDataReceived(self, data: bytes) -> None:
        """What comes after the head is nobody's."""

    def lineLengthExceeded(self, line: bytes) -> None:
        self._respondToBadRequestAndDisconnect()

    def _respondToBadRequestAndDisconnect(self) -> None:
        limit = HEAD_BYTES // 1024
        self._refuse(400, f"This is no HTTP request with a head of at most {limit} KB.")

    def _refuse(self, code: int, sentence: str) -> None:
        """Answer without a request: what came could not become one."""
        if self._over:
            return
        self._over = True
        page = refusal(code, sentence)
        head = [b"HTTP/1.1 %d %s" % (code, HTTPStatus(code).phrase.encode())]
        head += [b"%s: %s" % pair for pair in SAFE]
        head += [b"Content-Type: " + page.kind, b"Content-Length: %d" % len(page.body)]
        self._wire.write(b"\r\n".join([*head, b"", page.body]))
        self.loseConnection()

    def _within(self, seconds: float) -> None:
        self.endless()
        self._deadline = self._site.clock.callLater(seconds, self.cut, "too slow")

    def endless(self) -> None:
        """No deadline from now on: a stream has its own rules."""
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None

    def cut(self, _why: str) -> None:
        """End it now, whatever is unread."""
        self._over = True
        self._wire.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.endless()
        self._site.left(self)
        super().connectionLost(reason)


class Site(Factory):
    """Makes the channels. ``port`` is set once it listens."""

    noisy = False

    def __init__(self, serve: Serve, clock: IReactorTime) -> None:
        self.serve = serve
        self.clock = clock
        self.port: Any = None
        self._channels: dict[_Channel, None] = {}
        self._tokens = float(RATE)
        self._filled_s = clock.seconds()
        self._waiting: IDelayedCall | None = None

    def buildProtocol(self, _addr: object) -> _Channel | None:
        """A new connection; with no tokens left the port is not read for a moment."""
        now_s = self.clock.seconds()
        self._tokens = min(RATE, self._tokens + (now_s - self._filled_s) * RATE) - 1
        self._filled_s = now_s
        if self._tokens < 1 and self._waiting is None and self.port is not None:
            self.port.stopReading()
            self._waiting = self.clock.callLater(REFILL_S, self._read_again)
        if len(self._channels) >= CONNECTIONS and not self._make_room():
            return None
        channel = _Channel(self)
        channel.factory = self
        self._channels[channel] = None
        return channel

    def _make_room(self) -> bool:
        """Cut the one that has waited longest without a whole head, if there is one."""
        oldest = next((one for one in self._channels if one.asking), None)
        if oldest is not None:
            oldest.cut("others wait")
            self.left(oldest)
        return oldest is not None

    def _read_again(self) -> None:
        self._waiting = None
        if self.port is not None:
            self.port.startReading()

    def left(self, channel: _Channel) -> None:
        """A connection is gone."""
        self._channels.pop(channel, None)

    def log(self, request: Request) -> None:
        """No line for every probe."""

    def close(self) -> None:
        """Cut everything."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        self.port = None
        for channel in tuple(self._channels):
            channel.cut("the node stops")
