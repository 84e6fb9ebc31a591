"""How far a standby had replayed when its primary began anew: ahead of that, it is on another tail.

A primary whose disk lost its end writes another at the same positions. Who had replayed further
takes those bytes and cannot read on (tests/database/facts), so this copy is not the primary's any
more. What was only received counts for nothing here: a record whose end never came is overwritten
by right. Lives are told apart by the start of the primary's postmaster; the first one met is
believed, for what stands here may be its own. It must not know what follows from being ahead.
"""

from __future__ import annotations

from msgspec import Struct, structs

from protocols.peer import NodeBeat


class Reach(Struct, frozen=True):
    """``rest_lsn``: replayed when last nothing streamed. ``life``: the primary's that was met last.
    ``ahead_lsn``: replayed to there, beyond where that life began; 0 it was not.
    ``read_at_s``: when it was last seen to take the primary's log and to read on in it.
    """

    rest_lsn: int = 0
    life: int = 0
    ahead_lsn: int = 0
    read_at_s: float = float("-inf")


def met(reach: Reach, beat: NodeBeat, system_id: str, tli: int) -> Reach:
    """A beat of the primary that this copy follows came."""
    told = beat.began_lsn > 0 and beat.postmaster_start > 0
    if not told or beat.postmaster_start == reach.life:
        return reach
    same = (beat.system_id, beat.tli) == (system_id, tli)
    ahead = same and reach.life != 0 and reach.rest_lsn > beat.began_lsn
    ahead_lsn = reach.rest_lsn if ahead else reach.ahead_lsn
    return structs.replace(reach, life=beat.postmaster_start, ahead_lsn=ahead_lsn)
