"""Rings at the counters' doors of both nodes, again and again, and notes who opened: what a counter
would have seen of a failover, without a payment and without a sign-in.

A ring is TLS, Hello, and the first answer: Welcome from a primary that serves, or not. A wait is
the time between two Welcomes, so it is never shorter than what a counter waits. It must not know
why it rings.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any, Final, Self

from msgspec import Struct
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.protocol import Factory

from config.settings import split_address
from protocols import codec
from protocols.frames import FrameError
from protocols.messages import PROTOCOL_VERSION, FromServer, Hello, Welcome
from protocols.refusals import Refused
from protocols.shell.bridge import to_future
from protocols.shell.clock import BootClock
from protocols.shell.stream import Stream
from protocols.shell.tls import ALPN_TERMINAL, TlsFiles, client_side

if TYPE_CHECKING:
    from config.settings import ClientSettings

EVERY_S: Final = 0.05
"""Twenty handshakes a second and node: a tenth of what a node accepts by default."""
RING_S: Final = 1.0
"""A door that does not answer in a second is not open to a clerk either."""
SOFTWARE: Final = "mpower drill"


class Rung(Struct, frozen=True):
    """One answer at ``at_s`` (this machine's monotonic seconds): the serving node, "" nobody."""

    at_s: float
    node: str


class Waits(Struct, frozen=True):
    """What came of many rings: all, those welcomed, and the longest time between two Welcomes."""

    rings: int
    welcomed: int
    longest_ms: int


def waits(rung: list[Rung]) -> Waits:
    """Sum up; rings before the first Welcome and after the last one count as waits too."""
    ordered = sorted(rung, key=lambda one: one.at_s)
    marks = [one.at_s for one in ordered if one.node]
    marks = [*(one.at_s for one in ordered[:1]), *marks, *(one.at_s for one in ordered[-1:])]
    longest_s = max((b - a for a, b in itertools.pairwise(marks)), default=0.0)
    welcomed = sum(1 for one in ordered if one.node)
    return Waits(len(ordered), welcomed, round(longest_s * 1000))


class _Visitor:
    """The owner of one ring's stream."""

    def __init__(self, heard: asyncio.Future[FromServer]) -> None:
        self._heard = heard

    def stream_up(self, stream: Stream) -> None:
        stream.greeted()
        stream.send(codec.encode(Hello(PROTOCOL_VERSION, SOFTWARE)))

    def frame_came(self, stream: Stream, payload: bytes) -> None:
        try:
            said = codec.from_server(payload)
        except Refused as refused:
            self._fail(refused.sentence)
            return
        if not self._heard.done():
            self._heard.set_result(said)

    def stream_broken(self, stream: Stream, wrong: FrameError) -> None:
        self._fail(str(wrong))

    def stream_late(self, stream: Stream, what: str) -> None:
        self._fail(f"no {what} in time")

    def stream_down(self, stream: Stream, reason: str) -> None:
        self._fail(reason)

    def _fail(self, why: str) -> None:
        if not self._heard.done():
            self._heard.set_exception(ConnectionError(why))


class Bells:
    """Rings at every door while it is entered: ``async with bells: …``, then ``bells.rung``."""

    def __init__(self, settings: ClientSettings) -> None:
        from twisted.internet import reactor

        tls = settings.tls
        files = TlsFiles(tls.ca, tls.certificate, tls.key, tls.revoked)
        self._doors = settings.nodes
        self._reactor: Any = reactor
        self._clock = BootClock()
        self._tls = client_side(files, settings.cluster)
        self._ringing: list[asyncio.Task[None]] = []
        self.rung: list[Rung] = []

    async def __aenter__(self) -> Self:
        self.rung = []
        self._ringing = [asyncio.ensure_future(self._again(door)) for door in self._doors]
        return self

    async def __aexit__(self, *_: object) -> None:
        for one in self._ringing:
            one.cancel()
        await asyncio.gather(*self._ringing, return_exceptions=True)

    async def welcomed(self, node: str, within_s: float) -> bool:
        """Wait until that node has opened its door to a ring."""
        give_up_s = self._clock.seconds() + within_s
        while not any(one.node == node for one in self.rung):
            if self._clock.seconds() > give_up_s:
                return False
            await asyncio.sleep(EVERY_S)
        return True

    async def _again(self, door: str) -> None:
        while True:
            node = await self._ring(door)
            self.rung.append(Rung(self._clock.seconds(), node))
            await asyncio.sleep(EVERY_S)

    async def _ring(self, door: str) -> str:
        heard: asyncio.Future[FromServer] = asyncio.get_running_loop().create_future()
        stream = Stream(_Visitor(heard), self._clock, ALPN_TERMINAL)
        factory = Factory.forProtocol(lambda: stream)
        factory.noisy = False
        host, port = split_address(door)
        endpoint = wrapClientTLS(
            self._tls, HostnameEndpoint(self._reactor, host.encode(), port, timeout=RING_S)
        )
        try:
            async with asyncio.timeout(RING_S):
                await to_future(endpoint.connect(factory))
                said = await heard
        except Exception:  # noqa: BLE001 - whatever it was, nobody was welcomed
            return ""
        finally:
            stream.abort("rung")
            heard.cancel()
        return said.node if isinstance(said, Welcome) else ""
