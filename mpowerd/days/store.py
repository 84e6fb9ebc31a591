"""The days' SQL."""

from __future__ import annotations

import datetime as dt
from typing import Final

from mpowerd.database import Cursor

OPEN: Final = "SELECT mpower.open_day_v1(%s, %s)"
CLOSE: Final = "SELECT mpower.close_day_v1(%s, %s)"
TODAY: Final = "SELECT day, financial_year, open FROM mpower.today_v1()"


async def open_day(cursor: Cursor, date: dt.date, by: str) -> int:
    """Open a day; the year its financial year begins in."""
    return await _year(cursor, OPEN, date, by)


async def close_day(cursor: Cursor, date: dt.date, by: str) -> int:
    """Close a day; the year its financial year begins in."""
    return await _year(cursor, CLOSE, date, by)


async def today(cursor: Cursor) -> tuple[dt.date, int, bool] | None:
    """Give (day, year, open) of the last day there was; None: there was none."""
    await cursor.execute(TODAY)
    row = await cursor.fetchone()
    return None if row is None else (row[0], row[1], row[2])


async def _year(cursor: Cursor, statement: str, date: dt.date, by: str) -> int:
    await cursor.execute(statement.encode(), (date, by))
    row = await cursor.fetchone()
    assert row is not None, "a function without a set has one row"
    return int(row[0])
