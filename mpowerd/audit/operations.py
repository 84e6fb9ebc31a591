"""The audit's operations: proving in slices, and reading.

Each call looks at a bounded number of rows and says where it got to, so that the walk over millions
takes turns with payments. Signatures are checked by the key this node holds; whoever asks checks
the newest one again by a key of their own. Nothing here knows how entries came about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from mpowerd.audit import reading, store
from mpowerd.audit.keyring import Keyring
from mpowerd.caller import Caller
from mpowerd.database import Cursor
from protocols.catalogue import audit as words
from protocols.catalogue.body import Nothing
from protocols.checkpoints import Checkpoint, KeyRefused, Keys, leaf_of
from protocols.merkle import Tree, grown, root
from protocols.refusals import Refused

LINKS: Final = 500
ROWS: Final = 2_000
"""A slice of the chains: some ten milliseconds of one connection of the pool."""
LEAVES: Final = 1_000
CHAIN_BITS: Final = 40
LOG: Final = -1
"""In the place of a chain: the log of heads itself."""
Signed = Callable[[Checkpoint], int]
"""Gives the place of the board's key that signed it, -1 for none."""


async def state(cursor: Cursor, caller: Caller, body: Nothing) -> words.State:
    """Say how far the log and its checkpoints go."""
    found = await store.state(cursor)
    return words.State(found.leaves, found.checkpoints, found.newest)


async def prove(cursor: Cursor, caller: Caller, body: words.Prove) -> words.Proven:
    """Recompute the next slice of the chains."""
    last, links, entries, done, bad, position, what = await store.links(
        cursor, body.after, LINKS, ROWS
    )
    trouble = None
    if bad is not None:
        trouble = words.Trouble(bad >> CHAIN_BITS, place_of(bad), position, what)
    return words.Proven(body.after if last is None else last, links, entries, done, trouble)


def place_of(link: int) -> int:
    """Give a link's place in its chain, from 1."""
    return link & (1 << CHAIN_BITS) - 1


async def climb(cursor: Cursor, caller: Caller, body: words.Climb, signed: Signed) -> words.Climbed:
    """Recompute the next slice of the log: every leaf is a head that stands, every checkpoint's
    root is the tree's and its signature this board's.
    """
    tree = Tree(body.size, tuple(body.peaks))
    if not tree.fits:
        raise Refused("BAD_PEAKS", size=body.size)
    rows = await store.tree(cursor, body.size, min(LEAVES, max(body.upto - body.size, 0)))
    tree, key, passed, trouble = await asyncio.to_thread(climbed, tree, rows, signed, body.key)
    done = trouble is not None or tree.size >= body.upto or len(rows) < LEAVES
    return words.Climbed(tree.size, list(tree.peaks), passed, done, trouble, key)


def climbed(
    tree: Tree, rows: list[tuple[Any, ...]], signed: Signed, key: int
) -> tuple[Tree, int, int, words.Trouble | None]:
    """Add leaves one after the other until one is wrong; the tree, the key in use there,
    checkpoints passed, trouble. ``key``: the one in use so far; an earlier one signs no more.
    """
    passed = 0
    for leaf, link, link_hash, found, top, at, term, signature in rows:
        wrong = _wrong_leaf(tree.size, leaf, link_hash, found)
        if wrong:
            return tree, key, passed, words.Trouble(link >> CHAIN_BITS, place_of(link), 0, wrong)
        tree = grown(tree, [leaf_of(link, link_hash)])
        if top is None:
            continue
        if root(tree) != top:
            what = f"the checkpoint of {at} does not fit the log: heads were changed or exchanged"
            return tree, key, passed, words.Trouble(LOG, tree.size, 0, what)
        signer = signed(Checkpoint(tree.size, top, at, term, signature))
        if signer < key:
            replaced = "signed by a key that had been replaced before it"
            how = "not signed by this board's key" if signer < 0 else replaced
            what = f"the checkpoint of {at} was {how}"
            return tree, key, passed, words.Trouble(LOG, tree.size, 0, what)
        key, passed = signer, passed + 1
    return tree, key, passed, None


def _wrong_leaf(size: int, leaf: int, link_hash: bytes, found: bytes | None) -> str:
    if leaf != size:
        return f"heads are missing from the log before its leaf {leaf}"
    if found is None:
        return "a checkpoint covers this link, and it is gone"
    if found != link_hash:
        return "the link has another hash than the checkpoint that covers it"
    return ""


async def signers(cursor: Cursor, cluster: str, ours: Keys) -> words.Signers:
    """Say which keys this node knows, and which of them signed last."""
    newest = (await store.state(cursor)).newest
    last = -1 if newest is None else ours.signer(cluster, newest)
    prints = [ours.print_of(place) for place in range(len(ours))]
    return words.Signers(prints, prints[last] if last >= 0 else "", newest is not None)


def check_change(body: words.ChangeKey, known: words.Signers) -> None:
    """Refuse another key where this one does not follow the one in force."""
    present = known.prints[-1]
    if known.signed and known.last != present:
        raise Refused("KEY_UNUSED", key=present[:16])
    if body.former != present:
        raise Refused("OTHER_AUDIT_KEY", key=present[:16], former=body.former[:16])
    if body.following in known.prints:
        raise Refused("AUDIT_KEY_USED", key=body.following[:16])


def served(cluster: str, keyring: Keyring) -> dict[str, Callable[..., Awaitable[Any]]]:
    """Give the operations of a node that holds these keys."""

    async def public() -> tuple[Ed25519PublicKey, Keys]:
        try:
            key, keys = await asyncio.to_thread(keyring.read)
        except KeyRefused as wrong:
            raise Refused("NO_AUDIT_KEY", why=str(wrong)) from None
        return key.public_key(), keys

    async def tree(cursor: Cursor, caller: Caller, body: words.Climb) -> words.Climbed:
        _, ours = await public()
        return await climb(cursor, caller, body, lambda one: ours.signer(cluster, one))

    async def export(cursor: Cursor, caller: Caller, body: words.Export) -> words.Exported:
        present, _ = await public()
        return await reading.export(cursor, body, present)

    async def keys(cursor: Cursor, caller: Caller, body: Nothing) -> words.Signers:
        _, ours = await public()
        return await signers(cursor, cluster, ours)

    async def change(cursor: Cursor, caller: Caller, body: words.ChangeKey) -> words.Signers:
        """Enter who changes the key, and why; it signs when its files are there."""
        _, ours = await public()
        known = await signers(cursor, cluster, ours)
        check_change(body, known)
        return known

    return {
        "audit.state": state,
        "audit.show": reading.show,
        "audit.export": export,
        "audit.leaves": reading.leaves,
        "audit.rows": reading.rows,
        "audit.links": prove,
        "audit.tree": tree,
        "audit.signers": keys,
        "audit.change_key": change,
    }


FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "audit.state": ("audit_state_v1",),
    "audit.show": ("audit_show_v1",),
    "audit.export": ("audit_range_v1", "audit_state_v1"),
    "audit.leaves": ("audit_tree_v1",),
    "audit.rows": ("audit_export_v1", "audit_rows_v1"),
    "audit.links": ("audit_slice_v1",),
    "audit.tree": ("audit_tree_v1",),
    "audit.signers": ("audit_state_v1",),
    "audit.change_key": ("audit_state_v1",),
}
