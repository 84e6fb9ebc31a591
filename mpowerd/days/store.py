"""The days' SQL."""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec

from mpowerd.database import Cursor
from protocols.accounts import group_of
from protocols.catalogue.days import BookHead, BookShift, Waiting

OPEN: Final = "SELECT mpower.open_day_v1(%s, %s)"
CLOSE: Final = "SELECT mpower.close_day_v1(%s, %s, %s)"
TODAY: Final = "SELECT day, financial_year, open FROM mpower.today_v1()"
BOOK: Final = "SELECT * FROM mpower.cash_book_v1(%s, %s, %s)"
HEADS: Final = "SELECT slot, posted, returned FROM mpower.heads_posted_v1(%s, %s, %s)"
SHIFTS: Final = "SELECT * FROM mpower.shifts_of_day_v1(%s, %s, %s) LIMIT %s"
WAITING: Final = "SELECT counter, kind, receipts, paise FROM mpower.waiting_of_day_v1(%s, %s, %s)"
STATE: Final = "SELECT mpower.object_v1(%s, %s)"
SHIFTS_MAX: Final = 300
"""It fits a frame beside 300 counters."""

Figures = list[int]
"""opening, receipts, received, cancelled, returned, difference, remitted, other, closing"""


async def open_day(cursor: Cursor, date: dt.date, by: str) -> int:
    """Open a day; the year its financial year begins in."""
    return await _year(cursor, OPEN, date, by)


async def close_day(cursor: Cursor, date: dt.date, by: str, *, confirmed: bool) -> int:
    """Close a day; the year its financial year begins in."""
    return await _year(cursor, CLOSE, date, by, confirmed)


async def today(cursor: Cursor) -> tuple[dt.date, int, bool] | None:
    """Give (day, year, open) of the last day there was; None: there was none."""
    await cursor.execute(TODAY)
    row = await cursor.fetchone()
    return None if row is None else (row[0], row[1], row[2])


async def book_lines(
    cursor: Cursor, office: str, counter: str, date: dt.date
) -> list[tuple[str, str, Figures]]:
    """Give (counter, mode, figures) of a date's cash book."""
    await cursor.execute(BOOK, (office, counter, date))
    return [(counter, mode, figures) for counter, mode, *figures in await cursor.fetchall()]


async def heads(cursor: Cursor, office: str, counter: str, date: dt.date) -> list[BookHead]:
    """Give what was posted to the heads on a date, and what came back of them."""
    await cursor.execute(HEADS, (office, counter, date))
    rows = await cursor.fetchall()
    return [BookHead(group_of("CONSUMER", slot).code, *paise) for slot, *paise in rows]


async def waiting(
    cursor: Cursor, office: str, counter: str, date: dt.date, *, banks: bool
) -> list[Waiting]:
    """Give what of a date was not verified when it ended; ``banks``: what came over links too."""
    await cursor.execute(WAITING, (office, counter, date))
    rows = await cursor.fetchall()
    return [Waiting(code, *figures) for code, kind, *figures in rows if banks or kind != "BANK"]


async def shifts(cursor: Cursor, office: str, counter: str, date: dt.date) -> list[BookShift]:
    """Give the shifts of a date, at most SHIFTS_MAX."""
    await cursor.execute(SHIFTS, (office, counter, date, SHIFTS_MAX))
    return [BookShift(*row) for row in await cursor.fetchall()]


async def state(cursor: Cursor, date: dt.date) -> str:
    """Say how a day stands: OPEN, CLOSED or NONE."""
    await cursor.execute(STATE, ("day", str(date)))
    row = await cursor.fetchone()
    assert row is not None, "a function without a set has one row"
    return str(msgspec.json.decode(row[0]).get("state", "NONE"))


async def _year(cursor: Cursor, statement: str, *said: dt.date | str | bool) -> int:
    await cursor.execute(statement.encode(), said)
    row = await cursor.fetchone()
    assert row is not None, "a function without a set has one row"
    return int(row[0])
