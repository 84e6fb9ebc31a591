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
from typing import Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import json

from mpowerd.audit import store
from mpowerd.audit.keyring import Keyring
from mpowerd.caller import Caller
from mpowerd.database import Busy, Cursor, Database, Doubtful, Gated
from protocols.checkpoints import Checkpoint, KeyRefused, Keys, leaf_of, signed
from protocols.merkle import grown, root
from protocols.operation import Role

LEAVES: Final = 10_000
"""Heads in one checkpoint at most: after a long time without a key the next ones catch up."""
LATE: Final = 12
"""So many checkpoints in a row that did not come about are told: a minute at five seconds each."""
log = structlog.get_logger("mpowerd.audit")


def nobody_listens(_kind: str, _text: str) -> None:
    """Nobody shows alarms."""


async def nowhere(_checkpoint: Checkpoint) -> None:
    """The database alone keeps checkpoints."""


async def nobody_keeps() -> Checkpoint | None:
    """Nothing is kept outside."""
    return None


SIGNER: Final = Caller("", "", Role.OPS, "node/signer", "", "", b"")
"""In whose name the change of the key is entered."""


class Signer:
    """Signs for one term. ``alarm`` takes a name of the runbook and a text ('' ends it); ``keep``
    is offered the newest checkpoint each time, to keep it away from this database; ``kept`` gives
    the newest one that is kept there, ArbiterUnreachable or None: nobody can say.
    """

    def __init__(
        self,
        database: Database,
        cluster: str,
        keyring: Keyring,
        alarm: Callable[[str, str], None] = nobody_listens,
        keep: Callable[[Checkpoint], Awaitable[None]] = nowhere,
        kept: Callable[[], Awaitable[Checkpoint | None]] = nobody_keeps,
    ) -> None:
        self._database, self._cluster, self._keyring = database, cluster, keyring
        self.alarm, self._keep, self._kept = alarm, keep, kept
        self._compared = False
        self._entered = -1
        self._last: Checkpoint | None = None
        self._failed = 0

    def close(self) -> None:
        """Sign no more: whoever is primary next raises its own alarms."""
        self.alarm("audit-unsigned", "")
        self.alarm("audit-contradicted", "")
        self.alarm("audit-behind", "")

    async def sign(self) -> None:
        """Make the next checkpoint, if anything was written since the last one."""
        try:
            key, keys = await asyncio.to_thread(self._keyring.read)
            await self._compare(keys)
            made = self._last
            if await self._database.read("audit: moved", None, store.moved):
                made = await self._next(key, keys)
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

    async def _compare(self, keys: Keys) -> None:
        """Once a term, before anything is signed on it: does the log here extend what was kept
        outside last? Whoever gave payments up in a forced failover hears it too, so signing goes
        on: both histories are then kept, and the alarm says where they part.
        """
        if self._compared:
            return
        kept = await self._kept()
        self._compared = kept is not None
        if kept is None or keys.signer(self._cluster, kept) < 0:
            return

        async def look(cursor: Cursor) -> bytes | None:
            return await store.root_at(cursor, kept.size)

        here = await self._database.read("audit: kept outside", None, look)
        if here != kept.root:
            how = "holds no checkpoint of that size" if here is None else "was signed differently"
            self.alarm(
                "audit-behind",
                f"The log here does not extend the checkpoint of {kept.at} ({kept.size} heads) that"
                f" is kept outside: it {how}.",
            )

    async def _enter_key(self, keys: Keys, former: int) -> None:
        """Enter that another key signs from now on; the checkpoint that follows covers it."""
        before, after = ({"key": keys.print_of(place)} for place in (former, keys.newest))
        details = json.encode({"before": before, "after": after}).decode()

        async def enter(cursor: Cursor) -> None:
            chain = store.chain_of(SIGNER.subject)
            what = "audit.key_changed"
            await store.note(cursor, chain, SIGNER, what, "DONE", signed_in=False, details=details)

        await self._database.write("audit: another key", None, enter)
        self._entered = keys.newest

    async def _next(self, key: Ed25519PrivateKey, keys: Keys) -> Checkpoint | None:
        async def grow(cursor: Cursor) -> store.Growth:
            return await store.grow(cursor, LEAVES)

        growth = await self._database.write("audit: heads", None, grow)
        why, former = self._contradiction(keys, growth)
        if not why and former < keys.newest and self._entered < keys.newest:
            await self._enter_key(keys, former)
            growth = await self._database.write("audit: heads", None, grow)
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

    def _contradiction(self, keys: Keys, growth: store.Growth) -> tuple[str, int]:
        """Why nothing may be signed on what the database says was signed last, '' if it may; and
        the place of the key that signed it.
        """
        last = growth.last
        if last is None:
            if self._last is None:
                return "", keys.newest
            return f"the database no longer holds the checkpoint of {self._last.at}", -1
        if not growth.tree.fits or root(growth.tree) != last.root:
            return f"the log's peaks are not those of the checkpoint of {last.at}", -1
        signer = keys.signer(self._cluster, last)
        if signer < 0:
            return f"the checkpoint of {last.at} was not signed by this board's key", -1
        if self._last is not None and self._last != last and last.size <= self._last.size:
            return f"the database no longer holds the checkpoint of {self._last.at}", -1
        return "", signer
