"""The consumers' SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from mpowerd.consumers.rules import HEADS, loaded_as
from mpowerd.database import Cursor
from protocols.catalogue.consumers import Row

FIND: Final = (
    "SELECT consumer, name, address, category, meter, mobile, sanctioned_load_w, due_paise"
    " FROM mpower.find_consumers_v1(%s, %s, %s)"
)
DUES: Final = (
    "SELECT slot, balance_paise, owed_paise, name, last_receipt, last_paise, last_at"
    " FROM mpower.consumer_dues_v1(%s)"
)
LOAD: Final = (
    "SELECT added, already, dues_paise FROM mpower.load_consumers_v1(%s, %s, %s::bigint[], %s, %s,"
    " %s, %s, %s, %s::bigint[], %s, %s::integer[], %s::integer[], %s::bigint[])"
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
            [loaded_as(as_of.isoformat(), row) for row in rows],
            [place for place, _, _ in due],
            [slot for _, slot, _ in due],
            [paise for _, _, paise in due],
        ),
    )
    row = await cursor.fetchone()
    assert row is not None, "a function without a set has one row"
    return row[0], row[1], row[2]
