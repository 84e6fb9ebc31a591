"""The worlds in which every arbiter is tested: in memory, a real witness over TLS, a real etcd.

A world gives each node its arbiter and does what the outside may do: cut the connections, lose the
answers of swaps, begin the arbiter again on what it stored (a new process; of an etcd, a restored
snapshot: a member that merely restarts has lost nothing).
"""

import asyncio
import atexit
import functools
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest
from twisted.internet import reactor

from clients.ops.init import loopback_plan
from cluster.arbiter import Arbiter, ArbiterUnreachable
from cluster.arbiter.etcd import EtcdArbiter
from cluster.arbiter.floor import Floor
from cluster.arbiter.gateway import SWAP_S, Gateway
from cluster.arbiter.memory import MemoryArbiter
from cluster.arbiter.witness import WitnessArbiter
from cluster.compose import witness_of
from cluster.session import Session
from cluster.witness import Witness, begin
from config.folder import write_settings
from config.load import load_node, load_witness
from protocols.peer import SwapResult
from protocols.shell.clock import BootClock, boot_seconds
from tests.etcd_members import Members, etcd_members
from tests.postgres_nodes import on_reactor

WAIT_S = 5.0


class World(Protocol):
    """One arbiter, seen by both nodes."""

    def of(self, node: str) -> Arbiter: ...

    async def restart(self) -> None: ...

    async def cut(self) -> None: ...

    async def mend(self) -> None: ...

    def mute(self) -> None: ...

    async def shelf(self) -> list[str]:
        """The lines that an operator is shown."""


class MemoryWorld:
    def __init__(self) -> None:
        self.arbiter = MemoryArbiter(("a", "b"), boot_seconds)

    def of(self, node: str) -> Arbiter:
        return self.arbiter

    async def restart(self) -> None:
        self.arbiter.restart()

    async def shelf(self) -> list[str]:
        return await self.arbiter.kept()

    async def cut(self) -> None:
        self.arbiter.cut = True

    async def mend(self) -> None:
        self.arbiter.cut = False

    def mute(self) -> None:
        self.arbiter.mute = True


class WitnessWorld:
    """A real witness in this process, and both nodes' connections to it."""

    def __init__(self, folder: Path) -> None:
        paths = write_settings(loopback_plan(folder / "board", "demo"))
        self.settings = load_witness(paths.witness)
        self.nodes: dict[str, WitnessArbiter] = {}
        for name, file in paths.nodes.items():
            self.nodes[name] = witness_of(load_node(file), reactor, BootClock())
        self.witness: Witness | None = None

    def of(self, node: str) -> Arbiter:
        return self.nodes[node]

    async def begin(self) -> None:
        for arbiter in self.nodes.values():
            arbiter.keep_up()
        await self.mend()

    async def mend(self) -> None:
        self.witness = await begin(self.settings, reactor)
        for arbiter in self.nodes.values():
            await reached(arbiter)

    async def cut(self) -> None:
        assert self.witness is not None
        await self.witness.stop()
        self.witness = None
        for arbiter in self.nodes.values():
            await lost(arbiter)

    async def restart(self) -> None:
        await self.cut()
        await self.mend()

    async def shelf(self) -> list[str]:
        assert self.witness is not None
        shelving = self.witness.desk.shelving
        assert shelving is not None
        return [text for _, _, text in (await shelving.kept())["kept"]]

    def mute(self) -> None:
        assert self.witness is not None
        desk: Any = self.witness.desk
        heard = desk.message_came

        def deafen(session: Session, message: Any) -> None:
            send = session.send
            session.send = (  # type: ignore[method-assign]
                lambda message: None if isinstance(message, SwapResult) else send(message)
            )
            heard(session, message)

        desk.message_came = deafen

    async def end(self) -> None:
        for arbiter in self.nodes.values():
            arbiter.close()
        if self.witness is not None:
            await self.witness.stop()


async def reached(arbiter: Arbiter) -> None:
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                await arbiter.read()
            except ArbiterUnreachable:
                await asyncio.sleep(0.01)
            else:
                return


