"""The disk a node lives on: can it be written, how much room is left; and the ballast on it.

The ballast is room set aside. When the disk is full it is given up once, so that PostgreSQL can end
what it has begun and the node can write down what it must while the other server takes over; it is
laid again when there is room. Everything here blocks, for as long as a dead disk wants: called from
a thread of its own and never from the reactor's. It must not know what follows.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cluster.durable import sync_folder
from cluster.events import DiskSeen

MIB: Final = 1024 * 1024
BALLAST: Final = "ballast"
TOUCHED: Final = "disk.touch"
TOUCH: Final = b"\0" * 4096
"""One page: whoever cannot write this cannot write anything."""
FULL_MB: Final = 32
"""Two WAL segments: the one PostgreSQL writes, and the one it makes next or ends in a PANIC."""
LOW_MB: Final = 1024
"""On the smallest server (18 GB) the time to look: minutes at the fastest pace WAL can grow."""
LOW_SHARE: Final = 0.1
"""A disk smaller than ten times that is low at a tenth."""
SLOW_S: Final = 0.5
"""A flush takes milliseconds; at this, commits wait longer than a clerk should."""

REFUSALS: Final = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EROFS: "read-only",
}
"""What a refused write says of the disk; any other error: it fails."""


class Volume:
    """The disk under ``folder``; ``ballast_mb`` 0: no ballast there."""

    def __init__(
        self, folder: Path, ballast_mb: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = folder
        self._ballast_mb = ballast_mb
        self._clock = clock

    def look(self) -> DiskSeen:
        """Write a page and flush it, count what is free, lay or give up the ballast."""
        began_s, free_mb = self._clock(), -1
        try:
            free_mb, total_mb = self._room()
            self._touch()
            took_s = self._clock() - began_s
            return self._judged(took_s, free_mb, total_mb)
        except OSError as refused:
            condition = REFUSALS.get(refused.errno or 0, "failing")
            released = condition == "full" and self._give_up()
            return DiskSeen(condition, free_mb, refused.strerror or "", released=released)

    def _judged(self, took_s: float, free_mb: int, total_mb: int) -> DiskSeen:
        laid = (self._folder / BALLAST).exists()
        given_up = self._ballast_mb > 0 and not laid
        low_mb = min(LOW_MB, int(total_mb * LOW_SHARE))
        # The room that giving up the ballast made is spoken for.
        full_mb = FULL_MB + (self._ballast_mb + FULL_MB if given_up else 0)
        if free_mb < min(full_mb, low_mb):
            return DiskSeen("full", free_mb, f"{free_mb} MiB are free", released=self._give_up())
        if free_mb < low_mb:
            return DiskSeen("low", free_mb, f"{free_mb} MiB are free, less than {low_mb}")
        if given_up and free_mb >= low_mb + self._ballast_mb:
            self._lay()
        if took_s >= SLOW_S:
            return DiskSeen("slow", free_mb, f"a flush of one page took {took_s:.1f} s")
        return DiskSeen("", free_mb)

    def _touch(self) -> None:
        # Cut to nothing first: overwriting a page proves no room.
        at, flags = self._folder / TOUCHED, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        descriptor = os.open(at, flags, 0o600)
        try:
            if os.write(descriptor, TOUCH) < len(TOUCH):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _room(self) -> tuple[int, int]:
        usage = shutil.disk_usage(self._folder)
        return usage.free // MIB, usage.total // MIB

    def _give_up(self) -> bool:
        """True if there was one."""
        try:
            (self._folder / BALLAST).unlink()
            sync_folder(self._folder)
        except OSError:
            return False
        return True

    def _lay(self) -> None:
        """Room that is allocated, not written; under its name only when all of it is there."""
        at = self._folder / BALLAST
        part = at.with_suffix(".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, self._ballast_mb * MIB)
            os.fsync(descriptor)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)
        part.rename(at)
