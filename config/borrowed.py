"""Certificates that another authority made: those by which the nodes are known to an etcd.

They are copied into the settings folder beside our own, so that it is whole and every machine can
be given its part. Invariant: what is copied was read, and the key belongs to the certificate; a
wrong file is named on the day it is given, not on the night the arbiter refuses it. It must not
know what they are used for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from config.pki import PkiError

ETCD: Final = "pki/etcd-"
"""Where they lie in a settings folder: etcd-ca.crt, etcd-client.crt, etcd-client.key."""
NAMES: Final = (f"{ETCD}ca.crt", f"{ETCD}client.crt", f"{ETCD}client.key")


def borrowed(ca: Path, certificate: Path, key: Path) -> dict[str, bytes]:
    """The three files' contents under their names in the folder; PkiError names a wrong one."""
    files = [_read(one) for one in (ca, certificate, key)]
    _certificate(ca, files[0])
    public = _certificate(certificate, files[1]).public_key()
    try:
        private = serialization.load_pem_private_key(files[2], password=None)
    except (ValueError, TypeError) as wrong:
        raise PkiError(f"{key} is no private key in PEM without a password") from wrong
    if _bytes_of(private.public_key()) != _bytes_of(public):
        raise PkiError(f"{key} is not the key of {certificate}")
    return dict(zip(NAMES, files, strict=True))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as wrong:
        raise PkiError(f"{path} cannot be read ({wrong.strerror})") from wrong


def _certificate(path: Path, content: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(content)
    except ValueError as wrong:
        raise PkiError(f"{path} is no certificate in PEM") from wrong


def _bytes_of(public: object) -> bytes:
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return public.public_bytes(encoding, form)  # type: ignore[attr-defined, no-any-return]
