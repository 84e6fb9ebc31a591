"""What a daemon sees of its disk, and how often it starts a server on one that it knows is full."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from cluster import events as ev

if TYPE_CHECKING:
    from tests.simulation.node import Node

LOOK_S: Final = 0.7


class Looks:
    """The looks of one daemon; ``looked`` is called after each."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.told = ""
        """What this process was last told ('' well)."""
        self.starts_on_full = 0
        self.looked: Callable[[Node], None] = lambda node: None

    def begin(self, life: int) -> None:
        """A new process has seen nothing yet."""
        self.told, self.starts_on_full = "", 0
        self._look(life)

    def started(self) -> None:
        """A server is started, or tried to be."""
        self.starts_on_full += self.told == "full"

    def _look(self, life: int) -> None:
        node = self.node
        if life != node.life or node.later(self._look, life):
            return
        node.world.after(LOOK_S, self._look, life)
        self.told = self._condition()
        if self.told:
            node.world.hit[f"disk seen {self.told}"] += 1
        else:
            self.starts_on_full = 0
        node.feed(ev.DiskSeen(self.told))
        self.looked(node)

    def _condition(self) -> str:
        server = self.node.postgres
        if self.node.world.now < server.disk_hung_until_s:
            return "hung"
        if server.read_only:
            return "read-only"
        return "full" if server.full or server.filling else ""
