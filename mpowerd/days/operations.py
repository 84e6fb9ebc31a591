"""The days' operations: open, close, today.

The node's own date comes in by the door (``served``): a day is opened only near it. This file must
not read a clock.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from mpowerd.caller import Caller
from mpowerd.database import Cursor
from mpowerd.days import store
from mpowerd.days.rules import financial_year, near_date, real_date
from protocols.catalogue.body import Nothing
from protocols.catalogue.days import CloseDay, Day, OpenDay


async def open_day(cursor: Cursor, caller: Caller, body: OpenDay, here: dt.date) -> Day:
    """Open the business day; ``here`` is the node's own date."""
    date = near_date("days.open", body.date, here)
    year = await store.open_day(cursor, date, caller.user)
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


def served(here: Callable[[], dt.date]) -> dict[str, Any]:
    """Give the operations of a node whose own date is ``here()``."""

    async def open_near(cursor: Cursor, caller: Caller, body: OpenDay) -> Day:
        return await open_day(cursor, caller, body, here())

    return {"days.open": open_near, "days.close": close_day, "days.today": today}


FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "days.open": ("open_day_v1",),
    "days.close": ("close_day_v1",),
    "days.today": ("today_v1",),
}
"""Operation → the database functions it needs: granted to its roles and to nobody else."""
