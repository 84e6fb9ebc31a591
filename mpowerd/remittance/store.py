"""The remittance's SQL, and a slip as it is read from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from mpowerd.cash import read, written
from mpowerd.database import Cursor
from mpowerd.outcomes import instant
from mpowerd.paging import fitting
from protocols.catalogue.remittance import (
    Cheque,
    Group,
    MakeSlip,
    Part,
    Realise,
    Slip,
    SlipLine,
    SlipRow,
)
from protocols.refusals import Refused
from protocols.values import numbered

SORT: Final = (
    "SELECT mpower.sort_instruments_v1(%s, %s::smallint[], %s::integer[], %s::text[], %s::text[],"
    " %s)"
)
PENDING: Final = "SELECT kind, bank, place, receipts, paise, unverified FROM mpower.to_remit_v1(%s)"
MAKE: Final = "SELECT mpower.make_slip_v1(%s, %s, %s, %s, %s, %s, %s, %s)"
NAMED: Final = "SELECT mpower.slip_named_v1(%s, %s::smallint, %s, %s)"
SLIP: Final = (
    "SELECT slip, office, kind, bank, place, day, at, by, cash, total_paise, realised_paise,"
    " open_paise FROM mpower.slip_v1(%s)"
)
PARTS: Final = "SELECT counter, paise FROM mpower.slip_parts_v1(%s)"
LINES: Final = "SELECT receipt, instrument, paise, state FROM mpower.slip_lines_v1(%s)"
SLIPS: Final = (
    "SELECT slip, kind, bank, place, day::text, total_paise, realised_paise, open_paise"
    " FROM mpower.slips_v1(%s, %s, %s)"
)
REALISE: Final = (
    "SELECT mpower.realise_slip_v1(%s, %s::text[], %s::smallint[], %s::integer[], %s, %s, %s, %s)"
)
LINES_MAX: Final = 400
"""Instruments on one slip: it fits a frame, and a bundle a teller will take."""
PARTS_BYTES: Final = 6 * 1024
"""Of an office's counters on one slip: above 250 of them."""


async def sort(cursor: Cursor, cheques: Sequence[Cheque], by: str) -> None:
    """Keep the bank and city of cheques."""
    banks, cities = [one.bank for one in cheques], [one.city for one in cheques]
    await _one(cursor, SORT, *_columns([one.receipt for one in cheques]), banks, cities, by)


async def pending(cursor: Cursor, office: str) -> list[Group]:
    """Give what an office has for the bank."""
    await cursor.execute(PENDING, (office,))
    return [Group(*row) for row in await cursor.fetchall()]


async def make(cursor: Cursor, body: MakeSlip, said: int, by: str) -> int:
    """Make a slip."""
    sort_of = (body.office, body.kind, body.bank, body.place)
    return int(await _one(cursor, MAKE, *sort_of, written(body.cash), said, by, LINES_MAX))


async def named(cursor: Cursor, slip: str, *, held: bool = False) -> int:
    """Find a slip by its number; nobody else settles it until the transaction ends, if held."""
    parts = numbered(slip)
    if parts is None:
        raise Refused("NO_SLIP", slip=slip)
    return int(await _one(cursor, NAMED, *parts, held))


async def read_slip(cursor: Cursor, slip: int) -> Slip:
    """Read a slip whole."""
    await cursor.execute(SLIP, (slip,))
    row = await cursor.fetchone()
    assert row is not None, f"there is no slip {slip}"
    number, office, kind, bank, place, day, at, by, cash, total, realised, still = row
    await cursor.execute(PARTS, (slip,))
    parts = fitting([Part(*one) for one in await cursor.fetchall()], PARTS_BYTES)
    await cursor.execute(LINES, (slip,))
    lines = [SlipLine(*one) for one in await cursor.fetchall()]
    which, made = (number, office, kind, bank, place), (str(day), instant(at), by, read(cash))
    return Slip(*which, *made, total, realised, still, parts, lines)


async def slips(cursor: Cursor, office: str, most: int, *, waiting: bool) -> list[SlipRow]:
    """Give an office's newest slips."""
    await cursor.execute(SLIPS, (office, waiting, most))
    return [SlipRow(*row) for row in await cursor.fetchall()]


async def realise(cursor: Cursor, slip: int, body: Realise, date: dt.date, by: str) -> None:
    """Note what the bank has credited of a held slip."""
    credit = (body.amount_paise, date, body.reference)
    await _one(cursor, REALISE, slip, *_columns(body.receipts), *credit, by)


def _columns(receipts: Sequence[str]) -> tuple[list[str], list[int], list[int]]:
    """Part receipt numbers into counters, years and running numbers."""
    parts = []
    for receipt in receipts:
        found = numbered(receipt)
        if found is None:
            raise Refused("NO_RECEIPT", receipt=receipt)
        parts.append(found)
    return [one for one, _, _ in parts], [one for _, one, _ in parts], [one for _, _, one in parts]


async def _one(cursor: Cursor, statement: str, *values: object) -> Any:
    await cursor.execute(statement.encode(), values)
    row = await cursor.fetchone()
    assert row is not None, "a function without a set has one row"
    return row[0]
