"""The wires: messages are late, lost, doubled, overtaken; lines are cut one way or both, or flap.

A line is (from, to, number). Nothing is corrupted: TLS sees to that. What was sent into a cut line
is lost; whoever asked finds out by waiting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tests.simulation.world import World

LINES: Final = (
    ("a", "b", 0),
    ("a", "b", 1),
    ("a", "w", 0),
    ("b", "w", 0),
    ("a", "t", 0),
    ("b", "t", 0),
)


class Network:
    """All lines of one run, and how bad they are."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.loss = 0.0
        self.doubling = 0.0
        self.lateness = 0.0
        self.swaps_late = False
        self.ordered: dict[tuple[str, str, int], float] = {}
        self.cuts: dict[tuple[str, str, int], int] = {}
        self.mended_s: dict[tuple[str, str, int], float] = {}

    def send(
        self, line: tuple[str, str, int], call: Callable[..., None], *args: Any, sure: bool = False
    ) -> bool:
        """Carry it over; False if it is certainly lost. ``sure``: a stream, late but not lost."""
        world = self.world
        if self.cuts.get(line):
            return False
        if not sure and world.chance(self.loss):
            world.hit["message lost"] += 1
            return False
        if "t" in line:  # TCP to a counter: late, broken, but never doubled nor overtaken
            at_s = max(world.now + self._delay_s(), self.ordered.get(line, 0.0))
            self.ordered[line] = at_s
            world.after(at_s - world.now, call, *args)
            return True
        delay_s = self._delay_s()
        if world.now + delay_s < self.ordered.get(line, 0.0):
            world.hit["message overtook another"] += 1
        else:
            self.ordered[line] = world.now + delay_s
        world.after(delay_s, call, *args)
        if not sure and world.chance(self.doubling):
            world.hit["message doubled"] += 1
            world.after(self._delay_s(), call, *args)
        return True

    def _delay_s(self) -> float:
        world = self.world
        delay_s = 0.0003 + 0.0007 * world.rng.random()
        if self.lateness and world.chance(self.lateness):
            world.hit["message late"] += 1
            delay_s += world.between(0.01, 0.4)
        return delay_s

    def cut(self, line: tuple[str, str, int], for_s: float) -> None:
        """Nothing passes this line for so long."""
        self.cuts[line] = self.cuts.get(line, 0) + 1
        self.world.after(for_s, self._mend, line)

    def _mend(self, line: tuple[str, str, int]) -> None:
        if self.cuts.get(line):
            self.cuts[line] -= 1
            self.mended_s[line] = self.world.now

    def carried(self, one: str, two: str, for_s: float) -> bool:
        """A link between them has carried all that was sent over it, both ways, for so long."""
        lines = [((one, two, number), (two, one, number)) for number in (0, 1)]
        since_s = self.world.now - for_s
        sound = any(
            all(not self.cuts.get(x) and self.mended_s.get(x, 0.0) <= since_s for x in pair)
            for pair in lines
        )
        return sound and not self.loss

    def heal(self) -> None:
        """All lines are good from now on."""
        self.cuts.clear()
        self.loss = self.doubling = self.lateness = 0.0
        self.swaps_late = False
