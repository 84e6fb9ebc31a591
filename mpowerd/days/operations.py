"""The days' operations: open, close, today, the cash book.

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
from mpowerd.days.rules import financial_year, near_date, real_date, summed
from mpowerd.paging import fitting
from protocols.catalogue.body import Nothing
from protocols.catalogue.days import AskBook, CashBook, Closed, CloseDay, Day, OpenDay
from protocols.values import HEAD_OFFICE


async def open_day(cursor: Cursor, caller: Caller, body: OpenDay, here: dt.date) -> Day:
    """Open the business day; ``here`` is the node's own date."""
    date = near_date("days.open", body.date, here)
    year = await store.open_day(cursor, date, caller.user)
    return Day(body.date, financial_year(year), "OPEN")


async def close_day(cursor: Cursor, caller: Caller, body: CloseDay) -> Closed:
    """Close the business day, and say what of it is not verified."""
    date = real_date("days.close", body.date)
    year = await store.close_day(cursor, date, caller.user, confirmed=body.confirmed)
    waiting = await store.waiting(cursor, HEAD_OFFICE, "", date, banks=True)
    return Closed(body.date, financial_year(year), "CLOSED", fitting(waiting))


async def today(cursor: Cursor, caller: Caller, body: Nothing) -> Day:
    """Say which day is open, or which was last."""
    found = await store.today(cursor)
    if found is None:
        return Day("", "", "NONE")
    day, year, is_open = found
    return Day(str(day), financial_year(year), "OPEN" if is_open else "CLOSED")


async def cash_book(cursor: Cursor, caller: Caller, body: AskBook) -> CashBook:
    """Give the cash book of a date, of one counter or of an office."""
    date = real_date("days.cash_book", body.date)
    where = (body.office, body.counter, date)
    lines = await store.book_lines(cursor, *where)
    return CashBook(
        body.date,
        await store.state(cursor, date),
        body.office,
        body.counter,
        sorted(summed((mode, figures) for _, mode, figures in lines), key=lambda one: one.name),
        await store.heads(cursor, *where),
        summed((counter, figures) for counter, _, figures in lines),
        await store.shifts(cursor, *where),
        await store.waiting(cursor, *where, banks=False),
    )


def served(here: Callable[[], dt.date]) -> dict[str, Any]:
    """Give the operations of a node whose own date is ``here()``."""

    async def open_near(cursor: Cursor, caller: Caller, body: OpenDay) -> Day:
        return await open_day(cursor, caller, body, here())

    return {
        "days.open": open_near,
        "days.close": close_day,
        "days.today": today,
        "days.cash_book": cash_book,
    }


FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "days.open": ("open_day_v1",),
    "days.close": ("close_day_v1", "waiting_of_day_v1"),
    "days.today": ("today_v1",),
    "days.cash_book": ("cash_book_v1", "heads_posted_v1", "shifts_of_day_v1", "waiting_of_day_v1"),
}
"""Operation → the database functions it needs: granted to its roles and to nobody else."""
