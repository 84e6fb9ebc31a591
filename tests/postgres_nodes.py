"""Real PostgreSQL for tests: one node, or a pair in synchronous replication, on loopback.

    @on_reactor
    async def test_it() -> None:
        async with postgres_node() as node:   # or synchronous_pair() as pair: pair.a, pair.b
            … node.conninfo, node.socket_dir, node.port, node.control …

    @pytest.fixture(scope="module")
    def node() -> Iterator[Node]:                      # for tests with connections of their own
        yield from node_for_fixture()

Each node lives in a fresh folder that the service user may reach; leaving the context stops the
server and removes the folder. Nothing is shared between two uses.
"""

import asyncio
import atexit
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import psycopg
import pytest_twisted
from twisted.internet import defer

from clients.ops.init import free_ports
from cluster.postgres.place import PostgresPlan
from cluster.postgres.process import ProcessControl
from mpowerd.connections import STARTED
from protocols.shell.bridge import to_deferred

T = TypeVar("T")
P = ParamSpec("P")
TEST_LIMIT_S = 60.0
PASSWORD = "replication secret: of\\tests"
SYNC_NAME = "b_1"
_TEMPLATES: dict[Path | None, Path] = {}


@dataclass(frozen=True, slots=True)
class Node:
    """A running node: its control, where its socket is, and a conninfo for the superuser."""

    control: ProcessControl
    plan: PostgresPlan

    @property
    def socket_dir(self) -> Path:
        return self.plan.socket_dir

    @property
    def port(self) -> int:
        return self.plan.port

    @property
    def conninfo(self) -> str:
        """For psycopg: the superuser over the socket, in the application's database."""
        return self.control.sessions.conninfo()


@dataclass(frozen=True, slots=True)
class Pair:
    """A primary `a` and its synchronous standby `b`, in sync under the name `SYNC_NAME`."""

    a: Node
    b: Node


def on_reactor(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, defer.Deferred[None]]:
    """Makes an asyncio coroutine a test, on the reactor's loop, for at most `TEST_LIMIT_S`."""

    @functools.wraps(test)
    def begin(*args: P.args, **kwargs: P.kwargs) -> defer.Deferred[None]:
        return to_deferred(_bounded(test(*args, **kwargs)))

    return begin


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, for a synchronous fixture (a test uses `on_reactor`)."""
    result: T = pytest_twisted.blockon(to_deferred(_bounded(work)))
    return result


async def _bounded(work: Coroutine[Any, Any, T]) -> T:
    return await asyncio.wait_for(work, TEST_LIMIT_S)


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """A new folder that the service user may enter; removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="mpower-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def plan_for(folder: Path, node: str = "a", bindir: Path | None = None) -> PostgresPlan:
    """A node's plan on loopback, small enough for tests. MPOWER_TEST_BINDIR picks the programs."""
    chosen = os.environ.get("MPOWER_TEST_BINDIR")
    return PostgresPlan(
        node=node,
        data_dir=folder / node,
        port=free_ports(1)[0],
        listen=("127.0.0.1",),
        peers=("127.0.0.1",),
        bindir=bindir or (Path(chosen) if chosen else None),
        shared_buffers_mib=16,
        wal_keep_mib=64,
    )


def control_for(plan: PostgresPlan) -> ProcessControl:
    """The real control under the reactor of the test run."""
    from twisted.internet import reactor

    return ProcessControl(plan, reactor)


@asynccontextmanager
async def postgres_node(bindir: Path | None = None) -> AsyncIterator[Node]:
    """A new primary that runs alone: names empty, gate of nobody."""
    with fresh_folder() as folder:
        plan = plan_for(folder, bindir=bindir)
        control = control_for(plan)
        await control.prepare(PASSWORD)
        await initialise_quickly(control, plan)
        await control.start(as_standby=False, names="")
        await control.admit()
        try:
            yield Node(control, plan)
        finally:
            await control.stop("immediate")


def postmaster_start(conninfo: str) -> int:
    """When that server began, as the cluster's probe tells it."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        (started,) = connection.execute(STARTED).fetchone() or (0,)
    return int(started)


def copy_folder(source: Path, target: Path) -> None:
    """A copy with owners and modes."""
    subprocess.run(["cp", "-a", source, target], check=True)


async def initialise_quickly(control: ProcessControl, plan: PostgresPlan) -> None:
    """A new cluster, made once for the whole run and copied: initdb is the slowest step by far."""
    template = _TEMPLATES.get(plan.bindir)
    if template is None:
        await control.initialise(PASSWORD)
        home = Path(tempfile.mkdtemp(prefix="mpower-template-"))
        atexit.register(shutil.rmtree, home)
        template = _TEMPLATES[plan.bindir] = home / "data"
        copy_folder(plan.pgdata, template)
    else:
        copy_folder(template, plan.pgdata)


@asynccontextmanager
async def synchronous_pair(bindir: Path | None = None) -> AsyncIterator[Pair]:
    """A primary and a cloned standby; the primary acknowledges only what the standby flushed."""
    async with postgres_node(bindir) as a:
        plan = plan_for(a.plan.data_dir.parent, "b", bindir)
        control = control_for(plan)
        await control.prepare(PASSWORD)
        await a.control.create_slot("b")
        source = control.conninfo("127.0.0.1", a.port, SYNC_NAME)
        await control.clone(source, "b")
        await a.control.set_names(f'ANY 1 ("{SYNC_NAME}")')
        # The names alone bind nobody for some milliseconds (fact F4): only a hanging commit does.
        assert await a.control.hang_probe(10) is not None
        await control.start(as_standby=True, names="", conninfo=source, slot="b")
        try:
            await a.control.barrier(10)
            yield Pair(a, Node(control, plan))
        finally:
            await control.stop("immediate")


def node_for_fixture(bindir: Path | None = None) -> Iterator[Node]:
    """The body of a synchronous fixture: yields one running node, then stops it."""
    context = postgres_node(bindir)
    node = run(context.__aenter__())
    try:
        yield node
    finally:
        run(context.__aexit__(None, None, None))
