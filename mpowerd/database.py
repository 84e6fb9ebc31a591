"""Transactions with a name, a role, a fence, a deadline that ends before COMMIT, and the ack gate
behind it.

Invariant: ``write`` returns only what the standby of the current generation has flushed (or what
PRIMARY_SOLO may keep alone), in the term it began in. Whatever is less certain is Doubtful: a
notice during COMMIT, a lost connection, a standby that does not confirm in time, a standing that
changed. A COMMIT is never cancelled: a cancelled one reports success without being replicated (fact
F1). This file must not know any room, nor how a standing comes about.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, TypeVar

import psycopg
import structlog

from mpowerd.acknowledgement import Doubtful, Gated, confirm, stands
from mpowerd.connections import Busy, Connection, Connections
from protocols.operation import Role

__all__ = ["Busy", "Database", "Doubtful", "Gated", "Standing"]

T = TypeVar("T")
Cursor = psycopg.AsyncCursor[tuple[Any, ...]]
Work = Callable[[Cursor], Awaitable[T]]
log = structlog.get_logger("mpowerd.database")

READ_DEADLINE_S: Final = 2.0
WRITE_DEADLINE_S: Final = 5.0
COMMIT_PATIENCE_S: Final = 2.5
"""How long a caller waits for COMMIT and gate before it hears PENDING; the COMMIT itself goes on.
"""
LOCK_TIMEOUT_MS: Final = 2000
TRIES: Final = 3
AGAIN: Final = frozenset({"40001", "40P01"})
"""Serialization failure and deadlock: nothing happened, the same work may be tried again at once.
"""
FENCED: Final = frozenset({"MPR03", "25006", "0A000"})
"""Of a BEGIN: the fence row carries another term; the server is in recovery (twice)."""


class Standing(Protocol):
    """What a transaction must know of the cluster (``cluster.standing.Standing`` fits)."""

    @property
    def term(self) -> int: ...
    @property
    def sync_name(self) -> str: ...
    @property
    def alone(self) -> bool: ...
    @property
    def open(self) -> bool: ...
    @property
    def finishing(self) -> bool: ...
    @property
    def postmaster_start(self) -> int: ...


def _uncounted(_wait_s: float) -> None:
    """Nobody measures."""


class Database:
    """This node's database. ``standing`` is called before each transaction and again after its
    COMMIT; ``waited`` gets the seconds each acknowledgement took.
    """

    def __init__(
        self,
        conninfo: str,
        standing: Callable[[], Standing],
        pool_size: int = 8,
        queue_limit: int = 200,
        patience_s: float = COMMIT_PATIENCE_S,
        waited: Callable[[float], None] = _uncounted,
    ) -> None:
        self._connections = Connections(
            conninfo, pool_size, queue_limit, lambda: standing().postmaster_start
        )
        self._standing = standing
        self._patience_s = patience_s
        self._waited = waited
        self._running: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        """Nothing to wait for: connections are made when asked for, and a standby has none."""

    async def close(self) -> None:
        """End: wait for running COMMITs as long as callers would, then close."""
        if self._running:
            await asyncio.wait(self._running, timeout=self._patience_s)
        await self._connections.close()

    async def read(
        self,
        name: str,
        role: Role | None,
        work: Work[T],
        deadline_s: float = READ_DEADLINE_S,
        session: bytes = b"",
    ) -> T:
        """Run a read-only transaction in ``role`` (None: the daemon's own few functions);
        ``session``, a token's hash, tells row security who asks.

        Gated: the gate is, or went, shut (the answer could be stale). Busy: not within the
        deadline.
        """
        term = self._gate()
        try:
            async with asyncio.timeout(deadline_s):
                result = await self._attempt(
                    work, _begin("READ ONLY", role, None, session), _rollback
                )
        except TimeoutError as late:
            raise Busy(f"{name} did not end within {deadline_s} s") from late
        stands(self._standing(), term)
        return result

    async def write(
        self,
        name: str,
        role: Role | None,
        work: Work[T],
        deadline_s: float = WRITE_DEADLINE_S,
        session: bytes = b"",
    ) -> T:
        """Run ``work`` in one fenced transaction, commit it and pass the ack gate.

        Gated or Busy: nothing was done. Doubtful: it may be done; only the key can tell. ``work``
        may run again after a deadlock, so it must do nothing but SQL.
        """
        committing = asyncio.get_running_loop().create_future()
        term = self._gate()
        begin = _begin("READ WRITE", role, term, session)
        task = asyncio.create_task(self._write(name, begin, term, work, deadline_s, committing))
        self._running.add(task)
        task.add_done_callback(self._ended)
        try:
            await asyncio.wait({task, committing}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({task}, timeout=self._patience_s)
        except asyncio.CancelledError:
            if not committing.done():
                task.cancel()
            raise
        if not task.done():
            raise Doubtful(f"{name}: COMMIT has not been answered")
        return task.result()

    async def barrier(self) -> None:
        """Commit something small and pass the ack gate: what was read before it may now be
        answered.
        """

        async def emit(cursor: Cursor) -> None:
            await cursor.execute("SELECT mpower.barrier_v1()")

        await self.write("barrier", None, emit)

    def _gate(self) -> int:
        standing = self._standing()
        if not standing.open:
            raise Gated("the gate is shut")
        return standing.term

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (trouble := task.exception()):
            log.debug("transaction ended without an answer", trouble=str(trouble))

    async def _write(
        self,
        name: str,
        begin: bytes,
        term: int,
        work: Work[T],
        deadline_s: float,
        committing: asyncio.Future[None],
    ) -> T:
        async def finish(connection: Connection) -> None:
            committing.set_result(None)  # from here on nobody may cancel
            await _commit(connection, name)
            committed_s = time.monotonic()
            await confirm(connection, self._standing, term, self._patience_s)
            self._waited(time.monotonic() - committed_s)

        deadline = asyncio.get_running_loop().time() + deadline_s
        for attempt in range(1, TRIES + 1):
            try:
                return await self._attempt(work, begin, finish, deadline=deadline)
            except TimeoutError as late:
                raise Busy(f"{name} did not end within {deadline_s} s") from late
            except psycopg.Error as error:
                if error.sqlstate not in AGAIN or attempt == TRIES:
                    raise
                log.info("transaction tried again", name=name, sqlstate=error.sqlstate)
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(
        self,
        work: Work[T],
        begin: bytes,
        finish: Callable[[Connection], Awaitable[None]],
        deadline: float | None = None,
    ) -> T:
        """One transaction on one connection; psycopg's own errors of a lost server become Gated."""
        try:
            async with asyncio.timeout_at(deadline):
                connection = await self._started(begin)
        except psycopg.Error as error:
            raise _gated(error) from error
        try:
            try:
                async with asyncio.timeout_at(deadline), connection.cursor() as cursor:
                    result = await work(cursor)
            except BaseException as trouble:
                await _rollback(connection)
                if isinstance(trouble, psycopg.Error) and connection.closed:
                    raise _gated(trouble) from trouble
                raise
            await finish(connection)
            return result
        finally:
            await self._connections.give(connection)

    async def _started(self, begin: bytes) -> Connection:
        """Give a connection inside the begun transaction; one that died while idle is replaced,
        once.
        """
        for fresh in (False, True):
            connection = await self._connections.take(fresh=fresh)
            try:
                await connection.execute(begin)
                return connection
            except BaseException as trouble:
                await _rollback(connection)
                lost = connection.closed
                await self._connections.give(connection)
                if fresh or not lost or not isinstance(trouble, psycopg.OperationalError):
                    raise
        raise AssertionError("the second round returns or raises")


def _begin(access: str, role: Role | None, term: int | None, session: bytes) -> bytes:
    """Everything before the work, in one round trip. Only our own words, an integer and hex digits
    go into it.
    """
    parts = [f"BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED {access}"]
    if term is not None:
        parts += [
            "SET LOCAL synchronous_commit = on",
            f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}",
            f"SELECT mpower.fence_v1({term:d})",
        ]
    if session:
        parts.append(f"SET LOCAL mpower.session = '{session.hex()}'")
    if role is not None:
        parts.append(f"SET LOCAL ROLE mpower_{role.group}")
    return "; ".join(parts).encode()


