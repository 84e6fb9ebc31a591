"""A signed checkpoint of the audit: this many heads of chains, under this root, at this time.

The log of heads only grows: its leaf n says that a chain stood at that link with that hash. One
signed root therefore speaks for every link of every chain up to the heads it covers. The signature
is Ed25519 over plain lines that name the cluster, so that no checkpoint can be given out for
another board's. Pure; it must not know where checkpoints are kept.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from typing import Annotated, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta, MsgspecError, Struct, json
from msgspec.structs import replace

PURPOSE: Final = "mpower audit checkpoint 1"
BEGIN: Final = b"-----BEGIN PUBLIC KEY-----"
Hash = Annotated[bytes, Meta(min_length=32, max_length=32)]
Size = Annotated[int, Meta(ge=0, le=2**62)]
Moment = Annotated[str, Meta(max_length=40, pattern=r"^[0-9TZ:.+-]*\Z")]


class Checkpoint(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """``size`` heads under ``root``; ``at`` ISO time in UTC, for people; ``term`` of the primary
    that signed.
    """

    size: Size
    root: Hash
    at: Moment
    term: Size
    signature: Annotated[bytes, Meta(max_length=64)] = b""


class KeyRefused(ValueError):  # noqa: N818 - named by what happened
    """A file that is not such a key; str() says why."""


def leaf_of(link: int, link_hash: bytes) -> bytes:
    """Write one head as a leaf: the link's number (its chain is in it) and its hash."""
    return link.to_bytes(8, "big") + link_hash


def signed_text(cluster: str, checkpoint: Checkpoint) -> bytes:
    """What the signature covers."""
    root = b64encode(checkpoint.root).decode()
    lines = (PURPOSE, cluster, str(checkpoint.size), root, checkpoint.at, str(checkpoint.term))
    return "".join(f"{line}\n" for line in lines).encode()


def signed(key: Ed25519PrivateKey, cluster: str, checkpoint: Checkpoint) -> Checkpoint:
    """Sign it."""
    return replace(checkpoint, signature=key.sign(signed_text(cluster, checkpoint)))


def is_signed(public: Ed25519PublicKey, cluster: str, checkpoint: Checkpoint) -> bool:
    """Say whether this key's owner signed it for this cluster."""
    try:
        public.verify(checkpoint.signature, signed_text(cluster, checkpoint))
    except InvalidSignature:
        return False
    return True


class Keys:
    """The public keys a board's audit was signed with, the oldest first: each until the next one
    began, the last one now. What an earlier one signed stands; nothing newer may bear it.
    """

    def __init__(self, keys: Sequence[Ed25519PublicKey]) -> None:
        assert keys, "a board's audit is signed with some key"
        self._keys = tuple(keys)

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def newest(self) -> int:
        """The place of the key that signs now."""
        return len(self._keys) - 1

    def signer(self, cluster: str, checkpoint: Checkpoint) -> int:
        """Give the place of the key that signed it for this cluster; -1: none of them did."""
        signed_by = (is_signed(key, cluster, checkpoint) for key in reversed(self._keys))
        return next((self.newest - n for n, it_was in enumerate(signed_by) if it_was), -1)

    def place(self, public: Ed25519PublicKey) -> int:
        """Give a key's place, -1 if it is none of them."""
        wanted = public_pem(public)
        return next((n for n, one in enumerate(self._keys) if public_pem(one) == wanted), -1)

    def print_of(self, place: int) -> str:
        """Give a key's fingerprint: SHA-256 of its raw bytes, in hex."""
        return hashlib.sha256(self._keys[place].public_bytes_raw()).hexdigest()


def public_keys(pem: bytes) -> Keys:
    """Read a file of public keys (PEM, one after the other, the oldest first)."""
    blocks = pem.split(BEGIN)[1:]
    if not blocks:
        raise KeyRefused("it holds no public key")
    return Keys([public_key(BEGIN + one) for one in blocks])


def private_key(pem: bytes) -> Ed25519PrivateKey:
    """Read a signing key (PEM)."""
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError) as wrong:
        raise KeyRefused(f"it is not a private key ({wrong})") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRefused("it is not an Ed25519 key")
    return key


def public_key(pem: bytes) -> Ed25519PublicKey:
    """Read the public half (PEM)."""
    try:
        key = serialization.load_pem_public_key(pem)
    except ValueError as wrong:
        raise KeyRefused(f"it is not a public key ({wrong})") from None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyRefused("it is not an Ed25519 key")
    return key


def public_pem(key: Ed25519PublicKey) -> bytes:
    """Write the public half as PEM."""
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


class Written(Struct, frozen=True, forbid_unknown_fields=True):
    """A checkpoint as text: its bytes in hexadecimal, so that any language reads it."""

    size: Size
    root: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    at: Moment
    term: Size
    signature: Annotated[str, Meta(pattern=r"^[0-9a-f]{128}\Z")]

    def read(self) -> Checkpoint:
        """Give the checkpoint."""
        root, signature = bytes.fromhex(self.root), bytes.fromhex(self.signature)
        return Checkpoint(self.size, root, self.at, self.term, signature)


def written(one: Checkpoint) -> Written:
    """Write a checkpoint as text."""
    return Written(one.size, one.root.hex(), one.at, one.term, one.signature.hex())


class Line(Struct, frozen=True):
    """A line of a file; whatever else stands there is not a checkpoint's."""

    checkpoint: Written | None = None


def line_of(one: Checkpoint) -> str:
    """Write a checkpoint as one line of JSON."""
    return json.encode(Line(written(one))).decode()


def in_line(text: str | bytes) -> Checkpoint | None:
    """Read the checkpoint of a line, None: it holds none; ValueError: it is not such a line."""
    try:
        said = json.decode(text, type=Line).checkpoint
    except (MsgspecError, UnicodeDecodeError) as wrong:
        raise ValueError(str(wrong)) from None
    return None if said is None else said.read()
