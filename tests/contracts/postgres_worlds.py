"""Worlds of nodes for the contract of the PostgreSQL control: the same moves on fakes and on real
servers.

A world makes nodes that can reach each other; tests use only the interface, and `kill` for the one
thing no control does to itself.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest

from cluster.postgres.control import BLOCKING_NAMES, Control, ProbeFacts
from cluster.postgres.memory import MemoryControl, MemoryNetwork
from cluster.postgres.place import PostgresPlan
from cluster.postgres.process import ProcessControl
from cluster.postgres.stray import recorded_pid
from cluster.postgres.troubles import (
    PostgresTroubleError,
)
from tests.postgres_nodes import (
    PASSWORD,
    control_for,
    fresh_folder,
    initialise_quickly,
    plan_for,
)

NAMES = 'ANY 1 ("b_1")'


class World(Protocol):
    """Makes nodes and does to them what a test needs."""

    async def node(self, name: str) -> Control: ...

    async def initialised(self, name: str) -> Control: ...

    def source(self, reader: Control, of: Control, application_name: str) -> str: ...

    def kill(self, control: Control) -> None: ...


class MemoryWorld:
    def __init__(self) -> None:
        self.network = MemoryNetwork()
        self.ports: dict[Control, int] = {}

    async def node(self, name: str) -> Control:
        port = 5000 + len(self.ports)
        control = MemoryControl(name, self.network, "127.0.0.1", port)
        self.ports[control] = port
        return control

    async def initialised(self, name: str) -> Control:
        control = await self.node(name)
        await control.initialise(PASSWORD)
        return control

    def source(self, reader: Control, of: Control, application_name: str) -> str:
        return reader.conninfo("127.0.0.1", self.ports[of], application_name)

    def kill(self, control: Control) -> None:
        assert isinstance(control, MemoryControl)
        control.crash()


class ProcessWorld:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plans: dict[Control, PostgresPlan] = {}

    async def node(self, name: str) -> ProcessControl:
        plan = plan_for(self.folder, name)
        control = control_for(plan)
        await control.prepare(PASSWORD)
        self.plans[control] = plan
        return control

    async def initialised(self, name: str) -> Control:
        control = await self.node(name)
        await initialise_quickly(control, self.plans[control])
        return control

    def source(self, reader: Control, of: Control, application_name: str) -> str:
        return reader.conninfo("127.0.0.1", self.plans[of].port, application_name)

    def kill(self, control: Control) -> None:
        pid = recorded_pid(self.plans[control].pgdata)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def memory_world() -> AsyncIterator[World]:
    yield MemoryWorld()


@asynccontextmanager
async def process_world() -> AsyncIterator[World]:
    with fresh_folder() as folder:
        world = ProcessWorld(folder)
        try:
            yield world
        finally:
            for control in world.plans:
                await control.stop("immediate")


Opening = Callable[[], AbstractAsyncContextManager[World]]


async def primary(world: World, name: str = "a") -> Control:
    """A new cluster that serves alone, and may be followed."""
    control = await world.initialised(name)
    await control.start(as_standby=False, names="")
    await control.admit()
    return control


async def standby(world: World, of: Control, name: str = "b", alias: str = "b_1") -> Control:
    """A clone that streams under `alias`."""
    control = await world.node(name)
    await of.create_slot(name)
    source = world.source(control, of, alias)
    await control.clone(source, name)
    await control.start(as_standby=True, names=BLOCKING_NAMES, conninfo=source, slot=name)
    return control


async def bind(control: Control, names: str) -> None:
    """Sets the names and proves first that commits hang: the names alone do not (fact F4)."""
    await control.set_names(BLOCKING_NAMES)
    assert await control.hang_probe(10) is not None
    await control.set_names(names)


async def seen(
    control: Control, holds: Callable[[ProbeFacts], bool], limit_s: float = 10.0
) -> ProbeFacts:
    """Probes until `holds`; fails with the last facts."""
    give_up_s = asyncio.get_running_loop().time() + limit_s
    while not holds(facts := await control.probe()):
        assert asyncio.get_running_loop().time() < give_up_s, facts
        await asyncio.sleep(0.02)
    return facts


def followed_by(alias: str) -> Callable[[ProbeFacts], bool]:
    return lambda facts: any(
        sender.application_name == alias and sender.state == "streaming"
        for sender in facts.walsenders
    )


async def refused(
    work: Coroutine[object, object, object], kind: type[PostgresTroubleError]
) -> PostgresTroubleError:
    with pytest.raises(kind) as caught:
        await work
    assert str(caught.value), "a trouble without a sentence"
    return caught.value
