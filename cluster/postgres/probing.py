"""The probe: is this PostgreSQL alive, what does it hold, who follows it, does a commit hang?

Each probe writes a little on a primary, waiting for nobody, so that a dead disk is found but a dead
standby is not mistaken for one. Twice a second it also opens a new connection, so that a postmaster
which can no longer fork is found. The rest is asked on a session that is kept: a new one costs
twelve times the processor time, and an idle node shall stay idle.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import psycopg
from psycopg.rows import TupleRow

from cluster.postgres.control import ProbeFacts, Walsender
from cluster.postgres.lsn import parse_lsn
from cluster.postgres.sessions import Connection, Sessions
from cluster.postgres.troubles import PostgresTroubleError

# A primary cannot ask for receive positions nor a standby for its flush position: hence the CASEs.
FACTS: Final = """
SELECT r.recovering,
       (SELECT system_identifier FROM pg_control_system()),
       CASE WHEN r.recovering
            THEN greatest((SELECT timeline_id FROM pg_control_checkpoint()),
                          (SELECT min_recovery_end_timeline FROM pg_control_recovery()),
                          (SELECT received_tli FROM pg_stat_wal_receiver))
            ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint END,
       CASE WHEN NOT r.recovering THEN pg_current_wal_flush_lsn()::text END,
       CASE WHEN r.recovering THEN pg_last_wal_receive_lsn()::text END,
       CASE WHEN r.recovering THEN pg_last_wal_replay_lsn()::text END,
       (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
       current_setting('synchronous_standby_names'),
       CASE WHEN r.recovering THEN pg_is_wal_replay_paused() ELSE false END,
       EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')
  FROM (SELECT pg_is_in_recovery() AS recovering) r
"""
WALSENDERS: Final = """
SELECT application_name, state, flush_lsn::text, sync_state FROM pg_stat_replication ORDER BY pid
"""
WAITING: Final = """
SELECT pid, query_start::text FROM pg_stat_activity WHERE wait_event = 'SyncRep'
"""
TOUCH: Final = """
INSERT INTO cluster.probe (node, at) VALUES (%s, clock_timestamp())
ON CONFLICT (node) DO UPDATE SET at = excluded.at, touched = cluster.probe.touched + 1
"""

# A hung postmaster is known within this and one deadline, well before the peer would claim.
KNOCK_EVERY_S: Final = 0.5

Waits = Mapping[tuple[int, str], float]
Seen = tuple[TupleRow, list[TupleRow], list[TupleRow]]


def note_waits(known: Waits, seen: Iterable[tuple[int, str]], now_s: float) -> Waits:
    """Since when each commit now seen waiting has been seen waiting; what is gone is forgotten.

    The server's own times are not used: they say when a statement began, not when it began to wait,
    and they follow the wall clock.
    """
    return {wait: known.get(wait, now_s) for wait in seen}


class Prober:
    """Probes one server; keeps one session and which commits it has seen waiting."""

    def __init__(
        self, sessions: Sessions, node: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sessions = sessions
        self._node = node
        self._clock = clock
        self._waits: Waits = {}
        self._kept: Connection | None = None
        self._knocked_s = -KNOCK_EVERY_S

    async def probe(self, deadline_s: float) -> ProbeFacts:
        """What is so now; `ok` false with a reason instead of an exception."""
        began_s = self._clock()
        try:
            rows = await self._sessions.within(self._ask(began_s), deadline_s, "probe")
        except PostgresTroubleError as trouble:
            self._knocked_s = -KNOCK_EVERY_S
            return ProbeFacts(ok=False, reason=str(trouble), duration_s=self._clock() - began_s)
        facts, senders, waiting = rows
        now_s = self._clock()
        self._waits = note_waits(self._waits, [(pid, since) for pid, since in waiting], now_s)
        oldest_s = max((now_s - since_s for since_s in self._waits.values()), default=0.0)
        return _facts(facts, senders, oldest_s, now_s - began_s)

    async def close(self) -> None:
        """Lets go of the kept session."""
        kept, self._kept = self._kept, None
        if kept is not None:
            await kept.close()

    async def _ask(self, now_s: float) -> Seen:
        if now_s - self._knocked_s >= KNOCK_EVERY_S:
            async with self._sessions.open(local=True) as fresh:
                await fresh.execute("SELECT 1")
            self._knocked_s = now_s
        # Taken, not shared: a probe that hangs on it for ever must not hold up the next one.
        kept, self._kept = self._kept, None
        if kept is not None:
            try:
                return await self._look(kept)
            except psycopg.OperationalError:
                pass  # the server was restarted since; whether it lives, a new session tells
        return await self._look(await self._sessions.connect(local=True, prepare=True))

    async def _look(self, session: Connection) -> Seen:
        """Asks, and keeps the session if all went well."""
        try:
            facts = await _one(session, FACTS)
            if not facts[0]:
                await session.execute(TOUCH, (self._node,))
            senders = await (await session.execute(WALSENDERS)).fetchall()
            waiting = await (await session.execute(WAITING)).fetchall()
        except BaseException:
            await session.close()
            raise
        if self._kept is None:
            self._kept = session
        else:
            await session.close()
        return facts, senders, waiting


async def _one(session: Connection, query: str) -> TupleRow:
    row = await (await session.execute(query.encode())).fetchone()
    assert row is not None, "a SELECT without FROM a table always has one row"
    return row


def _facts(row: Any, senders: list[Any], oldest_s: float, duration_s: float) -> ProbeFacts:
    return ProbeFacts(
        ok=True,
        in_recovery=row[0],
        system_id=_unsigned(row[1]),
        timeline=row[2],
        flush_lsn=_position(row[3]),
        receive_lsn=_position(row[4]),
        replay_lsn=_position(row[5]),
        postmaster_start=row[6],
        names=row[7],
        replay_paused=row[8],
        receiver_streaming=row[9],
        walsenders=tuple(
            Walsender(name, state, _position(flushed), sync)
            for name, state, flushed, sync in senders
        ),
        oldest_sync_wait_s=oldest_s,
        duration_s=duration_s,
    )


def _unsigned(value: int) -> int:
    """system_identifier is an unsigned 64-bit number that SQL shows as a signed one."""
    return value & 0xFFFF_FFFF_FFFF_FFFF


def _position(text: str | None) -> int | None:
    return None if text is None else parse_lsn(text)
