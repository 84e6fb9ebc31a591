"""Fact F18 and hung servers: what a killed daemon leaves, a postmaster that hangs."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cluster.postgres import stray
from cluster.postgres.control import PostmasterExit
from cluster.postgres.troubles import StartFailedError
from tests.postgres_nodes import (
    PASSWORD,
    control_for,
    fresh_folder,
    on_reactor,
    plan_for,
    postgres_node,
)

DAEMON = """
import asyncio, sys
from pathlib import Path
from protocols.shell.bridge import install_reactor
install_reactor()
from twisted.internet import reactor
from cluster.postgres.place import PostgresPlan
from cluster.postgres.process import ProcessControl

async def serve():
    plan = PostgresPlan(node="a", data_dir=Path(sys.argv[1]), port=int(sys.argv[2]),
                        bindir=Path(sys.argv[3]), shared_buffers_mib=16)
    control = ProcessControl(plan, reactor)
    control.exited = lambda exit: print("ended", exit.signal, flush=True)
    await control.prepare("secret")
    await control.start(as_standby=False, names="")
    print("serving", flush=True)

reactor.callWhenRunning(lambda: asyncio.ensure_future(serve()))
reactor.run()
"""


async def daemon_killed_while_serving(folder: Path, *, server_first: bool = False) -> list[str]:
    """A separate daemon starts the server of node `a`, then dies without a word.

    `server_first`: its server is killed before it. Gives what the daemon said.
    """
    plan = plan_for(folder, "a")
    control = control_for(plan)
    await control.prepare(PASSWORD)
    await control.initialise(PASSWORD)
    bindir = str(control._binaries.bindir)
    argv = [sys.executable, "-c", DAEMON, str(plan.data_dir), str(plan.port), bindir]
    pgdata = plan.pgdata if server_first else None
    return await asyncio.to_thread(talk_then_kill, argv, pgdata)


def talk_then_kill(argv: list[str], pgdata: Path | None) -> list[str]:
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()) as daemon:
        assert daemon.stdout is not None
        try:
            said = [daemon.stdout.readline()]
            if pgdata is not None:
                pid = stray.recorded_pid(pgdata)
                assert pid in stray.processes_of(pgdata)
                os.kill(pid, signal.SIGKILL)
                said.append(daemon.stdout.readline())
            return said
        finally:
            daemon.kill()
            if pgdata is not None:
                stray.kill_all(pgdata)


@on_reactor
async def test_a_daemon_on_its_own_kind_of_loop_hears_at_once_that_its_server_died() -> None:
    with fresh_folder() as folder:
        said = await daemon_killed_while_serving(folder, server_first=True)
        assert said == ["serving\n", "ended 9\n"]


@pytest.fixture
def innocent() -> Iterator[subprocess.Popen[bytes]]:
    """A process of somebody else."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


@on_reactor
async def test_f18_a_server_whose_daemon_was_killed_serves_on_until_it_is_stopped() -> None:
    with fresh_folder() as folder:
        assert await daemon_killed_while_serving(folder) == ["serving\n"]
        plan = plan_for(folder, "a")
        control = control_for(plan)
        await control.prepare(PASSWORD)
        try:
            assert stray.processes_of(plan.pgdata), "PostgreSQL went with its parent"
            with pytest.raises(StartFailedError, match="still runs"):
                await control.start(as_standby=False, names="")
            assert await control.stop_stray() > 1
            assert stray.processes_of(plan.pgdata) == []
            assert await control.stop_stray() == 0
            await control.start(as_standby=False, names="")
        finally:
            await control.stop("immediate")


@on_reactor
async def test_f18_a_frozen_stray_is_killed() -> None:
    with fresh_folder() as folder:
        assert await daemon_killed_while_serving(folder) == ["serving\n"]
        plan = plan_for(folder, "a")
        pid = stray.recorded_pid(plan.pgdata)
        assert pid is not None
        assert pid in stray.processes_of(plan.pgdata)
        os.kill(pid, signal.SIGSTOP)
        control = control_for(plan)
        await control.prepare(PASSWORD)
        assert await control.stop_stray() > 1
        assert stray.processes_of(plan.pgdata) == []


@on_reactor
async def test_f18_a_pid_that_is_someone_else_s_by_now_is_left_alone(
    innocent: subprocess.Popen[bytes],
) -> None:
    with fresh_folder() as folder:
        plan = plan_for(folder, "a")
        control = control_for(plan)
        await control.prepare(PASSWORD)
        await control.initialise(PASSWORD)
        (plan.pgdata / "postmaster.pid").write_text(f"{innocent.pid}\n{plan.pgdata}\n")
        assert await control.stop_stray() == 0
        assert innocent.poll() is None
        assert not (plan.pgdata / "postmaster.pid").exists()


@on_reactor
async def test_a_hung_postmaster_fails_the_probe_and_is_killed_by_the_stop() -> None:
    async with postgres_node() as node:
        exits: list[PostmasterExit] = []
        node.control.exited = exits.append
        pid = stray.recorded_pid(node.plan.pgdata)
        assert pid is not None
        assert (await node.control.probe()).ok
        os.kill(pid, signal.SIGSTOP)
        while (facts := await node.control.probe(0.2)).ok:
            await asyncio.sleep(0.02)
        assert "0.2 s" in facts.reason
        for _ in range(20):  # probes of a hung server do not pile up without end
            facts = await node.control.probe(0.001)
        assert "earlier requests" in facts.reason
        await node.control.stop("fast", deadline_s=0.1)
        assert [(e.asked, e.signal) for e in exits] == [(True, signal.SIGKILL)]
        assert stray.processes_of(node.plan.pgdata) == []
        await node.control.start(as_standby=False, names="")
        assert (await node.control.probe()).ok


@on_reactor
async def test_the_passwords_of_the_socket_are_who_you_are() -> None:
    async with postgres_node() as node:
        with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
            await psycopg.AsyncConnection.connect(
                f"host={node.socket_dir} port={node.port} user=mpower_replication dbname=mpower"
            )
        async with node.control.sessions.open(local=True) as superuser:
            await superuser.execute("CREATE ROLE mpower_app LOGIN")
        app = f"host={node.socket_dir} port={node.port} user=mpower_app dbname="
        await (await psycopg.AsyncConnection.connect(app + node.plan.database)).close()
        for elsewhere in ("postgres", "template1"):
            with pytest.raises(psycopg.OperationalError, match="no pg_hba"):
                await psycopg.AsyncConnection.connect(app + elsewhere)
        with pytest.raises(psycopg.OperationalError, match="no pg_hba"):
            await psycopg.AsyncConnection.connect(
                f"host=127.0.0.1 port={node.port} user=postgres dbname=mpower sslmode=disable"
            )


@on_reactor
async def test_a_lock_whose_pid_is_somebody_elses_does_not_block_a_start() -> None:
    async with postgres_node() as node:
        await node.control.stop("immediate")
        living = subprocess.Popen(["sleep", "60"], user=node.plan.pgdata.owner())
        try:
            lock = node.socket_dir / f".s.PGSQL.{node.port}.lock"
            for file in (lock, node.plan.pgdata / "postmaster.pid"):
                file.write_text(f"{living.pid}\n{node.plan.pgdata}\n0\n{node.port}\n")
            await node.control.start(as_standby=False, names="")
            assert (await node.control.probe()).in_recovery is False
            assert living.poll() is None, "a pid in a lock is never signalled"
        finally:
            living.kill()
            living.wait()
