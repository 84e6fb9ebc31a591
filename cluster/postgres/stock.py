"""Taking stock of a data folder before it is replaced: what its WAL holds beyond a point, and room.

What lies beyond the point where the other node's history left this timeline was never acknowledged
as held by two: it is counted for people before it goes, and nothing depends on the count. Nothing
here changes the folder. Blocking parts run in a thread.
"""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from cluster.postgres.lsn import format_lsn

HEADROOM: Final = 1.1
"""A copy is never smaller than what it is a copy of, and grows while it is taken."""
LEAST_HEADROOM_BYTES: Final = 512 * 1024 * 1024
"""The WAL of the copy's own minutes, and what PostgreSQL needs to start on it."""
DUMP_DEADLINE_S: Final = 30.0
"""pg_waldump reads hundreds of MB a second; a rejoin does not wait longer for a report."""
_RECORD: Final = re.compile(r"^(\w+)/(\w+)(?:\+\w+)?\s+(\d+)\s+\(\s*[\d.]+\)")
_TOTAL: Final = re.compile(r"^Total\s+(\d+).*?\s(\d+)\s+\[100(?:\.00)?%\]\s*$")
_CHANGES: Final = {"INSERT", "UPDATE", "HOT_UPDATE", "DELETE", "MULTI_INSERT"}


class Stock(msgspec.Struct, frozen=True):
    """``fits``: a second copy fits beside this one. ``commits``, ``changes`` (rows or pages of
    rows) and ``wal_bytes`` beyond the point asked for; ``trouble`` why they could not be counted.
    """

    fits: bool
    wal_bytes: int = 0
    commits: int = 0
    changes: int = 0
    trouble: str = ""


def dump_arguments(pgdata: Path, timeline: int, left_at: int) -> tuple[str, ...]:
    """pg_waldump's arguments: statistics of one timeline from a point to its end."""
    place = f"--path={pgdata / 'pg_wal'}"
    return ("--stats=record", f"--timeline={timeline}", f"--start={format_lsn(left_at)}", place)


def counted(out: str, err: str, *, fits: bool) -> Stock:
    """pg_waldump's statistics as a stock. It ends with an error where the WAL ends: no trouble."""
    commits = changes = wal_bytes = 0
    for line in out.splitlines():
        total = _TOTAL.match(line)
        if total:
            wal_bytes = int(total[2])
        found = _RECORD.match(line)
        if not found:
            continue
        if (found[1], found[2]) in {("Transaction", "COMMIT"), ("Transaction", "COMMIT_PREPARED")}:
            commits += int(found[3])
        elif found[1] in {"Heap", "Heap2"} and found[2] in _CHANGES:
            changes += int(found[3])
    nothing = not out.strip() or not wal_bytes
    trouble = err.strip()[-300:] if nothing and "could not find a valid record" not in err else ""
    return Stock(fits, wal_bytes, commits, changes, trouble)


def room(pgdata: Path, unproven: Path | None) -> bool:
    """Would a copy as large as ``pgdata`` fit? ``unproven``: a folder that would go first."""
    own = folder_bytes(pgdata)
    free = shutil.disk_usage(pgdata.parent).free
    if unproven is not None:
        free += folder_bytes(unproven)
    return free >= own * HEADROOM + LEAST_HEADROOM_BYTES


def folder_bytes(folder: Path) -> int:
    """What a folder takes on the disk."""
    return sum(status.st_blocks * 512 for status in _statuses(folder))


def _statuses(folder: Path) -> Iterator[os.stat_result]:
    for place, _, files in os.walk(folder):
        for name in files:
            try:
                yield (Path(place) / name).lstat()
            except FileNotFoundError:
                continue
