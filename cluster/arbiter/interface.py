"""The arbiter: one linearizable compare-and-swap register with one record, and a relay of beats.

Every implementation passes one contract suite. What was sent and not answered is *unknown*: an
implementation never retries a swap by itself and never turns "not answered" into "not done".
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from msgspec import Struct

from protocols.peer import NodeBeat, Record, Relay

NO_ARBITER: Final = "no-arbiter"
"""The alarm of an arbiter that is not heard, for whatever reason."""


class ArbiterUnreachable(Exception):  # noqa: N818 - a state of the world, not a mistake
    """Certainly not done: nothing was sent. ``alarm``: the runbook's name of what to tell people
    at once, where it is more than silence.
    """

    def __init__(self, why: str, alarm: str = NO_ARBITER) -> None:
        super().__init__(why)
        self.alarm = alarm


class SwapUnknown(Exception):  # noqa: N818 - the same
    """Sent and not answered: it may have happened, or may still happen."""


class Reading(Struct, frozen=True):
    """The record (None: there is none) and the arbiter process's nonce, at one instant."""

    record: Record | None
    nonce: str


class Swapped(Struct, frozen=True):
    """``done``: stored durably. Else ``record`` is what is stored, ``refusal`` why ours is not."""

    done: bool
    record: Record | None
    nonce: str
    refusal: str = ""


class Arbiter(Protocol):
    """What a node needs of its arbiter. All coroutines; all may raise ArbiterUnreachable."""

    async def read(self) -> Reading:
        """Read linearizably."""

    async def swap(self, expected: int | None, record: Record) -> Swapped:
        """Store ``record`` if the stored epoch is ``expected`` (None: if there is none).

        SwapUnknown if it was sent and not answered.
        """

    async def beat(self, beat: NodeBeat) -> Relay:
        """Leave this node's beat, and take the other's."""

    async def keep(self, text: str) -> str:
        """Keep a sealed line of ours where no node can take it back; why it was not kept, or ''."""

    async def kept(self) -> list[str]:
        """The lines it gives back, the oldest first (an etcd: the newest alone)."""

    def view(self) -> dict[str, Any]:
        """What it is, where, and what it last said of itself: for people."""

    async def adopt(self) -> None:
        """An operator says that the arbiter was made anew: what was known of it does not count."""
