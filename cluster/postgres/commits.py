"""Commits the cluster itself makes: the barrier, the hanging probe, the fence row.

A barrier is a written commit: a transaction that only takes an xid, or only conflicts, does not
wait for replication. Any notice during a commit means that nobody knows whether the standby has it
(F1).
"""

import asyncio
from typing import Any, Final

from cluster.postgres.lsn import parse_lsn
from cluster.postgres.sessions import Connection, Sessions, outcome
from cluster.postgres.troubles import CommitUncertainError, FenceRefusedError

_LOOK_AGAIN_S: Final = 0.002
_EMIT: Final = "SELECT pg_logical_emit_message(true, 'mpower', 'barrier')::text"
_IS_HANGING: Final = (
    "SELECT wait_event IS NOT DISTINCT FROM 'SyncRep' FROM pg_stat_activity WHERE pid = %s"
)


class Commits:
    """Small commits on one server, none of them ever cancelled."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def barrier(self, deadline_s: float) -> int:
        """One written commit under the names in force; its position in bytes."""
        return await self._sessions.within(self._emit(), deadline_s, "barrier")

    async def _emit(self) -> int:
        async with self._sessions.open() as session:
            return await _emit_on(session)

    async def hang_probe(self, deadline_s: float) -> int | None:
        """The flush position read after one of our commits was seen waiting; None: none in time."""
        loop = asyncio.get_running_loop()
        seen: asyncio.Future[int] = loop.create_future()
        work = self._commit_until_seen(seen, loop.time() + deadline_s)
        task = self._sessions.launch(work, "hanging probe")
        try:
            awaited: set[asyncio.Future[Any]] = {seen, task}
            await asyncio.wait(awaited, timeout=deadline_s, return_when="FIRST_COMPLETED")
        finally:
            seen.cancel()  # a result that is there stays; else the watching ends
        if not seen.cancelled():
            return seen.result()
        if task.done():
            outcome(task, "hanging probe")
        return None

    async def _commit_until_seen(self, seen: asyncio.Future[int], give_up_s: float) -> None:
        """Commits and watches; ends when its last commit is released."""
        loop = asyncio.get_running_loop()
        async with self._sessions.open_pair() as (writer, watcher):
            while not seen.done() and loop.time() < give_up_s:
                commit = asyncio.ensure_future(_emit_on(writer))
                await _watch(commit, watcher, writer.info.backend_pid, seen)
                await asyncio.wait({commit})
                # An uncertain end of a probe is of no interest: only its waiting was.
                if not isinstance(commit.exception(), CommitUncertainError):
                    commit.result()

    async def write_fence(self, term: int, deadline_s: float) -> None:
        """Raises the term in the database; the same term again is no trouble, a lower one is."""
        await self._sessions.within(self._raise_fence(term), deadline_s, "fence")

    async def _raise_fence(self, term: int) -> None:
        async with self._sessions.open() as session:
            done = await _noticing(
                session, "UPDATE cluster.fence SET term = %s WHERE term <= %s", (term, term)
            )
            if done.rowcount != 1:
                message = (
                    f"The database already carries a higher term than {term}: do not serve from it."
                )
                raise FenceRefusedError(message)

    async def read_fence(self, deadline_s: float) -> int:
        """The term the database carries."""
        return await self._sessions.within(self._term(), deadline_s, "fence")

    async def _term(self) -> int:
        async with self._sessions.open(local=True) as session:
            row = await (await session.execute("SELECT term FROM cluster.fence")).fetchone()
        assert row is not None, "initialise wrote the one row of cluster.fence"
        return int(row[0])


async def _emit_on(session: Connection) -> int:
    row = await (await _noticing(session, _EMIT, ())).fetchone()
    assert row is not None, "a SELECT of a function has one row"
    return parse_lsn(row[0])


async def _noticing(session: Connection, statement: str, values: tuple[Any, ...]) -> Any:
    """Runs one autocommit statement; CommitUncertainError when the server said more than that."""
    notices: list[str] = []

    def note(diagnostic: Any) -> None:
        notices.append(f"{diagnostic.sqlstate} {diagnostic.message_primary}")

    session.add_notice_handler(note)
    try:
        done = await session.execute(statement.encode(), values or None)
    finally:
        session.remove_notice_handler(note)
    if notices:
        message = f"Committed here, perhaps not on the standby: {'; '.join(notices)}."
        raise CommitUncertainError(message)
    return done


async def _watch(
    commit: asyncio.Task[int], watcher: Connection, pid: int, seen: asyncio.Future[int]
) -> None:
    """Until the commit returns: is it waiting for replication? Then where is the flush now?"""
    while not commit.done() and not seen.done():
        if await _is_hanging(watcher, pid):
            flushed = await _flushed(watcher)
            if not seen.done():
                seen.set_result(flushed)
        await asyncio.wait({commit}, timeout=_LOOK_AGAIN_S)


async def _is_hanging(watcher: Connection, pid: int) -> bool:
    row = await (await watcher.execute(_IS_HANGING, (pid,))).fetchone()
    return row is not None and bool(row[0])


async def _flushed(watcher: Connection) -> int:
    row = await (await watcher.execute("SELECT pg_current_wal_flush_lsn()::text")).fetchone()
    assert row is not None, "a SELECT of a function has one row"
    return parse_lsn(row[0])
