"""What a node is in the middle of: bringing its standby in sync, an operator's verb, a switchover.

Values only: the rules carry them on from event to event and drop them when they end. Each lives in
the mind of one process; what must outlive it stands in the record.
"""

from __future__ import annotations

from msgspec import Struct


class Entry(Struct, frozen=True):
    """One attempt to bring the standby in sync: its generation, what was proven, its deadline.
    ``replayed_lsn``: how far the standby had replayed before the barrier was written.
    """

    generation: int
    replayed_lsn: int = 0
    barrier_lsn: int = -1
    offered: bool = False


class Pending(Struct, frozen=True):
    """An operator's verb that waits for the arbiter: its swap, and what is told when it stands."""

    verb: str
    op_id: str
    told: str


class Switch(Struct, frozen=True):
    """A switchover that this primary is carrying out: the record's ``intent`` that asked for it,
    since when, and whether the checkpoint before it is complete.
    """

    intent: str
    since_s: float
    ready: bool = False
