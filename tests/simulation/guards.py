"""What must be true of the guards that people set, judged from outside.

``paused``: a daemon starts no server a second time while the record it was told of is paused,
unless a takeover that has landed is carried out, or a switchover it had stopped for is abandoned.
``capped``: no more takeovers that nobody asked for than the cap, until a person resumes; only a
wall clock that jumps an hour loses count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cluster import actions as act
from cluster.rules.rule import AS_TOLD
from cluster.states import State
from protocols.peer import Record
from tests.simulation.world import Violation, World

if TYPE_CHECKING:
    from tests.simulation.node import Node

STARTS: Final = (act.StartPrimary, act.StartStandby, act.Clone, act.Rewind)
BY_THEMSELVES: Final = frozenset(
    {State.PRIMARY_GATED, State.STANDBY_CATCHUP, State.STANDBY_SYNC}
    | {State.RECLONING, State.REWINDING}
)
"""Where a start is not part of carrying out a claim."""


def by_itself(before: Record, after: Record) -> bool:
    """A takeover that nobody had asked for."""
    if after.primary == before.primary or before.sync != after.primary:
        return False
    asked = AS_TOLD in after.reason or "shutting down" in after.reason
    return not asked and not after.reason.startswith("switchover")


class Guards:
    """Of one run."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.takeovers = 0

    def on_stored(self, before: Record, after: Record) -> None:
        """The register holds ``after``."""
        if after.reason.startswith("resumed"):
            self.takeovers = 0
        if "is shutting down in order" in after.reason:
            self.world.hit["shut down in order"] += 1
        if after.capped and not before.capped:
            self.world.hit["takeovers capped"] += 1
        self.takeovers += by_itself(before, after)
        if self.world.hit["wall clock jumped"]:
            return
        over = self.takeovers > self.world.cap
        unpaused = self.takeovers == self.world.cap and after.opened and not after.paused
        if over or unpaused:
            raise Violation(f"capped: {self.takeovers} takeovers, the cap is {self.world.cap}")

    def on_ordered(self, node: Node, order: act.Action) -> None:
        """A daemon orders something of its server."""
        if not isinstance(order, STARTS):
            return
        # A daemon's own first start that failed, on a bad disk say, has not been yet.
        again = node.came_up == node.boots
        told = node.authority
        itself = node.mind.state in BY_THEMSELVES and not node.mind.called_off
        if again and itself and told is not None and told.paused:
            raise Violation(f"paused: {node.name} orders {type(order).__name__} by itself")
