"""Making and replacing a node's data folder while its server is down: initdb, clone, rewind, stock.

Invariants: whatever comes into place is armed first, so that a start by hand acknowledges nothing;
a clone grows beside what is there; settings and signal files are written again after every copy
(fact F7). It must not know when a server runs: whoever calls sees to that.
"""

import asyncio
import os
import pwd
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Final, TypeVar

from cluster.postgres import disk, initial, rewinding, stock
from cluster.postgres.account import Account
from cluster.postgres.binaries import Binaries
from cluster.postgres.commands import Commands
from cluster.postgres.control import CLONE_DEADLINE_S
from cluster.postgres.controldata import ControlData, parse_controldata
from cluster.postgres.files import (
    BLOCKING_NAMES,
    LiveSettings,
    render_auto,
    render_conf,
    render_hba,
    render_ident,
    with_application_name,
)
from cluster.postgres.place import PostgresPlan
from cluster.postgres.stock import Stock
from cluster.postgres.troubles import CommandFailedError, MisplacedError

T = TypeVar("T")
# A copy in progress must never count as the standby that holds a payment.
CLONE_NAME: Final = "mpower_clone"
_COMMAND_DEADLINE_S: Final = 60.0


class Folders:
    """The data folders of one plan. ``rewriting`` is held while settings files are written."""

    def __init__(
        self,
        plan: PostgresPlan,
        binaries: Binaries,
        account: Account,
        commands: Commands,
        threads: Executor,
        rewriting: threading.Lock,
    ) -> None:
        self._plan = plan
        self._binaries = binaries
        self._account = account
        self._commands = commands
        self._threads = threads
        self._rewriting = rewriting

    async def initialise(self, password: str) -> None:
        """A new cluster, finished beside its place and then put there."""
        plan = self._plan
        if await self._in_thread(self._has_data):
            message = f"{plan.pgdata} already holds a database; it is never made over."
            raise MisplacedError(message)
        await self._in_thread(lambda: disk.make_room(plan))
        for step in initial.steps(plan, password):
            program = self._binaries.program(step.program)
            finished = await self._commands.run(
                [program, *step.arguments], deadline_s=_COMMAND_DEADLINE_S, stdin=step.stdin
            )
            initial.check(step, finished.err)
        await self._in_thread(self._install)

    async def clone(self, source_conninfo: str, slot: str | None, *, keep: bool) -> None:
        """A base backup, put in the place of what was here."""
        plan = self._plan
        source = with_application_name(source_conninfo, CLONE_NAME)
        await self._in_thread(lambda: disk.make_room(plan, keep=keep))
        argv = [self._binaries.program("pg_basebackup"), "--pgdata", str(plan.pgdata_new)]
        argv += ["--dbname", source, "--wal-method=stream", "--checkpoint=fast"]
        argv += ["--no-password", *(["--slot", slot] if slot else [])]
        await self._commands.run(argv, deadline_s=CLONE_DEADLINE_S)
        await self._in_thread(self._install)

    def _install(self) -> None:
        with self._rewriting:
            self._arm(self._plan.pgdata_new)
            disk.install(self._plan)

    def _arm(self, pgdata: Path) -> None:
        """A start by hand acknowledges nothing."""
        blocked = {"postgresql.auto.conf": render_auto(LiveSettings(BLOCKING_NAMES))}
        disk.write_settings(pgdata, blocked, self._account)
        disk.set_signal(pgdata, self._account, standby=True)

    def lay_out(self, live: LiveSettings, *, as_standby: bool) -> None:
        """Every file of a coming start. Blocking."""
        plan, account, found = self._plan, self._account, self._binaries
        tls = found.tls and plan.tls is not None
        texts = {
            "postgresql.auto.conf": render_auto(live),
            "postgresql.conf": render_conf(plan, found.major, tls=tls),
            "pg_hba.conf": render_hba(plan, tls=tls, admits=as_standby),
            "pg_ident.conf": render_ident(plan, pwd.getpwuid(os.geteuid()).pw_name, account.name),
        }
        with self._rewriting:
            disk.write_settings(plan.pgdata, texts, account)
            disk.set_signal(plan.pgdata, account, standby=as_standby)

    def admit(self) -> None:
        """The other node may follow, from the next reload on. Blocking."""
        tls = self._binaries.tls and self._plan.tls is not None
        texts = {"pg_hba.conf": render_hba(self._plan, tls=tls, admits=True)}
        with self._rewriting:
            disk.write_settings(self._plan.pgdata, texts, self._account)

    async def take_stock(self, timeline: int, left_at: int) -> Stock:
        """What stands beyond ``left_at``, and whether a second copy fits."""
        pgdata, old = self._plan.pgdata, self._plan.pgdata_old
        if not await self._in_thread(self._has_data):
            return Stock(fits=True)
        fits = await self._in_thread(lambda: stock.room(pgdata, pgdata if old.exists() else None))
        if not left_at:
            return Stock(fits)
        argv = [self._binaries.program("pg_waldump")]
        argv += stock.dump_arguments(pgdata, timeline, left_at)
        try:
            said = await self._commands.outcome(argv, deadline_s=stock.DUMP_DEADLINE_S)
        except CommandFailedError as late:
            return Stock(fits, trouble=str(late))
        out, err = (text.decode("utf-8", "replace") for text in (said.out, said.err))
        return stock.counted(out, err, fits=fits)

    async def rewind(self, source_conninfo: str, timeline: int, left_at: int) -> None:
        """pg_rewind between two proofs; armed again whatever happens.

        It ends a crashed server's recovery itself, without a port, in single-user mode, which
        refuses standby.signal: the names block whoever would start it by hand meanwhile.
        """
        if not await self._in_thread(self._has_data):
            raise MisplacedError("There is no database here that could be rewound.")
        system_id = await rewinding.settle_source(source_conninfo, timeline)
        blocked = LiveSettings(BLOCKING_NAMES)
        await self._in_thread(lambda: self.lay_out(blocked, as_standby=False))
        argv = [self._binaries.program("pg_rewind")]
        argv += rewinding.arguments(self._plan.pgdata, source_conninfo)
        try:
            said = await self._commands.outcome(argv, deadline_s=rewinding.REWIND_DEADLINE_S)
        finally:
            arm = self._in_thread(lambda: self.lay_out(blocked, as_standby=True))
            await asyncio.shield(asyncio.ensure_future(arm))
        rewinding.judge(said, await self.controldata(), system_id, timeline, left_at)

    async def controldata(self) -> ControlData:
        """What the control file says."""
        argv = [self._binaries.program("pg_controldata"), "--pgdata", str(self._plan.pgdata)]
        finished = await self._commands.run(argv, deadline_s=_COMMAND_DEADLINE_S)
        return parse_controldata(finished.out.decode("utf-8", "replace"))

    def _has_data(self) -> bool:
        return (self._plan.pgdata / "PG_VERSION").exists()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
