"""The transfers' SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from mpowerd.caller import Caller
from mpowerd.database import Cursor
from mpowerd.transfers.rules import Leg, Payable, Posted, Standing
from protocols.catalogue.transfers import AskRefunds, PayOut
from protocols.heads import HEADS
from protocols.refusals import Refused
from protocols.values import numbered

STANDING: Final = (
    "SELECT name, office, advance_paise, allocation, slots, balances, waits_paise, waits_for"
    " FROM mpower.advance_v1(%s, %s::date, %s::bigint)"
)
POSTED: Final = (
    "SELECT receipt, consumer, amount_paise, day, purpose, state, moved, slots, paise"
    " FROM mpower.posted_receipt_v1(%s, %s::smallint, %s, %s)"
)
TRANSFER: Final = (
    "SELECT mpower.transfer_v1(%s, %s, %s, %s::bigint, %s::bigint, %s::bigint, %s::bigint[],"
    " %s::bigint[], %s::bigint[], %s::date, %s, %s, %s)"
)
FUND: Final = "SELECT account, office, paise FROM mpower.fund_v1(%s, %s)"
REFUND: Final = "SELECT name, office, paise, payout, short FROM mpower.refund_v1(%s, %s)"
REFUNDS: Final = (
    "SELECT refund, day, consumer, name, paise, payout, mode, reference"
    " FROM mpower.refunds_v1(%s, %s, %s, %s)"
)
PAY_OUT: Final = "SELECT mpower.pay_out_v1(%s, %s, %s, %s, %s, %s)"
SUSPENSE: Final = (
    "SELECT receipt, number, day, reference, said, value_date, paise"
    " FROM mpower.suspense_v1(%s, %s, %s)"
)
SUSPENDED: Final = (
    "SELECT receipt, day, paise, state FROM mpower.suspended_v1(%s, %s::smallint, %s)"
)
MATCH: Final = (
    "SELECT mpower.match_suspense_v1(%s, %s, %s, %s::bigint[], %s::bigint[], %s::bigint[], %s)"
)


class Order(NamedTuple):
    """Which operation moves what kind, from whom to whom."""

    operation: str
    kind: str
    consumer: int | None
    to: int | None


async def standing(
    cursor: Cursor, consumer: str, day: dt.date | None, besides: int | None = None
) -> Standing:
    """Hold a consumer and say how they stand, by the rule of a day, ``besides`` a receipt that
    leaves; refuses NO_CONSUMER.
    """
    row = await (await cursor.execute(STANDING, (int(consumer), day, besides))).fetchone()
    if row is None:
        raise Refused("NO_CONSUMER", consumer=consumer)
    name, office, advance, allocation, slots, balances, *waits = row
    return Standing(name, office, advance, allocation.split(","), _heads(slots, balances), *waits)


def _heads(slots: Sequence[int], paise: Sequence[int]) -> dict[str, int]:
    return {HEADS[slot - 1]: part for slot, part in zip(slots, paise, strict=True)}


async def posted(cursor: Cursor, number: str, to: str) -> Posted:
    """Give a receipt as it stands, and hold it with its consumer and the one it shall go to, in the
    order of all; refuses NO_RECEIPT.
    """
    parts = numbered(number) or ("", 0, 0)
    row = await (await cursor.execute(POSTED, (*parts, int(to)))).fetchone()
    if row is None:
        raise Refused("NO_RECEIPT", receipt=number)
    said: list[Any] = [*row[:7], _heads(*row[7:])]
    return Posted(*said)


async def transfer(
    cursor: Cursor,
    caller: Caller,
    order: Order,
    receipt: int | None,
    legs: Sequence[Leg],
    value_day: dt.date | None,
    total: int,
    reference: str,
    reason: str,
) -> int:
    """Move money by its legs; the voucher."""
    columns = _columns(legs)
    whom = (caller.session, order.consumer, order.to, receipt)
    said = (*columns, value_day, total, reference, reason)
    await cursor.execute(TRANSFER, (order.operation, order.kind, *whom, *said))
    ((voucher,),) = await cursor.fetchall()
    return int(voucher)


def _columns(legs: Sequence[Leg]) -> list[list[int]]:
    return [list(column) for column in zip(*legs, strict=True)]


async def fund(cursor: Cursor, counter: str, slot: int) -> tuple[int, str, int] | None:
    """Give (account, office, paise) of what a counter holds; None: no such counter."""
    row = await (await cursor.execute(FUND, (counter, slot))).fetchone()
    return None if row is None else (row[0], row[1], row[2])


async def refund(cursor: Cursor, consumer: str, voucher: int) -> Payable:
    """Give a refund of a consumer; refuses NO_REFUND."""
    row = await (await cursor.execute(REFUND, (int(consumer), voucher))).fetchone()
    if row is None:
        raise Refused("NO_REFUND", refund=voucher, consumer=consumer)
    return Payable(*row)


async def refunds(cursor: Cursor, body: AskRefunds) -> list[tuple[Any, ...]]:
    """Give refunds of an office, waiting or paid; one more than ``most`` when there are more."""
    await cursor.execute(REFUNDS, (body.office, body.paid, body.after, body.most))
    return await cursor.fetchall()


async def pay_out(cursor: Cursor, caller: Caller, body: PayOut) -> int:
    """Pay a refund out; the voucher."""
    said = (int(body.consumer), body.refund, body.mode, body.reference, body.reason)
    await cursor.execute(PAY_OUT, (caller.session, *said))
    ((voucher,),) = await cursor.fetchall()
    return int(voucher)


async def suspense(cursor: Cursor, bank: str, after: int, most: int) -> list[tuple[Any, ...]]:
    """Give the lines in suspense; one more than ``most`` when there are more."""
    await cursor.execute(SUSPENSE, (bank, after, most))
    return await cursor.fetchall()


async def suspended(cursor: Cursor, number: str) -> tuple[int, dt.date, int, str] | None:
    """Give (receipt, day, paise, state) of money without a consumer; None: it is none."""
    row = await (await cursor.execute(SUSPENDED, numbered(number) or ("", 0, 0))).fetchone()
    return None if row is None else (row[0], row[1], row[2], row[3])


async def match(
    cursor: Cursor, caller: Caller, receipt: int, consumer: int, legs: Sequence[Leg], reason: str
) -> int:
    """Give money in suspense to its consumer; the voucher."""
    said = (caller.session, receipt, consumer, *_columns(legs), reason)
    await cursor.execute(MATCH, said)
    ((voucher,),) = await cursor.fetchall()
    return int(voucher)
