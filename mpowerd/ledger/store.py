"""The ledger's SQL: named SELECTs that change nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final, NamedTuple

from mpowerd.database import Cursor

CHECK: Final = "SELECT what, which, expected, found FROM mpower.ledger_check_v1(%s, %s) LIMIT %s"
SIZE: Final = "SELECT parts, accounts FROM mpower.ledger_size_v1()"
STATEMENT: Final = "SELECT * FROM mpower.statement_v1(%s, %s, %s, %s, %s, %s, %s)"
Mark = tuple[int, int, int]
"""Where a page began: the receipt and the voucher number before it, and what was payable."""
TRIAL: Final = "SELECT kind, slot, accounts, debit, credit FROM mpower.trial_balance_v1(%s)"
SUBLEDGER: Final = "SELECT * FROM mpower.subledger_v1(%s, %s, %s, %s)"
DAYS: Final = "SELECT * FROM mpower.account_days_v1(%s, %s, %s, %s, %s)"


class Moved(NamedTuple):
    """A voucher of a consumer, with what its page says of itself; ``voucher`` None where there is
    none. ``payout``, ``paid_on``: of a refund, the voucher that paid it out and its day, or None.
    """

    opening: int
    closing: int
    next_receipt: int
    next_voucher: int
    more: bool
    day: dt.date
    at: dt.datetime
    voucher: int | None
    number: str
    kind: str
    by: str
    mode: str
    instrument: str
    about: str
    other: str
    reference: str
    reason: str
    purposes: str
    allocation: str
    slots: list[int]
    paise: list[int]
    moved: int
    balance: int
    payout: int | None = None
    paid_on: dt.date | None = None


Row = tuple[Any, ...]


async def check(cursor: Cursor, part: int, parts: int, most: int) -> list[Row]:
    """What does not fit in one part, the first ``most``: (rule, which, expected, found)."""
    return await _rows(cursor, CHECK, part, parts, most)


async def size(cursor: Cursor) -> tuple[int, int]:
    """Give in how many parts a proof is walked, and about how many accounts there are."""
    ((parts, accounts),) = await _rows(cursor, SIZE)
    return parts, accounts


async def statement(
    cursor: Cursor,
    consumer: int,
    since: dt.date | None,
    until: dt.date | None,
    mark: Mark | None,
    most: int,
) -> list[Moved]:
    """Give a page of a consumer's vouchers, in order; []: there is no such consumer."""
    went_on = mark or (None, None, None)
    rows = await _rows(cursor, STATEMENT, consumer, since, until, *went_on, most)
    return [Moved(*row) for row in rows]


async def trial_balance(cursor: Cursor, until: dt.date | None) -> list[Row]:
    """Every group: (kind, slot, accounts, debit, credit)."""
    return await _rows(cursor, TRIAL, until)


async def subledger(cursor: Cursor, kind: str, slot: int, after: str, most: int) -> list[Row]:
    """A page of a group's accounts and one more: (name, balance, and of all: count, debit,
    credit).
    """
    return await _rows(cursor, SUBLEDGER, kind, slot, after, most)


async def account_days(
    cursor: Cursor, owner: str, kind: str, slot: int, after: dt.date | None, most: int
) -> list[Row]:
    """A page of an account's dates and one more: (day, debit, credit, balance, and of all: count,
    debit, credit); []: there is no such account.
    """
    return await _rows(cursor, DAYS, owner, kind, slot, after, most)


async def _rows(cursor: Cursor, statement: str, *values: Any) -> list[Row]:
    await cursor.execute(statement.encode(), values)
    return await cursor.fetchall()
