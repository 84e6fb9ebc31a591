"""The heartbeat as it leaves: the newest beat on every link and to the arbiter, numbered, with how
we ourselves are.

What a beat says of role and epochs comes from the mind; here are added the number, who was heard
when, and how this process and its disk do. Invariant: the number grows by one a beat, whatever it
is sent for. It must not know what anyone concludes from a beat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from cluster.arbiter import Arbiter, ArbiterUnreachable
from cluster.events import ArbiterLost, Event, RelayHeard
from cluster.link import Links
from cluster.strip import Strip
from protocols.peer import NodeBeat

MAX_ASKING: Final = 16
"""Beats to the arbiter that wait for their answer: three seconds' worth; more would say nothing
new.
"""


class Heart:
    """Sends beats. ``say(number)`` gives the beat as the mind has it now; ``take`` what
    came back; ``strip`` keeps the arbiter's answers for people.
    """

    def __init__(
        self,
        say: Callable[[int], NodeBeat],
        links: Links,
        arbiter: Arbiter,
        clock: Callable[[], float],
        take: Callable[[Event], None],
        strip: Strip,
    ) -> None:
        self._say = say
        self._links = links
        self._arbiter = arbiter
        self._clock = clock
        self._take = take
        self.strip = strip
        self._counter = 0
        self._asking: set[asyncio.Task[None]] = set()

    def beat(self) -> None:
        """Send one beat everywhere."""
        self._counter += 1
        beat = self._say(self._counter)
        self._links.send(beat)
        if len(self._asking) < MAX_ASKING:
            task = asyncio.ensure_future(self._to_arbiter(beat))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    async def _to_arbiter(self, beat: NodeBeat) -> None:
        asked_at_s = self._clock()
        try:
            said = await self._arbiter.beat(beat)
        except ArbiterUnreachable as lost:
            self._take(ArbiterLost(lost.alarm, str(lost)))
        else:
            self.strip.beat(self._clock())
            self._take(
                RelayHeard(
                    said.peer, said.high_flush, said.nonce, said.epoch, asked_at_s, said.doubt
                )
            )
