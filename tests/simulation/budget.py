"""Which faults may meet: where the promise ends, written down.

The promise is for any single failure, at any instant, while two copies are in sync. Losing what a
disk had confirmed (an older copy put back, a disk that lied at a power cut, a stray promotion, a
torn small file whose folder is emptied) is one failure. So it strikes only a copy of a pair in
sync, while the other holds all of it and the arbiter durably remembers more than what is left; and
until the pair is in sync again nothing else is lost anywhere: crashes, cuts and pauses go on. With
one copy left by record there is nothing to promise but this: set back to an older copy of itself,
it does not serve that, and a person who has the newest puts it back. If it lost an end that the
arbiter had not heard of, nobody can know: that is written off, but who had replayed that end must
not be counted on. A pair in sync survives that, too, unless the standby goes missing before it has
said how far it was: then the primary goes on alone, as if nothing were lost. The arbiter's file
counts as a copy: it is not lost while a server's is, nor the other way round.

A walreceiver that calls itself by the present generation's name is a second answer to the same
question; the pair doubts while both are there. Where it is the only one, nobody could tell: so it
goes with the true one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.checks import Checks
    from tests.simulation.node import Node
    from tests.simulation.witness import Witness


class Budget:
    """What may still be lost in this run."""

    def __init__(self, checks: Checks, witness: Witness) -> None:
        self.checks = checks
        self.witness = witness
        self.arbiter_lost = False

    @property
    def remembered(self) -> int:
        """How far the arbiter knows, whatever befalls it, that was flushed."""
        return min(self.witness.file.high_flush, self.witness.register.high_flush)

    def may_lose(self, node: Node, left_lsn: int) -> bool:
        """May this node's copy be set back to ``left_lsn``?"""
        record = self.checks.record
        if record is None or not record.sync or not record.opened:
            return False
        if self.checks.lessened or self.arbiter_lost:
            return False
        if node.name not in {record.primary, record.sync}:
            return False
        other = node.peer.postgres
        if any(order.record.sync == "" for _, order in self.checks.flying.values()):
            return False  # one copy may be all there is, any moment now
        held = len(node.postgres.wal)
        return left_lsn < min(held, self.remembered) and len(other.wal) >= self.remembered

    def may_set_back_alone(self, node: Node, left_lsn: int) -> bool:
        """May the primary that serves alone be set back, its newest copy being at hand?"""
        return self._alone(node) and left_lsn < min(len(node.postgres.wal), self.remembered)

    def may_forget_alone(self, node: Node, left_lsn: int) -> bool:
        """May it lose an end that its standby has, though not in sync, and the arbiter never heard
        of?
        """
        record, held = self.checks.record, min(len(node.postgres.wal), len(node.peer.postgres.wal))
        least = max(self.remembered, record.min_lsn if record is not None else 0)
        return self._alone(node) and least <= left_lsn < held

    def may_forget_in_sync(self, node: Node, left_lsn: int) -> bool:
        """May the primary of a pair in sync lose an end that its standby has, and that the arbiter
        never heard of?
        """
        record, held = self.checks.record, min(len(node.postgres.wal), len(node.peer.postgres.wal))
        if record is None or not record.sync or record.primary != node.name or not record.opened:
            return False
        if self.checks.lessened or self.arbiter_lost:
            return False
        if any(order.record.sync == "" for _, order in self.checks.flying.values()):
            return False  # one copy may be all there is, any moment now
        return max(self.remembered, record.min_lsn) <= left_lsn < held

    def _alone(self, node: Node) -> bool:
        record = self.checks.record
        if record is None or record.sync or not record.opened or record.primary != node.name:
            return False
        if self.checks.lessened or self.arbiter_lost:
            return False
        flying = self.checks.flying.values()  # there may be two copies, any moment now
        return not any(order.expected == record.epoch for _, order in flying)

    def lose(self, node: Node) -> None:
        """It was."""
        self.checks.lessened = node.name

    def may_lose_arbiter(self) -> bool:
        """May the arbiter's file be lost or rolled back?"""
        return self.checks.record is not None and not (self.checks.lessened or self.arbiter_lost)
