"""A PostgreSQL without PostgreSQL: the same interface, the same waiting, in one process.

For tests and rehearsals of the node. WAL is a number, replication copies it at once, commits wait
for a walsender that carries a listed name. It keeps what the failover stands on (names, timelines,
signal files, who may follow whom) and passes the contract suite of the real thing. It knows no
time: deadlines are the event loop's.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from cluster.postgres.control import (
    BLOCKING_NAMES,
    PROBE_DEADLINE_S,
    PROMOTE_STUCK_S,
    SETTING_DEADLINE_S,
    START_DEADLINE_S,
    STOP_DEADLINE_S,
    ControlData,
    LiveSettings,
    PostmasterExit,
    ProbeFacts,
    Stock,
    StopMode,
    Walsender,
)
from cluster.postgres.files import with_application_name
from cluster.postgres.memory_folder import GROUND, Folder, follows
from cluster.postgres.probing import Waits, note_waits
from cluster.postgres.troubles import (
    CommandFailedError,
    DeadlinePassedError,
    FenceRefusedError,
    MisplacedError,
    PostgresTroubleError,
)

_COMMIT_BYTES: Final = 96


class MemoryNetwork:
    """Who can be reached where; `cut` holds pairs of nodes between which nothing flows."""

    def __init__(self) -> None:
        self.servers: dict[tuple[str, int], MemoryControl] = {}
        self.cut: set[frozenset[str]] = set()
        self.changed = asyncio.Event()
        self.systems = 7_000_000_000_000_000_000

    def find(self, conninfo: str) -> "MemoryControl | None":
        """The server a conninfo names, if it runs and lets others in."""
        parts = dict(part.partition("=")[::2] for part in conninfo.split())
        found = self.servers.get((parts.get("host", ""), int(parts.get("port", "0"))))
        return found if found is not None and found.running and found.admits else None

    def flow(self) -> None:
        """Lets WAL flow as far as it can and releases the commits it satisfies."""
        for server in self.servers.values():
            server.follow()
        for server in self.servers.values():
            server.release()
        self.changed.set()
        self.changed = asyncio.Event()


class MemoryControl:
    """Implements `control.Control`; `crash` is what a test does to it."""

    def __init__(self, node: str, network: MemoryNetwork, address: str, port: int) -> None:
        self.exited: Callable[[PostmasterExit], None] = _nobody_listens
        self.node = node
        self.folder: Folder | None = None
        self.kept: Folder | None = None
        self.roomy = True
        self._network = network
        self._running = False
        self._recovering = False
        self.admits = False
        self._began_lsn = 0
        self._starts = 0
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._waits: Waits = {}
        network.servers[address, port] = self

    # ------------------------------------------------------------------ replication

    @property
    def running(self) -> bool:
        return self._running

    @property
    def _disk(self) -> Folder:
        if self.folder is None:
            raise MisplacedError("There is no database here: bootstrap, or clone the other node.")
        return self.folder

    def source(self) -> "MemoryControl | None":
        """The server this one streams from now."""
        if not self._running or not self._recovering:
            return None
        found = self._network.find(self._disk.live.conninfo)
        if found is None or frozenset({self.node, found.node}) in self._network.cut:
            return None
        slot = self._disk.live.slot
        if slot and slot not in found._disk.slots:  # noqa: SLF001 - the fake's other half
            return None
        return found if follows(self._disk, found._disk) else None  # noqa: SLF001

    def follow(self) -> None:
        """Takes over the source's WAL."""
        found = self.source()
        if found is not None:
            theirs = found._disk  # noqa: SLF001 - the fake's other half
            mine = self._disk
            mine.wal, mine.fence = theirs.wal, theirs.fence
            mine.timeline, mine.history = theirs.timeline, theirs.history

    def release(self) -> None:
        """Ends the waits that are satisfied."""
        names = set(re.findall(r'"([^"]+)"', self.folder.live.names)) if self.folder else set()
        flushed = [s.flush_lsn or 0 for s in self._walsenders() if s.application_name in names]
        held = max(flushed, default=0)
        for lsn, done in self._waiting:
            if not done.done() and (not names or held >= lsn):
                done.set_result(None)
        self._waiting = [wait for wait in self._waiting if not wait[1].done()]

    def _walsenders(self) -> tuple[Walsender, ...]:
        names = set(re.findall(r'"([^"]+)"', self._disk.live.names)) if self.folder else set()
        found = []
        for server in self._network.servers.values():
            if server.source() is self:
                live = server._disk.live  # noqa: SLF001 - the fake's other half
                name = (re.findall(r"application_name=(\S+)", live.conninfo) or [""])[-1]
                sync = "quorum" if name in names else "async"
                held = server._disk.wal  # noqa: SLF001 - the fake's other half
                found.append(Walsender(name, "streaming", held, sync, replay_lsn=held))
        return tuple(found)

    # ------------------------------------------------------------------ before the first start

    async def prepare(self, password: str) -> tuple[str, ...]:
        return ()

    async def stop_stray(self) -> int:
        return 0

    async def initialised(self) -> bool:
        return self.folder is not None

    async def live_settings(self) -> LiveSettings:
        return self._disk.live if self.folder else LiveSettings("")

    async def initialise(self, password: str) -> None:
        if self.folder is not None:
            raise MisplacedError("There is a database already; it is never made over.")
        self._network.systems += 1
        self.folder = Folder(self._network.systems)

    async def clone(self, source_conninfo: str, slot: str | None, *, keep: bool = True) -> None:
        assert not self._running, "a running server's folder is not replaced"
        found = self._network.find(source_conninfo)
        if found is None or (slot and slot not in found._disk.slots):  # noqa: SLF001
            raise CommandFailedError("pg_basebackup failed: no such server or slot.")
        theirs = found._disk  # noqa: SLF001 - the fake's other half
        if not keep:
            self.kept = None
        elif self.kept is None:
            self.kept = self.folder
        self.folder = replace(
            theirs,
            state="in production",
            standby_signal=True,
            live=LiveSettings(BLOCKING_NAMES),
            slots=frozenset(),
        )

    async def take_stock(self, timeline: int, left_at: int) -> Stock:
        beyond = max(0, self._disk.wal - left_at) if self.folder and left_at else 0
        return Stock(self.roomy, beyond, beyond // _COMMIT_BYTES)

    async def rewind(self, source_conninfo: str, timeline: int, left_at: int) -> None:
        assert not self._running, "a running server's folder is not rewound"
        mine, found = self._disk, self._network.find(source_conninfo)
        if found is None or found._disk.timeline != timeline:  # noqa: SLF001
            raise CommandFailedError("pg_rewind failed: no such server on that timeline.")
        theirs = found._disk  # noqa: SLF001 - the fake's other half
        found._disk.checkpoint_timeline = timeline  # noqa: SLF001 - its CHECKPOINT
        if theirs.system_id != mine.system_id or mine.timeline >= timeline:
            raise CommandFailedError("pg_rewind found nothing to rewind (F5).")
        self.folder = replace(
            theirs,
            state="in archive recovery",
            standby_signal=True,
            live=LiveSettings(BLOCKING_NAMES),
            slots=frozenset(),
        )

    async def drop_old(self) -> None:
        self.kept = None

    async def kept_old(self) -> bool:
        return self.kept is not None

    # ------------------------------------------------------------------ start and stop

    async def start(
        self,
        as_standby: bool,  # noqa: FBT001 - the interface's one question (I6)
        names: str | None,
        conninfo: str | None = None,
        slot: str | None = None,
        deadline_s: float = START_DEADLINE_S,
    ) -> None:
        assert not self._running, "one postmaster at a time"
        disk = self._disk
        names = disk.live.names if names is None else names
        disk.live = LiveSettings(names, conninfo or "", slot or "")
        self.admits, self._began_lsn = as_standby, disk.wal
        disk.standby_signal = as_standby
        disk.state = "in archive recovery" if as_standby else "in production"
        self._running, self._recovering = True, as_standby
        self._starts += 1
        self._network.flow()

    async def stop(self, mode: StopMode = "fast", deadline_s: float = STOP_DEADLINE_S) -> None:
        if self._running:
            if mode == "fast":
                self._disk.state = "shut down in recovery" if self._recovering else "shut down"
            self._end(asked=True)
        if self.folder is not None:
            self.folder.standby_signal = True

    def crash(self) -> None:
        """The postmaster dies by itself."""
        self._end(asked=False)

    def _end(self, *, asked: bool) -> None:
        self._running = False
        for _, done in self._waiting:
            if not done.done():
                done.set_exception(PostgresTroubleError("The server closed the connection."))
                done.exception()
        self._waiting = []
        self._network.flow()
        self.exited(PostmasterExit(self._starts, 0 if asked else None, None if asked else 9, asked))

    # ------------------------------------------------------------------ while it runs

    async def promote(self, stuck_s: float = PROMOTE_STUCK_S) -> int:
        self._must_run()
        disk = self._disk
        if self._recovering:
            disk.history = (*disk.history, (disk.timeline, disk.wal))
            disk.timeline += 1
            disk.standby_signal = False
            disk.state = "in production"
            self._recovering = False
            self._network.flow()
        return disk.timeline

    async def switch_lsn(self, timeline: int) -> int:
        self._must_run()
        return max(left_at for parent, left_at in self._disk.history if parent < timeline)

    async def began_lsn(self, *, clean: bool, deadline_s: float = SETTING_DEADLINE_S) -> int:
        self._must_run()
        return self._began_lsn

    async def admit(self) -> None:
        self._must_run()
        self.admits = True
        self._network.flow()

    async def set_names(self, text: str) -> None:
        await self._change(replace(self._disk.live, names=text))

    async def set_upstream(
        self, conninfo: str, slot: str | None, application_name: str | None = None
    ) -> None:
        if application_name is not None:
            conninfo = with_application_name(conninfo, application_name)
        await self._change(replace(self._disk.live, conninfo=conninfo, slot=slot or ""))

    async def _change(self, live: LiveSettings) -> None:
        self._disk.live = live
        self._must_run()
        self._network.flow()

    def conninfo(self, address: str, port: int, application_name: str) -> str:
        return f"host={address} port={port} application_name={application_name}"

    async def probe(self, deadline_s: float = PROBE_DEADLINE_S) -> ProbeFacts:
        if not self._running:
            return ProbeFacts(ok=False, reason="probe: the server does not run.")
        if not self._recovering:
            self._write()
        disk, now_s = self._disk, asyncio.get_running_loop().time()
        self._waits = note_waits(self._waits, [(id(d), "") for _, d in self._waiting], now_s)
        return ProbeFacts(
            ok=True,
            in_recovery=self._recovering,
            system_id=disk.system_id,
            timeline=disk.timeline,
            flush_lsn=None if self._recovering else disk.wal,
            receive_lsn=disk.wal if self._recovering else None,
            replay_lsn=disk.wal if self._recovering else None,
            postmaster_start=self._starts,
            names=disk.live.names,
            walsenders=self._walsenders(),
            oldest_sync_wait_s=max((now_s - s for s in self._waits.values()), default=0.0),
            receiver_streaming=self.source() is not None,
            ground=GROUND,
        )

    async def hang_probe(self, deadline_s: float) -> int | None:
        give_up_s = asyncio.get_running_loop().time() + deadline_s
        while self._commit().done():
            left_s = give_up_s - asyncio.get_running_loop().time()
            changed = asyncio.ensure_future(self._network.changed.wait())
            await asyncio.wait({changed}, timeout=max(0.0, left_s))
            changed.cancel()
            if left_s <= 0:
                return None
        return self._disk.wal

    async def barrier(self, deadline_s: float) -> int:
        done, lsn = self._commit(), self._disk.wal
        await self._wait(done, deadline_s)
        return lsn

    async def write_fence(self, term: int, deadline_s: float) -> None:
        self._must_run()
        if term < self._disk.fence:
            raise FenceRefusedError(f"The database already carries a higher term than {term}.")
        self._disk.fence = term
        await self._wait(self._commit(), deadline_s)

    async def read_fence(self, deadline_s: float) -> int:
        self._must_run()
        return self._disk.fence

    async def checkpoint(self, deadline_s: float) -> None:
        self._must_run()
        self._disk.checkpoint_timeline = self._disk.timeline

    async def create_slot(self, name: str, deadline_s: float = SETTING_DEADLINE_S) -> None:
        self._must_run()
        self._disk.slots |= {name}
        self._network.flow()

    async def drop_slot(self, name: str, deadline_s: float = SETTING_DEADLINE_S) -> None:
        self._must_run()
        self._disk.slots -= {name}

    async def drop_walsenders(
        self, addresses: tuple[str, ...], deadline_s: float = SETTING_DEADLINE_S
    ) -> None:
        self._must_run()  # in memory there is one way, and it never hangs

    async def controldata(self) -> ControlData:
        disk = self._disk
        end = disk.wal if disk.standby_signal else 0
        return ControlData(
            disk.system_id, disk.state, disk.checkpoint_timeline, disk.wal, end, disk.timeline
        )

    # ------------------------------------------------------------------ commits

    def _must_run(self) -> None:
        if not self._running:
            raise PostgresTroubleError("The server does not run.")

    def _write(self) -> None:
        self._disk.wal += _COMMIT_BYTES
        self._network.flow()

    def _commit(self) -> asyncio.Future[None]:
        self._must_run()
        if self._recovering:
            raise PostgresTroubleError("A standby takes no writes.")
        self._disk.wal += _COMMIT_BYTES
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((self._disk.wal, done))
        self._network.flow()
        return done

    async def _wait(self, done: asyncio.Future[None], deadline_s: float) -> None:
        await asyncio.wait({done}, timeout=deadline_s)
        if not done.done():
            raise DeadlinePassedError(f"No answer from PostgreSQL within {deadline_s:g} s.")
        done.result()


def _nobody_listens(_exit: PostmasterExit) -> None:
    """The default of `exited`."""
