"""Below what an etcd must not fall: the highest revision this node has seen there, of which etcd
cluster, and which revision wrote the record; one small sealed file beside the keepsake.

An etcd that was restored from a snapshot answers like any other; only who has seen more can tell.
Invariant: the floor never sinks but by ``begin_anew``, after the register was put in doubt for both
nodes. Blocking: ``keep`` runs in a thread. It must not know what follows from a fall.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from cluster.arbiter.keys import BEAT, RECORD, Found
from cluster.durable import NotOursError, read_sealed, write_durably

FILE_NAME: Final = "etcd.json"
FORMAT: Final = 1


class Seen(Struct, frozen=True, forbid_unknown_fields=True):
    """``cluster``: etcd's own id ('' never seen); ``epoch`` and ``incarnation`` of the record that
    revision ``modified`` wrote; ``beat``: the revision of this node's own last beat.
    """

    format: int = FORMAT
    cluster: str = ""
    revision: int = 0
    incarnation: int = 0
    epoch: int = 0
    modified: int = 0
    beat: int = 0


class Floor:
    """The file, and what it will hold next. ``me``: whose beats are our own."""

    def __init__(self, folder: Path, me: str) -> None:
        """Read it; NotOursError if it is torn or another release's."""
        self._path = folder / FILE_NAME
        self._beat = BEAT + me
        content = read_sealed(self._path)
        try:
            self.seen = msgspec.json.decode(content, type=Seen) if content else Seen()
        except msgspec.MsgspecError as wrong:
            raise NotOursError(f"{self._path} was written by another release: {wrong}.") from wrong
        self.kept = self.seen

    def fallen(self, found: Found, asked_at: Seen) -> str:
        """Why this etcd was set back, or ''. ``asked_at``: what was seen when it was asked.

        A restore may lift the revision above the old one (``--bump-revision``): then it is our own
        keys that are older than they were.
        """
        if found.revision < asked_at.revision:
            return f"its revision is {found.revision}, and {asked_at.revision} was seen before"
        record = found.record
        version = (record.incarnation, record.epoch) if record is not None else (0, 0)
        before = (asked_at.incarnation, asked_at.epoch)
        if version < before:
            return f"its record is of epoch {version[1]}, and epoch {before[1]} was seen before"
        if version == before and found.modified(RECORD) != asked_at.modified:
            return f"epoch {version[1]} was written a second time"
        if found.modified(self._beat) < asked_at.beat:
            return "it has lost a beat that this node left"
        return ""

    def rise(self, found: Found) -> None:
        """This was seen."""
        if found.revision < self.seen.revision:
            return  # overtaken by a later answer
        record = found.record
        self.seen = Seen(
            cluster=found.cluster,
            revision=found.revision,
            incarnation=record.incarnation if record is not None else 0,
            epoch=record.epoch if record is not None else 0,
            modified=found.modified(RECORD),
            beat=found.modified(self._beat),
        )

    def begin_anew(self, found: Found) -> None:
        """The fall was told to both nodes: from here on again."""
        self.seen = Seen()
        self.rise(found)

    def forget(self) -> None:
        """Nothing was ever seen: an operator says that this etcd is a new one."""
        self.seen = Seen()

    def keep(self) -> None:
        """Make it durable."""
        seen = self.seen
        if seen != self.kept:
            write_durably(self._path, msgspec.json.encode(seen))
            self.kept = seen
