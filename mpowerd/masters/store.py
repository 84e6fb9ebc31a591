"""The SQL of the masters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from mpowerd.database import Cursor

LIST: Final = "SELECT key, valid_from, content FROM mpower.masters_v1(%s, %s, %s, %s)"
AHEAD: Final = "SELECT day, master, key FROM mpower.masters_ahead_v1(%s, %s)"
HISTORY: Final = "SELECT valid_from, content, at FROM mpower.master_history_v1(%s, %s)"
USED: Final = "SELECT office, consumers, counters FROM mpower.offices_used_v1(%s)"
CHANGE: Final = "SELECT mpower.change_masters_v1(%s, %s, %s, %s)"


def _read(content: str) -> dict[str, str]:
    return msgspec.json.decode(content, type=dict[str, str])


async def listed(
    cursor: Cursor, master: str, as_of: dt.date, after: str = "", most: int | None = None
) -> list[tuple[str, dt.date, dict[str, str]]]:
    """Give (key, since, fields) of what stands on a day, by key; after a key at most so many."""
    await cursor.execute(LIST, (master, as_of, after, most))
    return [(row[0], row[1], _read(row[2])) for row in await cursor.fetchall()]


async def ahead(
    cursor: Cursor, masters: Sequence[str], after: dt.date
) -> list[tuple[dt.date, str, str]]:
    """Give (day, master, key) of what was changed for a day after ``after``, by day."""
    return await (await cursor.execute(AHEAD, (list(masters), after))).fetchall()


async def history(
    cursor: Cursor, master: str, key: str
) -> list[tuple[dt.date, dict[str, str] | None, dt.datetime]]:
    """Give (from, fields or None where it ended, when it was changed), newest first."""
    await cursor.execute(HISTORY, (master, key))
    rows = await cursor.fetchall()
    return [(row[0], None if row[1] is None else _read(row[1]), row[2]) for row in rows]


async def used(cursor: Cursor, offices: Sequence[str]) -> list[tuple[str, int, int]]:
    """Give (office, consumers, open counters) of those that still have any."""
    await cursor.execute(USED, (list(offices),))
    return [(row[0], row[1], row[2]) for row in await cursor.fetchall()]


async def change(
    cursor: Cursor,
    master: str,
    valid_from: dt.date,
    rows: Sequence[tuple[str, Mapping[str, str] | None]],
) -> None:
    """Put rows in their order; without fields: ended."""
    keys = [key for key, _ in rows]
    contents = [
        None if row is None else msgspec.json.encode(dict(sorted(row.items()))).decode()
        for _, row in rows
    ]
    await cursor.execute(CHANGE, (master, valid_from, keys, contents))
