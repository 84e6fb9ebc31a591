"""What a node must remember of itself across a crash: one small fsynced file in its data folder.

Invariant: epoch and incarnation never go down; what the machine was told is kept (``EpochKept``,
``TokenKept``, ``ClaimKept``) was on the disk before it was told. It lives beside PGDATA, not in it,
because PGDATA is replaced by a clone. This file must not know what the values decide.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from cluster.durable import FolderLock, NotOursError, read_sealed, write_durably
from protocols.peer import Record

FILE_NAME: Final = "keepsake.json"
FORMAT: Final = 1


class Kept(Struct, frozen=True, forbid_unknown_fields=True):
    """Highest epoch and incarnation seen; this standby's sync generation; the op_id of its claim
    ('' none).

    ``record`` is the one with that epoch: should the arbiter be lost, it is rebuilt from it.
    ``rejoining`` forbids a reclaim: since it was set, this node's data may no longer be the best
    copy. ``torn``: the data folder itself was being changed by a rewind or removed for a clone; it
    is never started. ``unproven``: this copy was started as primary, and what that wrote was not
    yet seen to be the standby's history too (a copy set back to an older one writes another); it
    is cloned, neither followed with nor rewound. ``began_lsn``: where its WAL ended when it was
    started as primary, the first time since it was last shown to be whole; 0 if it was.
    """

    cluster: str
    node: str
    format: int = FORMAT
    incarnation: int = 0
    epoch: int = 0
    token: int = 0
    claim: str = ""
    rejoining: bool = False
    torn: bool = False
    unproven: bool = False
    began_lsn: int = 0
    record: Record | None = None


class Keepsake:
    """The file, and the lock that keeps a second daemon off the folder.

    Blocking: use it from threads; two at once write one after the other.
    """

    def __init__(self, folder: Path, cluster: str, node: str) -> None:
        """Lock ``folder`` and read; NotOursError if it is in use, torn, or another node's."""
        self._lock = FolderLock(folder)
        self._path = folder / FILE_NAME
        self._writing = threading.Lock()
        try:
            self.kept = self._read(cluster, node)
        except NotOursError:
            self._lock.release()
            raise

    def _read(self, cluster: str, node: str) -> Kept:
        content = read_sealed(self._path)
        if content is None:
            return Kept(cluster=cluster, node=node)
        try:
            kept = msgspec.json.decode(content, type=Kept)
        except msgspec.MsgspecError as wrong:
            raise NotOursError(f"{self._path} was written by another release: {wrong}.") from wrong
        if (kept.cluster, kept.node, kept.format) != (cluster, node, FORMAT):
            raise NotOursError(
                f"{self._path} belongs to node {kept.node} of cluster {kept.cluster} (format "
                f"{kept.format}); this is node {node} of {cluster}. Check the setting `data`."
            )
        return kept

    def keep_epoch(
        self, epoch: int, incarnation: int, record: Record | None = None, *, excluded: bool = False
    ) -> None:
        """Remember the highest epoch and incarnation, and their record; a lower one changes
        nothing, except a later incarnation. ``excluded``: this copy is no part of that one.
        """
        with self._writing:
            if (incarnation, epoch) > (self.kept.incarnation, self.kept.epoch):
                marked = self.kept.rejoining or excluded
                self._keep(epoch=epoch, incarnation=incarnation, record=record, rejoining=marked)

    def keep_token(self, generation: int) -> None:
        """Remember the sync generation this standby holds: its copy is whole, so no rejoin mark."""
        with self._writing:
            self._keep(token=generation, rejoining=False)

    def keep_claim(self, op_id: str) -> None:
        """Remember the claim about to be carried out."""
        with self._writing:
            self._keep(claim=op_id)

    def begin_copy(self, *, torn: bool) -> None:
        """Set the mark that forbids a reclaim: from now on this copy may not be the best one.

        ``torn``: nor may it be started, before ``end_copy``.
        """
        with self._writing:
            self._keep(rejoining=True, torn=torn or self.kept.torn)

    def begin_life(self) -> None:
        """A start as primary writes WAL of its own: from now on this copy proves nothing."""
        with self._writing:
            self._keep(unproven=True)

    def keep_began(self, found_lsn: int) -> int:
        """Remember where its WAL ended at this start; the least since it was shown to be whole: a
        copy that was set back does not become longer by being started again.
        """
        with self._writing:
            self._keep(began_lsn=min(self.kept.began_lsn or found_lsn, found_lsn))
            return self.kept.began_lsn

    def found_whole(self) -> None:
        """It reached all that is known to have been flushed."""
        with self._writing:
            self._keep(began_lsn=0)

    def prove(self) -> None:
        """A commit of this life is on the standby too, or nobody else may succeed."""
        with self._writing:
            self._keep(unproven=False)

    def end_copy(self) -> None:
        """Forget what belonged to the data that was replaced; the mark stays until the next
        token.
        """
        with self._writing:
            self._keep(claim="", token=0, torn=False, unproven=False, began_lsn=0)

    def _keep(self, **changes: object) -> None:
        kept = msgspec.structs.replace(self.kept, **changes)
        if kept == self.kept and self._path.exists():
            return
        write_durably(self._path, msgspec.json.encode(kept))
        self.kept = kept

    def close(self) -> None:
        """Release the folder."""
        self._lock.release()
