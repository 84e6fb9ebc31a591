"""The SQL of a receipt's life after it was taken: listed, cancelled, verified and posted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from mpowerd.allocation import SPLIT
from mpowerd.database import Cursor
from mpowerd.payments.rules import parsed
from protocols.refusals import Refused

MINE: Final = (
    "SELECT number, day, at, consumer, name, amount_paise, mode, instrument, purpose, actor, state,"
    " of_count, of_paise FROM mpower.my_receipts_v1(%s, %s, %s)"
)
AGAIN: Final = (
    "SELECT number, day, at, consumer, name, amount_paise, mode, instrument, purpose, actor"
    " FROM mpower.receipt_again_v1(%s, %s, %s::smallint, %s)"
)
CANCEL: Final = "SELECT mpower.cancel_receipt_v1(%s, %s::smallint, %s, %s, %s, %s, %s)"
UNVERIFIED: Final = (
    "SELECT receipt, number, day, state, person, consumer, amount_paise, purpose, allocation,"
    " slots, balances, owners"
    " FROM mpower.unverified_v1(%s, %s, %s::smallint[], %s::integer[], %s)"
)
ASK: Final = "SELECT mpower.ask_verification_v1(%s, %s, %s, %s)"
STEP: Final = 500
"""Receipts of one transaction: their consumers' accounts are locked for some tens of ms."""
POST: Final = (
    "SELECT mpower.post_receipts_v1(%s, %s::bigint[], %s::bigint[], %s::integer[], %s::bigint[],"
    " %s::bigint[], %s)"
)


class Unverified(NamedTuple):
    """A receipt to be verified, with the order in which that day spreads dues, and what stands
    under its consumer's heads, by slot; whose own account it is.
    """

    receipt: int
    number: str
    day: dt.date
    state: str
    person: str
    consumer: int
    amount_paise: int
    purpose: str
    allocation: str
    slots: list[int]
    balances: list[int]
    owners: list[str]


async def my_receipts(cursor: Cursor, counter: str, clerk: str, limit: int) -> list[Any]:
    """Give a clerk's newest receipts of the open day; count and total of all in each row."""
    await cursor.execute(MINE, (counter, clerk, limit))
    return await cursor.fetchall()


async def again(
    cursor: Cursor, counter: str, receipt: tuple[str, int, int]
) -> tuple[Any, ...] | None:
    """Give a receipt of this counter as it was printed; None: it has none such."""
    return await (await cursor.execute(AGAIN, (counter, *receipt))).fetchone()


async def cancel(
    cursor: Cursor,
    receipt: tuple[str, int, int],
    at_counter: str,
    by: str,
    person: str,
    reason: str,
) -> int:
    """Cancel a receipt; its amount in paise."""
    await cursor.execute(CANCEL, (*receipt, at_counter, by, person, reason))
    row = await cursor.fetchone()
    assert row is not None, "a function without a set has one row"
    return int(row[0])


async def unverified(
    cursor: Cursor, counter: str, date: str, receipts: Sequence[str]
) -> list[Unverified]:
    """Give (and lock) the first receipts of a counter's date that await verification, one more than
    STEP when there are more, or those named.
    """
    day = day_of(counter, date)
    years: list[int] | None = None
    numbers: list[int] | None = None
    if receipts:
        parts = [parsed(receipt) for receipt in receipts]
        for receipt, (code, _, _) in zip(receipts, parts, strict=True):
            if code != counter:
                raise Refused("NO_RECEIPT", receipt=receipt)
        years, numbers = [year for _, year, _ in parts], [number for _, _, number in parts]
    await cursor.execute(UNVERIFIED, (counter, day, years, numbers, STEP))
    return [Unverified(*row) for row in await cursor.fetchall()]


def day_of(counter: str, date: str) -> dt.date:
    """Read a date whose receipts are to be verified; nothing is on one that the calendar lacks."""
    try:
        return dt.date.fromisoformat(date)
    except ValueError:
        where = counter or "(any)"
        raise Refused("NOTHING_TO_VERIFY", counter=where, date=date) from None


async def ask(cursor: Cursor, by: str, person: str, date: dt.date, counter: str) -> int:
    """Ask for the verification, in steps, of all that awaits it of a date at a counter ('': at
    all); its number.
    """
    await cursor.execute(ASK, (by, person, date, counter))
    ((number,),) = await cursor.fetchall()
    return int(number)


async def post(
    cursor: Cursor,
    by: str,
    receipts: Sequence[int],
    lines: Sequence[tuple[int, int, int]],
    told: Sequence[int] = (),
) -> None:
    """Verify receipts and post their lines (receipt, slot of the head, paise); ``told``: those that
    an officer split.
    """
    columns = [list(column) for column in zip(*lines, strict=True)]
    await cursor.execute(POST, (by, list(receipts), *columns, list(told), SPLIT))
