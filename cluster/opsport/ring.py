"""The last happenings of a node with their numbers, so that a listener who was cut goes on where it
was: pure.

Ids are ``<boot>-<number>``: another boot is another process, whose numbers say nothing here.
Invariant: a listener is told when it missed something (``gap``), never left to believe it has seen
all. It must not know sockets.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Final

import msgspec
from msgspec import Struct

from cluster.happening import Happening

SIZE: Final = 512
"""Some takeovers' worth; a listener away for longer reads the state anew, and the log."""


class Entry(Struct, frozen=True):
    """One happening with its number (from 1) and when it was (Unix seconds)."""

    number: int
    wall_s: float
    happening: Happening


class Ring:
    """``boot`` names this process. Entries are added once and fall off at the old end."""

    def __init__(self, boot: str, size: int = SIZE) -> None:
        self._boot = boot
        self._entries: deque[Entry] = deque(maxlen=size)
        self.last = 0
        """The number of the newest entry, 0 for none."""

    def add(self, happening: Happening, wall_s: float) -> None:
        """Take one in."""
        self.last += 1
        self._entries.append(Entry(self.last, wall_s, happening))

    def lacks(self, number: int) -> bool:
        """Say whether entries after ``number`` have fallen off already."""
        return number < self.last - len(self._entries)

    def after(self, number: int, most: int) -> list[Entry]:
        """The entries after ``number``, oldest first, at most ``most``."""
        first = self.last - len(self._entries)
        skip = max(0, number - first)
        return list(islice(self._entries, skip, skip + most))

    def resume(self, last_event_id: str) -> int | None:
        """The number after which a listener goes on; None: it must begin anew (first visit, another
        process, or too long away).
        """
        boot, _, said = last_event_id.rpartition("-")
        if boot != self._boot or not (said.isascii() and said.isdigit()) or len(said) > 12:
            return None
        number = int(said)
        return None if number > self.last or self.lacks(number) else number

    def frame(self, entry: Entry) -> bytes:
        """One entry as a server-sent event."""
        said = {"at_s": entry.wall_s, **msgspec.structs.asdict(entry.happening)}
        return self.event(entry.happening.kind, said, entry.number)

    def event(self, kind: str, said: dict[str, object], number: int) -> bytes:
        """Any object as a server-sent event under that number."""
        data = msgspec.json.encode({"version": 1, **said})
        return b"id: %s-%d\nevent: %s\ndata: %s\n\n" % (
            self._boot.encode(),
            number,
            kind.encode(),
            data,
        )
