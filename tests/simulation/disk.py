"""A node's small file: epoch, incarnation, token, claim, marker; sealed, written aside, renamed.

A write under way at a power cut has happened or has not; on a disk that renames before the data is
down, the file is torn. A torn file does not pass for an old one: its seal is broken, and the daemon
does not start on it.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, structs

from protocols.peer import Record


class Keepsake(Struct, frozen=True):
    """The file's content, as ``cluster.keepsake`` has it."""

    epoch: int = 0
    incarnation: int = 0
    token: int = 0
    claim: str = ""
    rejoining: bool = False
    unproven: bool = False
    began_lsn: int = 0
    record: Record | None = None
    """The one with that epoch."""


class Disk:
    """What one node keeps besides its data folder."""

    def __init__(self) -> None:
        self.kept = Keepsake()
        self.learned = 0
        """The highest epoch that was ever on it: nothing is decided on one that was not."""
        self.writing: Keepsake | None = None
        self.broken = False
        """The seal does not fit: torn in a write."""
        self.torn = False
        self.kept_old = False
        """Of the data folder: a rewind or a copy was interrupted; a second copy stands beside."""
        self.doomed: Callable[[], None] | None = None
        """Called in the middle of the next write."""

    def epoch_kept(
        self, epoch: int, incarnation: int, record: Record | None, *, excluded: bool = False
    ) -> Keepsake:
        """The content with the later of both; ``excluded``: and with the rejoin marker."""
        kept = self.kept
        if (incarnation, epoch) <= (kept.incarnation, kept.epoch):
            return kept
        rejoining = kept.rejoining or excluded
        return structs.replace(
            kept, epoch=epoch, incarnation=incarnation, rejoining=rejoining, record=record
        )

    def keep(self, kept: Keepsake) -> None:
        """On the disk."""
        self.kept, self.writing = kept, None
        self.learned = max(self.learned, kept.epoch)

    def change(self, **changes: object) -> None:
        """On the disk, this much of it anew."""
        self.keep(structs.replace(self.kept, **changes))

    def lose_power(self, landed: bool, tears: bool) -> bool:
        """The machine goes dark in the middle of a write; True if there was one."""
        writing, self.writing = self.writing, None
        if writing is None:
            return False
        if tears:
            self.broken = True
        elif landed:
            marked = writing.rejoining
            landing = (writing.epoch, writing.incarnation, writing.record)
            self.keep(self.epoch_kept(*landing, excluded=marked))
        return True
