"""What each PostgreSQL order means for the one server of this node: names, slots, sources,
deadlines.

Invariants: a standby starts with names that nobody carries (I5) and with the slot the primary keeps
for it; the rejoin marker is on the disk before a clone touches the data folder; the sync token is
there before the walreceiver carries it. It must not know why an order was given. Trouble is raised
as PostgresTroubleError, never as a half-done success.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from cluster import actions as do
from cluster import events as ev
from cluster.findings import clean_end
from cluster.keepsake import Keepsake
from cluster.left_behind import LeftBehind, Reports
from cluster.postgres.control import Control, StopMode
from cluster.postgres.troubles import PostgresTroubleError
from cluster.record import NOBODY_NAMES, sync_name
from config.settings import NodeAddress, split_address

T = TypeVar("T")
HANG_PROBE_DEADLINE_S: Final = 3.0
FENCE_DEADLINE_S: Final = 3.0
CHECKPOINT_DEADLINE_S: Final = 60.0


def slot_name(node: str) -> str:
    """The replication slot that the other node keeps for ``node``."""
    return f"mpower_{node}".replace("-", "_")


def postgres_hosts(node: NodeAddress, via: int = -1) -> tuple[str, ...]:
    """Where the PostgreSQL of ``node`` listens: its own host and those of its links, each once;
    first that of link ``via`` (-1: its own).
    """
    hosts = [split_address(place)[0] for place in (node.postgres, *node.peer)]
    first = hosts[via + 1 if via + 1 < len(hosts) else 0]
    return tuple(dict.fromkeys((first, *hosts)))


def own_link(node: NodeAddress) -> int:
    """The link that shares its host with the PostgreSQL of ``node``; the first if none does."""
    own = split_address(node.postgres)[0]
    hosts = [split_address(place)[0] for place in node.peer]
    return hosts.index(own) if own in hosts else 0


class Duties:
    """Carries out one PostgreSQL order at a time for the node ``me``; ``peer`` is where the other
    one is.
    """

    def __init__(
        self,
        me: str,
        peer: NodeAddress,
        control: Control,
        keepsake: Keepsake,
        reports: Reports,
        password: str,
    ) -> None:
        self._me = me
        self._via = -1
        self._password = password
        self._peer = peer
        self._control = control
        self._keepsake = keepsake
        self._reports = reports

    async def carry_out(self, action: do.Action) -> ev.Event | None:
        """Do it and give its event (None: the order reports nothing).

        PostgresTroubleError if it did not succeed.
        """
        ways: dict[type[do.Action], Callable[[Any], Awaitable[ev.Event | None]]] = {
            do.StartPrimary: self._start_primary,
            do.AdmitStandby: self._admit_standby,
            do.StartStandby: self._start_standby,
            do.Promote: self._promote,
            do.SetNames: self._set_names,
            do.HangProbe: self._hang_probe,
            do.WriteFence: self._write_fence,
            do.PrepareForStandby: self._prepare,
            do.KeepToken: self._keep_token,
            do.KeepClaim: self._keep_claim,
            do.TakeStock: self._take_stock,
            do.Rewind: self._rewind,
            do.Clone: self._clone,
            do.Initialise: self._initialise,
            do.Reroute: self._reroute,
        }
        return await ways[type(action)](action)

    @property
    def running(self) -> bool:
        """The server runs."""
        return self._control.running

    async def stop(self, mode: str, deadline_s: float = do.STOP_DEADLINE_S) -> int:
        """Stop the server in this mode, within its deadline; no server is no trouble.

        Gives where the WAL of a primary ends that was stopped in order, -1 if that is not certain.
        """
        wanted: StopMode = "fast" if mode == "fast" else "immediate"
        stopped = self._control.running and wanted == "fast"
        await self._control.stop(wanted, deadline_s)
        return clean_end(await self._control.controldata()) if stopped else -1

    async def checkpoint(self) -> None:
        """CHECKPOINT; whatever else is ordered goes on beside it."""
        await self._control.checkpoint(CHECKPOINT_DEADLINE_S)

    async def _start_primary(self, order: do.StartPrimary) -> ev.Event:
        clean = clean_end(await self._control.controldata()) >= 0
        await asyncio.to_thread(self._keepsake.begin_life)
        await self._control.start(as_standby=False, names=order.names)
        found_lsn = await self._or_stop(self._control.began_lsn(clean=clean))
        began_lsn = await asyncio.to_thread(self._keepsake.keep_began, found_lsn)
        await self._or_stop(self._control.create_slot(slot_name(self._peer.name)))
        return ev.PostgresStarted(as_standby=False, began_lsn=began_lsn)

    async def _admit_standby(self, _order: do.AdmitStandby) -> ev.Event:
        await asyncio.to_thread(self._keepsake.found_whole)  # first: from then on others go further
        await self._control.admit()
        return ev.StandbyAdmitted()

    async def _start_standby(self, order: do.StartStandby) -> ev.Event:
        await self._control.start(
            as_standby=True,
            names=NOBODY_NAMES,
            conninfo=self._conninfo(order.source, order.generation),
            slot=slot_name(self._me) if order.source else None,
        )
        # A slot left from when this node was the primary would keep WAL for nobody.
        await self._or_stop(self._control.drop_slot(slot_name(self._peer.name)))
        return ev.PostgresStarted(as_standby=True)

    async def _or_stop(self, rest: Awaitable[T]) -> T:
        """The rest of a start: if it fails, nothing is left running, as after any failed start."""
        try:
            return await rest
        except PostgresTroubleError:
            await self._control.stop("immediate")
            raise

    async def _promote(self, _order: do.Promote) -> ev.Event:
        timeline = await self._control.promote()
        return ev.Promoted(timeline, await self._control.switch_lsn(timeline))

    async def _set_names(self, order: do.SetNames) -> ev.Event:
        await self._control.set_names(order.names)
        return ev.NamesSet(order.names)

    async def _hang_probe(self, order: do.HangProbe) -> ev.Event:
        barrier_lsn = await self._control.hang_probe(HANG_PROBE_DEADLINE_S)
        if barrier_lsn is None:
            reason = f"no commit was seen waiting within {HANG_PROBE_DEADLINE_S:g} s"
            return ev.ActionFailed(do.HangProbe.__name__, reason)
        return ev.WaitSeen(order.generation, barrier_lsn)

    async def _write_fence(self, order: do.WriteFence) -> ev.Event:
        await self._control.write_fence(order.term, FENCE_DEADLINE_S)
        await asyncio.to_thread(self._keepsake.prove)
        return ev.FenceWritten(order.term)

    async def _prepare(self, order: do.PrepareForStandby) -> None:
        await self._control.create_slot(slot_name(order.peer))
        await self._control.checkpoint(CHECKPOINT_DEADLINE_S)

    async def _keep_token(self, order: do.KeepToken) -> ev.Event:
        await asyncio.to_thread(self._keepsake.keep_token, order.generation)
        if self._control.running and (await self._control.live_settings()).conninfo:
            upstream = self._conninfo(self._peer.name, order.generation)
            await self._control.set_upstream(upstream, slot_name(self._me))
        return ev.TokenKept(order.generation)

    async def _keep_claim(self, order: do.KeepClaim) -> ev.Event:
        await asyncio.to_thread(self._keepsake.keep_claim, order.op_id)
        return ev.ClaimKept(order.op_id)

    async def _clone(self, order: do.Clone) -> ev.Event:
        if self._control.running:
            raise PostgresTroubleError("A running PostgreSQL's data folder is never replaced.")
        source = self._conninfo(order.source, 0)
        await asyncio.to_thread(self._keepsake.begin_copy, torn=not order.keep)
        await self._control.clone(source, slot_name(self._me), keep=order.keep)
        return ev.Cloned(await self._copied())

    async def _rewind(self, order: do.Rewind) -> ev.Event:
        if self._control.running:
            raise PostgresTroubleError("A running PostgreSQL's data folder is never rewound.")
        source = self._conninfo(order.source, 0)
        await asyncio.to_thread(self._keepsake.begin_copy, torn=True)
        await self._control.rewind(source, order.tli, order.left_at)
        return ev.Rewound(await self._copied())

    async def _copied(self) -> str:
        """The copy in place is whole and armed: nothing of the one before binds any more."""
        await asyncio.to_thread(self._keepsake.end_copy)
        return str((await self._control.controldata()).system_id)

    async def _take_stock(self, order: do.TakeStock) -> ev.Event:
        if not self._keepsake.kept.rejoining:
            await self._control.drop_old()  # of an earlier rejoin, which was proven since
        stock = await self._control.take_stock(order.tli, order.left_at)
        if not order.tli:
            return ev.StockTaken(stock.fits)
        report = LeftBehind(
            round(time.time(), 3),
            order.tli,
            order.left_at,
            stock.wal_bytes,
            stock.commits,
            stock.changes,
            stock.trouble,
            order.forced,
        )
        await asyncio.to_thread(self._reports.add, report)
        return ev.StockTaken(stock.fits, report.sentence)

    async def drop_old_copy(self) -> None:
        """Remove what the last clone kept; beside everything else, for it may take a while."""
        await self._control.drop_old()

    async def _initialise(self, order: do.Initialise) -> ev.Event:
        await self._control.initialise(self._password)
        return ev.Initialised(str((await self._control.controldata()).system_id), order.who)

    async def _reroute(self, order: do.Reroute) -> None:
        """A walreceiver on a dead way waits for seconds, and its walsender keeps the slot."""
        self._via = order.via
        if not self._control.running:
            return
        if (await self._control.live_settings()).conninfo:
            upstream = self._conninfo(self._peer.name, self._keepsake.kept.token)
            await self._control.set_upstream(upstream, slot_name(self._me))
        else:
            await self._control.drop_walsenders(order.away)

    def _conninfo(self, source: str, generation: int) -> str:
        """How the walreceiver reaches ``source``, over whichever of its addresses; '' for
        nobody.
        """
        if not source:
            return ""
        assert source == self._peer.name, "there is one other node to follow"
        hosts = postgres_hosts(self._peer, self._via)
        _, port = split_address(self._peer.postgres)
        return self._control.conninfo(",".join(hosts), port, sync_name(self._me, generation))
