"""Transactions, the fence and the ack gate on a synchronous pair: nothing is acknowledged that the
standby has not flushed, and a COMMIT is never cancelled.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import psycopg
import pytest
from msgspec.structs import replace

from mpowerd.database import Busy, Cursor, Database, Doubtful, Gated
from protocols.catalogue.payments import Take
from protocols.operation import Role
from tests.database.town import OPEN_ALONE, RAM, SITA, Town, codes, let_in, template, town
from tests.postgres_nodes import (
    SYNC_NAME,
    Pair,
    on_reactor,
    postgres_node,
    postmaster_start,
    run,
    synchronous_pair,
)

IN_SYNC = replace(OPEN_ALONE, alone=False, sync_name=SYNC_NAME, copies=2, state="PRIMARY_SYNC")


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    context = synchronous_pair()
    made = run(context.__aenter__())
    template(made.a)
    yield made
    run(context.__aexit__(None, None, None))


@asynccontextmanager
async def synced(pair: Pair) -> AsyncIterator[Town]:
    """A town whose payments are acknowledged by the standby."""
    async with town(pair.a, patience_s=0.7) as t:
        t.standing[0] = IN_SYNC
        yield t


@contextmanager
def frozen(pair: Pair) -> Iterator[None]:
    """The standby's walreceiver is stopped inside."""
    with psycopg.connect(pair.b.conninfo) as standby:
        ((pid,),) = standby.execute("SELECT pid FROM pg_stat_wal_receiver").fetchall()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def small(cursor: Cursor) -> None:
    """Something small that is written."""
    await cursor.execute("SELECT mpower.barrier_v1()")


async def nothing(_cursor: Cursor) -> None:
    """BEGIN and ROLLBACK alone."""


async def until(t: Town, query: str) -> None:
    """Wait until a query about the server gives a row."""
    async with asyncio.timeout(10):
        while not t.look(query):
            await asyncio.sleep(0.01)


WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND usename = 'mpower_app'"


@on_reactor
async def test_a_payment_is_acknowledged_when_the_standby_has_it(pair: Pair) -> None:
    async with synced(pair) as t:
        assert (await t.pay("asha", RAM, 100)).number == "C001/2026-27/1"
        await t.database.barrier()


@on_reactor
async def test_a_commit_that_waits_is_pending_and_comes_out_by_its_key(pair: Pair) -> None:
    async with synced(pair) as t:
        item = t.item("asha", Take(RAM, 100))
        with frozen(pair):
            asked = asyncio.ensure_future(t.take(item))
            await until(t, WAITING)
            with pytest.raises(Doubtful):
                await asked
            assert t.look(WAITING)  # the COMMIT itself goes on
        (again,) = await t.take(item)
        assert again.replay
        assert again.reply is not None
        t.is_well()


@on_reactor
async def test_who_goes_away_during_commit_cancels_nothing(pair: Pair) -> None:
    async with synced(pair) as t:
        item = t.item("asha", Take(RAM, 100))
        with frozen(pair):
            asked = asyncio.ensure_future(t.take(item))
            await until(t, WAITING)
            asked.cancel()
            await asyncio.wait({asked})
            assert t.look(WAITING)
        await until(t, "SELECT 1 FROM mpower.requests WHERE receipt IS NOT NULL")
        (again,) = await t.take(item)
        assert again.replay


@on_reactor
async def test_a_commit_that_was_cancelled_at_the_server_is_doubt(pair: Pair) -> None:
    async with synced(pair) as t:
        with frozen(pair):
            asked = asyncio.ensure_future(t.take(t.item("asha", Take(RAM, 100))))
            await until(t, WAITING)
            t.look(f"SELECT pg_cancel_backend(pid) FROM ({WAITING.replace('1', 'pid', 1)}) w")
            with pytest.raises(Doubtful, match="01000"):
                await asked


@on_reactor
async def test_a_replay_waits_for_the_standby_like_the_first(pair: Pair) -> None:
    async with synced(pair) as t:
        item = t.item("asha", Take(RAM, 100))
        await t.take(item)
        with frozen(pair), pytest.raises(Doubtful):
            await t.take(item)


@on_reactor
async def test_the_flush_of_another_generation_acknowledges_nothing(pair: Pair) -> None:
    async with synced(pair) as t:
        t.standing[0] = replace(IN_SYNC, sync_name="b_2")
        with pytest.raises(Doubtful):
            await t.pay("asha", RAM, 100)
        t.standing[0] = replace(IN_SYNC, sync_name="")
        with pytest.raises(Doubtful):
            await t.pay("asha", RAM, 100)


