"""The Merkle tree of RFC 6962 over a log that only grows, by its peaks.

The peaks of a tree of n leaves are the roots of its perfect subtrees, one for each bit of n, the
largest first: n and they are all that is needed to add leaves and to give the root, however long
the log is. Leaves and nodes are hashed under different first bytes, so that none can be given out
for the other. Pure; it must not know what a leaf says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

HASH_BYTES: Final = 32
EMPTY: Final = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""


class Tree(Struct, frozen=True):
    """A tree by its size and its peaks."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    @property
    def fits(self) -> bool:
        """As many peaks as such a size has, each a hash."""
        whole = all(len(one) == HASH_BYTES for one in self.peaks)
        return self.size >= 0 and len(self.peaks) == self.size.bit_count() and whole


def leaf_hash(leaf: bytes) -> bytes:
    """Hash a leaf."""
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into the one above them."""
    return hashlib.sha256(b"\1" + left + right).digest()


def grown(tree: Tree, leaves: Iterable[bytes]) -> Tree:
    """Add leaves at the end."""
    assert tree.fits, "a tree whose peaks are not its own"
    size, peaks = tree.size, list(tree.peaks)
    for leaf in leaves:
        top = leaf_hash(leaf)
        # Each trailing one of the size is a perfect subtree that this leaf completes to a larger.
        for _ in range((size ^ (size + 1)).bit_length() - 1):
            top = node_hash(peaks.pop(), top)
        peaks.append(top)
        size += 1
    return Tree(size, tuple(peaks))


def root(tree: Tree) -> bytes:
    """Give the tree's root (RFC 6962, 2.1)."""
    if not tree.peaks:
        return EMPTY
    top = tree.peaks[-1]
    for peak in reversed(tree.peaks[:-1]):
        top = node_hash(peak, top)
    return top
