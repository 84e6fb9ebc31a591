"""What PostgreSQL's log is made of here: entries; an LSN is how many of them there are.

A commit is an entry on its way; a sender is what a primary knows of one walreceiver.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from cluster.events import Walsender

SEGMENT: Final = 16
"""Entries of one WAL file: what a restarted standby says it has received begins here (F17)."""


class Entry(NamedTuple):
    """One WAL entry: a payment, a key, a barrier, a fence, a probe, or what a start writes."""

    kind: str
    tli: int
    key: bytes = b""
    body: str = ""
    number: int = 0


class Commit:
    """One COMMIT under way; ``done(warned)`` when it returns. ``hasty``: synchronous_commit off."""

    __slots__ = ("done", "entry", "hasty", "lsn", "since_s")

    def __init__(
        self, entry: Entry, since_s: float, done: Callable[[bool], None], *, hasty: bool = False
    ) -> None:
        self.entry = entry
        self.lsn = 0
        self.since_s = since_s
        self.done = done
        self.hasty = hasty


class Sender:
    """A walsender. ``foreign``: the walreceiver at its other end is not this pair's."""

    __slots__ = ("call", "flush_lsn", "foreign", "heard_s", "name", "replay_lsn")

    def __init__(self, name: str, call: int, now_s: float, *, foreign: bool = False) -> None:
        self.name = name
        self.call = call
        self.flush_lsn = self.replay_lsn = 0
        self.heard_s = now_s
        self.foreign = foreign

    def row(self) -> Walsender:
        """As a probe sees it."""
        return Walsender(self.name, "streaming", self.flush_lsn, replay_lsn=self.replay_lsn)
