"""The probe: is this PostgreSQL alive, what does it hold, who follows it, does a commit hang?

One statement, one round trip, on a session that is kept: an idle node shall stay idle. On a primary
it also commits a small WAL record, waiting for nobody, so that a dead disk is found but a dead
standby is not mistaken for one. Once a second it first knocks at the postmaster, so that one which
can no longer fork is found; every few seconds the session is a new one, so that a server which lets
nobody in is found too.
"""

import asyncio
import struct
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec
import psycopg
from psycopg.rows import TupleRow

from cluster.postgres.control import ProbeFacts, Walsender
from cluster.postgres.ground import read_ground
from cluster.postgres.hunger import Hunger
from cluster.postgres.lsn import parse_lsn
from cluster.postgres.sessions import Connection, Sessions
from cluster.postgres.troubles import DeadlinePassedError, PostgresTroubleError
from protocols.peer import Ground

# A primary cannot ask for receive positions nor a standby for its flush position, nor may it write:
# hence the CASEs. Walsenders and waiting commits are read from the functions below the views, which
# join more than is asked here: the list of backends is read once.
LOOK: Final = """
WITH backends AS MATERIALIZED
     (SELECT pid, application_name, wait_event, query_start, client_addr
        FROM pg_stat_get_activity(NULL))
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
       EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming'),
       ARRAY(SELECT ARRAY[b.application_name, w.state, w.flush_lsn::text, w.sync_state,
                          coalesce(host(b.client_addr), ''), w.replay_lsn::text]
               FROM pg_stat_get_wal_senders() w JOIN backends b USING (pid) ORDER BY pid),
       ARRAY(SELECT ARRAY[pid::text, query_start::text] FROM backends
              WHERE wait_event = 'SyncRep'),
       CASE WHEN NOT r.recovering THEN pg_logical_emit_message(true, 'mpower', 'probe')::text END
  FROM (SELECT pg_is_in_recovery() AS recovering) r
"""

KNOCK_EVERY_S: Final = 1.0
"""A hung postmaster is known within this and one deadline, well before the peer would claim."""
RENEW_EVERY_S: Final = 10.0
"""A new session costs three times a knock, and twenty times a look."""

_KNOCK: Final = struct.pack("!ii", 8, 80877103)
_ANSWERS: Final = frozenset({b"N", b"S"})
"""To SSLRequest a child of the postmaster says in one byte whether this socket has TLS."""

Waits = Mapping[tuple[int, str], float]


def note_waits(known: Waits, seen: Iterable[tuple[int, str]], now_s: float) -> Waits:
    """Since when each commit now seen waiting has been seen waiting; what is gone is forgotten.

    The server's own times are not used: they say when a statement began, not when it began to wait,
    and they follow the wall clock.
    """
    return {wait: known.get(wait, now_s) for wait in seen}


class Prober:
    """Probes one server; keeps one session and which commits it has seen waiting."""

    def __init__(
        self,
        sessions: Sessions,
        hunger: Hunger,
        peer_hosts: tuple[str, ...] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hunger = hunger
        self._asked = 0
        self._sessions = sessions
        self._clock = clock
        self._waits: Waits = {}
        self._kept: Connection | None = None
        self._renewed_s = 0.0
        self._peer_hosts = peer_hosts
        self._ground: Ground | None = None
        self._knocked_s = -KNOCK_EVERY_S

    async def probe(self, deadline_s: float) -> ProbeFacts:
        """What is so now; `ok` false with a reason instead of an exception."""
        began_s, before = self._clock(), self._hunger.read()
        self._asked = 0
        try:
            row = await self._sessions.within(self._ask(began_s), deadline_s, "probe")
        except DeadlinePassedError as trouble:
            self._knocked_s = -KNOCK_EVERY_S
            starved = await self._hunger.explains(before, self._asked)
            took_s = self._clock() - began_s
            return ProbeFacts(ok=False, reason=str(trouble), duration_s=took_s, starved=starved)
        except PostgresTroubleError as trouble:
            self._knocked_s = -KNOCK_EVERY_S
            return ProbeFacts(ok=False, reason=str(trouble), duration_s=self._clock() - began_s)
        now_s = self._clock()
        self._waits = note_waits(self._waits, [(int(pid), since) for pid, since in row[11]], now_s)
        oldest_s = max((now_s - since_s for since_s in self._waits.values()), default=0.0)
        seen = _facts(row, oldest_s, now_s - began_s)
        return msgspec.structs.replace(seen, ground=self._ground, peer_hosts=self._peer_hosts)

    async def close(self) -> None:
        """Lets go of the kept session."""
        kept, self._kept = self._kept, None
        if kept is not None:
            await kept.close()

    async def _ask(self, now_s: float) -> TupleRow:
        if now_s - self._knocked_s >= KNOCK_EVERY_S:
            await knock(self._sessions.socket)
            self._knocked_s = now_s
        # Taken, not shared: a probe that hangs on it for ever must not hold up the next one.
        kept, self._kept = self._kept, None
        if kept is not None and now_s - self._renewed_s >= RENEW_EVERY_S:
            await kept.close()
        elif kept is not None:
            try:
                return await self._look(kept)
            except psycopg.OperationalError:
                pass  # the server was restarted since; whether it lives, a new session tells
        fresh = await self._sessions.connect(local=True, prepare=True)
        self._renewed_s = now_s
        try:  # with each kept session, so that they are always of its very start
            self._ground = await read_ground(self._sessions)
        except BaseException:
            await fresh.close()
            raise
        return await self._look(fresh)

    async def _look(self, session: Connection) -> TupleRow:
        """Asks, and keeps the session if all went well."""
        self._asked = session.info.backend_pid
        try:
            row = await (await session.execute(LOOK.encode())).fetchone()
        except BaseException:
            await session.close()
            raise
        assert row is not None, "a SELECT without FROM a table always has one row"
        if self._kept is None:
            self._kept = session
        else:
            await session.close()
        return row


async def knock(socket: str) -> None:
    """The postmaster accepts and forks: its child answers, and ends without a word in the log."""
    try:
        reader, writer = await asyncio.open_unix_connection(socket)
        try:
            writer.write(_KNOCK)
            answer = await reader.read(1)
        finally:
            writer.close()
    except OSError as error:
        raise PostgresTroubleError(f"probe: nobody answers on {socket}: {error}") from error
    if answer not in _ANSWERS:
        raise PostgresTroubleError(f"probe: who answers on {socket} is no PostgreSQL that serves.")


def _facts(row: Any, oldest_s: float, duration_s: float) -> ProbeFacts:
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
            Walsender(name, state, _position(flushed), sync, address, _position(replayed))
            for name, state, flushed, sync, address, replayed in row[10]
        ),
        oldest_sync_wait_s=oldest_s,
        duration_s=duration_s,
    )


def _unsigned(value: int) -> int:
    """system_identifier is an unsigned 64-bit number that SQL shows as a signed one."""
    return value & 0xFFFF_FFFF_FFFF_FFFF


def _position(text: str | None) -> int | None:
    return None if text is None else parse_lsn(text)
