"""A few connections to this node's own database, made when asked for, with a bounded queue before
them.

Not psycopg's pool: after a failed attempt that one backs off for seconds, and a takeover has to
serve at once. A connection that is not sound is closed, never mended. Invariant: a connection that
is given is one to the start of PostgreSQL that ``watched`` names (fact F2: one restarted beneath
the daemon shows what no standby has). That is asked once, when it is made: a server that ends takes
its sessions with it. This file must not know transactions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import psycopg

from mpowerd import packed

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
CONNECT_TIMEOUT_S = 2
"""The database is on this machine: an answer that takes longer will not come."""
STARTED: Final = "SELECT (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint"
"""As the cluster's probe reads it; microseconds since 1970."""


class Busy(Exception):  # noqa: N818 - an answer: not now
    """The queue is full, or a deadline passed before COMMIT: nothing was done; send it again."""


class Restarted(psycopg.OperationalError):
    """PostgreSQL was restarted and the gate is not armed anew for that: as good as gone."""


class Connections:
    """At most ``size`` connections in use; at most ``queue_limit`` callers waiting, the next is
    Busy. ``watched``: for which start of PostgreSQL the gate was armed.
    """

    def __init__(
        self, conninfo: str, size: int, queue_limit: int, watched: Callable[[], int]
    ) -> None:
        self._conninfo = conninfo
        self._watched = watched
        self._room = asyncio.Semaphore(size)
        self._queue_limit = queue_limit
        self._waiting = 0
        self._idle: list[Connection] = []
        self._closed = False

    async def take(self, *, fresh: bool = False) -> Connection:
        """Give a connection that nobody else has; ``fresh``: not one that lay idle (those may be
        dead).
        """
        if self._waiting >= self._queue_limit:
            raise Busy(f"{self._waiting} requests are waiting for the database")
        self._waiting += 1
        try:
            await self._room.acquire()
        finally:
            self._waiting -= 1
        try:
            if fresh:
                await self._discard_idle()
            return self._idle.pop() if self._idle else await self._connect()
        except BaseException:
            self._room.release()
            raise

    async def give(self, connection: Connection) -> None:
        """Take it back; one that is not idle and sound is closed."""
        self._room.release()
        idle = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        if idle and not connection.closed and not self._closed:
            self._idle.append(connection)
        else:
            await connection.close()

    async def close(self) -> None:
        """Close what is idle; what is in use is closed when it comes back."""
        self._closed = True
        await self._discard_idle()

    async def _discard_idle(self) -> None:
        while self._idle:
            await self._idle.pop().close()

    async def _connect(self) -> Connection:
        connection = await psycopg.AsyncConnection.connect(
            self._conninfo,
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_S,
            prepare_threshold=1,
            client_encoding="utf8",
            application_name="mpowerd",
        )
        try:
            await self._prove(connection)
        except BaseException:
            await connection.close()
            raise
        packed.register(connection)
        return connection

    async def _prove(self, connection: Connection) -> None:
        (started,) = await (await connection.execute(STARTED)).fetchone() or (0,)
        if started != self._watched():
            raise Restarted(
                "PostgreSQL was restarted, and may show what the other server does not have: "
                "nothing is served until the gate is armed anew, which takes a probe"
            )
