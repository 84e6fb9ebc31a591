"""The files of the keys that sign the audit: the board's present one, and the list of all so far.

They are read whenever they are needed, so that a change of the key is taken up without a restart. A
file that cannot be used is KeyRefused, and says why. This file must not know what is signed.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from protocols.checkpoints import KeyRefused, Keys, private_key, public_keys


class Keyring(Struct, frozen=True):
    """``own``: the file of the key this node signs with; ``listed``: that of every public half so
    far, the newest last, None for ``own`` alone.
    """

    own: Path | None
    listed: Path | None = None

    def read(self) -> tuple[Ed25519PrivateKey, Keys]:
        """Give the key to sign with, which is the newest, and all."""
        key = read_key(self.own)
        return key, _all(key, self.listed)

    def mark(self) -> str:
        """Tell keyrings apart: the newest key's fingerprint; '' for one that cannot be used."""
        try:
            _, keys = self.read()
        except KeyRefused:
            return ""
        return keys.print_of(keys.newest)


def read_key(path: Path | None) -> Ed25519PrivateKey:
    """Read the board's signing key."""
    if path is None:
        raise KeyRefused("the node's settings name no key (audit.signing_key)")
    try:
        others = path.stat().st_mode & 0o077
        pem = path.read_bytes()
    except OSError as wrong:
        raise KeyRefused(f"{path}: {wrong.strerror}") from None
    if others:
        raise KeyRefused(f"others can read {path}; make it private with 'chmod 400 {path}'")
    try:
        return private_key(pem)
    except KeyRefused as wrong:
        raise KeyRefused(f"{path}: {wrong}") from None


def _all(key: Ed25519PrivateKey, path: Path | None) -> Keys:
    own = key.public_key()
    if path is None:
        return Keys([own])
    try:
        keys = public_keys(path.read_bytes())
    except (OSError, KeyRefused) as wrong:
        why = wrong.strerror if isinstance(wrong, OSError) else wrong
        raise KeyRefused(f"{path}: {why}") from None
    if keys.place(own) < 0:
        raise KeyRefused(f"this node's key is not among those of {path}")
    if keys.place(own) < keys.newest:
        raise KeyRefused(f"this node holds a former key; {path} names a newer one, bring it here")
    return keys