async def lost(arbiter: Arbiter) -> None:
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                await arbiter.read()
            except ArbiterUnreachable:
                return
            await asyncio.sleep(0.01)


@asynccontextmanager
async def memory_world(_folder: Path) -> AsyncIterator[World]:
    yield MemoryWorld()


@asynccontextmanager
async def witness_world(folder: Path) -> AsyncIterator[World]:
    world = WitnessWorld(folder)
    await world.begin()
    try:
        yield world
    finally:
        await world.end()


class EtcdWorld:
    """Both nodes' sides of a real etcd of three members, which others use too."""

    def __init__(self, folder: Path, etcd: Members, ca: str = "ca.crt") -> None:
        self.folder = folder
        self.etcd = etcd
        settings = etcd.settings(f"/{secrets.token_hex(4)}/", ca)
        clock = BootClock()
        self.gateways = {name: Gateway(reactor, clock, settings) for name in ("a", "b")}
        self.nodes = {
            name: EtcdArbiter(
                gateway,
                partial(Floor, self._data(name), name),
                clock,
                me=name,
                nodes=("a", "b"),
                prefix=settings.prefix,
            )
            for name, gateway in self.gateways.items()
        }

    def _data(self, node: str) -> Path:
        folder = self.folder / node
        folder.mkdir(exist_ok=True)
        return folder

    def of(self, node: str) -> Arbiter:
        return self.nodes[node]

    async def restart(self) -> None:
        snapshot = self.folder / "snapshot"
        await asyncio.to_thread(self.etcd.snapshot, snapshot)
        await asyncio.to_thread(self.etcd.ctl, "put", "/others/key", "value")
        for arbiter in self.nodes.values():
            await reached(arbiter)
        await asyncio.to_thread(self.etcd.restore, snapshot)
        for arbiter in self.nodes.values():
            await reached(arbiter)

    async def cut(self) -> None:
        await asyncio.to_thread(self.etcd.kill)

    async def mend(self) -> None:
        await asyncio.to_thread(self.etcd.start)
        for arbiter in self.nodes.values():
            await reached(arbiter)

    async def shelf(self) -> list[str]:
        return await self.nodes["b"].kept()

    def mute(self) -> None:
        for gateway in self.gateways.values():
            deafen_swaps(gateway)

    async def end(self) -> None:
        for arbiter in self.nodes.values():
            arbiter.close()
        if not self.etcd.processes:
            await asyncio.to_thread(self.etcd.start)


def deafen_swaps(gateway: Any) -> None:
    """What is sent once arrives; its answer does not."""
    say = gateway._say

    async def deaf(member: Any, path: str, body: Any, deadline_s: float) -> Any:
        said = await say(member, path, body, deadline_s)
        if deadline_s == SWAP_S:
            raise ConnectionError("the answer was lost")
        return said

    gateway._say = deaf


@functools.cache
def shared_etcd() -> Members:
    """One etcd for all tests of this process; a prefix of its own keeps each apart."""
    stack = ExitStack()
    members = stack.enter_context(etcd_members())
    atexit.register(stack.close)
    members.start()
    return members


@asynccontextmanager
async def etcd_world(folder: Path) -> AsyncIterator[World]:
    world = EtcdWorld(folder, await asyncio.to_thread(shared_etcd))
    try:
        yield world
    finally:
        await world.end()


Make = Callable[[Path], AbstractAsyncContextManager[World]]
Test = Callable[[World], Coroutine[Any, Any, None]]


def for_each_arbiter(test: Test) -> Any:
    """Run a test in the memory's world, in the witness's and in etcd's."""
    worlds = [memory_world, witness_world, pytest.param(etcd_world, marks=pytest.mark.etcd)]

    @pytest.mark.parametrize("make", worlds)
    @on_reactor
    async def in_world(make: Make, tmp_path: Path) -> None:
        async with make(tmp_path) as world:
            await test(world)

    return in_world
