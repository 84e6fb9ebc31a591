"""The accepting side of TLS on the loop's own transport, under the same streams and the same rules.

Twisted's TLS costs a server 58 to 68 µs a payment (a timer, writer bookkeeping and a dozen calls
for each reply), the loop's own 25 to 43: a node with hundreds of terminals is worth it. What is
admitted is decided by the same ``Peers``: the chain and its purpose inside the handshake, subject,
use and revocation right after it, before the stream exists for its owner. No tickets: a resumed
handshake would skip the list. This file must not know what is said on the connection.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import ssl
from collections.abc import Callable, Collection
from typing import Any, Final, cast

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure

from protocols.messages import HELLO_DEADLINE_S
from protocols.shell.admitted import Admitted
from protocols.shell.refused import PeerRefused, Why, of_handshake
from protocols.shell.stream import CLOSE_DEADLINE_S, Stream
from protocols.shell.tls import CIPHERS_12, Peers, TlsFiles, utc_now
from protocols.subject import Kind

HANDSHAKE_S: Final = HELLO_DEADLINE_S / 2
"""Handshake and Hello share the deadline since accept."""


class Acceptor:
    """Turns an accepted socket into a stream. ``make`` gives the stream, its owner inside."""

    def __init__(
        self,
        files: TlsFiles,
        cluster: str,
        accepts: Collection[Kind],
        alpn: bytes,
        now: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        self._peers = Peers(files, cluster, accepts, ExtendedKeyUsageOID.CLIENT_AUTH)
        self._now = now
        self._admitted = Admitted(self._peers.still, now)
        self.recheck, self.list_mark = self._admitted.recheck, self._peers.list_mark
        self._context = _context(files, alpn)

    async def accept(self, accepted: socket.socket, make: Callable[[], Stream]) -> None:
        """Shake hands; raises PeerRefused, or OSError (of which ssl.SSLError is one) where the peer
        went away or would not have us. The connection is closed then, or never was.
        """
        sides: list[_Side] = []

        def side() -> _Side:
            sides.append(_Side(make(), self._admit))
            return sides[0]

        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                side,
                accepted,
                ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE_S,
                ssl_shutdown_timeout=CLOSE_DEADLINE_S,
            )
        except OSError as error:
            accepted.close()
            refused = of_handshake(error)
            if refused is None:
                raise
            raise refused from None
        if (turned := sides[0].refused) is not None:
            raise turned

    def _admit(self, stream: Stream, leaf: x509.Certificate) -> None:
        self._peers.judge_leaf(leaf, self._now())
        self._admitted.enter(stream, leaf)


class _Side(asyncio.Protocol):
    """Between the loop's transport and the stream, both ways; to the stream it is the transport."""

    def __init__(self, stream: Stream, admit: Callable[[Stream, x509.Certificate], None]) -> None:
        self._stream, self._admit = stream, admit
        self._transport: asyncio.Transport | None = None
        self._producer: IPushProducer | None = None
        self._leaf: x509.Certificate | None = None
        self._paused = False
        self.refused: PeerRefused | None = None
        self.disconnecting = False
        self.negotiatedProtocol: bytes | None = None

    # ------------------------------------------------------------------- what the loop says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TLS is up and the chain holds: who is it?"""
        self._transport = cast("asyncio.Transport", transport)
        tls = transport.get_extra_info("ssl_object")
        self.negotiatedProtocol = (tls.selected_alpn_protocol() or "").encode()
        self._stream.makeConnection(cast("Any", self))
        try:
            self._leaf = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True))
            self._admit(self._stream, self._leaf)
        except PeerRefused as refused:
            self._refuse(refused)
        except Exception as error:  # noqa: BLE001 - nothing fails open, whatever a certificate holds
            unjudged = PeerRefused(Why.OTHER, "its certificate could not be judged")
            unjudged.__cause__ = error
            self._refuse(unjudged)
        else:
            self._stream.handshakeCompleted()
            if self._stream.subject is None:
                self.refused = PeerRefused(Why.MISFIT, "it speaks another protocol than ours")

    def _refuse(self, refused: PeerRefused) -> None:
        self.refused = refused
        self._stream.abort(str(refused))

    def data_received(self, data: bytes) -> None:
        """Pass bytes on."""
        self._stream.dataReceived(data)

    def pause_writing(self) -> None:
        """The peer does not read."""
        if self._producer is not None:
            self._producer.pauseProducing()

    def resume_writing(self) -> None:
        """The peer reads again."""
        if self._producer is not None:
            self._producer.resumeProducing()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self._transport = None
        self._stream.connectionLost(Failure(exc or ConnectionDone()))

    # ------------------------------------------------------ what the stream asks its transport

    def write(self, data: bytes) -> None:
        """Send."""
        if self._transport is not None:
            self._transport.write(data)

    def loseConnection(self) -> None:
        """Close once everything is written."""
        self.disconnecting = True
        if self._transport is not None:
            self._transport.close()

    def abortConnection(self) -> None:
        """Close now."""
        self.disconnecting = True
        if self._transport is not None:
            self._transport.abort()

    def pauseProducing(self) -> None:
        """Read no more."""
        if self._transport is not None and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def resumeProducing(self) -> None:
        """Read on."""
        if self._transport is not None and self._paused:
            self._paused = False
            self._transport.resume_reading()

    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:  # noqa: FBT001
        """Tell this one when the peer does not read."""
        self._producer = producer

    def unregisterProducer(self) -> None:
        """Tell nobody."""
        self._producer = None

    def getPeer(self) -> IPv4Address:
        """Where the peer is."""
        assert self._transport is not None
        host, port, *_ = self._transport.get_extra_info("peername") or ("?", 0)
        return IPv4Address("TCP", host, port)

    def getPeerCertificate(self) -> _Side:  # noqa: N802 - as Twisted's transport calls it
        """The peer's certificate, to be read by ``to_cryptography``."""
        return self

    def to_cryptography(self) -> x509.Certificate:
        """The peer's certificate."""
        assert self._leaf is not None, "asked before the handshake"
        return self._leaf


def _context(files: TlsFiles, alpn: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS_12.decode())
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    context.set_ecdh_curve("prime256v1")  # KEY_EXCHANGE by its other name
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(files.certificate, files.key)
    context.load_verify_locations(files.ca)
    context.set_alpn_protocols([alpn.decode()])
    return context
