"""The charges' SQL."""

from __future__ import annotations

from typing import Final

from mpowerd.caller import Caller
from mpowerd.database import Cursor
from protocols.catalogue.charges import Raise, Withdraw
from protocols.heads import HEAD_SLOTS

RAISE: Final = "SELECT mpower.raise_charge_v1(%s, %s, %s, %s, %s, %s)"
CHARGE: Final = "SELECT name, office, paise, payable, withdrawn FROM mpower.charge_v1(%s, %s, %s)"
WITHDRAW: Final = "SELECT mpower.withdraw_charge_v1(%s, %s, %s, %s, %s)"
CONSUMER: Final = "SELECT name, office FROM mpower.consumer_v1(%s)"


async def consumer(cursor: Cursor, number: int) -> tuple[str, str] | None:
    """Give a consumer's name and office; None: there is no such."""
    row = await (await cursor.execute(CONSUMER, (number,))).fetchone()
    return None if row is None else (row[0], row[1])


async def raise_charge(cursor: Cursor, caller: Caller, body: Raise) -> int:
    """Post an approved charge; its voucher."""
    said = (HEAD_SLOTS[body.head], body.amount_paise, body.reference, body.reason)
    await cursor.execute(RAISE, (caller.session, int(body.consumer), *said))
    ((voucher,),) = await cursor.fetchall()
    return int(voucher)


async def charge(cursor: Cursor, body: Withdraw) -> tuple[str, str, int, int, bool] | None:
    """Give (name, office, paise, payable still, withdrawn) of a charge; None: there is no such."""
    named = (int(body.consumer), HEAD_SLOTS[body.head], body.reference)
    row = await (await cursor.execute(CHARGE, named)).fetchone()
    return None if row is None else (row[0], row[1], row[2], row[3], row[4])


async def withdraw(cursor: Cursor, caller: Caller, body: Withdraw) -> int:
    """Reverse a charge (approved); the voucher that does."""
    named = (int(body.consumer), HEAD_SLOTS[body.head], body.reference, body.reason)
    await cursor.execute(WITHDRAW, (caller.session, *named))
    ((voucher,),) = await cursor.fetchall()
    return int(voucher)
