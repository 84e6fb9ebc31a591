"""Watches the certificates of a running node and tells people a month before one ends.

Read from a thread at the start and every quarter of an hour, because a hung disk must not stop the
heart. It must not judge: ``expiring`` does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from twisted.internet.interfaces import IReactorTime

from cluster.checkup.judging import Paper, expiring
from cluster.chronicle import Chronicle
from cluster.pulse import Pulse
from config.settings import TlsSettings

END: Final = b"-----END X509 CRL-----"
EVERY_S: Final = 900.0
"""It changes by the day, but who has put a new list there wants to see the alarm end."""


def papers_of(files: tuple[Path, ...]) -> tuple[Paper, ...]:
    """The certificates in these files; OSError, ValueError if one cannot be read."""
    found = []
    for file in files:
        for one in x509.load_pem_x509_certificates(file.read_bytes()):
            name = one.subject.rfc4514_string()
            found.append(Paper(str(file), name, one.not_valid_after_utc.timestamp()))
    return tuple(found)


def lists_of(file: Path | None) -> tuple[Paper, ...]:
    """The lists of revoked certificates in this file; OSError, ValueError if one cannot be read."""
    if file is None:
        return ()
    found = []
    for part in file.read_bytes().split(END)[:-1]:
        one = x509.load_pem_x509_crl(part + END)
        until = one.next_update_utc
        name = one.issuer.rfc4514_string()
        found.append(Paper(str(file), name, until.timestamp() if until else 0.0, revokes=True))
    if not found:
        raise ValueError(f"{file} holds no list of revoked certificates in PEM")
    return tuple(found)


def fits(certificate: Path, key: Path) -> bool:
    """The private key is that of the certificate; OSError, ValueError if one cannot be read."""
    public = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.public_key().public_bytes(*form) == public.public_bytes(*form)


class PapersWatch:
    """``fault`` gets what must never happen; ``chronicle`` the alarm, or its end."""

    def __init__(
        self,
        tls: TlsSettings,
        chronicle: Chronicle,
        clock: IReactorTime,
        fault: Callable[[str, BaseException], None],
    ) -> None:
        self._tls = tls
        self._chronicle = chronicle
        self._pulse = Pulse("papers", clock, lambda: EVERY_S, lambda _late_s: self._begin(), fault)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look now, and again and again."""
        self._begin()
        self._pulse.start()

    def stop(self) -> None:
        """Look no more."""
        self._pulse.stop()
        if self._task is not None:
            self._task.cancel()

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self.look())

    async def look(self) -> None:
        """Raise the alarms, or end them."""
        tls = self._tls
        ends = await self._ending(lambda: papers_of((tls.certificate, tls.ca)))
        self._chronicle.alarm("certificate-ends", ends)
        self._chronicle.alarm("crl-ends", await self._ending(lambda: lists_of(tls.revoked)))

    async def _ending(self, read: Callable[[], tuple[Paper, ...]]) -> str:
        """What an alarm says of them; '' if nothing ends soon."""
        try:
            papers = await asyncio.to_thread(read)
        except (OSError, ValueError) as wrong:
            return f"This node's certificates or list cannot be read any more: {wrong}."
        return " ".join(one.what for one in expiring(papers, self._chronicle.wall()))
