"""Orders to a running server that are no commits: promote, checkpoint, slots, and reading back
settings.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import psycopg

from cluster.postgres.files import LiveSettings
from cluster.postgres.lsn import parse_lsn
from cluster.postgres.sessions import Sessions
from cluster.postgres.troubles import DeadlinePassedError, PostgresTroubleError, PromotionStuckError

_LOOK_AGAIN_S: Final = 0.01
_RELOADED_AGAIN_S: Final = 0.002
_ACCEPT_DEADLINE_S: Final = 5.0
_PROMOTE_DEADLINE_S: Final = 3.0
_SHOWN: Final = """
SELECT current_setting('synchronous_standby_names'), current_setting('primary_conninfo'),
       current_setting('primary_slot_name')
"""
_LOADED: Final = "SELECT pg_conf_load_time()"
_BEGAN: Final = (
    "SELECT checkpoint_lsn::text, pg_current_wal_flush_lsn()::text FROM pg_control_checkpoint()"
)
_RECOVERY: Final = "SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn()::text"
_TIMELINE: Final = "SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint"


class Orders:
    """Gives orders to one server over its socket."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def accepts(self) -> bool:
        """True when the server lets the daemon in."""
        try:
            await self._ask("SELECT 1", _ACCEPT_DEADLINE_S, "start")
        except (PostgresTroubleError, psycopg.Error):
            return False
        return True

    async def shows(self, live: LiveSettings, deadline_s: float) -> None:
        """Waits until a session shows the settings; a reload that failed never does.

        The postmaster takes them before it tells its children: what one of these shows, every later
        session has. One is asked again and again: clerks may be waiting.
        """
        await self._sessions.within(self._shown(live, deadline_s), 2 * deadline_s, "settings")

    async def _shown(self, live: LiveSettings, deadline_s: float) -> None:
        loop = asyncio.get_running_loop()
        give_up_s = loop.time() + deadline_s
        wanted = (live.names, live.conninfo, live.slot)
        async with self._sessions.open(local=True) as session:
            while (shown := await (await session.execute(_SHOWN)).fetchone()) != wanted:
                if loop.time() > give_up_s:
                    names = shown[0] if shown else ""
                    message = f"PostgreSQL did not take the new settings; it shows names {names!r}."
                    raise DeadlinePassedError(message)
                await asyncio.sleep(_RELOADED_AGAIN_S)

    async def reload(self, tell: Callable[[], None], deadline_s: float) -> None:
        """Tells the postmaster to read its files again, and waits until it has; as in `shows`."""
        await self._sessions.within(self._reloaded(tell), deadline_s, "reload")

    async def _reloaded(self, tell: Callable[[], None]) -> None:
        async with self._sessions.open(local=True) as session:
            before = shown = await (await session.execute(_LOADED)).fetchone()
            tell()
            while shown == before:
                await asyncio.sleep(_RELOADED_AGAIN_S)
                shown = await (await session.execute(_LOADED)).fetchone()

    async def promote(self, stuck_s: float) -> int:
        """pg_promote(false), then polls (fact F9); the new timeline."""
        if (await self._ask(_RECOVERY, _PROMOTE_DEADLINE_S, "promote"))[0]:
            await self._ask("SELECT pg_promote(false)", _PROMOTE_DEADLINE_S, "promote")
        loop = asyncio.get_running_loop()
        replayed, moved_s = None, loop.time()
        while True:
            recovering, position = await self._ask(_RECOVERY, stuck_s, "promote")
            if not recovering:
                return int((await self._ask(_TIMELINE, stuck_s, "promote"))[0])
            if position != replayed:
                replayed, moved_s = position, loop.time()
            if loop.time() - moved_s > stuck_s:
                message = (
                    f"Promotion stands still at {replayed}: no WAL replayed for {stuck_s:g} s."
                )
                raise PromotionStuckError(message)
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def began_lsn(self, *, clean: bool, deadline_s: float) -> int:
        """After a crash the newest checkpoint is recovery's own, the first record it writes after
        what it found; after a stop in order nothing is written, and the log ends where it ended.
        """
        checkpoint, flushed = await self._ask(_BEGAN, deadline_s, "start")
        return parse_lsn(flushed if clean else checkpoint)

    async def switch_lsn(self, timeline: int) -> int:
        """The switch point: the last line of the timeline's history file names it second."""
        file = f"pg_wal/{timeline:08X}.history"
        (text,) = await self._ask(f"SELECT pg_read_file('{file}')", _PROMOTE_DEADLINE_S, "history")
        steps = [line.split("\t") for line in text.splitlines() if line.strip()]
        return parse_lsn(steps[-1][1])

    async def checkpoint(self, deadline_s: float) -> None:
        """CHECKPOINT; at the deadline it goes on by itself."""
        await self._do("CHECKPOINT", deadline_s, "checkpoint")

    async def create_slot(self, name: str, deadline_s: float) -> None:
        """Makes a physical slot that reserves WAL at once, unless there is one."""
        query = (
            "SELECT pg_create_physical_replication_slot(%s, true) WHERE NOT EXISTS "
            "(SELECT FROM pg_replication_slots WHERE slot_name = %s)"
        )
        await self._do(query, deadline_s, "slot", (name, name))

    async def drop_slot(self, name: str, deadline_s: float) -> None:
        """Drops a slot if there is one."""
        query = (
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
            "WHERE slot_name = %s"
        )
        await self._do(query, deadline_s, "slot", (name,))

    async def drop_walsenders(self, addresses: tuple[str, ...], deadline_s: float) -> None:
        """Ends the walsenders of these client addresses."""
        query = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_replication "
            "WHERE host(client_addr) = ANY(%s)"
        )
        await self._do(query, deadline_s, "walsenders", (list(addresses),))

    async def _ask(self, query: str, deadline_s: float, what: str) -> tuple[Any, ...]:
        async def work() -> tuple[Any, ...]:
            async with self._sessions.open(local=True) as session:
                row = await (await session.execute(query.encode())).fetchone()
            assert row is not None, "a SELECT without FROM a table always has one row"
            return row

        return await self._sessions.within(work(), deadline_s, what)

    async def _do(
        self, query: str, deadline_s: float, what: str, values: tuple[Any, ...] | None = None
    ) -> None:
        async def work() -> None:
            async with self._sessions.open(local=True) as session:
                await session.execute(query.encode(), values)

        await self._sessions.within(work(), deadline_s, what)
