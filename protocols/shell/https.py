"""TLS to a server that is no machine of ours (an etcd): known by its host name or address, as
another authority certified it; we show a certificate of that authority too.

Invariant: a server that does not prove its name is refused inside the handshake, so nothing is ever
sent to it. It must not know what is asked there.
"""

from __future__ import annotations

import ipaddress

from OpenSSL import SSL, crypto
from service_identity import CertificateError, VerificationError
from service_identity.cryptography import (
    verify_certificate_hostname,
    verify_certificate_ip_address,
)
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from protocols.shell.tls import TlsFiles, context_of

_log = Logger()


@implementer(IOpenSSLClientConnectionCreator)
class NamedServer:
    """Makes the calling side of each connection to the server ``host`` (a name or an address)."""

    def __init__(self, files: TlsFiles, host: str) -> None:
        self._host = host
        try:
            self._address: str | None = str(ipaddress.ip_address(host))
        except ValueError:
            self._address = None
        self._context = context_of(SSL.TLS_CLIENT_METHOD, files)
        self._context.set_verify(SSL.VERIFY_PEER, self._verified)

    def clientConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """Make the calling side of one connection."""
        connection = SSL.Connection(self._context, None)
        if self._address is None:
            connection.set_tlsext_host_name(self._host.encode("idna"))
        return connection

    def _verified(
        self, connection: SSL.Connection, peer: crypto.X509, error: int, depth: int, trusted: int
    ) -> bool:
        if not trusted or depth > 0:
            return bool(trusted)
        certificate = peer.to_cryptography()
        try:
            if self._address is None:
                verify_certificate_hostname(certificate, self._host)
            else:
                verify_certificate_ip_address(certificate, self._address)
        except (VerificationError, CertificateError) as wrong:
            _log.warn(
                "{host} has a certificate for another host: {why}", host=self._host, why=wrong
            )
            return False
        except Exception:  # noqa: BLE001 - nothing fails open, whatever a certificate holds
            _log.failure("A server's certificate could not be judged and was refused.")
            return False
        return True