@on_reactor
async def test_a_gate_that_shuts_or_a_term_that_ends_meanwhile_is_doubt(pair: Pair) -> None:
    async with synced(pair) as t:
        for later in (replace(IN_SYNC, open=False), replace(IN_SYNC, term=7)):
            t.standing[0] = IN_SYNC

            async def change(cursor: Cursor, later: object = later) -> None:
                await small(cursor)
                t.standing[0] = later  # type: ignore[call-overload]

            with pytest.raises(Doubtful):
                await t.database.write("change", None, change)

            t.standing[0] = IN_SYNC

            async def look(cursor: Cursor, later: object = later) -> None:
                t.standing[0] = later  # type: ignore[call-overload]

            with pytest.raises(Gated):
                await t.database.read("look", None, look)


@on_reactor
async def test_a_shut_gate_and_another_terms_fence_let_nothing_in(pair: Pair) -> None:
    async with synced(pair) as t:
        for standing in (replace(IN_SYNC, open=False), replace(IN_SYNC, term=1)):
            t.standing[0] = standing
            with pytest.raises(Gated):
                await t.take(t.item("asha", Take(RAM, 100)))
        t.standing[0] = replace(IN_SYNC, open=False)
        with pytest.raises(Gated):
            await t.database.read("look", None, small)
        assert t.look("SELECT count(*) FROM mpower.requests WHERE receipt IS NOT NULL") == [(0,)]


@on_reactor
async def test_a_standby_takes_no_writes(pair: Pair) -> None:
    async with synced(pair) as t:
        app = psycopg.conninfo.make_conninfo(t.app, host=str(pair.b.socket_dir), port=pair.b.port)
        await until(t, "SELECT 1 FROM pg_stat_replication WHERE replay_lsn >= sent_lsn")
        there = replace(IN_SYNC, postmaster_start=postmaster_start(pair.b.conninfo))
        standby = Database(app, lambda: there)
        with pytest.raises(Gated):
            await standby.write("w", None, small)
        await standby.close()
        gone = Database("host=/nowhere dbname=none", lambda: IN_SYNC)
        with pytest.raises(Gated):
            await gone.write("w", None, small)
        await gone.close()


@on_reactor
async def test_a_server_restarted_beneath_serves_nobody_until_the_gate_is_armed_anew() -> None:
    """Fact F2: until a probe has seen it, it may show what no standby has."""
    async with postgres_node() as node:
        template(node)
        async with town(node) as t:
            await t.pay("asha", RAM, 100)
            await node.control.stop("immediate")
            await node.control.start(as_standby=False, names=None)
            let_in(node)
            for _ in range(2):  # the idle session died; then there is none
                with pytest.raises(Gated, match="restarted"):
                    await t.database.read("look", None, small)
                with pytest.raises(Gated, match="restarted"):
                    await t.pay("asha", RAM, 100)
            t.started = (await node.control.probe()).postmaster_start
            assert (await t.pay("asha", RAM, 100)).number == "C001/2026-27/2"


@on_reactor
async def test_a_session_is_asked_for_its_server_once_not_with_every_transaction(
    pair: Pair,
) -> None:
    async with synced(pair) as t:
        narrow = Database(t.app, t.stood, pool_size=1)
        await narrow.read("look", None, nothing)
        t.started = 0  # nothing asks any more: a session is of one server for its life
        await narrow.read("look", None, nothing)
        await narrow.close()


@on_reactor
async def test_a_deadline_ends_before_commit_and_undoes(pair: Pair) -> None:
    async with synced(pair) as t:

        async def slow(cursor: Cursor) -> None:
            await small(cursor)
            await cursor.execute("SELECT pg_sleep(30)")

        with pytest.raises(Busy):
            await t.database.write("slow", None, slow, deadline_s=0.3)
        with pytest.raises(Busy):
            await t.database.read("slow", None, slow, deadline_s=0.3)
        await t.database.barrier()


@on_reactor
async def test_a_lock_that_does_not_come_is_busy_for_that_batch(pair: Pair) -> None:
    async with synced(pair) as t:
        with psycopg.connect(t.superuser) as holder:
            holder.execute("SELECT FROM mpower.accounts WHERE account = 16 FOR UPDATE")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                await t.take(t.item("asha", Take(RAM, 100)))
            assert codes(await t.take(t.item("bina", Take(SITA, 100)), chain=1)) == [""]


@on_reactor
async def test_the_queue_is_bounded(pair: Pair) -> None:
    async with synced(pair) as t:
        narrow = Database(t.app, t.stood, pool_size=1, queue_limit=2)

        async def nap(cursor: Cursor) -> None:
            await cursor.execute("SELECT pg_sleep(0.1)")

        naps = [narrow.read("nap", Role.CLERK, nap) for _ in range(5)]
        ends = await asyncio.gather(*naps, return_exceptions=True)
        assert sorted(type(end).__name__ for end in ends) == ["Busy"] * 2 + ["NoneType"] * 3
        await narrow.close()


@on_reactor
async def test_connections_that_died_idle_are_replaced(pair: Pair) -> None:
    async with synced(pair) as t:
        await t.database.barrier()
        t.look(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'mpower_app'"
        )
        await t.database.barrier()
        assert codes(await t.take(t.item("asha", Take(RAM, 100)))) == [""]
