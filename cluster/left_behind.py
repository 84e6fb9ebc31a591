"""What copies held that nobody acknowledged, written down before they were replaced: a small file.

When an ex-primary comes back, whatever its log held past the point where the other's history parts
is thrown away; an auditor may ask what it was. Each report is on the disk before the copy is
touched, the last few are kept. Blocking: use it from threads. It must not decide anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from cluster.durable import NotOursError, read_sealed, write_durably

FILE_NAME: Final = "left-behind.json"
MAX_REPORTS: Final = 20
"""Each is a line of some 200 bytes; a pair that diverged more often has another trouble."""


class LeftBehind(Struct, frozen=True):
    """One copy's report. ``wall_time`` in Unix seconds, for people; positions in bytes, 0 unknown.

    All of it was unacknowledged: the primary of that time answers only what the standby has
    flushed, and the standby's history ends at ``left_at``. Not so where an operator ``forced`` the
    other node to go on without this copy.
    """

    wall_time: float
    tli: int
    left_at: int
    wal_bytes: int
    commits: int
    changes: int
    trouble: str = ""
    forced: bool = False

    @property
    def sentence(self) -> str:
        """For the history."""
        if self.trouble:
            return f"What stood here past the switch could not be counted: {self.trouble}"
        if not self.left_at:
            return "Where this copy left the primary's history is not known; nothing was counted."
        if not self.wal_bytes:
            return "Nothing stood here past the switch: nothing is lost with this copy."
        whose = (
            "acknowledged payments may be among them, for the failover was forced"
            if self.forced
            else "unacknowledged only"
        )
        return (
            f"Past the switch this copy holds {self.wal_bytes} bytes of log, {self.commits} commits"
            f" with {self.changes} changes of rows: {whose} (see {FILE_NAME})."
        )


class Reports:
    """The file in the node's folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self.kept: list[LeftBehind] = []

    def add(self, report: LeftBehind) -> None:
        """Keep it durably; the same copy judged again is the same report."""
        same = (report.tli, report.left_at, report.wal_bytes)
        kept = [one for one in self.kept if (one.tli, one.left_at, one.wal_bytes) != same]
        self.kept = [*kept, report][-MAX_REPORTS:]
        write_durably(self._path, msgspec.json.encode(self.kept))

    def told(self) -> list[dict[str, Any]]:
        """For people, in words: when, what, and whether any of it may have been acknowledged."""
        return [
            {"wall_time": one.wall_time, "text": one.sentence, "forced": one.forced}
            for one in self.kept
        ]

    def read(self) -> None:
        """What earlier lives wrote; a file that cannot be read holds none: it decides nothing."""
        try:
            content = read_sealed(self._path)
            self.kept = msgspec.json.decode(content, type=list[LeftBehind]) if content else []
        except (NotOursError, msgspec.MsgspecError, OSError):
            self.kept = []
