"""Facts F6, F8, F10, F13, F14: what is kept for a rewind, which commits wait, what lets them go,
and two timelines of one number.

Run on the PostgreSQL of this machine (15 of Debian in CI). F10's other half, that ``remote_write``
loses what the standby's kernel had not written out, needs a power cut: tests/torture cuts it.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cluster.postgres.troubles import DeadlinePassedError
from tests.database.facts.test_promotion import frozen, rewind
from tests.database.facts.test_waiting_commits import close_the_gate, column, session, waiting_pid
from tests.postgres_nodes import SYNC_NAME, Pair, on_reactor, postgres_node, synchronous_pair


async def part(pair: Pair) -> None:
    """From here each node lives for itself; b is promoted."""
    await pair.a.control.set_names("")
    await pair.b.control.set_upstream("", None)
    assert await pair.b.control.promote() == 2
    await pair.b.control.checkpoint(10)


async def write_segments(pair: Pair) -> None:
    """Fill more of the WAL of `a`, past some checkpoints."""
    async with session(pair.a) as writer:
        for _ in range(3):
            await writer.execute("SELECT pg_logical_emit_message(true, 'fill', 'x')")
            await writer.execute("SELECT pg_switch_wal()")
            await writer.execute("CHECKPOINT")


@on_reactor
async def test_f06_a_rewind_needs_the_old_wal_of_its_target_and_the_settings_keep_it() -> None:
    async with synchronous_pair() as pair:
        a = pair.a.control
        await part(pair)
        await a.drop_slot("b")
        await write_segments(pair)
        await a.stop("fast")
        assert "could not" not in await rewind(pair), "wal_keep_size did not keep it"
        await a.start(as_standby=False, names="")
        async with session(pair.a) as writer:
            await writer.execute("ALTER SYSTEM SET wal_keep_size = 0")
            await writer.execute("SELECT pg_reload_conf()")
        await write_segments(pair)
        await a.stop("fast")
        with pytest.raises(Exception, match="could not"):
            raise AssertionError(await rewind(pair))


@on_reactor
async def test_f08_any_role_can_refuse_to_wait_and_the_control_waits_all_the_same() -> None:
    async with postgres_node() as node, session(node, "local") as other:
        await other.execute("CREATE ROLE clerk LOGIN; CREATE TABLE public.paid (n int)")
        await other.execute("GRANT USAGE ON SCHEMA public TO clerk")
        await other.execute("GRANT INSERT ON public.paid TO clerk")
        await close_the_gate(node, other)
        async with session(node) as writer:
            await writer.execute("SET SESSION AUTHORIZATION clerk")
            await writer.execute("SET synchronous_commit = off")
            await asyncio.wait_for(writer.execute("INSERT INTO public.paid VALUES (1)"), 5)
        await other.execute("ALTER ROLE postgres SET synchronous_commit = off")
        with pytest.raises(DeadlinePassedError):
            await node.control.barrier(0.5)
        await node.control.set_names("")
        assert await node.control.barrier(5) > 0


@on_reactor
async def test_f10_what_waits_for_replay_waits_for_a_stalled_one_and_ours_does_not() -> None:
    async with synchronous_pair() as pair, session(pair.a) as other:
        query = "SELECT setting FROM pg_file_settings WHERE name = 'synchronous_commit'"
        assert set(await column(other, query)) == {"on"}
        async with frozen(pair.b, "startup"):
            await pair.a.control.barrier(10)
            async with session(pair.a, "remote_apply") as writer:
                write = "SELECT pg_logical_emit_message(true, 'f10', 'x')"
                applied = asyncio.ensure_future(writer.execute(write))
                done, _ = await asyncio.wait({applied}, timeout=0.5)
                assert not done, "remote_apply did not wait for the replay"
                os.kill(await replayer(pair), signal.SIGCONT)
                await asyncio.wait_for(applied, 10)


async def replayer(pair: Pair) -> int:
    """The startup process of `b`, found without asking `b`."""
    for folder in Path("/proc").iterdir():
        called = folder.name.isdigit() and b"startup" in cmdline(folder)
        if called and (folder / "cwd").resolve() == pair.b.plan.pgdata:
            return int(folder.name)
    raise AssertionError("b has no startup process")


def cmdline(folder: Path) -> bytes:
    try:
        return (folder / "cmdline").read_bytes()
    except OSError:
        return b""


@asynccontextmanager
async def cut_off(pair: Pair) -> AsyncIterator[None]:
    """`b` is not connected inside; afterwards a new walreceiver comes under the old name."""
    b, a = pair.b.control, pair.a
    await b.set_upstream("", None)
    while (await a.control.probe()).walsenders:
        await asyncio.sleep(0.02)
    yield
    await b.set_upstream(b.conninfo("127.0.0.1", a.port, SYNC_NAME), "b")


@on_reactor
async def test_f13_a_small_asynchronous_write_lets_go_what_waits_for_a_new_walreceiver() -> None:
    """Who waits for a flush that the standby already holds is let go by its next report; without
    new WAL that can take wal_receiver_status_interval. A probe's own write is the nudge.
    """
    async with synchronous_pair() as pair, session(pair.a, "local") as other:
        async with cut_off(pair):
            barrier = asyncio.ensure_future(pair.a.control.barrier(20))
            await waiting_pid(other, set())
        written = "SELECT pg_current_wal_insert_lsn()"
        before = await column(other, written)
        assert (await pair.a.control.probe()).ok
        assert await column(other, written) != before, "a probe writes nothing: no nudge"
        async with asyncio.timeout(5):
            while not barrier.done():
                assert (await pair.a.control.probe()).ok
                await asyncio.sleep(0.05)
        assert barrier.result() > 0


@on_reactor
async def test_f14_two_promotions_can_pick_one_number_and_nothing_on_disk_tells() -> None:
    """So the record keeps who promoted: tests/cluster/test_rejoin.py shows that a copy whose claim
    is not in it is cloned.
    """
    async with synchronous_pair() as pair:
        a, b = pair.a.control, pair.b.control
        await part(pair)
        await b.barrier(10)
        await a.stop("fast")
        await a.start(as_standby=True, names="", conninfo="", slot=None)
        assert await a.promote() == 2
        await a.checkpoint(10)
        await a.barrier(10)
        await a.stop("fast")
        assert (await a.controldata()).timeline == (await b.controldata()).timeline == 2
        assert "no rewind required" in await rewind(pair)
