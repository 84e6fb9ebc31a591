"""Connections of the daemon to its own PostgreSQL, as superuser over the private socket.

Invariant: nothing begun here is ever cancelled. psycopg answers the cancellation of a task by
cancelling its statement, and a cancelled COMMIT that waits for replication looks like success (fact
F1). So work runs in a task of its own; a deadline or a cancelled caller only stops listening to it.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import psycopg
from psycopg.rows import TupleRow

from cluster.postgres.files import SUPERUSER
from cluster.postgres.place import PostgresPlan
from cluster.postgres.troubles import DeadlinePassedError, PostgresTroubleError

T = TypeVar("T")
Connection = psycopg.AsyncConnection[TupleRow]

# Work left behind by passed deadlines; a hung server must not collect connections.
UNFINISHED_LIMIT: Final = 12
_CONNECT_TIMEOUT_S: Final = 10


class Sessions:
    """Opens sessions and bounds how long a caller listens, never how long the server works."""

    def __init__(self, plan: PostgresPlan) -> None:
        self._plan = plan
        self._unfinished: set[asyncio.Task[Any]] = set()

    @property
    def socket(self) -> str:
        """The server's own socket in the file system."""
        return str(self._plan.socket_dir / f".s.PGSQL.{self._plan.port}")

    def conninfo(self, *, database: str | None = None, options: str = "") -> str:
        """How to reach the server over the socket."""
        return psycopg.conninfo.make_conninfo(
            "",
            host=str(self._plan.socket_dir),
            port=self._plan.port,
            user=SUPERUSER,
            dbname=database or self._plan.database,
            application_name="mpowerd",
            connect_timeout=_CONNECT_TIMEOUT_S,
            options=options,
        )

    async def connect(self, *, local: bool, prepare: bool = False) -> Connection:
        """A new autocommit session that its owner closes. `local`: see `open`."""
        level = "local" if local else "on"
        return await psycopg.AsyncConnection.connect(
            self.conninfo(options=f"-c synchronous_commit={level}"),
            autocommit=True,
            prepare_threshold=0 if prepare else None,
        )

    @asynccontextmanager
    async def open(self, *, local: bool = False) -> AsyncIterator[Connection]:
        """A new autocommit session. `local`: its commits wait for nobody's replication."""
        connection = await self.connect(local=local)
        try:
            yield connection
        finally:
            await connection.close()

    @asynccontextmanager
    async def open_pair(self) -> AsyncIterator[tuple[Connection, Connection]]:
        """One that waits for replication and one that does not, opened at once: clerks wait too."""
        opening = [asyncio.ensure_future(self.connect(local=local)) for local in (False, True)]
        await asyncio.wait(opening)  # both, so that one which fails leaves no other one open
        try:
            writer, watcher = [one.result() for one in opening]
            yield writer, watcher
        finally:
            for one in opening:
                if one.exception() is None:
                    await one.result().close()

    async def within(self, work: Coroutine[Any, Any, T], deadline_s: float, what: str) -> T:
        """The result of `work`, or DeadlinePassedError while it goes on by itself.

        Trouble with the server (psycopg.Error) becomes PostgresTroubleError, with its text.
        """
        task = self.launch(work, what)
        await asyncio.wait({task}, timeout=deadline_s)
        if not task.done():
            message = f"{what}: no answer from PostgreSQL within {deadline_s:g} s."
            raise DeadlinePassedError(message)
        return outcome(task, what)

    def launch(self, work: Coroutine[Any, Any, T], what: str) -> asyncio.Task[T]:
        """Begins `work` in a task of its own that nobody cancels; bounded in number."""
        if len(self._unfinished) >= UNFINISHED_LIMIT:
            work.close()
            message = f"{what}: {UNFINISHED_LIMIT} earlier requests still wait for PostgreSQL."
            raise DeadlinePassedError(message)
        task = asyncio.ensure_future(work)
        self._unfinished.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._unfinished.discard(task)
        if not task.cancelled():
            task.exception()  # looked at: whoever stopped listening shall not be warned about it

    async def quiet(self, deadline_s: float) -> None:
        """Waits until nothing is left unfinished; after a stop every session ends by itself."""
        if self._unfinished:
            await asyncio.wait(set(self._unfinished), timeout=deadline_s)


def outcome(task: asyncio.Task[T], what: str) -> T:
    """The result of a finished task; trouble with the server in our own words."""
    try:
        return task.result()
    except psycopg.Error as error:
        message = f"{what}: {error}".strip()
        raise PostgresTroubleError(message) from error
