"""Virtual time, chance from one seed, and the log: what a run is made of.

Everything that happens is a call at a moment; equal moments keep their order of asking. The trace
is a running checksum over what was noted, so that two runs of one seed can be compared.
"""

from __future__ import annotations

import heapq
import random
import zlib
from collections import Counter
from collections.abc import Callable
from typing import Any


class Violation(AssertionError):  # noqa: N818 - it is what was violated, not an error of the rig
    """An invariant does not hold; the text says which and how."""

    lines: list[str] = []  # noqa: RUF012 - set once, by who asks for the trace


class World:
    """One run. ``now`` is true time in seconds; nodes have clocks of their own."""

    def __init__(self, seed: int, planted: frozenset[str] = frozenset()) -> None:
        self.seed = seed
        self.planted = planted
        self.rng = random.Random(seed)
        self.cap = (1, 2, 40)[seed % 3]
        """Takeovers that nobody asked for, within an hour, before the pair pauses itself."""
        self.now = 0.0
        self.hit: Counter[str] = Counter()
        self.trace = 0
        self.lines: list[str] | None = None
        self.calls = 0
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._asked = 0

    def after(self, delay_s: float, call: Callable[..., None], *args: Any) -> None:
        """Do it that much later."""
        self._asked += 1
        heapq.heappush(self._heap, (self.now + delay_s, self._asked, call, args))

    def run(self, until_s: float) -> None:
        """Let everything happen up to that moment."""
        heap = self._heap
        while heap and heap[0][0] <= until_s:
            self.now, _, call, args = heapq.heappop(heap)
            self.calls += 1
            call(*args)
        self.now = until_s

    def note(self, text: str) -> None:
        """A line of the trace."""
        line = f"{self.now:.6f} {text}"
        self.trace = zlib.crc32(line.encode(), self.trace)
        if self.lines is not None:
            self.lines.append(line)

    def fault(self, kind: str, text: str = "") -> None:
        """A fault of this kind was hit."""
        self.hit[kind] += 1
        if text:
            self.note(f"FAULT {kind} {text}")

    def chance(self, probability: float) -> bool:
        """True that often."""
        return probability > 0 and self.rng.random() < probability

    def between(self, low: float, high: float) -> float:
        """Any value in between."""
        return low + (high - low) * self.rng.random()
