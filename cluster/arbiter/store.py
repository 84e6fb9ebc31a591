"""The witness's one file: what its register keeps, and how often this witness has started.

Invariant: what was answered as stored is on the disk; and before anything is answered in a new life
the file is written and fsynced once more, so that a disk which no longer takes writes is found at
the start and not at the first takeover. A torn file, another cluster's or another format's is
refused. An OSError from ``keep`` means nobody knows what the disk holds: the process must end.
Blocking: call it from a thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from cluster.arbiter.register import Kept
from cluster.durable import FolderLock, NotOursError, read_sealed, write_durably

FILE_NAME: Final = "record.json"
FORMAT: Final = 1


_REBUILD: Final = (
    "Move {path} away, start the witness again (it then knows nothing and decides nothing), and run"
    " 'mpower cluster arbiter rebuild' with both nodes up."
)


class Stored(Struct, frozen=True, forbid_unknown_fields=True):
    """The file's content. ``starts`` counts the lives of this witness, for people."""

    cluster: str
    witness: str
    format: int = FORMAT
    starts: int = 0
    kept: Kept = Kept()


class RecordFile:
    """Holds the folder's lock and the file's present content."""

    def __init__(self, folder: Path, cluster: str, witness: str) -> None:
        """Lock, read, write again and fsync; NotOursError says why this file cannot be used."""
        self._lock = FolderLock(folder)
        self._path = folder / FILE_NAME
        try:
            stored = self._read(cluster, witness)
            self.stored = msgspec.structs.replace(stored, starts=stored.starts + 1)
            write_durably(self._path, msgspec.json.encode(self.stored))
        except BaseException:
            self._lock.release()
            raise

    def _read(self, cluster: str, witness: str) -> Stored:
        try:
            content = read_sealed(self._path)
        except NotOursError as wrong:
            raise NotOursError(f"{wrong} {_REBUILD.format(path=self._path)}") from wrong
        if content is None:
            return Stored(cluster=cluster, witness=witness)
        try:
            stored = msgspec.json.decode(content, type=Stored)
        except msgspec.MsgspecError as wrong:
            raise NotOursError(f"{self._path} was written by another release: {wrong}.") from wrong
        if (stored.cluster, stored.witness, stored.format) != (cluster, witness, FORMAT):
            raise NotOursError(
                f"{self._path} belongs to witness {stored.witness} of cluster {stored.cluster} "
                f"(format {stored.format}); this is witness {witness} of {cluster}. Check the "
                "setting `data`."
            )
        return stored

    def keep(self, kept: Kept) -> None:
        """Store it durably."""
        stored = msgspec.structs.replace(self.stored, kept=kept)
        write_durably(self._path, msgspec.json.encode(stored))
        self.stored = stored

    def close(self) -> None:
        """Release the folder."""
        self._lock.release()
