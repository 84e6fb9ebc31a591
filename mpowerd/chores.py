"""What the rooms want done by the clock, and nobody waits for.

Each is done again after its period, whatever became of it; an alarm it tells ends when its cause
does. This file must not know when they are done.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from mpowerd.alarms import Alarm
from mpowerd.approvals.store import expire
from mpowerd.certificates.rules import WAITS_HOURS
from mpowerd.certificates.store import unsigned
from mpowerd.database import Cursor, Database
from mpowerd.outcomes import instant
from mpowerd.security.emergencies import found as emergencies

UNSIGNED_TOLD: Final = 5
"""Machines one alarm names; 'mpower pki waiting' has them all."""
EXPIRED_AT_ONCE: Final = 500
"""Requests marked in one transaction; the rest a minute later."""


def chores(database: Database, alarm: Alarm) -> Mapping[str, Callable[[], Awaitable[None]]]:
    """Give them by name."""
    return {
        "requests that ran out": partial(expire_requests, database),
        "emergency powers": partial(tell_emergencies, database, alarm),
        "unsigned requests": partial(tell_unsigned, database, alarm),
    }


async def expire_requests(database: Database) -> None:
    """Mark the requests that nobody decided in time."""

    async def work(cursor: Cursor) -> int:
        return await expire(cursor, EXPIRED_AT_ONCE)

    await database.write("requests that ran out", None, work)


async def tell_emergencies(database: Database, alarm: Alarm) -> None:
    """Alarm while emergency powers stand, and then until each was reviewed."""
    open_ones = await database.read("emergency powers", None, emergencies)
    stand = [
        f"{one.person} holds {one.power} at {one.office} until {one.until}"
        for one in open_ones
        if one.stands
    ]
    alarm("break-glass", f"An emergency power stands: {'; '.join(stand)}." if stand else "")
    over = [
        f"{one.power_id}, {one.power} of {one.person}, over since {one.until},"
        f" {len(one.decisions)} decision(s)"
        for one in open_ones
        if not one.stands
    ]
    told = f"Emergency powers wait for their review: {'; '.join(over)}." if over else ""
    alarm("break-glass-review", told)


async def tell_unsigned(database: Database, alarm: Alarm) -> None:
    """Alarm while a machine's request for its next certificate waits too long."""

    async def work(cursor: Cursor) -> list[tuple[str, dt.datetime]]:
        return await unsigned(cursor, WAITS_HOURS, UNSIGNED_TOLD)

    late = await database.read("unsigned requests", None, work)
    told = ", ".join(f"{subject} since {instant(since)}" for subject, since in late)
    text = f"Requests for certificates wait for a signature: {told}."
    alarm("certificate-unsigned", text if late else "")
