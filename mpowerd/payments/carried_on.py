"""Carries the verifications of whole days on, and alarms while one does not get on.

A step that fails is made smaller until it is one receipt, so that everything before the receipt
that fails is posted and the alarm names it. A gate that is shut, or a copy that does not confirm,
has alarms of its own. This file must not know what a step does, nor when it is called.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg

from mpowerd.alarms import Alarm
from mpowerd.database import Busy, Database
from mpowerd.payments import verification
from mpowerd.payments.whole_days import Waiting, make_step, waiting

FAILS: Final = 3
"""In a row: a lock that somebody held for a moment is no alarm."""


class CarriedOn:
    """Called every so often; ``alarm`` takes a name of the runbook and a text ('' ends it)."""

    def __init__(self, database: Database, alarm: Alarm) -> None:
        self._database, self.alarm = database, alarm
        self._fails = 0
        self._most = verification.STEP

    async def __call__(self) -> None:
        """Make steps until nothing waits; raises what a step raised."""
        while (found := await waiting(self._database)) is not None:
            try:
                await make_step(self._database, self._most)
            except (psycopg.Error, Busy, AssertionError) as trouble:
                self._fails += 1
                self._most = max(1, self._most // 2)
                if self._fails >= FAILS:
                    self.alarm("verification-stuck", _stuck(found, self._most, trouble))
                raise
            self._fails, self._most = 0, min(verification.STEP, self._most * 2)
        self.alarm("verification-stuck", "")


def _stuck(found: Waiting, most: int, trouble: Any) -> str:
    reason = str(trouble).partition("\n")[0] or type(trouble).__name__
    whose = f"{found.day}, {found.counter or 'all counters'}, asked for by {found.by}"
    behind = f"; {found.behind} more wait behind it" if found.behind else ""
    return (
        f"Verification {found.verification} ({whose}) stands at {found.done:,} of"
        f" {found.receipts:,} receipts, at {found.next}{behind}: {reason}. It is tried again every"
        f" second."
    )
