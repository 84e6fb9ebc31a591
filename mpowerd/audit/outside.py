"""Leaves checkpoints with the arbiter: the newest one, twice a minute while there is a newer.

Who writes the database's history anew, and holds the signing key too, cannot take back what the
arbiter keeps. A checkpoint that does not arrive is followed by a later one, which speaks for it.
This file must not know how the arbiter keeps a line.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from cluster.arbiter import ArbiterUnreachable
from protocols.checkpoints import Checkpoint, in_line, line_of

EVERY_S: Final = 30.0
"""What is younger than this could still be written anew by somebody who has the key."""
log = structlog.get_logger("mpowerd.audit")


class Outside:
    """``leave`` keeps a line with the arbiter and gives why not, or ''; ``look`` gives its lines,
    the oldest first; ``clock`` is monotonic.
    """

    def __init__(
        self,
        leave: Callable[[str], Awaitable[str]],
        look: Callable[[], Awaitable[list[str]]],
        clock: Callable[[], float],
    ) -> None:
        self._leave, self._look, self._clock = leave, look, clock
        self._kept: Checkpoint | None = None
        self._due_s = float("-inf")

    async def newest(self) -> Checkpoint | None:
        """Give the newest checkpoint that is kept; None: there is none, or the arbiter is silent,
        so that it has to be asked again.
        """
        try:
            lines = await self._look()
        except ArbiterUnreachable as why:
            log.info("what is kept outside could not be asked", why=str(why))
            return None
        for line in reversed(lines):
            try:
                found = in_line(line)
            except ValueError:
                continue  # whatever else was left there
            if found is not None:
                return found
        return None

    async def keep(self, newest: Checkpoint) -> None:
        """Leave it, if it is news and the last one is long enough ago."""
        if newest == self._kept or self._clock() < self._due_s:
            return
        self._due_s = self._clock() + EVERY_S
        try:
            refusal = await self._leave(line_of(newest))
        except ArbiterUnreachable as why:
            refusal = str(why)
        if refusal:
            log.info("a checkpoint was not kept outside", why=refusal, size=newest.size)
        else:
            self._kept = newest
