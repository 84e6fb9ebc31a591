"""The SQL of users and counters. Signing in and sessions are the daemon's own business."""

from __future__ import annotations

import datetime as dt
from typing import Final

from mpowerd.database import Cursor

ADD_USER: Final = "SELECT mpower.add_user_v1(%s, %s, %s, %s)"
DISABLE: Final = "SELECT mpower.disable_user_v1(%s, %s)"
ADD_COUNTER: Final = "SELECT mpower.add_counter_v1(%s, %s, %s)"
SESSIONS: Final = "SELECT name, role, subject, since FROM mpower.sessions_v1()"


async def add_user(cursor: Cursor, user: str, person: str, role: str, password_hash: str) -> None:
    """Add a user."""
    await cursor.execute(ADD_USER, (user, person, role, password_hash))


async def disable_user(cursor: Cursor, user: str, why: str) -> int:
    """Disable a user; how many sessions were ended."""
    await cursor.execute(DISABLE, (user, why))
    row = await cursor.fetchone()
    assert row is not None, "a function without a set has one row"
    return int(row[0])


async def add_counter(cursor: Cursor, counter: str, office: str, kind: str) -> None:
    """Add a counter or a bank link."""
    await cursor.execute(ADD_COUNTER, (counter, office, kind))


async def sessions(cursor: Cursor) -> list[tuple[str, str, str, dt.datetime]]:
    """Give (user, role, subject, since) of the live sessions."""
    await cursor.execute(SESSIONS)
    return [(row[0], row[1], row[2], row[3]) for row in await cursor.fetchall()]
