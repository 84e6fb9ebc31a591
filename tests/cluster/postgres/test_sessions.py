"""Two sessions opened at once: when one cannot be had, the other does not stay open."""

import asyncio
from typing import cast

import pytest
from twisted.internet.defer import Deferred

from cluster.postgres.place import PostgresPlan
from cluster.postgres.sessions import Connection, Sessions


class _Connection:
    closed = False

    async def close(self) -> None:
        self.closed = True


class _HalfOpen(Sessions):
    """Its waiting session is refused, while the other is let in a moment later."""

    def __init__(self) -> None:
        super().__init__(cast("PostgresPlan", None))
        self.let_in = _Connection()

    async def connect(self, *, local: bool, prepare: bool = False) -> Connection:
        if not local:
            raise ConnectionRefusedError
        await asyncio.sleep(0.01)
        return cast("Connection", self.let_in)


async def _open_both(sessions: Sessions) -> None:
    async with sessions.open_pair():
        pass


async def test_one_that_fails_leaves_no_other_open() -> None:
    sessions = _HalfOpen()
    with pytest.raises(ConnectionRefusedError):
        await Deferred.fromFuture(asyncio.ensure_future(_open_both(sessions)))
    assert sessions.let_in.closed
