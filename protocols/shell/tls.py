"""TLS for every connection of the house: mutual, TLS 1.3 (1.2 with AEAD and ECDHE), no resumption,
one ALPN word.

A peer is who its certificate's one SAN URI says: signed by our authority, in date, for this use, of
this cluster, of a kind that may speak here, and not on the list of revoked serials, which is read
anew when its file changes and refuses everybody once it is stale. All of it is decided inside the
handshake, so a refused peer never reaches a protocol. It must not know what is said on the
connection.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from msgspec import Struct
from OpenSSL import SSL, crypto
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
)
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from protocols.shell.admitted import Admitted
from protocols.shell.clock import boot_seconds
from protocols.shell.refused import PeerRefused, Seldom, Why, of_chain
from protocols.shell.revoked import Revoked
from protocols.subject import Kind, Subject, subject_from

ALPN_TERMINAL: Final = b"mpower/1"
"""Terminals and bank links to a node."""
ALPN_PEER: Final = b"mpower-peer/1"
"""Nodes among themselves and with the witness; operators."""
CIPHERS_12: Final = b"ECDHE+AESGCM:ECDHE+CHACHA20"
"""TLS 1.2: forward secrecy and authenticated encryption only."""

NODES: Final[frozenset[Kind]] = frozenset({"node"})
"""Whom a terminal calls."""
KEY_EXCHANGE: Final = ec.SECP256R1()
"""One group, so that no post-quantum share is offered: a handshake is 2.8 KB instead of 5.1 KB, and
ten counters that come back over one 64 kbit/s line wait 3.5 s for each other instead of 6.3 s.
"""
Now = Callable[[], dt.datetime]
_log = Logger()


class TlsFiles(Struct, frozen=True):
    """What one machine needs: the authority, its certificate and key, the list of revoked serials
    (PEM files).
    """

    ca: Path
    certificate: Path
    key: Path
    revoked: Path | None = None


def utc_now() -> dt.datetime:
    """The wall clock: certificates and lists are dated by it."""
    return dt.datetime.now(dt.UTC)


def subject_of(certificate: x509.Certificate) -> Subject:
    """Say whose certificate it is; raises PeerRefused unless it names exactly one machine."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        raise PeerRefused(Why.MISFIT, "the certificate names no machine") from None
    subject = subject_from(names.value.get_values_for_type(x509.UniformResourceIdentifier))
    if subject is None:
        wrong = "the certificate does not name exactly one machine of an mPower cluster"
        raise PeerRefused(Why.MISFIT, wrong)
    return subject


