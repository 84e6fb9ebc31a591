"""Writers that never stop, for a cluster reached by PostgreSQL's own protocol: a process of its
own, as ``bench.steady`` is for ours, with the same words on standard output.

Usage: ``python -m bench.failover.writer WRITERS HOST:PORT…``. The best client we could make, better
than a list of hosts in one connection string: a write that takes LOOK_ELSEWHERE_S makes it try all
servers side by side for one that takes writes, again and again with short timeouts, and the first
to do the write wins. A write's wait ends with its first confirmed commit. It needs the table
``written``. It ends with its standard input.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from contextlib import suppress
from typing import Any, Final

import psycopg

from bench.steady import REST_S, Steady, until_input_ends

LOOK_ELSEWHERE_S: Final = 0.25
"""A commit on a healthy pair takes a few milliseconds."""
CONNECT_S: Final = 1.0
"""One attempt to connect; on these networks it takes a few milliseconds."""
PAUSE_S: Final = 0.02
"""Between two attempts at one server."""
Connection = psycopg.AsyncConnection[Any]
WRITE: Final = "INSERT INTO written (writer) VALUES (%s)"


class Try:
    """One server, tried until it has done the write; or a connection that is there already."""

    def __init__(
        self, number: int, server: tuple[str, int], connection: Connection | None = None
    ) -> None:
        self.server, self.connection = server, connection
        self._number = number
        self._over = False
        self.task = asyncio.ensure_future(self._run())

    async def _run(self) -> bool:
        """Say whether the write is done."""
        while not self._over:
            try:
                if self.connection is None:
                    async with asyncio.timeout(CONNECT_S):
                        self.connection = await _connected(*self.server)
                await self.connection.execute(WRITE, (self._number,))
            except (psycopg.Error, TimeoutError):
                if self.connection is not None:
                    await self.connection.close()
                self.connection = None
                await asyncio.sleep(PAUSE_S)
            else:
                return True
        return False

    @property
    def done(self) -> bool:
        """Whether it has done the write."""
        return self.task.done() and not self.task.cancelled() and self.task.result()

    def give_up(self) -> None:
        """Sever the connection, so that who waits for it hears of it: a cancel would ask the
        server.
        """
        self._over = True
        if self.task.done() and self.connection is not None:
            self.connection.pgconn.finish()
        elif self.connection is not None:
            with (
                suppress(OSError, psycopg.Error),
                socket.socket(fileno=os.dup(self.connection.fileno())) as same,
            ):
                same.shutdown(socket.SHUT_RDWR)
        else:
            self.task.cancel()


class Writer:
    """One writer with one connection, and what it does when that does not answer."""

    def __init__(self, number: int, servers: list[tuple[str, int]]) -> None:
        self._number = number
        self._servers = servers
        self._home = servers[0]
        self._connection: Connection | None = None

    async def write(self) -> None:
        """Come back when one row is committed, wherever."""
        tries = [Try(self._number, self._home, self._connection)]
        await asyncio.wait([tries[0].task], timeout=LOOK_ELSEWHERE_S)
        if not tries[0].done:
            tries += [Try(self._number, server) for server in self._servers]
        while not any(one.done for one in tries):
            waiting = [one.task for one in tries if not one.task.done()]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        winner = next(one for one in tries if one.done)
        for one in tries:
            if one is not winner:
                one.give_up()
        self._home, self._connection = winner.server, winner.connection


async def _connected(host: str, port: int) -> Connection:
    return await psycopg.AsyncConnection.connect(
        host=host,
        port=port,
        user="postgres",
        dbname="postgres",
        autocommit=True,
        target_session_attrs="read-write",
        application_name="writer",
    )


async def work(steady: Steady, number: int, writer: Writer) -> None:
    """Write for ever."""
    while True:
        begun_s = steady.begin(number)
        await writer.write()
        steady.end(number, begun_s)
        await asyncio.sleep(REST_S)


async def run(writers: int, servers: list[tuple[str, int]]) -> None:
    """Work until standard input ends or a writer fails."""
    steady = Steady()
    tasks = [asyncio.ensure_future(until_input_ends()), asyncio.ensure_future(steady.beat())]
    for number in range(1, writers + 1):
        writer = Writer(number, servers)
        tasks += [asyncio.ensure_future(work(steady, number, writer))]
    done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    await asyncio.wait(others)
    for task in done:
        task.result()


def main() -> None:
    """Do what the command line says."""
    servers = [(host, int(port)) for host, _, port in (one.rpartition(":") for one in sys.argv[2:])]
    asyncio.run(run(int(sys.argv[1]), servers))


if __name__ == "__main__":
    main()
