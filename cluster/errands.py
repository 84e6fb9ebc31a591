"""Carries out what the machine orders, and reports every outcome as an event.

Invariants: PostgreSQL and disk orders run one after the other, in the order given; arbiter orders,
KeepEpoch and DropOldCopy run beside them; each ends in exactly one report. A stop overtakes: what
waits or runs is abandoned without a report, and nothing that was ordered before the stop can leave
a server running after it. It decides nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Final

import msgspec
import structlog

from cluster import actions as do
from cluster import events as ev
from cluster.arbiter import Arbiter, ArbiterUnreachable, SwapUnknown
from cluster.duties import Duties
from cluster.keepsake import Keepsake
from cluster.postgres.troubles import PostgresTroubleError
from protocols.peer import Record

Report = Callable[[ev.Event], None]
Fault = Callable[[str, BaseException], None]

_log: Any = structlog.get_logger("cluster")

STOP_WAIT_S: Final = 15.0
"""What a stop overtakes ends with its server; beyond this something hangs, and the node
gives up.
"""


STOP_AGAIN_S: Final = 1.0
"""Between two attempts to stop a server that does not end."""
FINISH_S: Final = 0.5
"""A batch commits in milliseconds; what waits longer waits for something that is not well."""


async def nothing_under_way() -> None:
    """A cluster without a house on top serves nobody."""


def _kept_nowhere(_record: Record) -> None:
    """A node without a history."""


class Errands:
    """One node's hands. ``report`` takes every outcome; ``fault`` what must never happen.

    ``strict``: what a first record says of working on one copy; later records keep it.
    """

    def __init__(
        self,
        duties: Duties,
        arbiter: Arbiter,
        keepsake: Keepsake,
        report: Report,
        fault: Fault,
        *,
        strict: bool = False,
    ) -> None:
        self._strict = strict
        self._duties = duties
        self._arbiter = arbiter
        self._keepsake = keepsake
        self._report = report
        self._fault = fault
        self._waiting: deque[do.Action] = deque()
        self._running: do.Action | None = None
        self._worker: asyncio.Task[None] | None = None
        self._stops = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self.enter: Callable[[Record], None] = _kept_nowhere
        """Enters a record into the history; blocking."""
        self.finish: Callable[[], Awaitable[None]] = nothing_under_way
        """Returns when nothing that was begun before the gate was shut is being served."""

    @property
    def busy(self) -> str:
        """The PostgreSQL or disk order under way ('' none), for people."""
        return type(self._running).__name__ if self._running else ""

    def order(self, action: do.Action) -> None:
        """Take one order; it returns at once. After ``close`` orders are dropped."""
        if self._closed:
            return
        name = type(action).__name__
        match action:
            case do.StopPostgres():
                self._waiting.clear()
                self._stops += 1
                stop = self._stop(action, self._worker, self._stops)
                self._worker = self._launch(stop, name)
            case do.Checkpoint():
                self._launch(self._checkpoint(), name)
            case do.FinishWork():
                self._launch(self._finish_work(), name)
            case do.ReadTheRecord():
                self._launch(self._read(), name)
            case do.SwapRecord():
                self._launch(self._swap(action), name)
            case do.DropOldCopy():
                self._launch(self._drop_old_copy(), name)
            case do.KeepEpoch():
                self._launch(self._keep_epoch(action), name)
            case do.AdoptArbiter():
                self._launch(self._arbiter.adopt(), name)
            case _:
                self._waiting.append(action)
                self._wake()

    def _launch(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.ensure_future(self._watched(work, name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _watched(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """No errand may end unseen: what it does not report itself stops the node."""
        try:
            await work
        except asyncio.CancelledError:
            raise
        except BaseException as wrong:  # noqa: BLE001 - the gate must shut
            self._fault(name, wrong)

    # ------------------------------------------------------------------ PostgreSQL, in order

    def _wake(self) -> None:
        if self._worker is None or self._worker.done():
            self._worker = self._launch(self._work(), "errands")

    async def _work(self) -> None:
        stops = self._stops
        while self._waiting and self._stops == stops:
            action = self._running = self._waiting.popleft()
            began_s = time.monotonic()
            outcome: ev.Event | None
            try:
                outcome = await self._duties.carry_out(action)
            except (PostgresTroubleError, OSError) as trouble:
                outcome = ev.ActionFailed(type(action).__name__, str(trouble))
                _log.warning("order failed", order=type(action).__name__, reason=str(trouble))
            finally:
                self._running = None
            took_ms = round((time.monotonic() - began_s) * 1000, 1)
            _log.debug("errand", order=type(action).__name__, took_ms=took_ms)
            if outcome is not None and self._stops == stops:
                self._report(outcome)

    async def _stop(
        self, action: do.StopPostgres, overtaken: asyncio.Task[None] | None, stops: int
    ) -> None:
        """Stop at once; then once more if what ran may have been about to start the server."""
        end_lsn = await self._stopped(action)
        if overtaken is not None and not overtaken.done():
            _, late = await asyncio.wait({overtaken}, timeout=STOP_WAIT_S)
            if late:
                raise TimeoutError("What a stop overtook did not end with its server.")
            end_lsn = -1 if self._duties.running else end_lsn
            await self._duties.stop("immediate")
        if self._stops == stops:
            self._report(ev.PostgresExited(0, asked=True, clean_end_lsn=end_lsn))
            await self._work()

    async def _stopped(self, action: do.StopPostgres) -> int:
        """Stopped, however long it takes: what waits on a dead disk ends when the disk lives, and
        until then the record is the other node's to take.
        """
        while True:
            try:
                return await self._duties.stop(action.mode, action.deadline_s)
            except (PostgresTroubleError, OSError) as trouble:
                _log.warning("not stopped yet", reason=str(trouble), again_in_s=STOP_AGAIN_S)
            await asyncio.sleep(STOP_AGAIN_S)

    # ------------------------------------------------------------------ beside it

    async def _finish_work(self) -> None:
        with contextlib.suppress(TimeoutError):  # what has no answer by then is asked for again
            await asyncio.wait_for(self.finish(), FINISH_S)
        self._report(ev.WorkFinished())

    async def _checkpoint(self) -> None:
        try:
            await self._duties.checkpoint()
        except PostgresTroubleError as trouble:
            self._report(ev.ActionFailed("Checkpoint", str(trouble)))
        else:
            self._report(ev.Checkpointed())

    async def _read(self) -> None:
        try:
            said = await self._arbiter.read()
        except ArbiterUnreachable:
            self._report(ev.ReadFailed())
        else:
            self._report(ev.RecordRead(said.record, said.nonce))

    async def _swap(self, action: do.SwapRecord) -> None:
        now_s = round(time.time(), 3)
        since_s = action.record.since or now_s  # a new term begins with this record
        stamped = msgspec.structs.replace(action.record, wall_time=now_s, since=since_s)
        if action.expected is None:  # the first record carries what the settings say of one copy
            stamped = msgspec.structs.replace(stamped, strict=self._strict)
        try:
            expected = action.expected
            if expected == do.ANYTHING:
                stored = (await self._arbiter.read()).record
                expected = stored.epoch if stored is not None else None
            said = await self._arbiter.swap(expected, stamped)
        except ArbiterUnreachable:
            self._report(ev.SwapFailed(stamped.op_id))
        except SwapUnknown:
            self._report(ev.SwapAmbiguous(stamped.op_id))
        else:
            if said.done:
                self._report(ev.SwapConfirmed(stamped.op_id, stamped))
            else:
                self._report(ev.SwapRefused(stamped.op_id, said.record))

    async def _keep_epoch(self, action: do.KeepEpoch) -> None:
        keep = partial(self._keepsake.keep_epoch, excluded=action.excluded)
        try:
            await asyncio.to_thread(keep, action.epoch, action.incarnation, action.record)
        except OSError as trouble:
            self._report(ev.ActionFailed(do.KeepEpoch.__name__, str(trouble)))
            return
        kept = self._keepsake.kept
        self._report(ev.EpochKept(kept.epoch, kept.incarnation))
        if action.record is not None:
            try:
                await asyncio.to_thread(self.enter, action.record)
            except OSError as trouble:
                _log.warning("not in the history yet", reason=str(trouble))

    async def _drop_old_copy(self) -> None:
        try:
            await self._duties.drop_old_copy()
        except (PostgresTroubleError, OSError) as trouble:
            _log.warning("the old copy stays", reason=str(trouble))

    async def close(self, deadline_s: float) -> None:
        """Take no more orders and end what runs, within the deadline."""
        self._closed = True
        self._waiting.clear()
        tasks = self._tasks - {asyncio.current_task()}
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=deadline_s)
            for task in late:
                task.cancel()
