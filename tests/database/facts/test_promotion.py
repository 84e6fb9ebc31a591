"""Facts F5, F7, F9, F11, F17: what happens around a promotion and a copy."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from cluster.postgres import disk
from cluster.postgres.control import BLOCKING_NAMES
from cluster.postgres.troubles import PromotionStuckError
from tests.postgres_nodes import SYNC_NAME, Node, Pair, on_reactor, synchronous_pair


async def process_of(node: Node, backend_type: str) -> int:
    """The pid of one of the server's own processes."""
    query = b"SELECT pid FROM pg_stat_activity WHERE backend_type = %s"
    async with node.control.sessions.open(local=True) as session:
        row = await (await session.execute(query, (backend_type,))).fetchone()
    assert row is not None
    assert Path(f"/proc/{row[0]}/cwd").resolve() == node.plan.pgdata
    return int(row[0])


@asynccontextmanager
async def frozen(node: Node, backend_type: str) -> AsyncIterator[None]:
    """One of the server's processes is stopped inside."""
    pid = await process_of(node, backend_type)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def rewind(pair: Pair) -> str:
    """What pg_rewind says about making `a` follow `b` (dry run)."""
    a, b = pair.a.control, pair.b
    argv = [a._binaries.program("pg_rewind"), "--dry-run", "--no-sync"]
    argv += ["--target-pgdata", str(pair.a.plan.pgdata)]
    argv += ["--source-server", f"host={b.socket_dir} port={b.port} user=postgres dbname=postgres"]
    finished = await a._runner.run(argv, deadline_s=30)
    return (finished.out + finished.err).decode()


@on_reactor
async def test_f05_the_control_file_keeps_the_old_timeline_until_a_checkpoint() -> None:
    async with synchronous_pair() as pair:
        a, b = pair.a.control, pair.b.control
        await a.set_names("")
        await b.set_upstream("", None)
        await a.barrier(10)  # what b will never have
        await a.stop("fast")
        async with frozen(pair.b, "checkpointer"):
            assert await b.promote() == 2
            assert (await b.controldata()).timeline == 1
            if a._binaries.major == 15:
                assert "no rewind required" in await rewind(pair)
        await b.checkpoint(10)
        assert (await b.controldata()).timeline == 2
        assert "no rewind required" not in await rewind(pair)


@on_reactor
async def test_f07_a_copy_brings_the_source_settings_and_the_control_replaces_them() -> None:
    async with synchronous_pair() as pair:
        a, b = pair.a, pair.b
        source = b.control.conninfo("127.0.0.1", a.port, SYNC_NAME)
        await b.control.stop("fast")
        raw = b.plan.home / "raw"
        argv = [b.control._binaries.program("pg_basebackup"), "--pgdata", str(raw)]
        argv += ["--dbname", source, "--checkpoint=fast", "--no-sync"]
        await b.control._runner.run(argv, deadline_s=30)
        names = f'ANY 1 ("{SYNC_NAME}")'
        assert disk.read_live(raw).names == names

        await b.control.clone(source, "b")
        assert (await b.control.live_settings()).names == BLOCKING_NAMES
        assert (b.plan.pgdata / "standby.signal").exists()
        assert (b.plan.pgdata_old / "PG_VERSION").exists()
        await b.control.start(as_standby=True, names="", conninfo=source, slot="b")
        assert (await b.control.probe()).names == ""
        await a.control.barrier(10)


@on_reactor
async def test_f09_a_cancelled_wait_for_the_promotion_does_not_take_it_back() -> None:
    async with synchronous_pair() as pair:
        b = pair.b
        async with frozen(b, "startup"):
            waiter = await psycopg.AsyncConnection.connect(b.conninfo, autocommit=True)
            asked = asyncio.ensure_future(waiter.execute("SELECT pg_promote(true, 60)"))
            async with b.control.sessions.open(local=True) as other:
                query = b"SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query ~ %s"
                while not asked.done():
                    await other.execute(query, ("^SELECT pg_promote",))
                    await asyncio.wait({asked}, timeout=0.02)
            with pytest.raises(psycopg.errors.QueryCanceled):
                await asked
            await waiter.close()
            with pytest.raises(PromotionStuckError):
                await b.control.promote(stuck_s=0.2)
        assert await b.control.promote() == 2


@on_reactor
async def test_f11_a_fast_stop_with_a_frozen_walreceiver_ends_at_its_deadline() -> None:
    async with synchronous_pair() as pair, frozen(pair.b, "walreceiver"):
        a = pair.a.control
        assert a._child is not None
        a._child.send(signal.SIGINT)
        await asyncio.wait({a._child.ended}, timeout=0.5)
        assert a._child.alive, "the fast stop did not wait for the standby"
        await a.stop("fast", deadline_s=0.1)
        facts = await a.controldata()
        # A clean control file is no proof that the standby has the shutdown checkpoint.
        assert facts.clean
        assert (await pair.b.control.probe()).held_lsn <= facts.checkpoint_lsn


@on_reactor
async def test_f17_a_standby_alone_still_knows_how_much_it_holds() -> None:
    async with synchronous_pair() as pair:
        a, b = pair.a, pair.b
        lsn = await a.control.barrier(10)
        source = b.control.conninfo("127.0.0.1", a.port, SYNC_NAME)
        await a.control.stop("immediate")
        await b.control.stop("immediate")
        await b.control.start(as_standby=True, names="", conninfo=source, slot="b")
        facts = await b.control.probe()
        while facts.held_lsn < lsn:  # local WAL is being replayed
            facts = await b.control.probe()
        assert (facts.receive_lsn or 0) < lsn
