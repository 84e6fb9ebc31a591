"""The tree against RFC 6962's own definition, and whose signature a checkpoint carries."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from config.pki import signing_key
from protocols import checkpoints as words
from protocols.checkpoints import Checkpoint, is_signed, leaf_of, signed
from protocols.merkle import EMPTY, Tree, grown, leaf_hash, node_hash, root

LEAVES = [bytes([n]) * n for n in range(130)]
AT = "2026-11-24T10:00:00.000000+00:00"


def by_definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1: split at the largest power of two below n."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(by_definition(leaves[:k]), by_definition(leaves[k:]))


def test_the_root_is_that_of_the_rfc_however_the_tree_grew() -> None:
    tree = Tree()
    assert root(tree) == EMPTY
    for n, leaf in enumerate(LEAVES):
        assert root(tree) == root(grown(Tree(), LEAVES[:n])) == by_definition(LEAVES[:n])
        assert tree.fits
        tree = grown(tree, [leaf])
    assert tree.size == len(LEAVES)


def test_the_rfcs_own_vector() -> None:
    # The test vectors of the Certificate Transparency implementations: seven leaves.
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
    found = root(grown(Tree(), [bytes.fromhex(one) for one in leaves]))
    assert found.hex() == "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"


@pytest.mark.parametrize("peaks", [(), (b"1" * 32, b"2" * 32), (b"short",)])
def test_peaks_that_are_not_the_trees_are_seen(peaks: tuple[bytes, ...]) -> None:
    assert not Tree(4, peaks).fits
    with pytest.raises(AssertionError, match="not its own"):
        grown(Tree(4, peaks), [b""])


def test_a_checkpoint_is_its_signers_and_every_field_of_it_counts() -> None:
    private, public = signing_key()
    key, known = words.private_key(private), words.public_key(public)
    assert words.public_pem(known) == public
    made = signed(key, "board", Checkpoint(3, b"r" * 32, AT, 2))
    assert is_signed(known, "board", made)
    assert not is_signed(known, "another", made)
    assert not is_signed(Ed25519PrivateKey.generate().public_key(), "board", made)
    for changed in ({"size": 4}, {"root": b"s" * 32}, {"at": AT[:-1] + "1"}, {"term": 3}):
        assert not is_signed(known, "board", replace(made, **changed))
    assert leaf_of(1, b"h") != leaf_of(2, b"h")


def test_what_is_not_such_a_key_is_refused_by_name() -> None:
    private, public = signing_key()
    other = ec.generate_private_key(ec.SECP256R1())
    ecdsa = other.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public_half = other.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for read, pem, why in (
        (words.private_key, public, "not a private key"),
        (words.private_key, ecdsa, "not an Ed25519"),
        (words.public_key, private, "not a public key"),
        (words.public_key, public_half, "not an Ed25519"),
    ):
        with pytest.raises(words.KeyRefused, match=why):
            read(pem)


def test_a_line_gives_the_checkpoint_back_and_nothing_else_is_taken_for_one() -> None:
    made = Checkpoint(3, b"r" * 32, AT, 2, b"s" * 64)
    assert words.in_line(words.line_of(made)) == made
    assert words.in_line(b'{"link":1}') is None
    for bad in ("", "[1]", '{"checkpoint":{"size":1}}', words.line_of(made).replace("72", "7x")):
        with pytest.raises(ValueError, match=r"."):
            words.in_line(bad)
    with pytest.raises(ValueError, match=r"."):
        words.in_line(b"\xff\xfe")
