"""The days' operations: open, close, today."""

from __future__ import annotations

from typing import Any, Final

from mpowerd.caller import Caller
from mpowerd.database import Cursor
from mpowerd.days import store
from mpowerd.days.rules import financial_year, real_date
from protocols.catalogue.body import Nothing
from protocols.catalogue.days import CloseDay, Day, OpenDay


async def open_day(cursor: Cursor, caller: Caller, body: OpenDay) -> Day:
    """Open the business day."""
    year = await store.open_day(cursor, real_date("days.open", body.date), caller.user)
    return Day(body.date, financial_year(year), "OPEN")


async def close_day(cursor: Cursor, caller: Caller, body: CloseDay) -> Day:
    """Close the business day."""
    year = await store.close_day(cursor, real_date("days.close", body.date), caller.user)
    return Day(body.date, financial_year(year), "CLOSED")


async def today(cursor: Cursor, caller: Caller, body: Nothing) -> Day:
    """Say which day is open, or which was last."""
    found = await store.today(cursor)
    if found is None:
        return Day("", "", "NONE")
    day, year, is_open = found
    return Day(str(day), financial_year(year), "OPEN" if is_open else "CLOSED")


SERVED: Final[dict[str, Any]] = {
    "days.open": open_day,
    "days.close": close_day,
    "days.today": today,
}
FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "days.open": ("open_day_v1",),
    "days.close": ("close_day_v1",),
    "days.today": ("today_v1",),
}
"""Operation → the database functions it needs: granted to its roles and to nobody else."""
