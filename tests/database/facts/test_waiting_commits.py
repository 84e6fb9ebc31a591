"""Facts F1–F4: what a commit that waits for a standby can do to us, and what stops it.

Each test shows the leak in PostgreSQL itself, then that the control is not fooled by it.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from cluster.postgres.control import BLOCKING_NAMES, PostmasterExit
from cluster.postgres.troubles import (
    CommitUncertainError,
    DeadlinePassedError,
    PostgresTroubleError,
)
from tests.postgres_nodes import Node, on_reactor, postgres_node

WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


@asynccontextmanager
async def session(node: Node, local: str = "on") -> AsyncIterator[psycopg.AsyncConnection]:
    options = f"-c synchronous_commit={local}"
    connection = await psycopg.AsyncConnection.connect(
        f"{node.conninfo} options='{options}'", autocommit=True
    )
    try:
        yield connection
    finally:
        await connection.close()


async def column(connection: psycopg.AsyncConnection, query: str) -> list[object]:
    return [row[0] for row in await (await connection.execute(query.encode())).fetchall()]


async def close_the_gate(node: Node, watcher: psycopg.AsyncConnection) -> set[object]:
    """From here every commit hangs (F4: setting the names does not do it); the pids that hang."""
    await node.control.set_names(BLOCKING_NAMES)
    assert await node.control.hang_probe(10) is not None
    return set(await column(watcher, WAITING))


async def waiting_pid(watcher: psycopg.AsyncConnection, known: set[object]) -> int:
    """One more backend seen waiting for replication."""
    while True:
        for pid in set(await column(watcher, WAITING)) - known:
            assert isinstance(pid, int)
            return pid
        await asyncio.sleep(0.01)


@on_reactor
async def test_f01_a_cancelled_commit_looks_like_success() -> None:
    async with postgres_node() as node, session(node) as writer, session(node, "local") as other:
        await writer.execute("CREATE TABLE public.paid (n int)")
        known = await close_the_gate(node, other)
        notices: list[str | None] = []
        writer.add_notice_handler(lambda note: notices.append(note.sqlstate))
        insert = asyncio.ensure_future(writer.execute("INSERT INTO public.paid VALUES (1)"))
        await other.execute("SELECT pg_cancel_backend(%s)", (await waiting_pid(other, known),))
        assert (await insert).rowcount == 1
        assert notices == ["01000"]
        assert await column(other, "SELECT n FROM public.paid") == [1]


@on_reactor
async def test_f01_the_barrier_says_uncertain_when_it_was_cancelled() -> None:
    async with postgres_node() as node, session(node, "local") as other:
        known = await close_the_gate(node, other)
        barrier = asyncio.ensure_future(node.control.barrier(30))
        await other.execute("SELECT pg_cancel_backend(%s)", (await waiting_pid(other, known),))
        with pytest.raises(CommitUncertainError):
            await barrier


@on_reactor
async def test_f01_a_deadline_or_a_caller_that_goes_away_cancels_nothing() -> None:
    async with postgres_node() as node, session(node, "local") as other:
        known = await close_the_gate(node, other)
        gone = asyncio.ensure_future(node.control.barrier(30))
        await waiting_pid(other, known)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        with pytest.raises(DeadlinePassedError):
            await node.control.barrier(0.3)
        assert len(await column(other, WAITING)) == 2 + len(known)
        await node.control.set_names("")
        assert await node.control.barrier(5) > 0


@on_reactor
async def test_f02_a_restart_shows_commits_that_nobody_acknowledged() -> None:
    async with postgres_node() as node:
        async with session(node) as writer, session(node, "local") as other:
            await writer.execute("CREATE TABLE public.paid (n int)")
            known = await close_the_gate(node, other)
            before = await node.control.probe()
            insert = asyncio.ensure_future(writer.execute("INSERT INTO public.paid VALUES (1)"))
            await waiting_pid(other, known)
            assert await column(other, "SELECT n FROM public.paid") == []
            await node.control.stop("immediate")
            with pytest.raises(psycopg.OperationalError):
                await insert
        await node.control.start(as_standby=False, names=None)
        async with session(node, "local") as other:
            assert await column(other, "SELECT n FROM public.paid") == [1]
        after = await node.control.probe()
        assert after.postmaster_start != before.postmaster_start  # what re-arms the gate
        assert after.names == BLOCKING_NAMES


@on_reactor
async def test_f03_one_killed_backend_ends_the_server_instead_of_restarting_it() -> None:
    async with postgres_node() as node, session(node) as victim:
        exits: asyncio.Queue[PostmasterExit] = asyncio.Queue()
        node.control.exited = exits.put_nowait
        os.kill(victim.info.backend_pid, signal.SIGKILL)
        assert not (await exits.get()).asked
        assert not node.control.running
        with pytest.raises(PostgresTroubleError):
            await node.control.barrier(1)


@on_reactor
async def test_f04_names_that_everybody_shows_bind_nobody_until_the_checkpointer_wakes() -> None:
    async with postgres_node() as node, session(node) as writer, session(node, "local") as other:
        await writer.execute("CREATE TABLE public.paid (n int)")
        query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
        (checkpointer,) = await column(other, query)
        assert isinstance(checkpointer, int)
        assert Path(f"/proc/{checkpointer}/cwd").resolve() == node.plan.pgdata
        os.kill(checkpointer, signal.SIGSTOP)
        try:
            await node.control.set_names(BLOCKING_NAMES)
            assert (await node.control.probe()).names == BLOCKING_NAMES
            await writer.execute("INSERT INTO public.paid VALUES (1)")  # returns: the leak
            assert await node.control.hang_probe(0.3) is None  # and the probe is not fooled
        finally:
            os.kill(checkpointer, signal.SIGCONT)
        assert await node.control.hang_probe(5) is not None
