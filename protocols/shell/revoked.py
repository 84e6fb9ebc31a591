"""The authorities' lists of what they revoked, in one file, read anew whenever it changes.

Each authority's certificates are judged by its own list: one without a list is not believed, and a
list of one that is not known here (a rotation begins, and the file came first) is passed over.
Invariant: who was revoked stays so for as long as the process lives. Authorities take nothing back,
so a list that leaves somebody out is an older one, restored or brought by mistake; it lets nobody
in again. A list that is stale or cannot be read refuses everybody. This file must not know what a
certificate is for.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography import x509

from protocols.shell.refused import PeerRefused, Why

EPOCH: Final = dt.datetime.fromtimestamp(0, dt.UTC)
"""A list that does not say when the next one comes is stale."""


class Revoked:
    """The lists in the file at ``path`` that one of these ``authorities`` signed."""

    def __init__(self, path: Path, authorities: list[x509.Certificate]) -> None:
        self._path = path
        self._authorities = authorities
        self._stamp: tuple[int, int, int] | None = None
        self._until: dict[bytes, dt.datetime] = {}
        self._serials: dict[bytes, frozenset[int]] = {}
        self._mark = ""

    def check(self, certificate: x509.Certificate, now: dt.datetime) -> None:
        """Raise PeerRefused if the certificate is on its issuer's list, or the list cannot be
        trusted now.
        """
        try:
            self._read()
        except (OSError, ValueError) as wrong:
            text = f"the list of revoked certificates cannot be read: {wrong}"
            raise PeerRefused(Why.LIST, text) from None
        until = self._until.get(certificate.issuer.public_bytes())
        if until is None:
            raise PeerRefused(Why.LIST, "there is no list of what its authority revoked")
        if now >= until:
            text = f"the list of revoked certificates is stale since {until}"
            raise PeerRefused(Why.LIST, text)
        if self._lists(certificate):
            text = f"the certificate {certificate.serial_number:x} is revoked"
            raise PeerRefused(Why.REVOKED, text)

    def names(self, certificate: x509.Certificate) -> bool:
        """Say whether the last good list has the certificate on it; a bad one changes nothing."""
        with suppress(OSError, ValueError):
            self._read()
        return self._lists(certificate)

    def mark(self) -> str:
        """By which two machines see whether they hold the same list; '' before the first good
        one.
        """
        with suppress(OSError, ValueError):
            self._read()
        return self._mark

    def _lists(self, certificate: x509.Certificate) -> bool:
        serials = self._serials.get(certificate.issuer.public_bytes(), frozenset())
        return certificate.serial_number in serials

    def _read(self) -> None:
        status = self._path.stat()
        stamp = (status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        if stamp == self._stamp:
            return
        content = self._path.read_bytes()
        lists = [one for one in _pem_lists(content) if self._signed(one)]
        if not lists:
            raise ValueError("it was not signed by our authority")
        lists.sort(key=lambda one: one.last_update_utc)  # of two of one authority the newer says
        self._until = {one.issuer.public_bytes(): one.next_update_utc or EPOCH for one in lists}
        for one in lists:
            issuer = one.issuer.public_bytes()
            before = self._serials.get(issuer, frozenset())
            self._serials[issuer] = before | {entry.serial_number for entry in one}
        self._stamp, self._mark = stamp, hashlib.sha256(content).hexdigest()[:12]

    def _signed(self, listed: x509.CertificateRevocationList) -> bool:
        return any(
            authority.subject == listed.issuer and listed.is_signature_valid(authority.public_key())  # type: ignore[arg-type]
            for authority in self._authorities
        )


def _pem_lists(data: bytes) -> list[x509.CertificateRevocationList]:
    mark = b"-----BEGIN X509 CRL-----"
    lists = [x509.load_pem_x509_crl(mark + part) for part in data.split(mark)[1:]]
    if not lists:
        raise ValueError("it holds no list")
    return lists
