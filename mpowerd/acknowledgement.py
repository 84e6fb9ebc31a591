"""The ack gate: after COMMIT, before the answer.

What was committed is acknowledged when the walsender of the current generation has flushed past the
flush position read after COMMIT, or when this node may keep it alone; and only while term and gate
are those the transaction began with. No walsender, an unknown position, no answer in time:
Doubtful, never a guess. The flush position, not the insert position: on an idle pair the latter is
reached only with the next write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import psycopg

from mpowerd.connections import Connection

FIRST_LOOK_S: Final = 0.001
LAST_LOOK_S: Final = 0.05
ASK: Final = "SELECT target, acknowledged FROM mpower.replicated_v1(%s, %s::pg_lsn)"


class Doubtful(Exception):  # noqa: N818 - an answer: PENDING
    """The outcome is unknown or not replicated yet; the caller hears PENDING and asks again with
    its key.
    """


class Gated(Exception):  # noqa: N818 - an answer: NOT_PRIMARY
    """The gate is shut, the term is another, or the database is gone: nothing was done here."""


class Stands(Protocol):
    """The part of a standing that the gate reads."""

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


def stands(standing: Stands, term: int) -> None:
    """Raise Gated unless the gate is open in that term (for reads: a stale answer is no answer)."""
    if not _serves(standing, term):
        raise Gated("the standing changed meanwhile")


def _serves(standing: Stands, term: int) -> bool:
    """What was begun in that term may still be answered."""
    return (standing.open or standing.finishing) and standing.term == term


async def confirm(
    connection: Connection, standing: Callable[[], Stands], term: int, patience_s: float
) -> None:
    """Return when what ``connection`` committed is acknowledged; raise Doubtful when it is not in
    time.
    """
    loop = asyncio.get_running_loop()
    give_up = loop.time() + patience_s
    target: str | None = None
    pause_s = FIRST_LOOK_S
    while True:
        now = standing()
        if not _serves(now, term):
            raise Doubtful("the standing changed during COMMIT")
        if now.alone:
            return
        try:
            row = await (await connection.execute(ASK, (now.sync_name, target))).fetchone()
        except psycopg.Error as error:
            raise Doubtful(f"the ack gate could not be asked: {error}") from error
        assert row is not None, "a function without a set has one row"
        target, acknowledged = row
        after = standing()
        same = _serves(after, term) and after.sync_name == now.sync_name
        if acknowledged and same:
            return
        if loop.time() >= give_up:
            raise Doubtful(f"'{now.sync_name}' has not flushed {target} within {patience_s} s")
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, LAST_LOOK_S)
