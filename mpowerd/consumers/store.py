"""The consumers' SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mpowerd.consumers.rules import loaded_as
from mpowerd.database import Cursor
from protocols.catalogue.consumers import NoteContact, Row
from protocols.heads import HEADS

FIND: Final = (
    "SELECT consumer, name, address, category, meter, mobile, sanctioned_load_w, due_paise,"
    " office FROM mpower.find_consumers_v1(%s, %s, %s)"
)
DUES: Final = (
    "SELECT slot, balance_paise, owed_paise, name, bound_paise, barred_until, last_receipt,"
    " last_paise, last_at"
    " FROM mpower.consumer_dues_v1(%s)"
)
LOAD: Final = (
    "SELECT added, already, dues_paise FROM mpower.load_consumers_v1(%s, %s, %s::bigint[], %s, %s,"
    " %s, %s, %s, %s::bigint[], %s, %s, %s::integer[], %s::integer[], %s::bigint[])"
)

CONSUMER: Final = (
    "SELECT name, address, category, meter, mobile, sanctioned_load_w, office"
    " FROM mpower.consumer_v1(%s)"
)
CHANGES: Final = (
    "SELECT field, before, after, user_name, reason, at FROM mpower.consumer_changes_v1(%s, %s)"
)
DETAILS: Final = "SELECT mpower.change_details_v1(%s, %s, %s, %s, %s)"
OFFICE_OVER: Final = "SELECT mpower.office_over_v1(%s, %s)"
NEW_LOAD: Final = "SELECT mpower.change_load_v1(%s, %s, %s, %s)"
MOBILE: Final = "SELECT mpower.change_mobile_v1(%s, %s, %s, %s)"
NOTE: Final = "SELECT mpower.note_contact_v1(%s, %s, %s, %s, %s, %s, %s, %s)"
CONTACTS: Final = (
    "SELECT contact, kind, direction, subject, remark, reference, user_name, counter, at"
    " FROM mpower.contacts_v1(%s, %s, %s)"
)


async def find(cursor: Cursor, by: str, text: str, limit: int) -> list[tuple[Any, ...]]:
    """Find consumers; one row more than ``limit`` when there are more."""
    await cursor.execute(FIND, (by, text, limit))
    return await cursor.fetchall()


async def dues(cursor: Cursor, consumer: int) -> list[tuple[Any, ...]]:
    """Give a consumer's account rows by slot; none: there is no such consumer."""
    await cursor.execute(DUES, (consumer,))
    return await cursor.fetchall()


async def load(
    cursor: Cursor, as_of: dt.date, by: str, rows: Sequence[Row]
) -> tuple[int, int, int]:
    """Load rows; how many were added, how many stood there, and the opening dues posted (paise)."""
    due = [
        (place, slot, row.dues[head])
        for place, row in enumerate(rows, 1)
        for slot, head in enumerate(HEADS, 1)
        if row.dues.get(head)
    ]
    await cursor.execute(
        LOAD,
        (
            as_of,
            by,
            [int(row.number) for row in rows],
            [row.name for row in rows],
            [row.address for row in rows],
            [row.category for row in rows],
            [row.meter for row in rows],
            [row.mobile for row in rows],
            [row.sanctioned_load_w for row in rows],
            [row.office for row in rows],
            [loaded_as(as_of.isoformat(), row) for row in rows],
            [place for place, _, _ in due],
            [slot for _, slot, _ in due],
            [paise for _, _, paise in due],
        ),
    )
    row = await cursor.fetchone()
    assert row is not None, "a function without a set has one row"
    return row[0], row[1], row[2]


async def consumer(cursor: Cursor, number: int) -> tuple[Any, ...] | None:
    """Give a consumer's own data in the order of FIELDS, or None."""
    await cursor.execute(CONSUMER, (number,))
    return await cursor.fetchone()


async def changes(cursor: Cursor, number: int, most: int) -> list[tuple[Any, ...]]:
    """Give (field, before, after, user, reason, at), newest first."""
    await cursor.execute(CHANGES, (number, most))
    return await cursor.fetchall()


async def change_details(
    cursor: Cursor, session: bytes, number: int, fields: Mapping[str, str], reason: str
) -> None:
    """Put name, address, category or office."""
    values = (session, number, list(fields), list(fields.values()), reason)
    await cursor.execute(DETAILS, values)


async def office_over(cursor: Cursor, one: str, other: str) -> str | None:
    """Give the lowest office with both below it; None: one of them is not there."""
    row = await (await cursor.execute(OFFICE_OVER, (one, other))).fetchone()
    assert row is not None, "a function without a set has one row"
    return None if row[0] is None else str(row[0])


async def change_load(cursor: Cursor, session: bytes, number: int, watts: int, reason: str) -> None:
    """Put the sanctioned load."""
    await cursor.execute(NEW_LOAD, (session, number, watts, reason))


async def change_mobile(
    cursor: Cursor, session: bytes, number: int, mobile: str, reason: str
) -> None:
    """Put the mobile number."""
    await cursor.execute(MOBILE, (session, number, mobile, reason))


async def note_contact(cursor: Cursor, session: bytes, counter: str, body: NoteContact) -> int:
    """Keep a contact; its number."""
    said = (body.kind, body.direction, body.subject, body.remark, body.reference)
    await cursor.execute(NOTE, (session, int(body.consumer), *said, counter))
    row = await cursor.fetchone()
    assert row is not None, "a function without a set has one row"
    return int(row[0])


async def contacts(cursor: Cursor, number: int, before: int, most: int) -> list[tuple[Any, ...]]:
    """Give contacts, newest first; ``before`` 0: from the newest."""
    await cursor.execute(CONTACTS, (number, before, most))
    return await cursor.fetchall()