def _gated(error: psycopg.Error) -> Exception:
    """Name why a transaction could not be, before its COMMIT: fenced or gone is Gated, the rest is
    a fault.
    """
    if error.sqlstate in FENCED or isinstance(error, psycopg.OperationalError):
        return Gated(str(error).strip())
    return error


async def _rollback(connection: Connection) -> None:
    """Undo; a connection on which that fails is closed, which undoes as well."""
    try:
        await connection.execute(b"ROLLBACK")
    except psycopg.Error:
        await connection.close()


async def _commit(connection: Connection, name: str) -> None:
    """COMMIT; anything but the one plain answer is Doubtful, and the connection is not used
    again.
    """
    notices: list[str] = []

    def note(diagnostic: psycopg.errors.Diagnostic) -> None:
        notices.append(f"{diagnostic.sqlstate} {diagnostic.message_primary}")

    connection.add_notice_handler(note)
    try:
        answer = (await connection.execute(b"COMMIT")).statusmessage
    except psycopg.Error as error:
        await connection.close()
        raise Doubtful(f"{name}: COMMIT ended with: {error}") from error
    finally:
        connection.remove_notice_handler(note)
    if notices:
        raise Doubtful(f"{name}: COMMIT said: {'; '.join(notices)}")
    assert answer == "COMMIT", f"{name}: {answer}: the work went on after an error"
