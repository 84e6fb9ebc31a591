"""Signs the audit: every few seconds the chains' heads join the log, and its root is signed.

Invariants: what is signed has passed the ack gate first, in a transaction of its own, so no
signature speaks for a row that a takeover could lose; a checkpoint follows only one that this key
signed and, in one life of this node, only the very last one it signed itself. Without a key, or on
a log that contradicts what was signed, nothing is signed and an alarm says why; payments go on:
their entries are chained all the same, and a later checkpoint covers them. This file must not know
who verifies, nor where else checkpoints are kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mpowerd.audit import store
from mpowerd.database import Busy, Cursor, Database, Doubtful, Gated
from protocols.checkpoints import Checkpoint, KeyRefused, is_signed, leaf_of, private_key, signed
from protocols.merkle import grown, root

LEAVES: Final = 10_000
"""Heads in one checkpoint at most: after a long time without a key the next ones catch up."""
LATE: Final = 12
"""So many checkpoints in a row that did not come about are told: a minute at five seconds each."""
log = structlog.get_logger("mpowerd.audit")


def nobody_listens(_kind: str, _text: str) -> None:
    """Nobody shows alarms."""


async def nowhere(_checkpoint: Checkpoint) -> None:
    """The database alone keeps checkpoints."""


def read_key(path: Path | None) -> Ed25519PrivateKey:
    """Read the board's signing key; KeyRefused says why it cannot be used."""
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


class Signer:
    """Signs for one term. ``alarm`` takes a name of the runbook and a text ('' ends it); ``keep``
    is offered the newest checkpoint each time, to keep it away from this database.
    """

    def __init__(
        self,
        database: Database,
        cluster: str,
        key: Path | None,
        alarm: Callable[[str, str], None] = nobody_listens,
        keep: Callable[[Checkpoint], Awaitable[None]] = nowhere,
    ) -> None:
        self._database, self._cluster, self._path = database, cluster, key
        self.alarm, self._keep = alarm, keep
        self._key: Ed25519PrivateKey | None = None
        self._last: Checkpoint | None = None
        self._failed = 0

    def close(self) -> None:
        """Sign no more: whoever is primary next raises its own alarms."""
        self.alarm("audit-unsigned", "")
        self.alarm("audit-contradicted", "")

    async def sign(self) -> None:
        """Make the next checkpoint, if anything was written since the last one."""
        try:
            if self._key is None:
                self._key = await asyncio.to_thread(read_key, self._path)
            made = self._last
            if await self._database.read("audit: moved", None, store.moved):
                made = await self._next(self._key)
        except KeyRefused as wrong:
            self.alarm("audit-unsigned", f"The audit is written and not signed: {wrong}.")
            return
        except (Busy, Doubtful, Gated) as wrong:
            self._late(str(wrong))
            return
        if made is not None:
            await self._keep(made)

    def _late(self, why: str) -> None:
        self._failed += 1
        log.info("no checkpoint this time", why=why)
        if self._failed >= LATE:
            self.alarm(
                "audit-unsigned", f"{self._failed} checkpoints in a row did not come about: {why}."
            )

    async def _next(self, key: Ed25519PrivateKey) -> Checkpoint | None:
        async def grow(cursor: Cursor) -> store.Growth:
            return await store.grow(cursor, LEAVES)

        growth = await self._database.write("audit: heads", None, grow)
        why = self._contradiction(key, growth)
        self.alarm("audit-contradicted", why)
        self._failed = 0
        self.alarm("audit-unsigned", "")
        if why:
            return None
        leaves = (leaf_of(link, link_hash) for link, link_hash in growth.heads)
        tree = grown(growth.tree, leaves)
        plain = Checkpoint(tree.size, root(tree), growth.moment, growth.term)
        checkpoint = signed(key, self._cluster, plain)

        async def keep(cursor: Cursor) -> bool:
            return await store.keep(cursor, checkpoint, tree, growth.tree.size)

        kept = await self._database.write("audit: checkpoint", None, keep)
        if not kept:
            return None
        self._last = checkpoint
        return checkpoint

    def _contradiction(self, key: Ed25519PrivateKey, growth: store.Growth) -> str:
        """Why nothing may be signed on what the database says was signed last; '' if it may."""
        last = growth.last
        if last is None:
            if self._last is None:
                return ""
            return f"the database no longer holds the checkpoint of {self._last.at}"
        if not growth.tree.fits or root(growth.tree) != last.root:
            return f"the log's peaks are not those of the checkpoint of {last.at}"
        if not is_signed(key.public_key(), self._cluster, last):
            return f"the checkpoint of {last.at} was not signed by this board's key"
        if self._last is not None and self._last != last and last.size <= self._last.size:
            return f"the database no longer holds the checkpoint of {self._last.at}"
        return ""
