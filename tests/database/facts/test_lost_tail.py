"""What a disk forgets that lied about its last flush, and what a start makes of it.

Recovery ends quietly at the last whole record, writes its own checkpoint from there on, and the
next commit brings a page along: soon the log is as long as it was, with another content. So what a
copy holds is told by where recovery ended, never by how far the log reaches since. A standby that
had replayed what was lost takes the other content over what it held, and cannot read on in it; it
ends its stream, and what it received moves on while what it replayed stands.
"""

import asyncio
from pathlib import Path

from tests.postgres_nodes import on_reactor, postgres_node, synchronous_pair

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


@on_reactor
async def test_a_standby_ahead_takes_the_bytes_of_another_tail_and_replays_none() -> None:
    async with synchronous_pair() as pair:
        a, b = pair.a.control, pair.b.control
        lost = await a.barrier(10)
        while ((await b.probe()).replay_lsn or 0) < lost:
            await asyncio.sleep(0.02)
        await a.stop("immediate")
        held = (await b.probe()).replay_lsn or 0
        forget_the_end(pair.a.plan.pgdata, lost)
        await a.start(as_standby=False, names="")
        began = await a.began_lsn(clean=False)
        assert began < held
        while await a.barrier(10) <= held:  # the other tail is as long, and longer
            pass
        await a.admit()
        while ((await b.probe()).receive_lsn or 0) <= held:
            await a.barrier(10)
        told = "terminating walreceiver process due to administrator command"
        while told not in pair.b.plan.log.read_text("utf-8"):
            await asyncio.sleep(0.02)
        seen = await b.probe()
        assert (seen.receive_lsn or 0) > held
        assert seen.replay_lsn == held, "nor will it ever read on"


@on_reactor
async def test_the_primary_sees_how_far_its_standby_has_replayed() -> None:
    async with synchronous_pair() as pair:
        a = pair.a.control
        barrier = await a.barrier(10)
        while True:
            (row,) = (await a.probe()).walsenders
            if (row.replay_lsn or 0) >= barrier:
                break
        assert (row.flush_lsn or 0) >= barrier
