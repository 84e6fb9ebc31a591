"""The arbiter that this node works with at present: the one its settings named when they were last
read, which is at the start and when an operator moves the record to another.

Invariants: one arbiter at a time is asked, and every caller asks the same; it is exchanged by
``adopt`` alone, an operator's word; settings that cannot be read change nothing. What both nodes
call by the same name is the same arbiter. It must not know whether a record may be moved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import msgspec
import structlog
from msgspec import Struct

from cluster.arbiter.interface import Arbiter, ArbiterUnreachable, Reading, Swapped
from config.load import SettingsError
from config.settings import ClusterSettings
from protocols.peer import NodeBeat, Record, Relay

LOOK_S: Final = 3.0
"""A new witness is called, and a new etcd asked, within this; then the operator is told."""
AGAIN_S: Final = 0.1

_log: Any = structlog.get_logger("cluster")


class Opened(Struct, frozen=True):
    """An arbiter at work, and how it is left."""

    arbiter: Arbiter
    close: Callable[[], None]


def name_of(cluster: ClusterSettings) -> str:
    """What both nodes call the arbiter that these settings name."""
    if cluster.arbiter == "etcd":
        etcd = cluster.etcd
        assert etcd is not None, "the settings were checked"
        return f"etcd {','.join(sorted(etcd.endpoints))} {etcd.prefix}"
    return f"witness {cluster.witness}"


class PresentArbiter:
    """Implements ``Arbiter`` by the one the settings name. ``reread`` reads them again (blocking;
    SettingsError); ``make`` opens what they name.
    """

    def __init__(
        self,
        cluster: ClusterSettings,
        make: Callable[[ClusterSettings], Opened],
        reread: Callable[[], ClusterSettings],
    ) -> None:
        self._make = make
        self._reread = reread
        self._kind = cluster.arbiter
        self._name = name_of(cluster)
        self._now = make(cluster)

    def close(self) -> None:
        """Ask no more."""
        self._now.close()

    async def read(self) -> Reading:
        """Read linearizably."""
        return await self._now.arbiter.read()

    async def swap(self, expected: int | None, record: Record) -> Swapped:
        """Compare and swap; whichever arbiter it was sent to, it is not sent to another."""
        return await self._now.arbiter.swap(expected, record)

    async def beat(self, beat: NodeBeat) -> Relay:
        """Leave this node's beat, and take the other's."""
        return await self._now.arbiter.beat(beat)

    async def keep(self, text: str) -> str:
        """Keep a line."""
        return await self._now.arbiter.keep(text)

    async def kept(self) -> list[str]:
        """The lines it gives back."""
        return await self._now.arbiter.kept()

    async def shown(self) -> dict[str, Any]:
        """The answer to an operator's ``kept``, as a witness gives it."""
        return {"kept": [[0.0, "", text] for text in await self.kept()]}

    def view(self) -> dict[str, Any]:
        """Its name and kind, and what it says of itself."""
        return {"name": self._name, "kind": self._kind, **self._now.arbiter.view()}

    async def adopt(self) -> None:
        """Take the arbiter that the settings name now, as if it had never been seen."""
        try:
            cluster = await asyncio.to_thread(self._reread)
        except SettingsError as wrong:
            _log.warning("the arbiter stays", reason=str(wrong))
            cluster = None
        if cluster is not None and name_of(cluster) != self._name:
            left, self._now = self._now, self._make(cluster)
            self._kind, self._name = cluster.arbiter, name_of(cluster)
            left.close()
            _log.info("another arbiter", name=self._name)
        await self._now.arbiter.adopt()

    async def prospect(self) -> dict[str, Any]:
        """What the settings name now, whether it answers, and what it holds."""
        said: dict[str, Any] = {"now": self._name, "next": "", "holds": None, "trouble": ""}
        try:
            cluster = await asyncio.to_thread(self._reread)
        except SettingsError as wrong:
            return {**said, "trouble": str(wrong)}
        said["next"] = name_of(cluster)
        if said["next"] == self._name:
            return {**said, **await _looked_at(self._now.arbiter)}
        there = self._make(cluster)
        try:
            return {**said, **await _looked_at(there.arbiter)}
        finally:
            there.close()


async def _looked_at(arbiter: Arbiter) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    give_up_s = loop.time() + LOOK_S
    while True:
        try:
            record = (await arbiter.read()).record
        except ArbiterUnreachable as wrong:
            if loop.time() > give_up_s:
                return {"trouble": str(wrong)}
            await asyncio.sleep(AGAIN_S)
        else:
            return {"holds": msgspec.to_builtins(record)}
