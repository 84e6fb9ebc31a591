"""What a disk forgets that lied about its last flush, and what a start makes of it.

Recovery ends quietly at the last whole record, writes its own checkpoint from there on, and the
next commit brings a page along: soon the log is as long as it was, with another content. So what a
copy holds is told by where recovery ended, never by how far the log reaches since.
"""

from pathlib import Path

from tests.postgres_nodes import on_reactor, postgres_node

SEGMENT_BYTES = 16 * 1024 * 1024
COMMIT_BYTES = 32
"""Less than the record of one commit: its end is gone, what stands before it is whole."""


def forget_the_end(pgdata: Path, lsn: int) -> None:
    """The last bytes below ``lsn`` never reached the disk. The first timeline's names count."""
    segment, offset = divmod(lsn, SEGMENT_BYTES)
    with (pgdata / "pg_wal" / f"{1:08X}{0:08X}{segment:08X}").open("r+b") as wal:
        wal.seek(offset - COMMIT_BYTES)
        wal.write(bytes(COMMIT_BYTES))


@on_reactor
async def test_a_lost_commit_shows_where_recovery_ended_and_not_in_the_log_since() -> None:
    async with postgres_node() as node:
        acknowledged = await node.control.barrier(5)
        await node.control.stop("immediate")
        forget_the_end(node.plan.pgdata, acknowledged)
        await node.control.start(as_standby=False, names="")
        assert await node.control.began_lsn(clean=False) < acknowledged
        assert ((await node.control.probe()).flush_lsn or 0) > acknowledged
