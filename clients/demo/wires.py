"""The demo's network: between each two of its services a relay on loopback, which can be cut.

A cut wire is silent and not closed, as a pulled cable is: what is connected stays so and hears
nothing, what connects is let in and hears nothing. When it is healed everything on it is dropped,
and both ends call again. Which wires are cut stands in a file that ``mpower demo partition`` writes
and this process reads. It must not know what travels.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from clients.ops.init import LOOPBACK, free_ports
from config.files import PUBLIC, write_file
from config.folder import Paths, Plan
from config.writing import scalar

PLAN_FILE: Final = "wires.json"
CUTS_FILE: Final = "cuts.json"
LOOK_S: Final = 0.05
CHUNK_BYTES: Final = 65_536


class Wire(Struct, frozen=True):
    """Who is joined (``ends``, the caller first), where callers come in, and where it leads."""

    ends: tuple[str, str]
    listen: str
    to: str


def laid(plan: Plan, paths: Paths) -> list[Wire]:
    """Lay a wire on every way from one service to another, and tell each node's settings of them:
    it listens where it did, and finds the others at the near end of a wire. The operator's settings
    say where each wire leads: the nodes' addresses differ by right.
    """
    ways = [
        (here.name, there.name, address)
        for here in plan.nodes
        for there in plan.nodes
        for address in (*there.peer, there.postgres)
        if here is not there
    ]
    if plan.witness is not None:
        ways += [(node.name, "witness", plan.witness) for node in plan.nodes]
    ports = free_ports(len(ways))
    wires = [
        Wire((caller, called), f"{LOOPBACK}:{port}", address)
        for (caller, called, address), port in zip(ways, ports, strict=True)
    ]
    for node, file in paths.nodes.items():
        text = file.read_text("utf-8")
        for wire in wires:
            if wire.ends[0] == node:
                text = text.replace(wire.to, wire.listen)
        file.write_text(text, "utf-8")
    forwards = [f"{wire.listen}={wire.to}" for wire in wires]
    text = paths.client.read_text("utf-8")
    text = text.replace("# forwards: []", f"forwards: {scalar(forwards)}")
    paths.client.write_text(text, "utf-8")
    write_file(plan.home / PLAN_FILE, msgspec.json.encode(wires), PUBLIC)
    return wires


def is_cut(wire: Wire, cuts: set[str]) -> bool:
    """``cuts`` names services that hear nobody, or ``links``: the wires between the two nodes."""
    between = "witness" not in wire.ends
    return bool(cuts & set(wire.ends)) or ("links" in cuts and between)


def cuts_of(home: Path) -> set[str]:
    """What is cut now."""
    try:
        return set(json.loads((home / CUTS_FILE).read_text("ascii")))
    except (OSError, ValueError):
        return set()


def cut(home: Path, cuts: set[str]) -> None:
    """Say what is cut from now on."""
    write_file(home / CUTS_FILE, json.dumps(sorted(cuts)).encode(), PUBLIC)


class Relay:
    """One wire at work."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self._whole = asyncio.Event()
        self._whole.set()
        self._held: set[asyncio.StreamWriter] = set()

    def look(self, cuts: set[str]) -> None:
        """Be cut, or whole again, and then drop what was held meanwhile."""
        if is_cut(self.wire, cuts):
            self._whole.clear()
        elif not self._whole.is_set():
            for writer in self._held:
                writer.transport.abort()
            self._whole.set()

    async def listen(self) -> asyncio.Server:
        """Let callers in."""
        host, port = self.wire.listen.split(":")
        return await asyncio.start_server(self._called, host, int(port))

    async def _called(self, near: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._held.add(writer)
        try:
            await self._whole.wait()
            host, port = self.wire.to.split(":")
            far, onward = await asyncio.open_connection(host, int(port))
            self._held.add(onward)
            try:
                await asyncio.gather(self._carry(near, onward), self._carry(far, writer))
            finally:
                self._held.discard(onward)
                onward.transport.abort()
        except OSError:
            return
        finally:
            self._held.discard(writer)
            writer.transport.abort()

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(CHUNK_BYTES):
            await self._whole.wait()
            target.write(data)
            await target.drain()
        target.transport.abort()


async def serve(home: Path) -> None:
    """Carry until ended."""
    wires = msgspec.json.decode((home / PLAN_FILE).read_bytes(), type=list[Wire])
    relays = [Relay(wire) for wire in wires]
    servers = [await relay.listen() for relay in relays]
    assert len(servers) == len(wires), "the servers live as long as they are named"
    while True:
        cuts = cuts_of(home)
        for relay in relays:
            relay.look(cuts)
        await asyncio.sleep(LOOK_S)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
