"""pg_rewind, asked for only where it can be right, and believed only where it is shown to be.

Facts F5 to F7: right after a promotion the source's control file still shows the old timeline, and
pg_rewind then says "no rewind required" with exit 0 over rows that differ; so the source is told to
CHECKPOINT and must show its timeline first, and a target that needed no rewind has failed. The
source's settings come with the pages: the caller writes its own before anything starts. The
replication login may do just this: a connection to one database, four functions, CHECKPOINT.
"""

import asyncio
import re
from pathlib import Path
from typing import Final

import psycopg

from cluster.postgres.commands import Finished
from cluster.postgres.controldata import ControlData
from cluster.postgres.lsn import format_lsn, parse_lsn
from cluster.postgres.troubles import CommandFailedError

DATABASE: Final = "postgres"
"""The one database the replication login may enter, for this."""
CHECKPOINT_DEADLINE_S: Final = 120.0
REWIND_DEADLINE_S: Final = 3600.0
_DIVERGED: Final = re.compile(r"servers diverged at WAL location (\S+) on timeline (\d+)")


def source_of(conninfo: str) -> str:
    """The replication conninfo as an ordinary login."""
    return f"{conninfo} dbname={DATABASE}"


def arguments(pgdata: Path, conninfo: str) -> tuple[str, ...]:
    """pg_rewind's."""
    return ("--target-pgdata", str(pgdata), "--source-server", source_of(conninfo))


async def settle_source(conninfo: str, timeline: int) -> int:
    """CHECKPOINT on the source, and proof that it then shows ``timeline``; its system_id."""
    try:
        async with asyncio.timeout(CHECKPOINT_DEADLINE_S):
            session = await psycopg.AsyncConnection.connect(source_of(conninfo), autocommit=True)
            async with session:
                await session.execute("CHECKPOINT")
                query = b"""SELECT c.timeline_id, s.system_identifier, pg_is_in_recovery()
                              FROM pg_control_checkpoint() c, pg_control_system() s"""
                row = await (await session.execute(query)).fetchone()
    except (psycopg.Error, TimeoutError) as error:
        raise CommandFailedError(f"The source took no CHECKPOINT: {error}".strip()) from error
    if row is None or row[2] or row[0] != timeline:
        raise CommandFailedError(f"The source is not the primary of timeline {timeline}: {row}.")
    return int(row[1]) & 0xFFFF_FFFF_FFFF_FFFF


def judge(
    finished: Finished, after: ControlData, system_id: int, timeline: int, left_at: int
) -> None:
    """CommandFailedError unless everything that can be shown says that the rewind was right."""
    said = (finished.out + finished.err).decode("utf-8", "replace")
    if not finished.good:
        raise CommandFailedError(f"pg_rewind failed: {said.strip()[-600:]}")
    found = _DIVERGED.search(said)
    if found is None:
        raise CommandFailedError(f"pg_rewind found nothing to rewind (F5): {said.strip()[-300:]}")
    if parse_lsn(found[1]) > left_at:
        message = (
            f"pg_rewind kept WAL up to {found[1]}, the record says that the timelines part at "
            f"{format_lsn(left_at)}."
        )
        raise CommandFailedError(message)
    shown = (after.system_id, after.minimum_end_timeline, after.state)
    if shown != (system_id, timeline, "in archive recovery") or after.minimum_end_lsn < left_at:
        raise CommandFailedError(f"After pg_rewind the control file shows {after}.")
