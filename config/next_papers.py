"""A machine's next certificate as files beside the present one, and the switch to it.

    C001.next.key       the new key: made here, 0400, never sent
    C001.next.request   what is asked with it; after the switch, until the board knows of the switch
    C001.next.pem       the answer, until a server has let it in

The present pair works until the switch. Invariant: files are written in an order that, cut off
anywhere, is gone on with: ``mend`` ends a switch that a power cut left between its two files. This
file must not know how the request travels.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from config.files import ANSWER, SECRET, write_file
from config.pki import PkiError
from config.renewal import asked_key, check_answer, named_in, private_key, public_key
from config.renewal import request as made

KEY: Final = ".next.key"
REQUEST: Final = ".next.request"


class NextPapers:
    """The files of one machine; ``ca`` holds the authorities it believes, if it is known here."""

    def __init__(self, certificate: Path, key: Path, ca: Path | None = None) -> None:
        self.certificate, self.key, self._ca = certificate, key, ca
        self.next_key = certificate.with_suffix(KEY)
        self.next_certificate = certificate.with_suffix(ANSWER)
        self._request = certificate.with_suffix(REQUEST)

    def ends(self) -> dt.datetime:
        """When the present certificate ends."""
        return x509.load_pem_x509_certificate(self.certificate.read_bytes()).not_valid_after_utc

    def request(self, *, anew: bool = False) -> bytes:
        """Give the request for the next certificate; a new one with a new key where there is none,
        or ``anew``. PkiError if certificate and key do not belong together.
        """
        if not anew and self._fits(self.next_key, self._request):
            return self._request.read_bytes()
        self.drop()
        sent, key = made(self.certificate.read_bytes(), self.key.read_bytes())
        write_file(self.next_key, key, SECRET)
        write_file(self._request, sent)
        return sent

    def take(self, answer: bytes, now: dt.datetime) -> None:
        """Keep the answer to the request; PkiError if it is not this machine's next certificate."""
        if not self.next_key.exists():
            raise PkiError(f"nothing was asked for here: there is no {self.next_key}")
        check_answer(self.certificate.read_bytes(), answer, self.next_key.read_bytes())
        leaf = x509.load_pem_x509_certificate(answer)
        if not leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc:
            raise PkiError(
                f"the certificate is for {leaf.not_valid_before_utc:%Y-%m-%d} to"
                f" {leaf.not_valid_after_utc:%Y-%m-%d}, and it is {now:%Y-%m-%d} here"
            )
        if self._ca is not None and not _signed_by(leaf, self._ca.read_bytes()):
            raise PkiError(f"no authority of {self._ca} signed the certificate")
        self.keep(answer)

    def made(self, key: ec.EllipticCurvePublicKey) -> bool:
        """Say whether the next key that lies here is that one's private half."""
        try:
            return private_key(self.next_key.read_bytes()).public_key() == key
        except (OSError, ValueError):
            return False

    def keep(self, answer: bytes) -> None:
        """Keep an answer that is known to be right."""
        write_file(self.next_certificate, answer)

    def ready(self) -> bool:
        """The answer is there, for the key that is there."""
        try:
            return self.made(public_key(self.next_certificate.read_bytes()))
        except (OSError, ValueError):
            return False

    def switch(self) -> None:
        """Make the next pair the present one."""
        write_file(self.key, self.next_key.read_bytes(), SECRET)
        write_file(self.certificate, self.next_certificate.read_bytes())
        self.next_certificate.unlink()
        self.next_key.unlink()

    def mend(self) -> None:
        """End a switch that was cut off between its two files."""
        if not self.next_certificate.exists():
            return
        present = private_key(self.key.read_bytes()).public_key()
        if present == public_key(self.next_certificate.read_bytes()):
            write_file(self.certificate, self.next_certificate.read_bytes())
            self.next_certificate.unlink()
            self.next_key.unlink(missing_ok=True)

    def switched(self) -> bytes:
        """The request whose certificate is the present one, until ``told``; else b''."""
        fits = self._fits(self.key, self._request)
        return self._request.read_bytes() if fits else b""

    def told(self) -> None:
        """The board knows that the switch was made."""
        self._request.unlink(missing_ok=True)

    def drop(self) -> None:
        """Forget the request and its key, and an answer that was no use."""
        for file in (self.next_certificate, self._request, self.next_key):
            file.unlink(missing_ok=True)

    def _fits(self, key: Path, request: Path) -> bool:
        try:
            sent = request.read_bytes()
            asked = asked_key(sent, named_in(sent))
            return asked == private_key(key.read_bytes()).public_key()
        except (OSError, ValueError):
            return False


def _signed_by(leaf: x509.Certificate, authorities: bytes) -> bool:
    for one in x509.load_pem_x509_certificates(authorities):
        try:
            leaf.verify_directly_issued_by(one)
        except (InvalidSignature, TypeError, ValueError):  # not this one
            continue
        return True
    return False