@implementer(IOpenSSLServerConnectionCreator, IOpenSSLClientConnectionCreator)
class Connections:
    """Makes the TLS side of each connection: give it to TLSMemoryBIOFactory (server) or
    wrapClientTLS (client).
    """

    def __init__(
        self,
        context: SSL.Context,
        recheck: Callable[[], None] = lambda: None,
        list_mark: Callable[[], str] = str,
    ) -> None:
        self.context, self.recheck, self.list_mark = context, recheck, list_mark

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """Make the accepting side of one connection."""
        return self._of(protocol)

    def clientConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """Make the calling side of one connection."""
        return self._of(protocol)

    def _of(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        connection = SSL.Connection(self.context, None)
        connection.set_app_data(protocol)
        return connection


def server_side(
    files: TlsFiles, cluster: str, accepts: Collection[Kind], alpn: bytes, now: Now = utc_now
) -> Connections:
    """Accept machines of these kinds of this cluster, over this ALPN word only."""
    context = context_of(SSL.TLS_SERVER_METHOD, files)
    context.set_alpn_select_callback(
        lambda _, offered: alpn if alpn in offered else SSL.NO_OVERLAPPING_PROTOCOLS
    )
    return _verified(context, Peers(files, cluster, accepts, ExtendedKeyUsageOID.CLIENT_AUTH), now)


def client_side(
    files: TlsFiles,
    cluster: str,
    calls: Collection[Kind] = NODES,
    alpn: bytes = ALPN_TERMINAL,
    now: Now = utc_now,
) -> Connections:
    """Call machines of these kinds of this cluster; a server is known by its URI, not by where it
    answers.
    """
    context = context_of(SSL.TLS_CLIENT_METHOD, files)
    context.set_alpn_protos([alpn])
    return _verified(context, Peers(files, cluster, calls, ExtendedKeyUsageOID.SERVER_AUTH), now)


def context_of(method: int, files: TlsFiles) -> SSL.Context:
    """The rules of every connection of the house, with this machine's certificate; whom to believe
    is still to be said.
    """
    context = SSL.Context(method)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(CIPHERS_12)
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
    context.set_tmp_ecdh(KEY_EXCHANGE)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.use_certificate_chain_file(str(files.certificate))
    context.use_privatekey_file(str(files.key))
    context.check_privatekey()
    context.load_verify_locations(str(files.ca))
    return context


class Peers:
    """Who may be at the other end: judged inside the handshake, once for each certificate of the
    chain.
    """

    def __init__(
        self, files: TlsFiles, cluster: str, kinds: Collection[Kind], use: x509.ObjectIdentifier
    ) -> None:
        authorities = x509.load_pem_x509_certificates(files.ca.read_bytes())
        self._revoked = Revoked(files.revoked, authorities) if files.revoked else None
        self._cluster = cluster
        self._kinds = kinds
        self._use = use

    def judge(self, peer: crypto.X509, error: int, depth: int, now: dt.datetime) -> None:
        """Raise PeerRefused for a chain that does not hold or a leaf that may not speak here."""
        if error:
            raise of_chain(error)
        if depth == 0:
            self.judge_leaf(peer.to_cryptography(), now)

    def judge_leaf(self, leaf: x509.Certificate, now: dt.datetime) -> None:
        """Raise PeerRefused for the certificate of a machine that may not speak here; its chain was
        verified.
        """
        subject = subject_of(leaf)
        try:
            self._judge(subject, leaf, now)
        except PeerRefused as refused:
            refused.subject = f"{subject.kind}/{subject.name}"
            raise

    def _judge(self, subject: Subject, leaf: x509.Certificate, now: dt.datetime) -> None:
        if subject.cluster != self._cluster:
            raise PeerRefused(Why.MISFIT, f"{subject} is of another cluster")
        if subject.kind not in self._kinds:
            raise PeerRefused(Why.MISFIT, f"{subject} may not speak here")
        try:
            uses = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except x509.ExtensionNotFound:
            raise PeerRefused(Why.MISFIT, f"{subject} has a certificate for no use") from None
        if self._use not in uses:
            raise PeerRefused(Why.MISFIT, f"{subject} has a certificate for another use")
        if self._revoked is not None:
            self._revoked.check(leaf, now)

    def list_mark(self) -> str:
        """See ``Revoked.mark``; '' where no list is kept."""
        return self._revoked.mark() if self._revoked is not None else ""

    def still(self, leaf: x509.Certificate, now: dt.datetime) -> str:
        """Why who was let in by this certificate may not stay; '' if he may."""
        if leaf.not_valid_after_utc <= now:
            return f"the certificate {leaf.serial_number:x} has ended"
        if self._revoked is not None and self._revoked.names(leaf):
            return f"the certificate {leaf.serial_number:x} is revoked"
        return ""


def _verified(context: SSL.Context, peers: Peers, now: Now) -> Connections:
    admitted, seldom = Admitted(peers.still, now), Seldom()

    def verified(
        connection: SSL.Connection, peer: crypto.X509, error: int, depth: int, trusted: int
    ) -> bool:
        try:
            peers.judge(peer, 0 if trusted else error or -1, depth, now())
            stream = getattr(connection.get_app_data(), "wrappedProtocol", None)
            if depth == 0 and stream is not None:
                admitted.enter(stream, peer.to_cryptography())
        except PeerRefused as refused:
            if count := seldom.told(boot_seconds()):
                text = "A peer's certificate was refused: {why} ({count} since the last such line)."
                _log.warn(text, why=str(refused), count=count)
            return False
        except Exception:  # noqa: BLE001 - nothing fails open, whatever a certificate holds
            if count := seldom.told(boot_seconds()):
                text = "A peer's certificate could not be judged and was refused ({count} of late)."
                _log.failure(text, count=count)
            return False
        return True

    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, verified)
    return Connections(context, admitted.recheck, peers.list_mark)
