"""What a data folder of the PostgreSQL without PostgreSQL holds: all that survives its crash."""

from dataclasses import dataclass, field
from typing import Final

from cluster.postgres.files import BLOCKING_NAMES, LiveSettings
from protocols.peer import Ground

GROUND: Final = Ground(150_018, "on", "on", "on", "off", 60, 8, 10, 0, 64)
"""What a server started by this house shows: the values of `files.render_conf`."""
_FIRST_LSN: Final = 0x0100_0028


@dataclass(slots=True)
class Folder:
    """A data folder: what survives a crash. `history`: (timeline, position where it was left)."""

    system_id: int
    timeline: int = 1
    checkpoint_timeline: int = 1
    wal: int = _FIRST_LSN
    fence: int = 0
    history: tuple[tuple[int, int], ...] = ()
    state: str = "shut down"
    standby_signal: bool = True
    live: LiveSettings = field(default_factory=lambda: LiveSettings(BLOCKING_NAMES))
    slots: frozenset[str] = frozenset()


def follows(mine: Folder, theirs: Folder) -> bool:
    """May a server with `mine` stream from one with `theirs`? Only WAL that theirs also went
    through.
    """
    if mine.system_id != theirs.system_id:
        return False
    if mine.timeline == theirs.timeline:
        return mine.wal <= theirs.wal
    left_at = dict(theirs.history).get(mine.timeline)
    return left_at is not None and mine.wal <= left_at
