"""The arbiter in memory: the same register without a process, for one program and for tests.

``cut`` makes it unreachable, ``mute`` loses answers after the deed (an unknown swap). Two nodes
share one ``MemoryArbiter``. It must not differ from the witness in anything but durability.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster.arbiter import ArbiterUnreachable, Reading, Swapped, SwapUnknown
from cluster.arbiter.register import Kept, judge, relay_for, start, swapped, took
from protocols.peer import NodeBeat, Record, Relay


class MemoryArbiter:
    """One register; ``clock`` gives monotonic seconds."""

    def __init__(self, nodes: tuple[str, ...], clock: Callable[[], float]) -> None:
        self._clock = clock
        self._starts = 1
        self.cut = False
        self.mute = False
        self.register = start(nodes, "memory-1", Kept())
        self.lines: list[str] = []

    def restart(self) -> None:
        """As a new process on what was stored."""
        self._starts += 1
        kept = Kept(self.register.record, self.register.high_flush)
        self.register = start(self.register.nodes, f"memory-{self._starts}", kept)

    async def read(self) -> Reading:
        """Read linearizably."""
        self._reach()
        return Reading(self.register.record, self.register.nonce)

    async def swap(self, expected: int | None, record: Record) -> Swapped:
        """Store if the stored epoch is ``expected``."""
        self._reach()
        refusal = judge(self.register, expected, record)
        if not refusal:
            self.register = swapped(self.register, record)
        if self.mute:
            raise SwapUnknown("the answer was lost")
        return Swapped(not refusal, self.register.record, self.register.nonce, refusal)

    async def beat(self, beat: NodeBeat) -> Relay:
        """Leave this node's beat, and take the other's."""
        self._reach()
        now_s = self._clock()
        self.register = took(self.register, beat, now_s)
        return relay_for(self.register, beat.node, now_s)

    async def keep(self, text: str) -> str:
        """Keep a line."""
        self._reach()
        self.lines.append(text)
        return ""

    async def kept(self) -> list[str]:
        """The lines."""
        self._reach()
        return list(self.lines)

    def view(self) -> dict[str, Any]:
        """It has no place."""
        return {"nonce": self.register.nonce}

    async def adopt(self) -> None:
        """Nothing was known of it but the record."""

    def _reach(self) -> None:
        if self.cut:
            raise ArbiterUnreachable("cut off")
