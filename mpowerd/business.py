"""Everything that stands behind the doors while this node is the primary in one term: made, opened,
closed together.

Invariant: after ``close`` nothing of it is running but COMMITs that may not be cancelled, and
nothing of it is used in another term. This file must not know the rooms nor how a standing comes
about.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from mpowerd.alarms import TermAlarms
from mpowerd.audit.signing import Signer
from mpowerd.database import Database
from mpowerd.dispatch import Dispatch
from mpowerd.hall import Doors
from mpowerd.jobs import Jobs
from mpowerd.lanes import Lane
from mpowerd.outcomes import Outcome
from mpowerd.sessions import CHECK_EVERY_S, Sessions

CHORES_EVERY_S: Final = 60.0
"""What nobody waits for: a request that has run out is refused at once, its mark may follow."""

WORKS_EVERY_S: Final = 1.0
"""What somebody watches: asked for once, carried on in steps until it is done."""


class Business:
    """``today`` gives the open business date, '' if none; ``checkpoint_s``: how often the audit is
    signed; ``chores`` by name are what the rooms want done by the clock, ``works`` what they carry
    on step by step, ``alarms`` what they raised.
    """

    def __init__(
        self,
        *,
        database: Database,
        lane: Lane[Outcome],
        sessions: Sessions,
        doors: Doors,
        today: Callable[[], Awaitable[str]],
        signer: Signer,
        checkpoint_s: float,
        chores: Mapping[str, Callable[[], Awaitable[None]]],
        works: Mapping[str, Callable[[], Awaitable[None]]],
        alarms: TermAlarms,
    ) -> None:
        self._alarms = alarms
        self._chores, self._works = chores, works
        self._signer, self._checkpoint_s = signer, checkpoint_s
        self._database, self._lane, self._sessions = database, lane, sessions
        self.doors, self.today = doors, today
        self._jobs = Jobs()

    @property
    def dispatch(self) -> Dispatch:
        """The door for whoever is not a terminal."""
        return self.doors.dispatch

    def figures(self) -> dict[str, Any]:
        """What has been done in this term, for people who measure."""
        return {
            "batches": self._lane.batches,
            "payments_posted": self._lane.posted,
            "sessions": len(self._sessions),
            "payments_waiting": len(self._lane),
        }

    async def open(self) -> None:
        """Be ready to serve."""
        await self._database.open()
        self._lane.start()
        self._jobs.every(CHECK_EVERY_S, "sessions", self._sessions.check)
        for name, chore in self._chores.items():
            self._jobs.every(CHORES_EVERY_S, name, chore)
        for name, work in self._works.items():
            self._jobs.every(WORKS_EVERY_S, name, work)
        self._jobs.every(self._checkpoint_s, "audit checkpoint", self._signer.sign)

    async def close(self) -> None:
        """Serve no more; what is being served ends by its own deadline."""
        await self._jobs.close()
        self._signer.close()
        self._alarms.end()
        await self._lane.close()
        await self.dispatch.close()
        self._sessions.clear()
        await self._database.close()
