"""Asks nodes and witness an operator's verb, all at once, each with the same deadline.

One connection an address: TLS, greeting, one question, one answer. What cannot be reached is a
sentence in the place of the answer, never an exception, because a half-dead cluster is when people
ask. It must not know what a verb means.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec
from msgspec import Struct
from OpenSSL import SSL
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.protocol import Factory

from clients.door import Ended, Exit
from config.settings import TlsSettings, split_address
from protocols.frames import FrameError
from protocols.peer import (
    MAX_PEER_FRAME_BYTES,
    PEER_VERSION,
    Answer,
    AnyPeerMessage,
    Ask,
    PeerHello,
    PeerMessage,
)
from protocols.shell.bridge import to_future
from protocols.shell.clock import BootClock
from protocols.shell.stream import Limits, Stream
from protocols.shell.tls import ALPN_PEER, Connections, TlsFiles, client_side

LIMITS: Final = Limits(frame_bytes=MAX_PEER_FRAME_BYTES, hello_s=5.0)


class Heard(Struct, frozen=True):
    """What came of asking one address: an answer, or ``trouble`` saying why there is none."""

    address: str
    answer: Answer | None
    trouble: str = ""


class _Question:
    """One question on one connection; the owner of its stream."""

    def __init__(self, cluster: str, ask: Ask, outcome: asyncio.Future[Answer]) -> None:
        self._cluster = cluster
        self._ask = ask
        self._outcome = outcome

    def stream_up(self, stream: Stream) -> None:
        stream.greeted()
        self._send(stream, PeerHello(PEER_VERSION, self._cluster))
        self._send(stream, self._ask)

    def frame_came(self, stream: Stream, payload: bytes) -> None:
        try:
            message = msgspec.msgpack.decode(payload, type=AnyPeerMessage)
        except (msgspec.MsgspecError, UnicodeDecodeError) as wrong:
            self._fail(f"the answer could not be read ({wrong})")
            stream.abort("unreadable")
            return
        if isinstance(message, Answer):
            if not self._outcome.done():
                self._outcome.set_result(message)
            stream.close()

    def stream_broken(self, stream: Stream, wrong: FrameError) -> None:
        stream.abort(str(wrong))

    def stream_late(self, stream: Stream, what: str) -> None:
        stream.abort(f"no {what} in time")

    def stream_down(self, stream: Stream, reason: str) -> None:
        self._fail(reason)

    def _send(self, stream: Stream, message: PeerMessage) -> None:
        stream.send(msgspec.msgpack.encode(message))

    def _fail(self, why: str) -> None:
        if not self._outcome.done():
            self._outcome.set_exception(ConnectionError(why))


def _believing(files: TlsFiles, cluster: str) -> Connections:
    """The operator's side of every connection; Ended if his own papers cannot be used."""
    try:
        return client_side(files, cluster, ("node", "witness"), ALPN_PEER)
    except (SSL.Error, ValueError) as wrong:
        raise Ended(
            Exit.FAILED,
            f"{files.certificate}, {files.key} and {files.ca} do not belong together, or one is"
            f" damaged ({wrong}). Bring them again: 'mpower pki issue' where the authority is.",
        ) from wrong


class Asking:
    """Asks the machines of one cluster as the operator whose certificate ``tls`` names."""

    def __init__(self, reactor: Any, cluster: str, tls: TlsSettings) -> None:
        files = TlsFiles(tls.ca, tls.certificate, tls.key, tls.revoked)
        self._tls = _believing(files, cluster)
        self._reactor = reactor
        self._cluster = cluster
        self._clock = BootClock()

    async def every(
        self, addresses: list[str], verb: str, arguments: dict[str, str], deadline_s: float
    ) -> list[Heard]:
        """Ask all addresses at once; answers in the same order, none later than the deadline."""
        asked = (self.one(address, verb, arguments, deadline_s) for address in addresses)
        return list(await asyncio.gather(*asked))

    async def one(
        self, address: str, verb: str, arguments: dict[str, str], deadline_s: float
    ) -> Heard:
        """Ask one address."""
        outcome: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        question = _Question(self._cluster, Ask(1, verb, arguments), outcome)
        stream = Stream(question, self._clock, ALPN_PEER, LIMITS)
        factory = Factory.forProtocol(lambda: stream)
        factory.noisy = False
        host, port = split_address(address)
        endpoint = wrapClientTLS(
            self._tls, HostnameEndpoint(self._reactor, host.encode(), port, timeout=deadline_s)
        )
        try:
            async with asyncio.timeout(deadline_s):
                await to_future(endpoint.connect(factory))
                return Heard(address, await outcome)
        except TimeoutError:
            return Heard(address, None, f"no answer within {deadline_s:g} s")
        except Exception as wrong:  # noqa: BLE001 - the others are shown
            return Heard(address, None, str(wrong) or type(wrong).__name__)
        finally:
            stream.abort("asked")
            outcome.cancel()
