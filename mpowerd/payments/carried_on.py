"""Carries the verifications of whole days on, and alarms while one does not get on.

A step that fails is made smaller until it is one receipt, so that everything before the receipt
that fails is posted. One that breaks an assertion of ours is then noted as FAILED by its step, and
the rest goes on. Any other failure may pass: it is tried again, and the alarm names the receipt. A
gate that is shut, or a copy that does not confirm, has alarms of its own. This file must not know
what a step does, nor when it is called.
"""

from __future__ import annotations

from typing import Final

import psycopg

from mpowerd.alarms import Alarm
from mpowerd.database import Busy, Database
from mpowerd.payments import verification
from mpowerd.payments.whole_days import OURS, Waiting, make_step, reason_of, waiting

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
            except OURS as mistake:
                if self._most == 1:
                    self._failed(found, mistake)
                    raise
                self._most //= 2
                continue
            except (psycopg.Error, Busy) as trouble:
                self._most = max(1, self._most // 2)
                self._failed(found, trouble)
                raise
            self._fails, self._most = 0, min(verification.STEP, self._most * 2)
        self.alarm("verification-stuck", "")

    def _failed(self, found: Waiting, trouble: BaseException) -> None:
        self._fails += 1
        if self._fails >= FAILS:
            self.alarm("verification-stuck", _stuck(found, trouble))


def _stuck(found: Waiting, trouble: BaseException) -> str:
    whose = f"{found.day}, {found.counter or 'all counters'}, asked for by {found.by}"
    behind = f"; {found.behind} more wait behind it" if found.behind else ""
    return (
        f"Verification {found.verification} ({whose}) stands at {found.done:,} of"
        f" {found.receipts:,} receipts, at {found.next}{behind}: {reason_of(trouble)}. It is tried"
        " again every second."
    )
