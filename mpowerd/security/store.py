"""The SQL of users and counters. Signing in and sessions are the daemon's own business."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from msgspec import Struct

from mpowerd.database import Cursor
from mpowerd.outcomes import instant
from protocols.catalogue.own_accounts import Owned
from protocols.catalogue.security import HeldPower
from protocols.refusals import Refused

ADD_USER: Final = "SELECT mpower.add_user_v1(%s, %s, %s, %s)"
ADD_PERSON: Final = "SELECT mpower.add_person_v1(%s, %s, %s, %s)"
LOGIN: Final = "SELECT person, role, disabled, reset FROM mpower.login_v1(%s)"
ENABLE: Final = "SELECT mpower.enable_user_v1(%s)"
ALLOW: Final = "SELECT mpower.allow_reset_v1(%s)"
RESET_WORD: Final = "SELECT mpower.reset_password_v1(%s, %s, %s)"
APPOINT: Final = "SELECT mpower.appoint_v1(%s, %s)"
GRANT: Final = "SELECT mpower.grant_power_v1(%s, %s, %s, %s, %s, %s)"
POWER_COLUMNS: Final = "power_id, person, power, most, office, valid_from, valid_to, withdrawn_at"
POWERS: Final = f"SELECT {POWER_COLUMNS} FROM mpower.powers_v1(%s)"  # noqa: S608 - our own column names
WITHDRAW: Final = f"SELECT {POWER_COLUMNS} FROM mpower.withdraw_power_v1(%s)"  # noqa: S608
ENROL: Final = "SELECT mpower.enrol_factor_v1(%s, %s, %s)"
FACTOR: Final = "SELECT person, since FROM mpower.factor_v1(%s)"
RESET: Final = "SELECT mpower.reset_factor_v1(%s)"
OWN: Final = "SELECT mpower.own_account_v1(%s, %s)"
DISOWN: Final = "SELECT mpower.disown_account_v1(%s, %s)"
OWNED: Final = "SELECT person, consumer, since FROM mpower.own_accounts_v1(%s)"
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


async def add_person(cursor: Cursor, person: str, name: str, designation: str, office: str) -> None:
    """Add a person."""
    await cursor.execute(ADD_PERSON, (person, name, designation, office))


class Login(Struct, frozen=True):
    """A login: whose, its role, why it is disabled ('' it is not), and until when a new password is
    allowed ('' it is not).
    """

    person: str
    role: str
    disabled: str
    reset: str


async def login(cursor: Cursor, user: str) -> Login:
    """Look a login up; refuses NO_USER."""
    await cursor.execute(LOGIN, (user,))
    row = await cursor.fetchone()
    if row is None:
        raise Refused("NO_USER", user=user)
    return Login(*row)


async def enable_user(cursor: Cursor, user: str) -> None:
    """Let a disabled user in again."""
    await cursor.execute(ENABLE, (user,))


async def allow_reset(cursor: Cursor, user: str) -> None:
    """Allow a new password, once and for a day."""
    await cursor.execute(ALLOW, (user,))


async def reset_password(cursor: Cursor, session: bytes, user: str, new_hash: str) -> int:
    """Put a new password; how many sessions were ended."""
    await cursor.execute(RESET_WORD, (session, user, new_hash))
    row = await cursor.fetchone()
    assert row is not None, "a function without a set has one row"
    return int(row[0])


async def enrol_factor(cursor: Cursor, session: bytes, secret: bytes, step: int) -> None:
    """Give the session's login a second factor; that step's code is used."""
    await cursor.execute(ENROL, (session, secret, step))


async def factor(cursor: Cursor, user: str) -> tuple[str, str]:
    """Give (person, since when there is a second factor, or ''); refuses NO_USER."""
    await cursor.execute(FACTOR, (user,))
    row = await cursor.fetchone()
    if row is None:
        raise Refused("NO_USER", user=user)
    return row[0], row[1]


async def reset_factor(cursor: Cursor, user: str) -> None:
    """Take a login's second factor away."""
    await cursor.execute(RESET, (user,))


async def appoint(cursor: Cursor, user: str, role: str) -> None:
    """Give a user another role and end their sessions."""
    await cursor.execute(APPOINT, (user, role))


async def grant_power(
    cursor: Cursor,
    person: str,
    power: str,
    most: int | None,
    office: str,
    first: dt.date,
    last: dt.date | None,
) -> None:
    """Grant a power; ``most`` None: without limit; ``last`` None: until withdrawn."""
    await cursor.execute(GRANT, (person, power, most, office, first, last))


async def powers(cursor: Cursor, person: str) -> list[HeldPower]:
    """Give one person's powers, or everybody's ('')."""
    await cursor.execute(POWERS, (person,))
    return [_held(row) for row in await cursor.fetchall()]


async def withdraw_power(cursor: Cursor, power_id: int) -> HeldPower:
    """Withdraw a power; as it stands now."""
    await cursor.execute(WITHDRAW, (power_id,))
    row = await cursor.fetchone()
    assert row is not None, "the function gives one row or refuses"
    return _held(row)


async def own_account(cursor: Cursor, person: str, consumer: str) -> None:
    """Note that an account is a person's own."""
    await cursor.execute(OWN, (person, int(consumer)))


async def disown_account(cursor: Cursor, person: str, consumer: str) -> None:
    """End that an account is a person's own."""
    await cursor.execute(DISOWN, (person, int(consumer)))


async def own_accounts(cursor: Cursor, person: str) -> list[Owned]:
    """Give one person's own accounts, or everybody's ('')."""
    await cursor.execute(OWNED, (person,))
    rows = await cursor.fetchall()
    return [Owned(whose, f"{consumer:010}", instant(since)) for whose, consumer, since in rows]


def _held(row: tuple[Any, ...]) -> HeldPower:
    number, person, power, most, office, first, last, withdrawn = row
    ends, gone = str(last or ""), instant(withdrawn) if withdrawn else ""
    return HeldPower(number, person, power, most or 0, office, str(first), ends, gone)
