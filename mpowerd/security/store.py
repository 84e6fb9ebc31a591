"""The SQL of people, sessions and counters. Sign-in's functions belong to the daemon itself (role None)."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final, NamedTuple

from mpowerd.database import Cursor
from mpowerd.security.rules import SESSION_HOURS

USER: Final = (
    "SELECT name, person, role, password_hash, disabled FROM mpower.user_for_sign_in_v1(%s)"
)
OPEN: Final = "SELECT mpower.open_session_v1(%s, %s, %s, %s, %s)"
SESSION: Final = (
    "SELECT name, person, role, opened_at, expires_at, alive FROM mpower.session_v1(%s, %s)"
)
END: Final = "SELECT mpower.end_session_v1(%s, %s)"
ENDED: Final = "SELECT token, ended_why FROM mpower.ended_sessions_v1(%s)"
FIRST_ADMIN: Final = "SELECT mpower.first_admin_v1(%s, %s, %s)"
ADD_USER: Final = "SELECT mpower.add_user_v1(%s, %s, %s, %s)"
DISABLE: Final = "SELECT mpower.disable_user_v1(%s, %s)"
ADD_COUNTER: Final = "SELECT mpower.add_counter_v1(%s, %s, %s)"
SESSIONS: Final = "SELECT name, role, subject, since FROM mpower.sessions_v1()"


class SignInUser(NamedTuple):
    """What sign-in needs; ``password_hash`` goes nowhere else."""

    name: str
    person: str
    role: str
    password_hash: str
    disabled: bool


class SessionFound(NamedTuple):
    """A session by its token at its terminal; ``alive``: not ended, not run out, the user not disabled."""

    name: str
    person: str
    role: str
    opened_at: dt.datetime
    expires_at: dt.datetime
    alive: bool


async def user_for_sign_in(cursor: Cursor, user: str) -> SignInUser | None:
    """Find a user for sign-in; None: unknown (take as long as for a known one)."""
    await cursor.execute(USER, (user,))
    row = await cursor.fetchone()
    return SignInUser(*row) if row else None


async def open_session(cursor: Cursor, token: bytes, user: str, subject: str, address: str) -> bool:
    """Open a session under SHA-256 of its token; False: the user was disabled meanwhile."""
    lasts = dt.timedelta(hours=SESSION_HOURS)
    return bool(await _one(cursor, OPEN, token, user, subject, address, lasts))


async def session(cursor: Cursor, token: bytes, subject: str) -> SessionFound | None:
    """Find a session by SHA-256 of its token at the terminal it was opened at."""
    await cursor.execute(SESSION, (token, subject))
    row = await cursor.fetchone()
    return SessionFound(*row) if row else None


async def end_session(cursor: Cursor, token: bytes, why: str) -> bool:
    """End a session: SIGNED_OUT, REPLACED or IDLE. True: it lived until now."""
    return bool(await _one(cursor, END, token, why))


async def ended_sessions(cursor: Cursor, since: dt.datetime) -> list[tuple[bytes, str]]:
    """Give (token hash, why) of the sessions that ended since then or have run out."""
    await cursor.execute(ENDED, (since,))
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def first_admin(cursor: Cursor, user: str, person: str, password_hash: str) -> bool:
    """Make the first administrator; False: there is a user already."""
    return bool(await _one(cursor, FIRST_ADMIN, user, person, password_hash))


async def add_user(cursor: Cursor, user: str, person: str, role: str, password_hash: str) -> None:
    """Add a user."""
    await cursor.execute(ADD_USER, (user, person, role, password_hash))


async def disable_user(cursor: Cursor, user: str, why: str) -> int:
    """Disable a user; how many sessions were ended."""
    return int(await _one(cursor, DISABLE, user, why))


async def add_counter(cursor: Cursor, counter: str, office: str, kind: str) -> None:
    """Add a counter or a bank link."""
    await cursor.execute(ADD_COUNTER, (counter, office, kind))


async def sessions(cursor: Cursor) -> list[tuple[str, str, str, dt.datetime]]:
    """Give (user, role, subject, since) of the live sessions."""
    await cursor.execute(SESSIONS)
    return [(row[0], row[1], row[2], row[3]) for row in await cursor.fetchall()]


async def _one(cursor: Cursor, statement: str, *values: Any) -> Any:
    await cursor.execute(statement.encode(), values)
    row = await cursor.fetchone()
    assert row is not None, "a function without a set has one row"
    return row[0]
